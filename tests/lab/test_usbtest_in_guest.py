# SPDX-License-Identifier: MIT
"""The kernel's own judge of host controllers, usbtest, on xvhc.ko in PV guests, by each version of
the wire."""
from usbtest import ODD_LISTS, check_usbtest_in_guest


def test(lab):
    guests = [lab.guest(f"wire{wire}", arguments=f"xvhc.wire={wire}") for wire in (1, 2)]
    check_usbtest_in_guest(lab, *guests, more=[ODD_LISTS])
