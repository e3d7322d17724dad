# SPDX-License-Identifier: MIT
"""The host's side of the agent's protocol: see lab/agent.c for the messages.

An Agent speaks over any channel that carries bytes both ways: a socket to dom0, or a stream that
dom0's agent has opened on a guest's console. Output is complete and in order, or the call fails:
what was garbled on the way is asked for again.
"""
import base64
import binascii
import re
import threading
import time

from .errors import LabError, TimedOut

LINE = re.compile(rb"\x01([A-Z]) (-?\d+) (-?\d+) (-|[A-Za-z0-9+/=]+) ([0-9a-f]{8})$")
# A terminal that nobody has opened yet sends our own messages back.
ECHO = re.compile(rb"^\^A[A-Z] -?\d+ -?\d+ ")
PTY, INPUT, STREAM = 1, 2, 4
WINDOW = 8192


def frame(kind, job, number, data=b""):
    """One message as a line."""
    body = b"%s %d %d %s" % (kind.encode(), job, number, base64.b64encode(data) or b"-")
    return b"\x01%s %08x\n" % (body, binascii.crc32(body))


class Process:
    """A command that runs in dom0 or a guest, or a device that is open there."""

    def __init__(self, agent, number, what, flags=0, on_data=None):
        self.agent = agent
        self.id = number
        self.what = what
        self.on_data = on_data
        self.stream = bool(flags & STREAM)
        self.output = bytearray()
        self.early = {}
        self.count = 0
        self.known = 0
        self.asked = 0
        self.began = False
        self.rc = None
        self.total = None
        self.taken = 0
        self.sent = 0
        self.lost = False

    def ended(self):
        return self.lost or (self.rc is not None and self.count >= (self.total or 0))

    def wait(self, limit=60):
        """Wait for the end. Returns (status, output as text)."""
        end = time.monotonic() + limit
        while True:
            with self.agent.changed:
                before = self.count
                if self.agent.changed.wait_for(lambda: self.ended() or self.agent.closed,
                                               min(2, max(0, end - time.monotonic()))):
                    break
                stuck = self.count == before
            if time.monotonic() >= end:
                raise TimedOut(f"{self.agent.name}: '{self.what}' did not end within {limit} s; "
                               f"its output so far:\n{self.text()[-3000:]}")
            # Something may have been garbled on the way: let it be said again.
            if stuck:
                self.asked = 0
                self.agent.send("S", self.id, 0)
        if not self.ended():
            raise LabError(f"{self.agent.name}: gone during '{self.what}'")
        if self.lost:
            raise LabError(f"{self.agent.name}: the agent knows nothing of '{self.what}'")
        self.agent.forget(self)
        return self.rc, self.text()

    def running(self):
        """Has it not ended yet?"""
        return not self.ended() and not self.agent.closed

    def data(self):
        """The output so far."""
        with self.agent.changed:
            return bytes(self.output)

    def text(self):
        """The output so far, as text."""
        return self.data().decode("utf-8", "replace")

    def kill(self, signal=15):
        """Send a signal to it and its children."""
        self.agent.send("K", self.id, signal)

    def write(self, data, limit=60):
        """Give it input; returns when its agent has taken all of it."""
        end = time.monotonic() + limit
        start = self.taken
        sent = 0
        while True:
            with self.agent.changed:
                taken = self.taken - start
            if taken >= len(data):
                return
            while sent < len(data) and sent - taken < WINDOW:
                part = data[sent:sent + 2048]
                self.agent.send("I", self.id, start + sent, part)
                sent += len(part)
            with self.agent.changed:
                moved = self.agent.changed.wait_for(
                    lambda: self.taken - start > taken or self.agent.closed, 2)
            if self.agent.closed or time.monotonic() > end:
                raise TimedOut(f"{self.agent.name}: '{self.what}' does not take its input")
            if not moved:
                sent = taken

    def close_input(self):
        self.agent.send("C", self.id, 0)


class Agent:
    """Commands one agent. write(bytes) sends to it; feed(bytes) takes what came from it."""

    def __init__(self, name, write, on_noise=None):
        self.name = name
        self.write = write
        self.on_noise = on_noise
        self.changed = threading.Condition()
        self.write_lock = threading.Lock()
        self.jobs = {}
        self.next_id = 1
        self.hellos = 0
        self.closed = False
        self.partial = b""

    def send(self, kind, job, number, data=b""):
        with self.write_lock:
            if not self.closed:
                self.write(frame(kind, job, number, data))

    def feed(self, data):
        """Take bytes that came from the agent. Called by one thread only."""
        lines = (self.partial + data).split(b"\n")
        self.partial = lines.pop()
        for line in lines:
            found = LINE.search(line.rstrip(b"\r"))
            if found and binascii.crc32(found.group(0)[1:-9]) == int(found.group(5), 16):
                noise = line[:found.start()]
                self.handle(*found.groups()[:4])
                if noise and self.on_noise:
                    self.on_noise(noise + b"\n")
            elif self.on_noise and not ECHO.search(line):
                self.on_noise(line + b"\n")

    def handle(self, kind, job, number, data):
        data = b"" if data == b"-" else base64.b64decode(data)
        number = int(number)
        with self.changed:
            if kind == b"H":
                self.hellos += 1
            process = self.jobs.get(int(job))
            if process:
                self.handle_job(process, kind, number, data)
            self.changed.notify_all()

    def handle_job(self, process, kind, number, data):
        if kind == b"B":
            process.began = True
            process.known = max(process.known, int(data))
        elif kind == b"R":
            process.known = max(process.known, number + len(data))
            process.early[number] = data
            self.take_output(process)
        elif kind == b"A":
            process.taken = max(process.taken, number)
        elif kind == b"X":
            process.began = True
            process.rc = number
            process.total = process.known = int(data)
        elif kind == b"U":
            process.lost = True
        self.ask_missing(process)

    @staticmethod
    def take_output(process):
        """Take what continues the output; what has come too early waits."""
        for number in sorted(process.early):
            if number > process.count and not process.stream:
                break
            data = process.early.pop(number)[max(0, process.count - number):]
            process.count = max(process.count, number + len(data)) if data else process.count
            if process.on_data:
                process.on_data(data)
            else:
                process.output += data

    def ask_missing(self, process):
        """Ask once for the first part of the output that got lost on the way."""
        # Messages come in the order in which they were sent: what should have come before is lost.
        end = min(process.early, default=process.known)
        if process.stream or process.count >= end or process.count < process.asked:
            return
        process.asked = min(end, process.count + WINDOW)
        self.send("G", process.id, process.count, str(process.asked - process.count).encode())

    def close(self):
        """The channel is gone: nobody waits for it any longer."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def wait_hello(self, limit, alive=lambda: True):
        """Wait until the agent says that it is there."""
        end = time.monotonic() + limit
        with self.changed:
            before = self.hellos if self.hellos == 0 else -1
        while True:
            self.send("P", 0, 0)
            with self.changed:
                if self.changed.wait_for(lambda: self.hellos > before or self.closed, 1):
                    if self.closed:
                        raise LabError(f"{self.name}: ended before its agent answered")
                    return
            if not alive():
                raise LabError(f"{self.name}: ended before its agent answered")
            if time.monotonic() > end:
                raise TimedOut(f"{self.name}: its agent does not answer within {limit} s")

    def begin(self, kind, what, flags, on_data, limit):
        with self.changed:
            process = Process(self, self.next_id, what, flags, on_data)
            self.next_id += 1
            self.jobs[process.id] = process
        end = time.monotonic() + limit
        while True:
            self.send(kind, process.id, flags, what.encode())
            with self.changed:
                if self.changed.wait_for(
                        lambda: process.began or process.lost or self.closed, 5):
                    break
            if time.monotonic() > end:
                raise TimedOut(f"{self.name}: the agent did not start '{what}'")
        if process.lost:
            raise LabError(f"{self.name}: too many commands at once, at '{what}'")
        if not process.began:
            raise LabError(f"{self.name}: gone before '{what}'")
        return process

    def start(self, command, flags=0, on_data=None, limit=30):
        """Start a shell command and return its Process once it has begun."""
        return self.begin("E", command, flags, on_data, limit)

    def open(self, path, on_data):
        """Open a device there as a stream of bytes both ways."""
        process = self.begin("O", path, STREAM, on_data, 20)
        if process.rc:
            raise LabError(f"{self.name}: cannot open {path}: error {process.rc}")
        return process

    def forget(self, process):
        with self.changed:
            self.jobs.pop(process.id, None)
        self.send("F", process.id, 0)
