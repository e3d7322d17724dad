# SPDX-License-Identifier: MIT
"""A stick is pulled out in the middle of a write: errors, and then the next device works."""
from sticks import image_sha256, noise_stick, read_sha256, wait_disk


def test(lab):
    lab.dom0.check("xvhc give 1-5 web")
    web = lab.guest("web")
    stick = lab.plug("xhci.5", "storage", image=noise_stick(lab, "first", 64))
    wait_disk(web)
    writer = web.start("while dd if=/dev/zero of=/dev/sda bs=64k count=1000 conv=fsync 2>&1; "
                       "do true; done; exit 1")
    web.wait("awk '{exit !($7 > 4096)}' /sys/block/sda/stat")
    assert writer.running(), "the write ended before the stick was pulled out"
    lab.unplug(stick)
    rc, output = writer.wait(60)
    assert rc == 1, f"the write went on without a stick: {output}"
    assert "rror" in output, f"the write that was cut off had no error: {output}"
    web.wait("! test -e /sys/block/sda")
    image = noise_stick(lab, "second", 8)
    lab.plug("xhci.5", "storage", image=image)
    wait_disk(web)
    assert read_sha256(web) == image_sha256(image)
