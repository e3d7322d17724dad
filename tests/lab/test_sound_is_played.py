# SPDX-License-Identifier: MIT
"""A loudspeaker, isochronous OUT: what the guest's snd-usb-audio plays is what arrives in QEMU."""
import array
import random

RATE = 48000
SECONDS = 4


def noise():
    """A pseudo-random row of steps, loud and quiet in turn, on both channels, long enough to tell
    where each sample belongs."""
    row = random.Random(1)
    samples = array.array("h")
    while len(samples) < 2 * RATE * SECONDS:
        value = row.choice((-1, 1)) * row.randint(4000, 16000)
        samples.extend([value, -value] * row.randint(2, 40))
    return samples


def signs(samples):
    return bytes((sample > 0) + 1 if abs(sample) > 100 else 0 for sample in samples)


def test(lab):
    lab.dom0.check("xvhc give 4-1 web")
    web = lab.guest("web", kind="pv")
    web.check("modprobe snd_pcm_oss")
    lab.plug("ehci.1", "audio")
    web.wait("test -c /dev/dsp")
    samples = noise()
    web.check("modprobe -a sd_mod vfat")
    sound = lab.run / "sound.raw"
    sound.write_bytes(samples.tobytes() + bytes(-len(samples.tobytes()) % 512))
    lab.dom0.check("xvhc give 1-5 web")
    lab.plug("xhci.5", "storage", image=sound)
    web.wait("test -b /dev/sda")
    web.check("cat /dev/sda > /tmp/sound && lab-sound play < /tmp/sound", timeout=120)
    played = array.array("h")
    data = (lab.run / "sound.wav").read_bytes()[44:]
    played.frombytes(data[:len(data) // 2 * 2])
    want, got = signs(samples), signs(played)
    # QEMU's own mixer may begin with silence, and drops what it had no time for: so does dom0's.
    piece = 2 * RATE // 10
    found = sum(want[at:at + piece] in got for at in range(0, len(want) - piece, piece))
    pieces = len(range(0, len(want) - piece, piece))
    print(f"    {found} of {pieces} pieces of 0.1 s arrived as they were played")
    assert found >= pieces * 0.9, f"only {found} of {pieces} pieces arrived as they were played"
