# SPDX-License-Identifier: MIT
"""How a figure is taken: fio, bench-meter, and the hypervisor's account of processor time."""
import contextlib
import json
import re
import time

from xvhclab.errors import LabError

MIB = 1 << 20
FIO = "fio --name=bench --ioengine=libaio --direct=1 --thread --output-format=json"


def fio_command(disk, way, block_kib, depth, mib, seconds, looping=False):
    """fio on a whole disk: it ends after so many MiB or so many seconds, whatever comes first;
    looping: after so many seconds."""
    return (f"{FIO} --filename=/dev/{disk} --rw={way} --bs={block_kib}k --iodepth={depth} "
            f"--size={mib}M --runtime={seconds}{' --time_based' if looping else ''}")


def fio_said(output):
    """{"mib_per_second", "mib", "iops"} from what fio has printed."""
    report = json.loads(output[output.index("{"):output.rindex("}") + 1])
    job = report["jobs"][0]
    if job["error"]:
        raise LabError(f"fio: {output}")
    way = job["read"] if job["read"]["io_bytes"] else job["write"]
    if not way["runtime"]:
        raise LabError(f"fio did nothing: {output}")
    return {"mib_per_second": way["bw_bytes"] / MIB, "mib": way["io_bytes"] / MIB,
            "iops": way["iops"]}


class Clock:
    """Processor time of dom0 and of one more domain, by Xen's own account."""

    def __init__(self, dom0, guest):
        self.dom0 = dom0
        self.guest = guest
        self.began = self.read()

    def read(self):
        said = self.dom0.check("bench-cpu")
        times = {int(line.split()[0]): int(line.split()[1]) for line in said.splitlines()}
        return times[0], times[self.guest.domid] if self.guest else 0

    def spent_ms(self):
        """Milliseconds of (dom0, the guest) since this was made."""
        ended = self.read()
        return [(after - before) / 1e6 for before, after in zip(self.began, ended)]


def timed_fio(place, way, block_kib, depth, mib, seconds):
    """fio at a place (see session.py), with the processor time that it took."""
    clock = Clock(place.dom0, place.guest)
    output = place.machine.check(
        fio_command(place.disk, way, block_kib, depth, mib, seconds), timeout=seconds + 90)
    spent = clock.spent_ms()
    return {**fio_said(output), "spent_ms": spent}


def sequential(place, way, block_kib, depth, mib, seconds):
    """One sequential run. What fio's own start costs, in a run of 1 MiB, is taken off the
    processor time."""
    start = timed_fio(place, way, block_kib, depth, 1, seconds)
    run = timed_fio(place, way, block_kib, depth, mib, seconds)
    more = max(run["mib"] - start["mib"], 1)
    cpu = [max(0, all_of_it - first) / more
           for all_of_it, first in zip(run["spent_ms"], start["spent_ms"])]
    return {"value": run["mib_per_second"], "mib": run["mib"], "dom0_ms_per_mib": cpu[0],
            **({"guest_ms_per_mib": cpu[1]} if place.guest else {})}


def random_reads(place, depth, mib, seconds):
    """Operations in a second of 4 KiB each."""
    output = place.machine.check(fio_command(place.disk, "randread", 4, depth, mib, seconds, True),
                                 timeout=seconds + 90)
    return {"value": fio_said(output)["iops"]}


def at_once(places, mib, seconds):
    """Sequential reads at several places at the same time; returns the sum."""
    runs = [place.machine.start(fio_command(place.disk, "read", 1024, 1, mib, seconds, True))
            for place in places]
    total = 0
    for run in runs:
        code, output = run.wait(seconds + 90)
        if code:
            raise LabError(f"fio: {output}")
        total += fio_said(output)["mib_per_second"]
    return {"value": total}


@contextlib.contextmanager
def copying(place):
    """Read a disk over and over in the meantime. Afterwards "mib_per_second" is in what it
    yields."""
    count = f"awk '{{ print $3 }}' /sys/block/{place.disk}/stat"
    copied = {}
    reading = place.machine.start(f"while dd if=/dev/{place.disk} of=/dev/null bs=1M iflag=direct "
                                  "2>/dev/null; do :; done")
    place.machine.wait(f"awk '{{exit !($9 > 0)}}' /sys/block/{place.disk}/stat")
    before, began = int(place.machine.check(count)), time.monotonic()
    try:
        yield copied
    finally:
        seconds = time.monotonic() - began
        sectors = int(place.machine.check(count)) - before
        running = reading.running()
        reading.kill(9)
        reading.wait(60)
    if not running:
        raise LabError("the copy beside the stream has failed")
    copied["mib_per_second"] = sectors * 512 / MIB / seconds


def times_us(place, arguments):
    """bench-meter's times: the median, the shortest and the longest, in microseconds."""
    said = place.machine.check(f"bench-meter {arguments}", timeout=120)
    shortest, median, longest = (int(word) / 1000 for word in said.split())
    return {"value": median, "shortest": shortest, "longest": longest}


def packets(place, setting, seconds):
    """An isochronous stream: how many packets came, and what became of the others."""
    code, said = place.machine.run(f"bench-meter isoc {place.node} {setting} {seconds}",
                                   timeout=seconds + 60)
    found = dict(re.findall(r"(\w+) (\d+)", said if code == 0 else ""))
    if not found:
        raise LabError(f"bench-meter isoc: {said}")
    counts = {name: int(number) for name, number in found.items()}
    bad = counts["lost"] + counts["damaged"] + counts["errors"]
    return {"value": 100 * bad / (counts["got"] + bad), "bad": bad, **counts}


def now():
    return time.strftime("%Y-%m-%d %H:%M:%S %z")
