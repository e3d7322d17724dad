# SPDX-License-Identifier: MIT
"""A guest's kernel writes into its console while commands run there: all they say arrives whole.

This is a test of the lab: each other test stands on it.
"""
import hashlib
import os

XVHCD = False
LINES = 3000


def test(lab):
    guest = lab.guest("noisy", driver=None)
    noise = guest.start("while usleep 30000; do echo '<0>noise from the kernel' > /dev/kmsg; done")
    slow = guest.start("sleep 5; echo late; exit 3")
    counted = [machine.start(f"seq {LINES}") for machine in (guest, guest, lab.dom0)]
    wanted = "".join(f"{n}\n" for n in range(1, LINES + 1))
    for process in counted:
        rc, output = process.wait(120)
        assert rc == 0 and output == wanted, f"{len(output)} bytes came instead of {len(wanted)}"
    for machine in (guest, lab.dom0):
        data = os.urandom(20_011)
        machine.put("/tmp/file", data)
        assert machine.check("sha256sum < /tmp/file").split()[0] == hashlib.sha256(data).hexdigest()
        assert machine.get("/tmp/file") == data
    assert slow.wait(30) == (3, "late\n")
    assert noise.running()
    noise.kill()
    assert noise.wait(20)[0] == 128 + 15
    said = (lab.run / "guest-noisy-console.log").read_text(errors="replace")
    assert "noise from the kernel" in said, "the console was quiet: nothing was tested"
