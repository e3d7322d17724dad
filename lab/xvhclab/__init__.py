# SPDX-License-Identifier: MIT
"""The lab: real Xen booted in QEMU, with a dom0 and guests that tests can command.

See lab/README.md for how to use it.
"""
from .errors import CommandFailed, LabError, Skip, TimedOut
from .lab import Lab

__all__ = ["CommandFailed", "Lab", "LabError", "Skip", "TimedOut"]
