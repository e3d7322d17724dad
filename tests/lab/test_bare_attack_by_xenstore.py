# SPDX-License-Identifier: MIT
"""Attacks by a guest's own XenStore nodes: floods, reconnections, offers of what there is not."""
from attacks import many, run_attacks

LIMIT = 900
ATTACKS = {
    "state-flips": many("states", 100),
    "reconnects": many("connections", 2),
    "offers": many("offers", 4),
    "nodes": many("nodes", 50),
    "directory": many("removals", 20),
}


def test(lab):
    run_attacks(lab, ATTACKS)
