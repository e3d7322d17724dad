# SPDX-License-Identifier: MIT
"""Two sticks and a UAS disk in a PVH guest with kernel 6.12: fio verifies, files go both ways."""
from verified import check_storage_in_guest


def test(lab):
    check_storage_in_guest(lab, "pvh", "6.12")
