# SPDX-License-Identifier: MIT
"""Version 1 of the wire knows no SuperSpeed: there a SuperSpeed stick, and a disk that has UAS by
streams beside bulk-only transport, are valid devices of high speed. The guest's kernel has nothing
to complain of, reads what is on them, and writes.

By xvhc.ko that speaks no more than version 1, and by the stock frontend.
"""
import struct

from sticks import image_sha256, noise_stick, read_sha256, sha256, wait_disk

COMPLAINTS = "invalid maxpacket|invalid descriptor|config .* (has|too)|unable to|No SuperSpeed"
DISK_WORDS = (1 << 20) // 4
PATTERN = 2654435761  # of lab/devices/disk.c
WRITTEN = 128 << 10


def disk_bytes():
    return struct.pack(f"<{DISK_WORDS}I", *(i * PATTERN & 0xffffffff for i in range(DISK_WORDS)))


def check_look(guest, interfaces):
    """What the guest sees is a device of high speed, which has so many settings."""
    device = guest.check("cd /sys/block/sda/device && cd $(pwd -P | sed 's,/[^/]*:1[.]0/.*,,') && "
                         "pwd")
    seen = guest.check(f"cd {device} && cat speed version bMaxPacketSize0 bNumConfigurations "
                       "*:1.0/bInterfaceProtocol *:1.0/ep_*/wMaxPacketSize")
    assert seen.split() == ["480", "2.00", "64", "1", "50", "0200", "0200"], seen
    descriptors = guest.check(f"od -An -v -tx1 {device}/descriptors | tr -d ' \\n'")
    assert descriptors.count("0904") == interfaces, descriptors
    assert "0630" not in descriptors, f"a companion of SuperSpeed is among them: {descriptors}"


def check_frontend(lab, guest, image):
    stick = lab.plug("xhci.1", "storage", image=image)
    lab.dom0.wait("grep -x 5000 /sys/bus/usb/devices/2-1/speed")
    wait_disk(guest)
    check_look(guest, 1)
    assert read_sha256(guest) == image_sha256(image)
    lab.unplug(stick)
    guest.wait("! test -e /sys/block/sda")
    disk = lab.plug("xhci.2", "disk")
    lab.dom0.wait("grep -x 5000 /sys/bus/usb/devices/2-2/speed")
    wait_disk(guest)
    check_look(guest, 1)
    assert read_sha256(guest) == sha256(disk_bytes()), "the disk reads otherwise"
    made = guest.check(f"head -c {WRITTEN} /dev/urandom > /tmp/made && "
                       "dd if=/tmp/made of=/dev/sda bs=64k conv=fsync 2>/dev/null && "
                       f"cat /tmp/made | sha256sum")
    rest = disk_bytes()[WRITTEN:]
    guest.check("echo 3 > /proc/sys/vm/drop_caches")
    there = guest.check(f"head -c {WRITTEN} /dev/sda | sha256sum; "
                        f"tail -c +{WRITTEN + 1} /dev/sda | sha256sum").split()
    assert there[0] == made.split()[0], "what was written is not what is read"
    assert there[2] == sha256(rest), "more was written than was asked for"
    lab.unplug(disk)
    guest.wait("! test -e /sys/block/sda")
    said = guest.check(f"dmesg | grep -E 'usb .*({COMPLAINTS})' || true")
    assert not said, f"the guest's kernel complains: {said}"


def test(lab):
    image = noise_stick(lab, "stick", 4)
    for name, driver, arguments in (("web", "xvhc", "xvhc.wire=1"), ("stock", "xen-hcd", "")):
        guest = lab.guest(name, driver=driver, arguments=arguments)
        for port in ("2-1", "2-2"):
            lab.dom0.check(f"xvhc give {port} {name}")
        check_frontend(lab, guest, image)
        guest.destroy()
        for port in ("2-1", "2-2"):
            lab.dom0.check(f"xvhc take {port}")
