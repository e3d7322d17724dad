# SPDX-License-Identifier: MIT
"""The ways in which a device can come to whoever uses it. Each has a guest of its own, and all
guests are up in the same boot; a device is moved from one to the next.

A variant has

    start()             make its guest, or make it anew
    bring(port)         have the device in a port of dom0's appear in its machine
    give_back(port)     have it be dom0's again
    refuses(device)     why it cannot have a device, or None
    machine, guest      where programs run; guest is None in dom0
"""
import time

import programs
from xvhclab.errors import LabError, TimedOut

MEMORY = 256
# The guest beside the one of xvhc2, for what two guests do at once.
SECOND = "xvhc2-second"
NO_SCATTER_GATHER = "stock xen-hcd has no scatter-gather, which Linux' uas asks for"
NO_STREAMS = "has no streams, without which a SuperSpeed UAS disk does not work"


def needs_streams(device):
    return device.kind == "uas" and device.dom0_port.startswith("2-")


class Native:
    """The device stays in dom0, whose drivers use it."""

    attempts = 1

    def __init__(self, lab, name="native"):
        self.lab = lab
        self.name = name
        self.title = TITLES[name]
        self.machine = lab.dom0
        self.guest = None

    def start(self):
        pass

    def bring(self, port):
        pass

    def give_back(self, port):
        pass

    def refuses(self, _device):
        return None

    def died(self):
        """Whether what went wrong is a fault of a stock part that is known: then it is tried
        again, with all of it made anew."""
        return False


class InGuest(Native):
    """What all variants with a guest share."""

    driver, arguments, config = None, "", ()

    def __init__(self, lab, name):
        super().__init__(lab, name)
        self.machine = None

    def start(self):
        if self.guest:
            self.guest.destroy()
        self.guest = self.machine = self.lab.guest(
            f"bench-{self.name}", driver=self.driver, arguments=self.arguments, memory=MEMORY,
            config=self.config, archives=[programs.NAME])


class Xvhc(InGuest):
    """Our backend, with a guest driver that is ours or stock."""

    def __init__(self, lab, name, driver, arguments, wire):
        super().__init__(lab, name)
        self.driver, self.arguments, self.wire = driver, arguments, wire

    def bring(self, port):
        self.lab.dom0.check(f"xvhc give {port} {self.guest.name}")

    def give_back(self, port):
        self.lab.dom0.check(f"xvhc take {port}", timeout=30)

    def refuses(self, device):
        if self.driver == "xen-hcd" and device.kind == "uas":
            return NO_SCATTER_GATHER
        return f"version 1 of the wire {NO_STREAMS}" if needs_streams(device) and \
            self.wire == 1 else None


class Qusb(InGuest):
    """QEMU's backend in dom0, with the stock driver in the guest."""

    driver = "xen-hcd"
    config = ["usbctrl=['type=qusb,version=2,ports=4']"]
    attempts = 4

    def start(self):
        self.lab.load_qemu()
        super().start()

    def bring(self, port):
        dom0, folder = self.lab.dom0, f"/sys/bus/usb/devices/{port}"
        dom0.wait(f"test -e {folder}/bConfigurationValue && grep -q . {folder}/bConfigurationValue")
        # QEMU looks for the device once. One that it opens later is in no state to be talked to.
        dom0.check("udevadm settle")
        dom0.check(f"xl usbdev-attach {self.guest.name} hostbus=$(cat {folder}/busnum) "
                   f"hostaddr=$(cat {folder}/devnum)")

    def give_back(self, port):
        listed = self.lab.dom0.check(f"xl usb-list {self.guest.name}")
        used = [line.split()[1].rstrip(":") for line in listed.splitlines()
                if line.split()[:1] == ["Port"] and "Bus" in line]
        for number in used:
            self.lab.dom0.check(f"xl usbdev-detach {self.guest.name} 0 {number}", timeout=60)

    def refuses(self, device):
        return NO_SCATTER_GATHER if device.kind == "uas" else None

    def died(self):
        return self.lab.dom0.run("pidof xen-qemu-system-i386")[0] != 0


class Usbip(InGuest):
    """USB/IP between the two domains, over Xen's network."""

    config = ["vif=['script=vif-bench']"]
    host = "10.9.0.1"

    def start(self):
        dom0 = self.lab.dom0
        dom0.check("bench-load xen-netback && modprobe usbip_host && "
                   "{ pidof usbipd >/dev/null || usbipd -D; }")
        super().start()
        self.guest.check("bench-load xen-netfront && bench-load vhci-hcd && "
                         "ip addr add 10.9.0.2/24 dev eth0 && ip link set eth0 up")
        self.guest.wait(f"ping -c 1 -W 1 {self.host}", 30)

    def bring(self, port):
        dom0, folder = self.lab.dom0, f"/sys/bus/usb/devices/{port}"
        dom0.wait(f"test -e {folder}/bConfigurationValue && grep -q . {folder}/bConfigurationValue")
        dom0.check(f"usbip bind -b {port}")
        self.guest.check(f"usbip attach -r {self.host} -b {port}")

    def give_back(self, port):
        # One line for each port of the virtual controller; the third word is its state, 6: in use.
        used = self.guest.check("cat /sys/devices/platform/vhci_hcd.0/status | "
                                "awk '$3 == \"006\" { print $2 + 0 }'")
        for number in used.split():
            self.guest.check(f"usbip detach -p {number}")
        self.lab.dom0.wait(f"usbip unbind -b {port}", 20)

    def refuses(self, device):
        return f"vhci-hcd {NO_STREAMS}" if needs_streams(device) else None


# What each is called, in the order of the reports.
TITLES = {
    "native": "native, in dom0",
    "xvhc2": "xvhc.ko, wire 2",
    "xvhc1": "xvhc.ko, wire 1",
    "stock": "stock xen-hcd on xvhcd",
    "qusb": "stock xen-hcd on QEMU's qusb",
    "usbip": "USB/IP over netfront",
    SECOND: "xvhc.ko, wire 2, a second guest",
}
NAMES = tuple(name for name in TITLES if name != SECOND)


def made(lab, name):
    """The variant of that name; its guest is not there yet."""
    if name == "native":
        return Native(lab)
    if name == "qusb":
        return Qusb(lab, name)
    if name == "usbip":
        return Usbip(lab, name)
    return Xvhc(lab, name, *{"xvhc1": ("xvhc", "xvhc.wire=1", 1),
                             "stock": ("xen-hcd", "", 1)}.get(name, ("xvhc", "", 2)))


def started(variant, say):
    """Start a variant, as often as it may be tried. Returns why it did not, or None."""
    reason = None
    for _ in range(variant.attempts):
        began = time.monotonic()
        try:
            variant.start()
            say(f"{variant.title}: up after {time.monotonic() - began:.0f} s")
            return None
        except (LabError, TimedOut) as error:
            reason = str(error)
            say(f"{variant.title}: did not start: {reason}")
    return reason
