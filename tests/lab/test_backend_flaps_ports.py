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
# A command of a guest that has nothing else to do takes some 0.1 s here.
ANSWER_MAX_S = 5


def check_answers(guest, process, goes_on):
    """Have the guest run commands for as long as goes_on(their number so far) holds, beside a
    process in dom0 that then ends. Returns the number that this begins its report with."""
    count, slowest = 0, 0
    while goes_on(count):
        begun = time.monotonic()
        guest.check("cat /proc/loadavg", timeout=60)
        slowest = max(slowest, time.monotonic() - begun)
        count += 1
    process.close_input()
    rc, said = process.wait(30)
    print(f"    {said.strip()}: {count} commands, each answered in {slowest:.2f} s at most")
    assert rc == 0 and count > 0, f"lab-spoil: {said}"
    assert slowest < ANSWER_MAX_S, "the guest did not answer in time"
    return int(said.split()[0])


def interrupts(guest):
    """How often the guest was interrupted for its controller."""
    return int(guest.check("awk '$NF == \"xvhc\" {print $2}' /proc/interrupts"))


def storm(guest, spoiler, image):
    before = interrupts(guest)
    process = spoiler.start("storm", spoiler.node("event-channel"))
    assert read_sha256(guest) == image_sha256(image), "the guest read something else in the storm"
    assert process.running(), f"the storm is over: {process.text()}"
    told = check_answers(guest, process, lambda count: count < COMMANDS)
    taken = interrupts(guest) - before
    print(f"    it took {taken} interrupts for them")
    assert taken < told / 10, "the guest takes each notification"


def flap(lab, guest, spoiler, image):
    worker = spoiler.worker()
    lab.dom0.check(f"kill -STOP {worker}")
    ports = guest.check("cat /sys/bus/usb/devices/usb1/maxchild")
    process = spoiler.start("flap", spoiler.node("conn-ring-ref"), spoiler.node("event-channel"),
                            ports)
    begun = time.monotonic()
    told = check_answers(guest, process, lambda count: count < COMMANDS or
                         time.monotonic() < begun + FLAP_MIN_S)
    assert told >= EVENTS_MIN, "the guest took few events"
    said = guest.dmesg()
    assert "closing the connection" not in said, "the events were wrong"
    assert "RT throttling" not in said, "events have kept a thread running without a pause"
    spoiler.kill(worker)
    wait_disk(guest, limit=60)
    assert read_sha256(guest) == image_sha256(image), "the guest reads something else afterwards"


def test(lab):
    lab.dom0.check("xvhc give 1-5 web")
    image = noise_stick(lab, "stick", 4)
    lab.plug("xhci.5", "storage", image=image)
    web = lab.guest("web")
    wait_disk(web)
    spoiler = Spoiler(lab, web)
    storm(web, spoiler, image)
    flap(lab, web, spoiler, image)
