# SPDX-License-Identifier: MIT
"""Giving 2-1, the SuperSpeed side of a connector, gives 1-1 as well."""
import json

from sticks import image_sha256, noise_stick, read_sha256, wait_disk


def test(lab):
    lab.dom0.check("xvhc give 2-1 web")
    ports = json.loads(lab.dom0.check("xvhc list --json"))["ports"]
    given = [port for port in ports if port.get("guest") == "web"]
    assert len(given) == 1, f"one connector is shown {len(given)} times"
    code, said = lab.dom0.run("xvhc give 1-1 other")
    assert code == 1 and "web" in said, f"the other side could be given again: {said}"
    web = lab.guest("web")
    image = noise_stick(lab, "stick", 4)
    stick = lab.plug("xhci.1", "storage", image=image)
    lab.dom0.wait("test -e /sys/bus/usb/devices/2-1")
    wait_disk(web)
    assert read_sha256(web) == image_sha256(image)
    warned = web.check("dmesg | grep -ci 'invalid maxpacket' || true")
    assert warned == "0", "the guest was shown an invalid packet size"
    lab.unplug(stick)
    web.wait("! test -e /sys/block/sda")
    lab.plug("xhci.1", "kbd")
    lab.dom0.wait("test -e /sys/bus/usb/devices/1-1")
    web.wait("grep -q Keyboard /sys/class/input/input*/name")
    lab.dom0.check("! ls -d /sys/bus/usb/drivers/usbhid/*:* /sys/bus/usb/drivers/usb-storage/*:*")
