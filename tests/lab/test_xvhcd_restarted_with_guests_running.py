# SPDX-License-Identifier: MIT
"""xvhcd is stopped and started, then killed and started, while guests read: the reads end, ports
stay given, devices come back."""
from sticks import image_sha256, noise_stick, read_sha256, start_reading, wait_disk


def test(lab):
    lab.dom0.check("xvhc give 1-5 web && xvhc give 1-6 work")
    guests = [lab.guest("web", kind="pv"), lab.guest("work", kind="pvh", kernel="6.12")]
    images = [noise_stick(lab, name, 4) for name in ("one", "two")]
    for port, image in zip(("xhci.5", "xhci.6"), images):
        lab.plug(port, "storage", image=image)
    for guest in guests:
        wait_disk(guest)
    for number in (15, 9):
        reads = [start_reading(guest, guest.check("ls /sys/block | grep sd | tail -n 1"))
                 for guest in guests]
        lab.stop_xvhcd(number)
        lab.start_xvhcd()
        listed = lab.dom0.check("xvhc list")
        assert "web" in listed and "work" in listed, f"the ports were not given any more: {listed}"
        for reading in reads:
            reading.wait(60)
        for guest, image in zip(guests, images):
            # The old disk goes first, so it is asked for until the new one can be read.
            guest.wait("d=$(ls /dev/sd? 2>/dev/null | tail -n 1) && dd if=$d of=/dev/null count=1",
                       60)
            disk = guest.check("ls /sys/block | grep sd | tail -n 1")
            assert read_sha256(guest, disk) == image_sha256(image)
    lab.dom0.check("! dmesg | grep -q 'usb-storage 1-[56]'")
