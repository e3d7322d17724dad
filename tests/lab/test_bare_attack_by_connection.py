# SPDX-License-Identifier: MIT
"""Attacks on the rings, the grants and the event channel of the connection."""
from attacks import answered, closed, run_attacks, survived

LIMIT = 900
ATTACKS = {
    "change-request": lambda counters: counters["answered"] > 20,
    "urb-index": closed,
    "conn-index": closed,
    "segment-count": closed,
    "revoke": answered,
    "event-storm": answered,
    "vanish": survived,
}


def test(lab):
    run_attacks(lab, ATTACKS)
