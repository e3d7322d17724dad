# SPDX-License-Identifier: MIT
"""A guest is destroyed while it reads: the device is reset, and the next guest can use it."""
from sticks import image_sha256, noise_stick, read_sha256, wait_disk


def test(lab):
    lab.dom0.check("xvhc give 1-5 web")
    web = lab.guest("web")
    image = noise_stick(lab, "stick", 16)
    lab.plug("xhci.5", "storage", image=image)
    wait_disk(web)
    reader = web.start("while dd if=/dev/sda of=/dev/null bs=64k; do "
                       "echo 3 > /proc/sys/vm/drop_caches; done")
    web.wait("awk '{exit !($3 > 4096)}' /sys/block/sda/stat")
    assert reader.running(), "the read ended before the guest was destroyed"
    resets = lab.dom0.check("dmesg | grep -c 'usb 1-5: reset' || true")
    web.destroy()
    lab.dom0.wait(f"test $(dmesg | grep -c 'usb 1-5: reset') -gt {resets}")
    lab.dom0.check("xvhc take 1-5")
    lab.dom0.check("xvhc give 1-5 other")
    other = lab.guest("other", kind="pvh")
    wait_disk(other)
    assert read_sha256(other) == image_sha256(image)
