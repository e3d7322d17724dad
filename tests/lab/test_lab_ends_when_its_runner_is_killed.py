# SPDX-License-Identifier: MIT
"""The program that runs a lab is killed, is sent SIGTERM, fails, or takes too long: QEMU ends too."""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

LAB = None
TREE = Path(__file__).resolve().parent.parent.parent

PROGRAM = """
import sys, time
sys.path.insert(0, "lab")
from xvhclab import Lab
import xvhclab.lab
class Told(Lab):
    def start_qemu(self):
        super().start_qemu()
        print(self.process.pid, flush=True)
        if "fail" in sys.argv:
            raise RuntimeError("on purpose")
with Told(limit=2 if "limit" in sys.argv else 100, name="ends"):
    time.sleep(100)
"""


def wait_gone(pid, limit=20):
    """Wait until there is no such process; one that nobody has waited for is gone as well."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            return
        if state[0] == "Z":
            return
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    raise AssertionError(f"QEMU ({pid}) still ran after {limit} s")


def check_end(how, action):
    program = subprocess.Popen([sys.executable, "-c", PROGRAM, how], cwd=TREE, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        pid = int(program.stdout.readline())
        action(program)
        wait_gone(pid)
        assert program.wait(20) != 0, f"{how}: the program ended as if all were well"
    finally:
        program.kill()
        program.wait()
        program.stdout.close()


def test(_lab):
    check_end("kill", lambda program: program.send_signal(signal.SIGKILL))
    check_end("term", lambda program: program.send_signal(signal.SIGTERM))
    check_end("interrupt", lambda program: program.send_signal(signal.SIGINT))
    check_end("fail", lambda program: None)
    check_end("limit", lambda program: None)
