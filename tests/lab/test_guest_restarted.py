# SPDX-License-Identifier: MIT
"""A guest is destroyed and created anew, then reboots by itself: its ports come back."""
from sticks import image_sha256, noise_stick, read_sha256, wait_disk


def test(lab):
    lab.dom0.check("xvhc give 1-5 web")
    image = noise_stick(lab, "stick", 4)
    lab.plug("xhci.5", "storage", image=image)
    web = lab.guest("web")
    wait_disk(web)
    for again in (web.restart, web.reboot):
        again()
        wait_disk(web)
        assert read_sha256(web) == image_sha256(image)
