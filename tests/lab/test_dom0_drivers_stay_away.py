# SPDX-License-Identifier: MIT
"""From the give on, no driver of dom0 binds to what is in the port, at plug or at replug.

A device that was there before is taken from its driver in an orderly way, and is back in the end.
"""
from sticks import fat_stick, wait_disk

BINDS = "dmesg | grep -cE '(usb-storage|usbhid|uas) 3-1|scsi host.*3-1' || true"


def test(lab):
    dom0 = lab.dom0
    stick = lab.plug("ehci.1", "storage", image=fat_stick(lab, "stick", {"A": b"a"}))
    wait_disk(dom0)
    before = dom0.check(BINDS)
    assert before != "0", "dom0's driver had no disk, so that nothing is shown here"
    dom0.check("xvhc give 3-1 web")
    dom0.wait("! test -e /sys/block/sda")
    web = lab.guest("web")
    wait_disk(web)
    for _ in range(3):
        lab.unplug(stick)
        web.wait("! test -e /sys/block/sda")
        stick = lab.plug("ehci.1", "storage", image=fat_stick(lab, "stick", {"A": b"a"}))
        wait_disk(web)
    # Another kind of device, for another driver.
    lab.unplug(stick)
    keyboard = lab.plug("ehci.1", "kbd")
    web.wait("grep -qsh 'USB Keyboard' /sys/class/input/input*/name")
    lab.unplug(keyboard)
    stick = lab.plug("ehci.1", "storage", image=fat_stick(lab, "stick", {"A": b"a"}))
    wait_disk(web)
    assert dom0.check(BINDS) == before, "a driver of dom0 bound to a device in a given port"
    driver = dom0.check("basename $(readlink /sys/bus/usb/devices/3-1:1.0/driver)")
    assert driver == "usbfs", f"the device in a given port belongs to {driver}"
    dom0.check("xvhc take 3-1")
    web.wait("! test -e /sys/block/sda")
    wait_disk(dom0)
    assert dom0.check("dd if=/dev/sda bs=512 count=1 2>/dev/null | wc -c") == "512"
