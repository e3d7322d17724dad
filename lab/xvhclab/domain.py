# SPDX-License-Identifier: MIT
"""What can be asked of dom0 and of a guest alike: run, check, wait, start, put, get."""
import base64
import hashlib
import shlex
import time

from . import agent
from .errors import CommandFailed, LabError, TimedOut


class Machine:
    """A system with an agent in it. The subclass provides `agent` and `name`."""

    name = "?"
    agent = None
    lab = None

    def start(self, command, **options):
        """Start a shell command; returns a Process with wait(), running(), text(), kill()."""
        if self.agent is None:
            raise LabError(f"{self.name}: is not running")
        seconds = time.monotonic() - self.lab.began
        self.lab.trace.add(f"{seconds:8.2f} {self.name}: {command}\n".encode())
        return self.agent.start(command, **options)

    def run(self, command, timeout=60):
        """Run a shell command. Returns (status, output), errors included in the output."""
        process = self.start(command)
        try:
            return process.wait(timeout)
        except TimedOut:
            process.kill(9)
            raise

    def check(self, command, timeout=60):
        """Run a shell command that must succeed. Returns its output without the last newline."""
        rc, output = self.run(command, timeout)
        if rc != 0:
            raise CommandFailed(self.name, command, rc, output)
        return output.rstrip("\n")

    def wait(self, condition, limit=30):
        """Wait until a condition holds: a shell command that succeeds, or a Python function.

        Returns the command's output, or what the function returned (anything true).
        """
        if callable(condition):
            end = time.monotonic() + limit
            while True:
                value = condition()
                if value:
                    return value
                if time.monotonic() > end:
                    raise TimedOut(f"{self.name}: {condition} did not hold within {limit} s")
                time.sleep(0.1)  # the polling step
        quoted = shlex.quote(condition)
        process = self.start(f"until out=$(sh -c {quoted} 2>&1); do usleep 100000; done; "
                             f"printf '%s\\n' \"$out\"")
        try:
            return process.wait(limit)[1].rstrip("\n")
        except TimedOut:
            process.kill(9)
            _, last = self.run(condition)
            raise TimedOut(f"{self.name}: '{condition}' did not succeed within {limit} s; "
                           f"it says:\n{last}") from None

    def put(self, path, data):
        """Write bytes or text to a file there."""
        data = data.encode() if isinstance(data, str) else data
        process = self.start(f"cat > {shlex.quote(path)}", flags=agent.INPUT)
        process.write(data)
        process.close_input()
        rc, output = process.wait(60)
        if rc != 0:
            raise LabError(f"{self.name}: cannot write {path}: {output}")
        there = self.check(f"sha256sum < {shlex.quote(path)}").split()[0]
        if there != hashlib.sha256(data).hexdigest():
            raise LabError(f"{self.name}: {path} did not arrive whole")

    def get(self, path):
        """The bytes of a file there."""
        return base64.b64decode(self.check(f"base64 {shlex.quote(path)}", timeout=120))

    def dmesg(self):
        """The kernel's log there."""
        return self.check("dmesg")
