# SPDX-License-Identifier: MIT
"""Stock xl and the stock frontend: controllers of type=pv made, filled, shown and removed.

What docs/xl.md says of usbdev-attach is tried as well: with a configured device it fails and leaves
all as it was; without a configuration it goes through.
"""
from sticks import image_sha256, noise_stick, read_sha256, wait_disk

DEVICE = "/sys/bus/usb/devices/1-5"


def attach(dom0, name):
    return dom0.run(f"xl usbdev-attach {name} hostbus=$(cat {DEVICE}/busnum) "
                    f"hostaddr=$(cat {DEVICE}/devnum)")


def by_hand(lab, name, driver, kind, image):
    """One guest with a controller in its file, and all that xl can do to it."""
    dom0 = lab.dom0
    guest = lab.guest(name, kind=kind, driver=driver, config=["usbctrl=['type=pv,ports=4']"])
    dom0.wait(f"xl usb-list {name} | grep -Eq '^0 +pv +0 +4 +2 +4'", 20)
    stick = lab.plug("xhci.5", "storage", image=image)
    wait_disk(dom0)
    code, said = attach(dom0, name)
    assert code != 0 and "usbback" in said, f"xl took a device with a driver: {said}"
    wait_disk(dom0)
    dom0.wait("xvhc list | grep ' 1-5 ' | grep 'in dom0'")
    dom0.check(f"echo 0 > {DEVICE}/bConfigurationValue")
    code, said = attach(dom0, name)
    assert code == 0, f"xl did not take a device without a configuration: {said}"
    wait_disk(guest)
    assert read_sha256(guest) == image_sha256(image)
    dom0.check(f"xl usb-list {name} | grep -q 'Port 1: Bus 001 Device'")
    dom0.check("! test -e /sys/block/sda")
    for command in ("take 1-5", f"give 1-5 {name}"):
        code, said = dom0.run(f"xvhc {command}")
        assert code == 1 and "usbdev-detach" in said, f"xvhc {command}: {said}"
    lab.unplug(stick)
    guest.wait("! test -e /sys/block/sda")
    lab.plug("xhci.5", "storage", image=image)
    wait_disk(guest)
    dom0.check(f"xl usbdev-detach {name} 0 1")
    guest.wait("! test -e /sys/block/sda")
    wait_disk(dom0)
    dom0.check(f"! xl usb-list {name} | grep 'Bus 001'")


def at_run_time(lab, name, image):
    """Controllers that come and go, beside one of xvhcd's own."""
    dom0, guest = lab.dom0, lab.guests[name]
    dom0.check(f"xl usbctrl-attach {name} type=pv version=2 ports=3")
    dom0.wait(f"xl usb-list {name} | grep -Eq '^1 +pv +0 +4 +2 +3'", 20)
    dom0.check(f"xvhc give 1-5 {name}")
    wait_disk(guest)
    for number in (1, 0):
        dom0.check(f"xl usbctrl-detach {name} {number}", timeout=30)
        dom0.check(f"! xl usb-list {name} | grep -q '^{number} '")
    assert read_sha256(guest) == image_sha256(image), "xvhcd's own controller did not survive"
    dom0.check("xvhc take 1-5")
    dom0.wait("! xenstore-ls /local/domain/0/backend/vusb 2>/dev/null | grep -q 1000")


def test(lab):
    image = noise_stick(lab, "stick", 4)
    by_hand(lab, "work", "xen-hcd", "pvh", image)
    at_run_time(lab, "work", image)
