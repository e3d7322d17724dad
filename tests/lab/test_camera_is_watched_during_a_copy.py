# SPDX-License-Identifier: MIT
"""A camera streams while a stick on the same controller is copied as fast as that goes. No frame is
damaged in the guest, and no more are lost than in dom0, which does the same before."""
from movies import watch_until_whole
from sticks import image_sha256, noise_stick, read_sha256, start_reading, stop_reading, wait_disk

MOVIE = (320, 240, 150)  # 10 s
SECTORS_READ = "awk '{print $3}' /sys/block/sda/stat"


def watch_during_copy(lab, machine, image, allowed=0):
    """Returns how many frames were lost. allowed: as many may be."""
    camera = lab.plug("xhci.5", "camera")
    stick = lab.plug("xhci.6", "storage", image=image)
    wait_disk(machine)
    machine.wait("test -c /dev/video0")
    reading = start_reading(machine)
    before = int(machine.check(SECTORS_READ))
    lost = watch_until_whole(machine, *MOVIE, allowed)
    copied = (int(machine.check(SECTORS_READ)) - before) >> 11
    print(f"    {machine.name}: copied {copied} MiB at the same time")
    assert copied >= 1, f"{machine.name}: nothing was copied at the same time"
    assert reading.running(), f"{machine.name}: a read has failed: {reading.text()}"
    stop_reading(reading)
    assert read_sha256(machine) == image_sha256(image)
    lab.unplug(camera)
    lab.unplug(stick)
    machine.wait("! test -e /sys/block/sda && ! test -e /dev/video0")
    return lost


def test(lab):
    lab.load_tools()
    image = noise_stick(lab, "stick", 16)
    native = watch_during_copy(lab, lab.dom0, image)
    lab.dom0.check("xvhc give 1-5 web && xvhc give 1-6 web")
    lost = watch_during_copy(lab, lab.guest("web", tools=True), image, native)
    assert lost <= native, f"the guest has lost {lost} frames, dom0 {native}"
