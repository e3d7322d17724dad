# SPDX-License-Identifier: MIT
"""The kernel's own judge of host controllers, usbtest, in a PVH guest with kernel 6.12."""
from usbtest import ODD_LISTS, check_usbtest_in_guest


def test(lab):
    check_usbtest_in_guest(lab, lab.guest("web", kind="pvh", kernel="6.12"), more=[ODD_LISTS])
