# SPDX-License-Identifier: MIT
"""xl saves and restores a PVH guest with Linux 6.1 that works on a mounted stick and reads a
keyboard: both go on."""
from saved import SavedGuest


def test(lab):
    saved = SavedGuest(lab, "pvh", "6.1")
    saved.save()
    saved.restore()
    saved.check_goes_on()
