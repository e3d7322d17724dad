# SPDX-License-Identifier: MIT
"""A serial line between the host and a guest."""
import os
import socket

TTY = "/dev/ttyUSB0"
BYTES = 3000


def check_line(guest, path):
    """What the host says on the serial line arrives in the guest, and what the guest says here."""
    guest.wait(f"test -c {TTY}")
    guest.check(f"stty -F {TTY} raw -echo")
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(30)
        line.connect(str(path))
        reader = guest.start(f"exec head -c {BYTES} {TTY}")
        guest.wait(f"ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q {TTY}")
        said = os.urandom(BYTES)
        line.sendall(said)
        reader.wait(30)
        assert reader.data() == said, "the guest hears something else than the host said"
        guest.put("/tmp/said", said)
        writer = guest.start(f"cat /tmp/said > {TTY}")
        heard = b""
        while len(heard) < BYTES:
            heard += line.recv(BYTES - len(heard))
        assert heard == said, "the host hears something else than the guest said"
        assert writer.wait(30)[0] == 0
