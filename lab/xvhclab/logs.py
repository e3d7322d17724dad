# SPDX-License-Identifier: MIT
"""Log files on the host that grow while the lab runs."""
import re
import threading


class Log:
    """A file to which several threads append."""

    def __init__(self, path):
        self.path = path
        self.lock = threading.Lock()
        self.file = open(path, "ab", buffering=0)

    def add(self, data):
        with self.lock:
            self.file.write(data)


RECORD = re.compile(rb"(\d+),(\d+),(\d+),[^;]*;(.*)")


class KernelLog(Log):
    """Takes what `cat /dev/kmsg` prints and keeps it in the form of dmesg, one line a message."""

    def __init__(self, path):
        super().__init__(path)
        self.partial = b""
        self.changed = threading.Condition()
        self.text = b""

    def feed(self, data):
        lines = (self.partial + data).split(b"\n")
        self.partial = lines.pop()
        out = b""
        for line in lines:
            found = RECORD.match(line)
            if found:
                stamp = int(found.group(3))
                level = int(found.group(1)) & 7
                out += b"<%d>[%5d.%06d] %s\n" % (level, stamp // 1000000, stamp % 1000000,
                                                 found.group(4))
        self.add(out)
        with self.changed:
            self.text += out
            self.changed.notify_all()

    def wait_for(self, text, limit):
        """Wait until a text has come. Returns whether it did."""
        with self.changed:
            return self.changed.wait_for(lambda: text.encode() in self.text, limit)
