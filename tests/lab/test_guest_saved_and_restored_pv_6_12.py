# SPDX-License-Identifier: MIT
"""xl saves and restores a PV guest with Linux 6.12 that works on a mounted stick and reads a
keyboard: both go on."""
from saved import SavedGuest


def test(lab):
    saved = SavedGuest(lab, "pv", "6.12")
    saved.save()
    saved.restore()
    saved.check_goes_on()
