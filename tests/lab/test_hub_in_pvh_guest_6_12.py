# SPDX-License-Identifier: MIT
"""A hub with four devices behind it, given to a PVH guest with kernel 6.12."""
from hubs import check_hub_in_guest


def test(lab):
    check_hub_in_guest(lab, kind="pvh", kernel="6.12")
