# SPDX-License-Identifier: MIT
"""Attacks on the rings, the grants and the event channel of the connection."""
from attacks import answered, closed, many, run_attacks

LIMIT = 900
ATTACKS = {
    "change-request": lambda counters: counters["answered"] > 20,
    "urb-index": closed,
    "conn-index": closed,
    "segment-count": closed,
    "revoke": answered,
    "event-storm": lambda counters: answered(counters) and counters["events"] > 1000,
    "vanish": many("left", 16),
}


def test(lab):
    run_attacks(lab, ATTACKS)
