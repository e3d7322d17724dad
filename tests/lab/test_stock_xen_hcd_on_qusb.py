# SPDX-License-Identifier: MIT
"""Stock parts only: mainline's xen-hcd in the guest, QEMU's qusb in dom0, a stick and a keyboard.

Nothing of this project takes part. When this test fails, look at the lab before all else.
"""
import qusb

XVHCD = False
QUSB = True
ALLOWED = qusb.ALLOWED


def test(lab):
    qusb.check_guest_on_qusb(lab, "xen-hcd")
