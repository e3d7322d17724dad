# SPDX-License-Identifier: MIT
"""A guest is restored while xvhcd does not run. When it does, the guest has its stick again."""
from sticks import image_sha256, noise_stick, read_sha256, readable_disk, wait_disk

FILE = "/tmp/saved"


def test(lab):
    lab.dom0.check("xvhc give 1-5 web")
    web = lab.guest("web")
    image = noise_stick(lab, "stick", 2)
    lab.plug("xhci.5", "storage", image=image)
    wait_disk(web)
    web.save(FILE)
    lab.stop_xvhcd()
    web.restore(FILE, served=False)
    lab.dom0.check(f"rm {FILE}")
    web.check("dmesg | grep 'failed to restore'")
    lab.start_xvhcd()
    assert read_sha256(web, readable_disk(web)) == image_sha256(image)
