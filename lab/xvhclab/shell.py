# SPDX-License-Identifier: MIT
"""An interactive shell in dom0 on the user's terminal."""
import os
import select
import sys
import termios
import tty

from . import agent

ESCAPE = b"\x1d"


def shell(lab):
    """Connect this terminal to a shell in dom0; ends with the shell, or at Ctrl-]."""
    print("lab: a shell in dom0; end it with 'exit' or Ctrl-]", file=sys.stderr)
    inside = sys.stdin.fileno()

    def show(data):
        os.write(sys.stdout.fileno(), data)

    process = lab.dom0.start("cd /root; exec sh -i", flags=agent.PTY | agent.INPUT | agent.STREAM,
                             on_data=show)
    saved = termios.tcgetattr(inside) if os.isatty(inside) else None
    try:
        if saved:
            tty.setraw(inside)
        while process.running() and lab.alive():
            if not select.select([inside], [], [], 0.2)[0]:
                continue
            data = os.read(inside, 1024)
            if not data or ESCAPE in data:
                break
            process.write(data)
    finally:
        if saved:
            termios.tcsetattr(inside, termios.TCSADRAIN, saved)
