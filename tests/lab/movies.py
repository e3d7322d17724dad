# SPDX-License-Identifier: MIT
"""The lab's camera, watched by dom0 or a guest: each frame tells its number and is compared."""
import re

# (width, height, frames): all sizes of the camera, 10 s each, at the rates that dom0 sustains.
MOVIES = [(160, 120, 300), (320, 240, 150), (640, 480, 50)]
ATTEMPTS = 3


def watch(machine, width, height, frames):
    """Capture so many frames; returns how many were lost. None may be damaged."""
    machine.check(f"v4l2-ctl --set-fmt-video=width={width},height={height},pixelformat=YUYV")
    said = machine.check(f"v4l2-ctl --stream-mmap=16 --stream-count={frames} --stream-to=- "
                         f"2>/tmp/rate | lab-pattern frames {width * height * 2}", timeout=90)
    got, damaged, lost = map(int, re.findall(r"\d+", said))
    rates = [float(rate) for rate in re.findall(r"([\d.]+) fps", machine.check("cat /tmp/rate"))]
    print(f"    {machine.name}: {width}x{height}: {said}, {rates[-1:]} frames a second")
    assert got == frames, f"{machine.name}: {got} of {frames} frames"
    assert damaged == 0, f"{machine.name}: {damaged} frames are damaged"
    return lost


def watch_until_whole(machine, width, height, frames, loss=0):
    """Capture so many frames, of which no more than that are lost. Returns how many were.

    The emulation may be kept from running for longer than the camera's 400 ms of patience, by
    whatever else the host does: a loss that is ours would be there each time.
    """
    lost = [watch(machine, width, height, frames)]
    while lost[-1] > loss and len(lost) < ATTEMPTS:
        lost.append(watch(machine, width, height, frames))
    return min(lost)


def watch_all(lab, machine):
    camera = lab.plug("xhci.5", "camera")
    machine.wait("test -c /dev/video0")
    for width, height, frames in MOVIES:
        lost = watch_until_whole(machine, width, height, frames)
        assert lost == 0, f"{machine.name}: {lost} frames of {width}x{height} are lost"
        line = f"streams {width}x{height} in packets of 3072"
        assert line in camera.says(), f"{machine.name}: the camera says {camera.says()}"
    return camera
