# SPDX-License-Identifier: MIT
"""A stick is pulled out in the middle of a read: errors, and then the next device works."""
import re

from sticks import image_sha256, noise_stick, read_sha256, wait_disk

STICK_MIB = 64


def test(lab):
    lab.dom0.check("xvhc give 1-5 web")
    web = lab.guest("web")
    stick = lab.plug("xhci.5", "storage", image=noise_stick(lab, "first", STICK_MIB))
    wait_disk(web)
    reader = web.start("while dd if=/dev/sda of=/dev/null bs=64k 2>&1; do "
                       "echo 3 > /proc/sys/vm/drop_caches; done; exit 1")
    web.wait("awk '{exit !($3 > 4096)}' /sys/block/sda/stat")
    assert reader.running(), "the read ended before the stick was pulled out"
    lab.unplug(stick)
    rc, output = reader.wait(60)
    assert rc == 1, f"the read went on without a stick: {output}"
    # To a read of a disk that is gone the kernel gives an error, or says that the disk ends here.
    blocks = [int(n) for n in re.findall(r"^(\d+)\+\d+ records in", output, re.M)]
    assert "rror" in output or min(blocks) < STICK_MIB * 16, f"no read was cut off: {output}"
    web.wait("! test -e /sys/block/sda")
    image = noise_stick(lab, "second", 8)
    lab.plug("xhci.5", "storage", image=image)
    wait_disk(web)
    assert read_sha256(web) == image_sha256(image)
