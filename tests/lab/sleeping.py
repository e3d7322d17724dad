# SPDX-License-Identifier: MIT
"""A guest suspends itself to memory with devices in use, and wakes up."""
from keys import OpenKeyboard
from mounted import MountedDisk

KEYBOARD_IN_DOM0 = "/sys/bus/usb/devices/1-6"
# So often its time is looked at.
LOOKS = 10
# Linux' own test of suspension: it stops everything, and goes on after 5 s.
BY_TIME = ("echo platform > /sys/power/pm_test && echo mem > /sys/power/state; rc=$?; "
           "echo none > /sys/power/pm_test; exit $rc")


class SleepingGuest:
    """A guest with a mounted stick in 1-5, a keyboard in 1-6 and a microphone in 1-7."""

    def __init__(self, lab, kind="pv", kernel="6.1", arguments=""):
        self.lab = lab
        lab.dom0.check("xvhc give 1-5 web && xvhc give 1-6 web && xvhc give 1-7 web")
        self.guest = lab.guest("web", kind=kind, kernel=kernel, arguments=arguments)
        self.guest.check("grep -q s2idle /sys/power/mem_sleep")
        self.stick = MountedDisk(lab, "stick")
        lab.plug("xhci.5", "storage", image=self.stick.image)
        self.stick.mount(self.guest)
        lab.plug("xhci.6", "kbd")
        self.keyboard = OpenKeyboard(lab, self.guest)
        self.keyboard.check()
        lab.plug("xhci.7", "microphone")
        self.guest.wait("grep -q . /proc/asound/card0/id", 30)
        self.numbers = self.devices()

    def devices(self):
        """Number and product of each device, in the order of their places."""
        return self.guest.check("cd /sys/bus/usb/devices && for d in [0-9]*-[0-9]*; do "
                                "test -e $d/devnum && echo $d $(cat $d/devnum $d/product); done; :")

    def slept(self):
        """How often it has slept."""
        return int(self.guest.check("cat /sys/power/suspend_stats/success 2>/dev/null"))

    def wait_idle(self):
        """Wait until its processor's time stands still for a while."""
        seen = []

        def idle():
            seen.append(self.lab.dom0.check(f"xl list {self.guest.domid} | tail -n 1"))
            return len(seen) >= LOOKS and len(set(seen[-LOOKS:])) == 1
        self.lab.dom0.wait(idle, 60)

    def sleep_until_key(self):
        """It sleeps until a key is pressed. One that comes too early keeps it from sleeping."""
        before = self.slept()
        asleep = self.guest.start("echo mem > /sys/power/state")
        self.lab.dom0.wait(f"grep -q suspended {KEYBOARD_IN_DOM0}/power/runtime_status", 30)
        self.wait_idle()
        assert asleep.running(), f"it did not sleep: {asleep.text()}"
        self.lab.keys("a")
        rc, said = asleep.wait(60)
        assert rc == 0 and self.slept() == before + 1, f"it did not sleep: {rc}, {said}"

    def sleep_for_a_time(self):
        """It sleeps, and wakes up by itself."""
        rc, said = self.guest.run(BY_TIME, timeout=90)
        assert rc == 0, f"it did not sleep: {said}"

    def check_goes_on(self):
        """All devices are the same, and work."""
        self.stick.check_goes_on(60)
        self.keyboard.check()
        assert self.devices() == self.numbers, f"{self.devices()} instead of {self.numbers}"
