# SPDX-License-Identifier: MIT
"""xvhcd is stopped and started, then killed and started, while guests read: no read hangs, ports
stay given, devices come back."""
from sticks import (image_sha256, noise_stick, read_sha256, readable_disk, start_reading,
                    stop_reading, wait_disk)


def test(lab):
    lab.dom0.check("xvhc give 1-5 web && xvhc give 1-6 work")
    guests = [lab.guest("web", kind="pv"), lab.guest("work", kind="pvh", kernel="6.12")]
    images = [noise_stick(lab, name, 4) for name in ("one", "two")]
    for port, image in zip(("xhci.5", "xhci.6"), images):
        lab.plug(port, "storage", image=image)
    for guest in guests:
        wait_disk(guest)
    for number in (15, 9):
        reads = [start_reading(guest, readable_disk(guest)) for guest in guests]
        lab.stop_xvhcd(number)
        lab.start_xvhcd()
        listed = lab.dom0.check("xvhc list")
        assert "web" in listed and "work" in listed, f"the ports were not given any more: {listed}"
        for guest, image, reading in zip(guests, images, reads):
            # A read that fails ends the reading; but the kernel may have brought the disk back.
            readable_disk(guest)
            stop_reading(reading)
            assert read_sha256(guest, readable_disk(guest)) == image_sha256(image)
    lab.dom0.check("! dmesg | grep -q 'usb-storage 1-[56]'")
