# SPDX-License-Identifier: MIT
"""A stick in a given port: a PVH guest with kernel 6.12 mounts it, reads and writes it."""
from stick_in_guest import check_stick_in_guest


def test(lab):
    check_stick_in_guest(lab, "pvh", "6.12")
