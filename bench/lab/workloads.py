# SPDX-License-Identifier: MIT
"""What is measured: devices, and the workloads on each. README.md says what they mean."""
import counts
import measuring
from streams import Streams

# Seconds after which a sequential run ends where the device is slow; it counts what it did by then.
SEQUENTIAL_SECONDS = 5
RANDOM_SECONDS = 3
TWO_SECONDS = 6
CONTROL_COUNT = 500
ECHO_COUNT = 300
GET_STATUS, GET_DESCRIPTOR = 0, 6
DEVICE_DESCRIPTOR = 0x0100


class Device:
    """Something to plug in: where, what, and how it is called in dom0. beside: another device
    that visits with it, on the same controller; rounds: in no more than so many is it measured."""

    def __init__(self, name, title, kind, port, dom0_port, beside=None, rounds=None):
        self.name, self.title, self.kind, self.port, self.dom0_port = (
            name, title, kind, port, dom0_port)
        self.beside, self.rounds = beside, rounds


COPIED = Device("copied", "stick, high speed", "storage", "xhci.5", "1-5")
SECOND_STICK = Device("second", "stick, high speed", "storage", "xhci.8", "1-8")
DEVICES = {device.name: device for device in (
    Device("bot-hs", "stick, high speed", "storage", "xhci.5", "1-5"),
    Device("bot-ss", "stick, SuperSpeed", "storage", "xhci.1", "2-1"),
    Device("uas-hs", "UAS disk, high speed", "uas", "xhci.6", "1-6"),
    Device("uas-ss", "UAS disk, SuperSpeed", "uas", "xhci.2", "2-2"),
    Device("counted-bot", "stick, high speed", "storage", "xhci.5", "1-5", None, 1),
    Device("counted-uas-hs", "UAS disk, high speed", "uas", "xhci.6", "1-6", None, 1),
    Device("counted-uas-ss", "UAS disk, SuperSpeed", "uas", "xhci.2", "2-2", None, 1),
    Device("two", "two sticks, high speed", "storage", "xhci.6", "1-6", SECOND_STICK),
    Device("meter", "the lab's meter, high speed", "meter", "xhci.7", "1-7"),
    Device("stream", "the lab's meter, high speed", "meter", "xhci.7", "1-7", None, 2),
    Device("stream-copy", "the lab's meter beside a stick that is copied", "meter", "xhci.7",
           "1-7", COPIED, 2),
)}

# Whoever asks for small blocks asks for several at once.
# KiB of a block, and how many at once: as a program reads that wants it fast, and what is counted.
BLOCKS = {"storage": (1024, 1), "uas": (1024, 4)}
COUNTED_BLOCKS = {"storage": (1024, 1), "uas": (128, 8)}


class Copying:
    """Another take(), while the disk beside is read."""

    def __init__(self, take):
        self.take = take

    def __call__(self, place, options):
        with measuring.copying(place.beside) as copied:
            figure = self.take(place, options)
        return {**figure, "copied_mib_per_second": copied["mib_per_second"]}


class Workload:
    """One figure. take(place, options) returns {"value": figure, and what else is known}.
    counted: it is no speed, and stands in a table of its own."""

    def __init__(self, name, title, unit, device, take, higher=True,
                 counted=False):
        self.name, self.title, self.unit, self.device = name, title, unit, device
        self.take, self.higher, self.counted = take, higher, counted

    def ratio(self, value, native):
        """How good a value is beside the native one: 1 is as good, smaller is worse."""
        if self.higher:
            return value / native if native else None
        return native / value if value else None


def sequential(device, way):
    block_kib, depth = BLOCKS[device.kind]
    return Workload(
        f"{device.name}-{way}", f"{device.title}: {way}, {block_kib} KiB × {depth}", "MiB/s",
        device, lambda place, options: measuring.sequential(
            place, way, block_kib, depth, options.size, SEQUENTIAL_SECONDS))


def random(device, depth):
    return Workload(
        f"{device.name}-random-{depth}", f"{device.title}: random read, 4 KiB × {depth}", "1/s",
        device, lambda place, options: measuring.random_reads(
            place, depth, options.size, RANDOM_SECONDS))


def control(device, name, title, request, value, length):
    return Workload(
        name, title, "µs", device, lambda place, options: measuring.times_us(
            place, f"control {place.node} {CONTROL_COUNT} {request} {value} {length}"),
        higher=False)


def counted(device):
    block_kib, depth = COUNTED_BLOCKS[device.kind]
    return Workload(
        f"counts{device.name.removeprefix('counted')}",
        f"{device.title}: read, {block_kib} KiB × {depth}", "system calls", device,
        lambda place, options: counts.take(place, block_kib, depth), counted=True)


def make_all():
    """{name: workload}, in the order in which they are measured."""
    found = []
    for device in DEVICES.values():
        if device.name.startswith("counted"):
            found.append(counted(device))
        elif device.kind in BLOCKS and not device.beside:
            found += [sequential(device, way) for way in ("read", "write")]
    for name in ("uas-hs", "uas-ss"):
        found += [random(DEVICES[name], depth) for depth in (1, 32)]
    stick, meter = DEVICES["bot-hs"], DEVICES["meter"]
    found += [
        control(stick, "control", "control request, GET_STATUS: round trip", GET_STATUS, 0, 2),
        control(stick, "descriptor", "control request, GET_DESCRIPTOR: round trip",
                GET_DESCRIPTOR, DEVICE_DESCRIPTOR, 18),
        Workload("interrupt", "interrupt OUT, and back by interrupt IN: round trip", "µs", meter,
                 lambda place, options: measuring.times_us(
                     place, f"echo {place.node} {ECHO_COUNT}"), higher=False),
        Workload("two-guests", "two sticks at once, in two guests: read, sum", "MiB/s",
                 DEVICES["two"], lambda place, options: measuring.at_once(
                     [place, place.beside], options.size, TWO_SECONDS)),
        Workload("isoc", "isochronous IN: highest rate without a loss", "MB/s",
                 DEVICES["stream"], Streams()),
        Workload("isoc-copy", "the same beside a copy from a stick", "MB/s",
                 DEVICES["stream-copy"], Copying(Streams())),
    ]
    return {workload.name: workload for workload in found}


ALL = make_all()
