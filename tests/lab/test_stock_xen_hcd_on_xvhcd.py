# SPDX-License-Identifier: MIT
"""A stock frontend, mainline's xen-hcd, on xvhcd: a stick and a keyboard, before and after xvhcd
was restarted."""
from keys import check_keys
from sticks import FILES, check_stick_both_ways, fat_file, fat_stick


def test(lab):
    lab.dom0.check("xvhc give 1-5 stock && xvhc give 1-6 stock")
    guest = lab.guest("stock", driver="xen-hcd")
    for again in (False, True):
        if again:
            lab.stop_xvhcd()
            lab.start_xvhcd()
        image = fat_stick(lab, f"stick{again}", FILES)
        stick = lab.plug("xhci.5", "storage", image=image)
        later = check_stick_both_ways(guest, image, FILES)
        lab.unplug(stick)
        guest.wait("! test -e /sys/block/sda")
        assert fat_file(image, "LATER.BIN") == later
    lab.plug("xhci.6", "kbd")
    check_keys(lab, guest)
