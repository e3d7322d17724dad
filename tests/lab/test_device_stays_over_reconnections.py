# SPDX-License-Identifier: MIT
"""A mounted stick and a keyboard whose events are being read stay what they are
in a guest, while xvhcd is stopped and started, killed and started, and the worker is killed. What
was plugged in meanwhile instead of another device is another one; what was unplugged has gone."""
from keys import OpenKeyboard
from mounted import MountedDisk
from sticks import wait_disk

DISK_HUNG_S = 90


def worker_of(lab, guest):
    """The process that serves a guest."""
    return lab.dom0.wait("for p in $(pidof xvhcd-worker); do "
                         f"grep -q 'guest-{guest.domid}[.]' /proc/$p/cmdline && echo $p; "
                         "done | grep .", 60)


def restart(lab, number):
    lab.stop_xvhcd(number)
    lab.start_xvhcd()


def kill_worker(lab, guest):
    worker = worker_of(lab, guest)
    lab.dom0.check(f"kill -9 {worker}")
    lab.dom0.wait(lambda: worker_of(lab, guest) != worker, 60)


def test(lab):
    dom0 = lab.dom0
    dom0.check("xvhc give 1-5 web && xvhc give 1-6 web")
    web = lab.guest("web")
    stick = MountedDisk(lab, "stick")
    plugged = lab.plug("xhci.5", "storage", image=stick.image)
    stick.mount(web)
    keyboard_plugged = lab.plug("xhci.6", "kbd")
    keyboard = OpenKeyboard(lab, web)
    keyboard.check()
    for change in (lambda: restart(lab, 15), lambda: restart(lab, 9),
                   lambda: kill_worker(lab, web), lambda: kill_worker(lab, web)):
        change()
        stick.check_goes_on(DISK_HUNG_S)
        keyboard.check()
    stick.unmount()

    lab.stop_xvhcd()
    lab.unplug(keyboard_plugged, gone="1-6")
    lab.unplug(plugged, gone="1-5")
    lab.plug("xhci.5", "storage", image=stick.image)
    lab.start_xvhcd()
    web.wait("! ls /sys/class/input | grep event", 60)
    keyboard.reader.wait(30)
    web.wait(f"test -e {stick.device}/devnum && ! grep -qx {stick.number.strip()} "
             f"{stick.device}/devnum", 60)
    wait_disk(web, web.wait("ls /sys/block | grep sd", 60).split()[-1])
