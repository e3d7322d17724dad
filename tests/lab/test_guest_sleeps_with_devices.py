# SPDX-License-Identifier: MIT
"""A guest that works on a stick suspends itself to memory, and wakes up by a key of its keyboard,
then by time: all its devices are what they were, and work."""
from sleeping import SleepingGuest


def test(lab):
    web = SleepingGuest(lab)
    for _ in range(2):
        web.sleep_until_key()
        web.check_goes_on()
    web.sleep_for_a_time()
    web.check_goes_on()
