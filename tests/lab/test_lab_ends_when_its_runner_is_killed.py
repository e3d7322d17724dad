# SPDX-License-Identifier: MIT
"""The program that runs a lab is killed, gets SIGTERM, fails, or takes too long: QEMU ends too."""
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

LAB = None
TREE = Path(__file__).resolve().parent.parent.parent

PROGRAM = """
import sys, threading
sys.path.insert(0, "lab")
from xvhclab import Lab
import xvhclab.lab
class Told(Lab):
    def start_qemu(self):
        super().start_qemu()
        print(self.process.pid, flush=True)
        if "fail" in sys.argv:
            sys.stdin.readline()
            raise RuntimeError("on purpose")
with Told(limit=2 if "limit" in sys.argv else 100, name="ends"):
    threading.Event().wait(100)
"""


def wait_gone(process, limit=20):
    """Wait until a process has ended, given its pidfd."""
    if not select.select([process], [], [], limit)[0]:
        signal.pidfd_send_signal(process, signal.SIGKILL)
        raise AssertionError(f"QEMU still ran after {limit} s")
    os.close(process)


def listen_to_sigint():
    """A program that was started in the background may have been told to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def check_end(how, action):
    program = subprocess.Popen([sys.executable, "-c", PROGRAM, how], cwd=TREE, text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL,
                               preexec_fn=listen_to_sigint)
    try:
        process = os.pidfd_open(int(program.stdout.readline()))
        action(program)
        wait_gone(process)
        assert program.wait(20) != 0, f"{how}: the program ended as if all were well"
    finally:
        program.kill()
        program.wait()
        program.stdin.close()
        program.stdout.close()


def let_fail(program):
    """What it waits for, so that it does not fail before it is watched."""
    program.stdin.write("now\n")
    program.stdin.flush()


def test(_lab):
    check_end("kill", lambda program: program.send_signal(signal.SIGKILL))
    check_end("term", lambda program: program.send_signal(signal.SIGTERM))
    check_end("interrupt", lambda program: program.send_signal(signal.SIGINT))
    check_end("fail", let_fail)
    check_end("limit", lambda program: None)
