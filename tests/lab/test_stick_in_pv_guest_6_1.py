# SPDX-License-Identifier: MIT
"""A stick in a given port: a PV guest with kernel 6.1 mounts it, reads and writes it."""
from stick_in_guest import check_stick_in_guest


def test(lab):
    check_stick_in_guest(lab, "pv", "6.1")
