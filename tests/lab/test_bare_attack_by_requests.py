# SPDX-License-Identifier: MIT
"""Attacks that consist of requests which must not pass, at full speed."""
from attacks import answered, only, run_attacks

LIMIT = 900
ATTACKS = {
    "segments": only("inval"),
    "total": only("inval"),
    "pipe": answered,
    "packets": only("inval"),
    "setup-length": only("inval"),
    "grants": only("ok", "inval", "ioerror"),
    "noise": answered,
}


def test(lab):
    run_attacks(lab, ATTACKS)
