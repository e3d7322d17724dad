# SPDX-License-Identifier: MIT
"""A device is given by its numbers, and goes to the guest from whichever port it is plugged into;
another of the same kind, and what is plugged in behind it, stays with dom0."""
import json

from sticks import image_sha256, noise_stick, read_sha256, wait_disk

IDENTITY = "46f4:0001:the%20one"


def port(lab, name):
    ports = json.loads(lab.dom0.check("xvhc list --json"))["ports"]
    return next(p for p in ports if name in p["names"])


def test(lab):
    dom0 = lab.dom0
    said = dom0.check(f"xvhc give --device {IDENTITY} web")
    assert "not there now" in said, said
    web = lab.guest("web")
    image = noise_stick(lab, "stick", 4)
    other = lab.plug("xhci.5", "storage", image=noise_stick(lab, "other", 1), serial="other")
    dom0.wait("readlink /sys/bus/usb/devices/1-5:1.0/driver | grep usb-storage")
    for qemu, name in (("xhci.6", "1-6"), ("xhci.7", "1-7")):
        stick = lab.plug(qemu, "storage", image=image, serial="the one")
        wait_disk(web)
        assert read_sha256(web) == image_sha256(image)
        dom0.check(f"xvhc list | grep ' {name} ' | grep 'in use by web .*, by identity'")
        assert port(lab, name)["given-device"] == IDENTITY
        lab.unplug(stick)
        web.wait("! test -e /sys/block/sda")
        dom0.wait(f"xvhc list | grep ' {name} ' | grep ' empty$'")
        keyboard = lab.plug(qemu, "kbd")
        dom0.wait(f"readlink /sys/bus/usb/devices/{name}:1.0/driver | grep usbhid")
        lab.unplug(keyboard)
    assert port(lab, "1-5")["guest"] is None, "another device of the same kind was given"
    stick = lab.plug("xhci.8", "storage", image=image, serial="the one")
    wait_disk(web)
    dom0.check(f"xvhc take --device {IDENTITY}")
    web.wait("! test -e /sys/block/sda")
    dom0.wait("readlink /sys/bus/usb/devices/1-8:1.0/driver | grep usb-storage")
    lab.unplug(stick)
    lab.unplug(other)
