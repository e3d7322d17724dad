# SPDX-License-Identifier: MIT
"""A SuperSpeed stick and a UAS disk are SuperSpeed devices to the guest, on a root hub for these.

The disk's driver is uas, which at this speed works by streams only. Files go both ways, with FAT
and with ext4; a reset that the guest asks for reaches the device, which goes on working.
"""
from sticks import (FILES, check_stick_both_ways, ext4_disk, ext4_file, fat_file, fat_stick,
                    wait_disk)
from xvhclab.images import static_program


def name_of(guest, disk):
    """The name in sysfs of the USB device that a disk is."""
    path = guest.check(f"readlink -f /sys/block/{disk}/device")
    return [part for part in path.split("/") if "-" in part and ":" not in part][-1]


def check_speed(guest, disk, driver):
    """It runs at 5 Gbit/s, on a root hub of ours, with this driver. Returns its name in sysfs."""
    name = name_of(guest, disk)
    device = f"/sys/bus/usb/devices/{name}"
    assert guest.check(f"cat {device}/speed") == "5000", f"{disk} is slower"
    root = guest.check(f"cat /sys/bus/usb/devices/usb{name.split('-')[0]}/product")
    assert root == "Xen Virtual Host Controller", f"{disk} is behind {root}"
    found = guest.check(f"basename $(readlink {device}/{name}:1.0/driver)")
    assert found == driver, f"{disk} has the driver {found}"
    return name


def check_large_transfers(guest, disk, mib):
    """Random data written past the guest's cache, and read back from the disk."""
    guest.check(f"dd if=/dev/urandom of=/tmp/noise bs=1M count={mib} && "
                f"dd if=/tmp/noise of=/dev/{disk} bs=1M conv=fsync && "
                "echo 3 > /proc/sys/vm/drop_caches && "
                f"cmp -n {mib << 20} /tmp/noise /dev/{disk}", timeout=120)


def check_reset(lab, guest, name):
    """The guest resets a device, and dom0's kernel resets it."""
    guest.put("/tmp/lab-reset", static_program("reset").read_bytes())
    device = f"/sys/bus/usb/devices/{name}"
    guest.check("chmod 755 /tmp/lab-reset && /tmp/lab-reset $(printf /dev/bus/usb/%03d/%03d "
                f"$(cat {device}/busnum {device}/devnum))")
    lab.dom0.wait("dmesg | grep 'usb 2-1: reset SuperSpeed USB device'")


def test(lab):
    lab.dom0.check("xvhc give 2-1 web && xvhc give 2-2 web")
    web = lab.guest("web")
    image = fat_stick(lab, "stick", FILES)
    stick = lab.plug("xhci.1", "storage", image=image)
    later = check_stick_both_ways(web, image, FILES)
    check_reset(lab, web, check_speed(web, "sda", "usb-storage"))
    lab.unplug(stick)
    web.wait("! test -e /sys/block/sda")
    assert fat_file(image, "LATER.BIN") == later, "the host reads another file from the stick"

    image = ext4_disk(lab, "disk", FILES)
    disk = lab.plug("xhci.2", "uas", image=image)
    later = check_stick_both_ways(web, image, FILES, file_system="ext4")
    check_speed(web, "sda", "uas")
    lab.unplug(disk)
    web.wait("! test -e /sys/block/sda")
    assert ext4_file(image, "LATER.BIN") == later, "the host reads another file from the disk"
    lab.plug("xhci.2", "uas", image=image)
    wait_disk(web)
    check_large_transfers(web, "sda", 16)
