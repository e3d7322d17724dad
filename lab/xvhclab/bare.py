# SPDX-License-Identifier: MIT
"""A guest without an operating system: frontend/bare. It has no agent; it talks on its console,
which xenconsoled writes to a log in dom0, and powers off when it is done."""
from . import paths
from .errors import LabError, TimedOut

FOLDER = "/run/lab"
# Its first and last words.
START = "xvhc-bare: started"
END = "xvhc-bare: end"
LOG = "/var/log/xen/console/guest-{name}.log"


class BareGuest:
    """Made by Lab.bare_guest(). Part of Lab.guests as long as it has not been destroyed."""

    def __init__(self, lab, name, arguments, config, memory):
        self.lab = lab
        self.name = name
        self.arguments = arguments
        self.config = list(config)
        self.memory = memory
        self.domid = None
        self.said_before = 0

    def xl_file(self):
        """The text of the file for xl."""
        lines = [f"name = '{self.name}'", "type = 'pvh'", f"kernel = '{FOLDER}/xvhc-bare.elf'",
                 f"extra = '{self.arguments}'", f"memory = {self.memory}", "vcpus = 1",
                 "tsc_mode = 'native'", "on_crash = 'destroy'", *self.config]
        return "\n".join(lines) + "\n"

    def create(self):
        """Have xl create it."""
        dom0 = self.lab.dom0
        kernel = paths.BUILD / "bare/xvhc-bare.elf"
        if not kernel.exists():
            raise LabError(f"there is no {kernel}: 'make bare' builds it")
        if "bare" not in self.lab.loaded:
            dom0.check(f"mkdir -p {FOLDER}")
            dom0.put(f"{FOLDER}/xvhc-bare.elf", kernel.read_bytes())
            self.lab.loaded.add("bare")
        self.said_before = int(dom0.check(f"stat -c %s {self.log()} 2>/dev/null || echo 0"))
        path = f"{FOLDER}/{self.name}.cfg"
        dom0.put(path, self.xl_file())
        dom0.check(f"xl create {path}", timeout=90)

    def log(self):
        return LOG.format(name=self.name)

    def console(self):
        """What it has said in this life."""
        _, text = self.lab.dom0.run(f"tail -c +{self.said_before + 1} {self.log()} 2>/dev/null")
        return text.replace("\r", "")

    def exists(self):
        """Is there a domain of its name?"""
        return self.lab.dom0.run(f"xl domid {self.name}")[0] == 0

    def wait_end(self, limit=60):
        """Wait until it has said its last word and powered off. Returns what it said.

        Where the emulation killed it (see verdict.py), xl has made it anew, and what counts is what
        it said in its last life.
        """
        try:
            self.lab.dom0.wait(f"tail -c +{self.said_before + 1} {self.log()} | grep -q '{END}' && "
                               f"! xl domid {self.name}", limit)
        except TimedOut as late:
            raise LabError(f"{self.name} does not end:\n{self.console()}") from late
        self.lab.guests.pop(self.name, None)
        return self.console().split(START)[-1]

    def destroy(self):
        """Have xl destroy it at once."""
        self.lab.guests.pop(self.name, None)
        self.lab.dom0.run(f"xl destroy {self.name}", timeout=60)
        self.lab.dom0.wait(f"! xl domid {self.name}", 60)

    # What Lab and Logs ask of every guest.

    def detach(self):
        """There is no agent to forget."""

    def save_kernel_log(self):
        """There is no kernel."""
