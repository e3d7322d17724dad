# SPDX-License-Identifier: MIT
"""A hub with a stick behind it is plugged into a given port. dom0's drivers have neither of the
two, the guest is told of neither, and `xvhc list` says why. Once it is unplugged, a stick works
there."""
from sticks import image_sha256, noise_stick, read_sha256, wait_disk


def plug_both(lab, port, image):
    return [lab.plug(port, "hub"), lab.plug(f"{port}.2", "storage", image=image)]


def unplug(lab, hub, stick):
    lab.unplug(stick)
    lab.unplug(hub)


def said(machine, pattern):
    """How many lines of a kernel's log match."""
    return int(machine.check(f"dmesg | grep -cE '{pattern}' || true"))


def check_port_that_is_not_given(lab, image):
    """What is looked for below is there where a port is not given."""
    dom0 = lab.dom0
    both = plug_both(lab, "xhci.6", image)
    wait_disk(dom0)
    dom0.check("readlink /sys/bus/usb/devices/1-6:1.0/driver | grep '/hub$'")
    assert said(dom0, "hub 1-6:1.0:") and said(dom0, "usb-storage 1-6.2:")
    unplug(lab, *both)
    dom0.wait("! test -e /sys/block/sda && ! test -e /sys/bus/usb/devices/1-6")


def test(lab):
    dom0 = lab.dom0
    image = noise_stick(lab, "stick", 2)
    check_port_that_is_not_given(lab, image)
    dom0.check("xvhc give 1-5 web")
    web = lab.guest("web")
    dom0.wait("xvhc list | grep '^1-5 ' | grep 'ready, empty'")
    for _ in range(2):
        both = plug_both(lab, "xhci.5", image)
        dom0.wait("xvhc list | grep '^1-5 ' | grep 'refused: hubs never go to a guest'")
        there = dom0.check("cat /sys/bus/usb/devices/1-5/bDeviceClass")
        assert there == "09", f"there is no hub, but a device of class {there}"
        assert dom0.check("cat /sys/bus/usb/devices/1-5/bConfigurationValue") == ""
        unplug(lab, *both)
        dom0.wait("xvhc list | grep '^1-5 ' | grep 'ready, empty'")
    assert said(dom0, "usb 1-5: new .* USB device") == 2, "dom0's kernel did not see the hub"
    assert not said(dom0, "hub 1-5:|1-5[.]2|usb-storage 1-5"), "a driver of dom0 had the hub"
    lab.plug("xhci.5", "storage", image=image)
    wait_disk(web)
    assert read_sha256(web) == image_sha256(image)
    assert said(web, "new .* USB device number") == 1, "the guest has met more than the stick"
    assert not said(dom0, "usb-storage 1-5"), "a driver of dom0 had the stick"
