# SPDX-License-Identifier: MIT
"""Brings a lab back to how it was after boot, and says what was not as it should be."""
import json

from .errors import LabError, TimedOut


def leave_clean(lab):
    """Destroy the guests, unplug, take the ports back; returns a list of complaints.

    That a test leaves guests, devices and given ports behind is in order. What these leave behind
    once they are gone is not: domains that do not end, workers, XenStore nodes, devices.
    """
    complaints = []
    for guest in list(lab.guests.values()):
        attempt(complaints, guest.destroy)
    for device in reversed(list(lab.plugged.values())):
        attempt(complaints, lambda device=device: lab.unplug(device))
    attempt(complaints, lambda: take_ports(lab))
    dom0 = lab.dom0
    checks = {
        "a domain is still there": "! xl list | tail -n +3 | grep .",
        "a USB device is still there":
            "! ls /sys/bus/usb/devices | grep '^[0-9]' | grep -v -e '-0:'",
        "a worker still runs": "! pidof xvhcd-worker",
        "QEMU still runs": "! pidof xen-qemu-system-i386",
        "a backend node is still in XenStore":
            "! { xenstore-ls /local/domain/0/backend/vusb; "
            "xenstore-ls /local/domain/0/backend/qusb; } 2>/dev/null | grep =",
    }
    for complaint, command in checks.items():
        try:
            dom0.wait(command, 20)
        except (LabError, TimedOut):
            complaints.append(f"after the test {complaint}: {dom0.run(command)[1].strip()}")
    return complaints


def attempt(complaints, action):
    try:
        action()
    except (LabError, TimedOut) as error:
        complaints.append(f"cleaning up: {error}")


def take_ports(lab):
    """Take all ports back from their guests, if the broker runs."""
    rc, text = lab.dom0.run("xvhc list --json 2>/dev/null")
    if rc != 0:
        return
    listed = json.loads(text)
    for device in listed.get("devices", []) if isinstance(listed, dict) else []:
        lab.dom0.check(f"xvhc take --device {device['device']}")
    for port in listed["ports"] if isinstance(listed, dict) else listed:
        # What is behind a hub is taken with the port that the hub is in.
        if port.get("guest") and port.get("given-by", "port") == "port":
            lab.dom0.check(f"xvhc take {port['port']}")
