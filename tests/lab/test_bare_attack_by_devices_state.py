# SPDX-License-Identifier: MIT
"""Attacks by requests that are good, each alone, but come as storms and races."""
from attacks import answered, only, run_attacks

LIMIT = 900
ATTACKS = {
    "control-storm": only("ok"),
    "firmware": only("stall", "inval"),
    "unlink": answered,
    "same-id": answered,
    "configuration": answered,
    "resets": answered,
}


def test(lab):
    run_attacks(lab, ATTACKS)
