# SPDX-License-Identifier: MIT
"""A port is given, with a stick in it, to a guest that starts later."""
from sticks import image_sha256, noise_stick, read_sha256, wait_disk


def test(lab):
    said = lab.dom0.check("xvhc give 1-5 later")
    assert "later" in said and "start" in said, f"no word that the guest does not run: {said}"
    image = noise_stick(lab, "stick", 4)
    lab.plug("xhci.5", "storage", image=image)
    later = lab.guest("later")
    wait_disk(later)
    assert read_sha256(later) == image_sha256(image)
