# SPDX-License-Identifier: MIT
"""The logs of a lab: how far each has been read, what is new, copies of all for a failed test."""
import shutil
import time
from pathlib import Path

from . import paths, verdict
from .errors import LabError, TimedOut

# Logs inside dom0, besides those that stream to the host.
DOM0_LOGS = "/var/log/xvhcd.log /var/log/xen/*.log /var/log/xen/console/*.log"

# What a failed test's folder has besides logs: what dom0 says about its state.
DOM0_STATE = {
    "xenstore.txt": "xenstore-ls -f -p",
    "xl-list.txt": "xl list -v",
    "xl-dmesg.txt": "xl dmesg",
    "dmesg.txt": "dmesg",
    "usb.txt": "lsusb -t; ls -l /sys/bus/usb/devices; mount",
    "processes.txt": "ps",
    "xvhc-list.txt": "xvhc list",
    "event-channels.txt": "lsevtchn 0",
    "journal.txt": "journalctl --no-pager -b",  # where systemd runs
}


class Logs:
    """Follows the logs of one booted lab from test to test."""

    def __init__(self, lab):
        self.lab = lab
        self.offsets = {}
        self.sizes = {}
        self.booting = True
        self.killed = 0  # guests that the emulation killed, as far as the logs have been judged

    def sync(self):
        """See to it that what the kernels have said so far is in the host's files."""
        dom0 = self.lab.dom0
        for guest in self.lab.guests.values():
            guest.save_kernel_log()
        if not self.lab.alive():
            return
        mark = f"lab: log read up to {time.monotonic_ns()}"
        try:
            dom0.run(f"echo '{mark}' > /dev/kmsg", timeout=20)
            dom0.kernel_log.wait_for(mark, 20)
        except (LabError, TimedOut):
            pass

    def new_text(self, path):
        """What has been added to a file of the host since the last call."""
        start = self.offsets.get(path, 0)
        with open(path, "rb") as file:
            file.seek(start)
            data = file.read()
        self.offsets[path] = start + len(data)
        return data.decode("utf-8", "replace")

    def new_dom0_text(self):
        """[(log, what has been added to it)] for the logs inside dom0."""
        if not self.lab.alive():
            return []
        texts = []
        try:
            _, listing = self.lab.dom0.run(f"stat -c '%s %n' {DOM0_LOGS} 2>/dev/null", timeout=20)
            for line in listing.splitlines():
                size, name = line.split(" ", 1)
                old = self.sizes.get(name, 0)
                if int(size) == old:
                    continue
                # A log that has become shorter is a new one of that name.
                old = 0 if int(size) < old else old
                _, text = self.lab.dom0.run(f"tail -c +{old + 1} '{name}'", timeout=60)
                self.sizes[name] = int(size)
                texts.append((name, text))
        except (LabError, TimedOut):
            pass
        return texts

    def faults(self, allowed=()):
        """Faults in all that has been logged since the last call, as "log: line"."""
        self.sync()
        found = []
        for path in sorted(self.lab.run.glob("*.log")):
            if path.name == "trace.log":
                continue
            text = self.new_text(path)
            if path.name == "xen-console.log":
                self.killed += verdict.killed_in(text)
                text = verdict.without_deaths(text, self.lab.died_at_birth)
                lines = verdict.xen_faults_in(text, allowed, self.booting)
                self.booting = False
            else:
                lines = verdict.faults_in(text, allowed)
            found += [f"{path.name}: {line}" for line in lines]
        for name, text in self.new_dom0_text():
            self.killed += text.count(verdict.BARE_EXCEPTION)
            found += [f"{name}: {line}" for line in verdict.faults_in(text, allowed)]
        return found

    def save(self, test):
        """Copy everything to build/lab/logs/<test>. Returns the folder."""
        folder = paths.LOGS / test
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.sync()
        for path in self.lab.run.glob("*.log"):
            shutil.copy(path, folder)
        if not self.lab.alive():
            return folder
        try:
            for name, command in DOM0_STATE.items():
                (folder / name).write_text(self.lab.dom0.run(command, timeout=20)[1])
            _, listing = self.lab.dom0.run(f"ls -d {DOM0_LOGS} 2>/dev/null", timeout=20)
            for name in listing.split():
                (folder / Path(name).name).write_bytes(self.lab.dom0.get(name))
        except (LabError, TimedOut, OSError) as error:
            (folder / "incomplete.txt").write_text(f"{error}\n")
        return folder
