# SPDX-License-Identifier: MIT
"""Isochronous streams: the highest rate that arrives without a loss.

The lab's meter numbers its packets. A variant begins with the highest rate that native has
sustained so far, and goes down until nothing is lost; native begins with the highest that there is.
The emulation as a whole stands still once in a while: a rate has failed when it has failed twice.
"""
import measuring
from xvhclab.errors import LabError

RATES_MB = {1: 1, 2: 3, 3: 6, 4: 12, 5: 24}  # settings of lab/devices/meter.c
ATTEMPTS = 2
ALL = 1 << 32  # packets: more than any stream has


class Streams:
    """A workload's take(): it remembers what native has sustained."""

    def __init__(self):
        self.native = 0
        self.start = max(RATES_MB)

    def __call__(self, place, options):
        tried, best = {}, 0
        first = max(RATES_MB) if not place.guest else self.start
        for setting in range(first, 0, -1):
            tried[RATES_MB[setting]] = self.attempt(place, setting, options.seconds)
            if tried[RATES_MB[setting]]["bad"] == 0:
                best = setting
                break
        if not place.guest:
            self.native = max(self.native, best)
            self.start = self.native or 1
        return {"value": RATES_MB.get(best, 0), "tried_mb_per_second": tried}

    @staticmethod
    def attempt(place, setting, seconds):
        """The better of the attempts. One that ends with an error has lost everything."""
        found = []
        while len(found) < ATTEMPTS and not (found and found[-1]["bad"] == 0):
            try:
                found.append(measuring.packets(place, setting, seconds))
            except LabError as error:
                found.append({"value": 100, "bad": ALL, "got": 0,
                              "error": str(error).splitlines()[0]})
        return min(found, key=lambda counts: counts["bad"])
