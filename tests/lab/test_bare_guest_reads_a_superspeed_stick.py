# SPDX-License-Identifier: MIT
"""A guest without an operating system reads a SuperSpeed stick over version 2 of the wire.

It is told the device's true speed, resets the port by name, and reads a MiB by one transfer, whose
segments stand in a page of their own. The same stick, plugged in again, has another number.
"""
import re

from sticks import MIB, image_sha256, noise_stick

FOUND = r"port \d+ has a device of speed (\d+), number ([0-9a-f]{16})\n"


def test(lab):
    lab.dom0.check("xvhc give 2-1 bare")
    image = noise_stick(lab, "stick", 4)
    numbers = set()
    for _ in range(2):
        stick = lab.plug("xhci.1", "storage", image=image)
        said = lab.bare_guest("bare", "work wire=2").wait_end(90)
        assert "connected by version 2 of the wire" in said, said
        speed, number = re.search(FOUND, said).groups()
        assert speed == "4", said
        numbers.add(number)
        assert f"read {MIB} bytes at a time\n" in said, said
        assert f"sha256 of the first MiB: {image_sha256(image, 1)}\n" in said, said
        lab.unplug(stick, gone="2-1")
    assert len(numbers) == 2, f"the device was {numbers} both times"
