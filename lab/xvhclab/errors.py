# SPDX-License-Identifier: MIT
"""What can go wrong in the lab."""


class LabError(Exception):
    """The lab itself, or what runs in it, did not do what it was asked."""


class TimedOut(LabError):
    """A condition did not become true within its limit."""


class Skip(Exception):
    """Raised by a test that cannot run here; says why."""


class CommandFailed(LabError):
    """A command in dom0 or a guest ended with another status than 0."""

    def __init__(self, where, cmd, rc, output):
        super().__init__(f"{where}: '{cmd}' ended with {rc}:\n{output}")
        self.rc = rc
        self.output = output
