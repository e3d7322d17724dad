# SPDX-License-Identifier: MIT
"""xl saves a guest with devices in use, and restores it."""
from keys import OpenKeyboard
from mounted import MountedDisk

FILE = "/tmp/saved"


class SavedGuest:
    """A guest with a mounted stick in 1-5, which it works on, and a keyboard in 1-6."""

    def __init__(self, lab, kind, kernel, arguments=""):
        self.lab = lab
        lab.dom0.check("xvhc give 1-5 web && xvhc give 1-6 web")
        self.guest = lab.guest("web", kind=kind, kernel=kernel, arguments=arguments)
        self.stick = MountedDisk(lab, f"stick-{kind}-{kernel}")
        self.stick_plugged = lab.plug("xhci.5", "storage", image=self.stick.image)
        self.stick.mount(self.guest)
        self.keyboard_plugged = lab.plug("xhci.6", "kbd")
        self.keyboard = OpenKeyboard(lab, self.guest)
        self.keyboard.check()

    def save(self):
        """xl saves it. The port goes to nobody until it is there again."""
        self.guest.save(FILE)

    def restore(self):
        """xl restores it: by then, to Xen, it is another domain."""
        before = self.guest.domid
        self.guest.restore(FILE)
        self.lab.dom0.check(f"rm {FILE}")
        assert self.guest.domid != before

    def check_goes_on(self):
        """The file system is at work, and keys arrive at the file that was open."""
        self.stick.check_goes_on(90)
        self.keyboard.check()
