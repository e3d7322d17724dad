# SPDX-License-Identifier: MIT
"""The kernel's own judge of host controllers, usbtest, on mainline's xen-hcd and xvhcd."""
from usbtest import SINGLE_STOCK, check_usbtest_in_guest


def test(lab):
    check_usbtest_in_guest(lab, lab.guest("stock", driver="xen-hcd"), single=SINGLE_STOCK)
