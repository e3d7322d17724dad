# SPDX-License-Identifier: MIT
"""The kernel's own judge of host controllers, usbtest, on xvhc.ko in a PV guest."""
from usbtest import ODD_LISTS, check_usbtest_in_guest


def test(lab):
    check_usbtest_in_guest(lab, lab.guest("web"), more=[ODD_LISTS])
