# SPDX-License-Identifier: MIT
"""The backend's domain sends a guest port events without end, and notifications of nothing. The
guest answers commands all the while, and reads its stick right: during the storm, which the real
worker serves through, and after the ports have come to rest, with a new worker."""
import time

from spoiler import Spoiler
from sticks import image_sha256, noise_stick, read_sha256, wait_disk

COMMANDS = 20
# Of a real machine some milliseconds would do. Not so long that the guest gives its backend up for
# not answering transfers.
FLAP_MIN_S = 5
EVENTS_MIN = 20_000
ANSWER_MAX_S = 5
# In the mean, against a guest that is left alone on the same machine. Without the driver's pause
# between events it was 8 to 20 times as slow, and less than twice as slow with it.
SLOWER_MAX = 5


def answers(guest, goes_on):
    """Have the guest run commands for as long as goes_on(their number so far) holds. Returns how
    long they took, in the mean and at most."""
    seconds = []
    while goes_on(len(seconds)):
        begun = time.monotonic()
        guest.check("cat /proc/loadavg", timeout=60)
        seconds.append(time.monotonic() - begun)
    return sum(seconds) / len(seconds), max(seconds)


def check_answers(guest, process, quiet, goes_on):
    """The same beside a process in dom0, which then ends. quiet: the mean without it. Returns the
    number that the process begins its report with."""
    mean, slowest = answers(guest, goes_on)
    process.close_input()
    rc, said = process.wait(30)
    print(f"    {said.strip()}: answers after {mean:.3f} s, {slowest:.3f} s at most; "
          f"{quiet:.3f} s without")
    assert rc == 0, f"lab-spoil: {said}"
    assert slowest < ANSWER_MAX_S and mean < SLOWER_MAX * quiet, "the guest did not answer in time"
    return int(said.split()[0])


def interrupts(guest):
    """How often the guest was interrupted for its controller."""
    return int(guest.check("awk '$NF == \"xvhc\" {print $2}' /proc/interrupts"))


def storm(guest, spoiler, quiet, image):
    before = interrupts(guest)
    process = spoiler.start("storm", spoiler.node("event-channel"))
    assert read_sha256(guest) == image_sha256(image), "the guest read something else in the storm"
    assert process.running(), f"the storm is over: {process.text()}"
    told = check_answers(guest, process, quiet, lambda count: count < COMMANDS)
    taken = interrupts(guest) - before
    print(f"    it took {taken} interrupts for them")
    assert taken < told / 10, "the guest takes each notification"


def flap(lab, guest, spoiler, quiet, image):
    worker = spoiler.worker()
    lab.dom0.check(f"kill -STOP {worker}")
    ports = guest.check("cat /sys/bus/usb/devices/usb1/maxchild")
    process = spoiler.start("flap", spoiler.node("conn-ring-ref"), spoiler.node("event-channel"),
                            ports)
    begun = time.monotonic()
    told = check_answers(guest, process, quiet, lambda count: count < COMMANDS or
                         time.monotonic() < begun + FLAP_MIN_S)
    assert told >= EVENTS_MIN, "the guest took few events"
    assert "closing the connection" not in guest.dmesg(), "the events were wrong"
    spoiler.kill(worker)
    wait_disk(guest, limit=60)
    assert read_sha256(guest) == image_sha256(image), "the guest reads something else afterwards"


def test(lab):
    lab.dom0.check("xvhc give 1-5 web")
    image = noise_stick(lab, "stick", 4)
    lab.plug("xhci.5", "storage", image=image)
    web = lab.guest("web", arguments="xvhc.wire=1")
    wait_disk(web)
    spoiler = Spoiler(lab, web)
    quiet = answers(web, lambda count: count < COMMANDS)[0]
    storm(web, spoiler, quiet, image)
    flap(lab, web, spoiler, quiet, image)
