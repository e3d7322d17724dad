# SPDX-License-Identifier: MIT
"""xvhc.ko in the guest on a stock backend, QEMU's qusb: a stick and a keyboard."""
import qusb

XVHCD = False
QUSB = True
ALLOWED = qusb.ALLOWED


def test(lab):
    qusb.check_guest_on_qusb(lab, "xvhc")
