# SPDX-License-Identifier: MIT
"""The main job, for one kind of guest and one kernel."""
from sticks import FILES, check_stick_both_ways, fat_file, fat_stick


def check_stick_in_guest(lab, kind, kernel):
    lab.dom0.check("xvhc give 1-5 web")
    web = lab.guest("web", kind=kind, kernel=kernel)
    image = fat_stick(lab, "stick", FILES)
    stick = lab.plug("xhci.5", "storage", image=image)
    later = check_stick_both_ways(web, image, FILES)
    lab.unplug(stick)
    web.wait("! test -e /sys/block/sda")
    assert fat_file(image, "LATER.BIN") == later, "the host reads another file than the guest wrote"
    lab.plug("xhci.5", "kbd")
    web.wait("grep -q Keyboard /sys/class/input/input*/name")
