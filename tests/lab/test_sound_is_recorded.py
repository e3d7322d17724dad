# SPDX-License-Identifier: MIT
"""A microphone, isochronous IN: each sample that the guest's snd-usb-audio records is one that the
microphone has heard, in that order, and none is left out."""
import re

SECONDS = 4
SAMPLES = SECONDS * 48000 * 2
ATTEMPTS = 3


def record(machine):
    """Record for some seconds; returns how many samples do not follow from the one before."""
    said = machine.check(f"lab-sound record {2 * SAMPLES} | lab-pattern samples", timeout=60)
    print(f"    {machine.name}: {said}")
    samples, wrong = map(int, re.findall(r"\d+", said))
    assert samples == SAMPLES, f"{machine.name}: {samples} of {SAMPLES} samples"
    return wrong


def listen(lab, machine):
    microphone = lab.plug("xhci.5", "microphone")
    machine.check("modprobe snd_pcm_oss")
    machine.wait("test -c /dev/dsp")
    # Whatever else the host does may keep the emulation from recording in time. A fault of ours
    # would be there each time.
    wrong = [record(machine)]
    while wrong[-1] > 0 and len(wrong) < ATTEMPTS:
        wrong.append(record(machine))
    assert wrong[-1] == 0, f"{machine.name}: {wrong} times the samples have a gap"
    assert "listens" in microphone.says()
    return microphone


def test(lab):
    lab.unplug(listen(lab, lab.dom0))
    lab.dom0.check("xvhc give 1-5 web")
    listen(lab, lab.guest("web"))
