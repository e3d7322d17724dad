# SPDX-License-Identifier: MIT
"""A guest without an operating system, made from the wire's description and core/ alone, reads a
stick: a high-speed device, and a SuperSpeed one that is presented as such."""
from sticks import image_sha256, noise_stick


def test(lab):
    for port, place in (("xhci.5", "1-5"), ("xhci.1", "1-1")):
        lab.dom0.check(f"xvhc give {place} bare")
        image = noise_stick(lab, f"stick-{place}", 4)
        stick = lab.plug(port, "storage", image=image)
        said = lab.bare_guest("bare", "work").wait_end(90)
        assert f"sha256 of the first MiB: {image_sha256(image, 1)}\n" in said, said
        lab.unplug(stick)
        lab.dom0.check(f"xvhc take {place}")
