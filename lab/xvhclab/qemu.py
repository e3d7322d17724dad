# SPDX-License-Identifier: MIT
"""The QEMU process, and QMP to command it."""
import ctypes
import json
import os
import signal
import socket
import subprocess
import threading
import time

from .errors import LabError, TimedOut

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def start_bound(command, log):
    """Start a process that the kernel kills when this one ends, however that happens.

    It gets a session of its own, so that a ^C meant for us leaves the order of the end to us.
    """
    parent = os.getpid()

    def bind():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.setsid()
        if os.getppid() != parent:
            os._exit(1)

    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                            preexec_fn=bind)


def connect(path, limit, alive):
    """Connect to a Unix socket that a process is about to listen on."""
    end = time.monotonic() + limit
    while True:
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            link.connect(str(path))
            return link
        except OSError as error:
            link.close()
            if not alive():
                raise LabError("QEMU ended at once: see qemu.log") from error
            if time.monotonic() > end:
                raise TimedOut(f"nothing listens on {path}") from error
            time.sleep(0.02)  # the polling step


class Qmp:
    """QEMU's machine protocol. One command at a time; events are collected."""

    def __init__(self, path, alive):
        self.socket = connect(path, 10, alive)
        self.lock = threading.Lock()
        self.changed = threading.Condition()
        self.answers = {}
        self.events = []
        self.closed = False
        self.number = 0
        self.reader = threading.Thread(target=self.read, daemon=True, name="qmp")
        self.reader.start()
        self.command("qmp_capabilities")

    def read(self):
        try:
            with self.socket.makefile("r") as lines:
                for line in lines:
                    message = json.loads(line)
                    with self.changed:
                        if "event" in message:
                            self.events.append(message)
                        elif "id" in message:
                            self.answers[message["id"]] = message
                        self.changed.notify_all()
        except (OSError, ValueError):
            pass
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def command(self, name, limit=20, **arguments):
        """Run a QMP command and return its answer. QEMU's refusal is a LabError."""
        with self.lock:
            self.number += 1
            number = self.number
            request = {"execute": name, "id": number}
            if arguments:
                request["arguments"] = arguments
            self.socket.sendall(json.dumps(request).encode() + b"\n")
        with self.changed:
            if not self.changed.wait_for(lambda: number in self.answers or self.closed, limit):
                raise TimedOut(f"QEMU does not answer '{name}'")
            if number not in self.answers:
                raise LabError(f"QEMU ended during '{name}'")
            answer = self.answers.pop(number)
        if "error" in answer:
            raise LabError(f"QEMU refuses '{name}' {arguments}: {answer['error']['desc']}")
        return answer["return"]

    def wait_event(self, name, match, limit):
        """Wait for an event for which match(its data) holds, since the last call to forget()."""
        def found():
            return self.closed or any(e["event"] == name and match(e.get("data", {}))
                                      for e in self.events)
        with self.changed:
            if not self.changed.wait_for(found, limit):
                raise TimedOut(f"QEMU sent no {name} within {limit} s")
            if self.closed:
                raise LabError(f"QEMU ended before {name}")

    def forget(self):
        """Drop the events so far."""
        with self.changed:
            self.events.clear()

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.reader.join(2)
        self.socket.close()
