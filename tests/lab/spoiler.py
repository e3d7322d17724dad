# SPDX-License-Identifier: MIT
"""Somebody in dom0 who plays a bad backend against a guest, by means of lab-spoil (lab/spoil.c)."""
from xvhclab import agent
from xvhclab.images import static_program


class Spoiler:
    """Against the first controller that xvhcd has made for this guest, in its connection of now."""

    def __init__(self, lab, guest):
        self.dom0 = lab.dom0
        self.guest = guest
        self.dom0.put("/usr/bin/lab-spoil", static_program("spoil").read_bytes())
        self.dom0.check("chmod 755 /usr/bin/lab-spoil")

    def node(self, name):
        """What the frontend has published."""
        return self.dom0.check(
            f"xenstore-read /local/domain/{self.guest.domid}/device/vusb/1000/{name}")

    def worker(self):
        """The process that serves the guest, once it does."""
        return self.dom0.wait("for p in $(pidof xvhcd-worker); do "
                              f"grep -q 'guest-{self.guest.domid}[.]' /proc/$p/cmdline && echo $p; "
                              "done | grep .", 60)

    def kill(self, worker):
        """End a worker. Returns once the guest uses a device by the help of the next one."""
        self.dom0.check(f"kill -KILL {worker}")
        self.dom0.wait(f"! test -e /proc/{worker}")
        self.worker()
        self.dom0.wait(f"xvhc list | grep 'in use by {self.guest.name} (configured)'", 60)

    def start(self, command, *words):
        """Start lab-spoil with a command; its input stays open."""
        return self.dom0.start(f"exec lab-spoil {command} {self.guest.domid} "
                               f"{' '.join(str(word) for word in words)}", flags=agent.INPUT)

    def write(self, node, value, offsets):
        """Write a number into the page that this node names, over and over for a moment."""
        self.dom0.check(f"lab-spoil write {self.guest.domid} {self.node(node)} {value} "
                        f"{' '.join(str(offset) for offset in offsets)}")

    def pending(self):
        """The data pages of the first request that the stopped worker has not answered, if any."""
        ring = self.node("urb-ring-ref")
        return self.dom0.check(f"lab-spoil requests {self.guest.domid} {ring} | head -n 1").split()

    def read(self, page):
        """The bytes of a page that the guest has granted."""
        self.dom0.check(f"lab-spoil read {self.guest.domid} {page} > /tmp/page")
        return self.dom0.get("/tmp/page")
