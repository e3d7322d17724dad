# SPDX-License-Identifier: MIT
"""A guest that speaks version 1 of the wire and works on a stick suspends itself to memory, and
wakes up by time: all its devices are what they were, and work."""
from sleeping import SleepingGuest


def test(lab):
    web = SleepingGuest(lab, arguments="xvhc.wire=1")
    for _ in range(2):
        web.sleep_for_a_time()
        web.check_goes_on()
