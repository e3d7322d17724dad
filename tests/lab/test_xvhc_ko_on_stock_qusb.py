# SPDX-License-Identifier: MIT
"""xvhc.ko in the guest on a stock backend, QEMU's qusb: a stick and a keyboard."""
from qusb import check_guest_on_qusb

XVHCD = False
QUSB = True


def test(lab):
    check_guest_on_qusb(lab, "xvhc")
