# SPDX-License-Identifier: MIT
"""Attacks by a guest's own XenStore nodes: floods, reconnections, offers of what there is not."""
from attacks import run_attacks, survived

LIMIT = 900
ATTACKS = {
    "state-flips": survived,
    "reconnects": survived,
    "offers": survived,
    "nodes": survived,
    "directory": survived,
}


def test(lab):
    run_attacks(lab, ATTACKS)
