# SPDX-License-Identifier: MIT
"""A SuperSpeed stick and a UAS disk are SuperSpeed devices to the guest, on a root hub for these.

The disk's driver is uas, which at this speed works by streams only. Files go both ways, with FAT
and with ext4; a reset that the guest asks for reaches the device, which goes on working.
"""
from sticks import (FILES, check_speed, check_stick_both_ways, ext4_disk, ext4_file, fat_file,
                    fat_stick, wait_disk)
from xvhclab.images import static_program


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
    check_reset(lab, web, check_speed(web, "sda", 5000, "usb-storage"))
    lab.unplug(stick)
    web.wait("! test -e /sys/block/sda")
    assert fat_file(image, "LATER.BIN") == later, "the host reads another file from the stick"

    image = ext4_disk(lab, "disk", FILES)
    disk = lab.plug("xhci.2", "uas", image=image)
    later = check_stick_both_ways(web, image, FILES, file_system="ext4")
    check_speed(web, "sda", 5000, "uas")
    lab.unplug(disk)
    web.wait("! test -e /sys/block/sda")
    assert ext4_file(image, "LATER.BIN") == later, "the host reads another file from the disk"
    lab.plug("xhci.2", "uas", image=image)
    wait_disk(web)
    check_large_transfers(web, "sda", 16)
