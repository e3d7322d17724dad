# SPDX-License-Identifier: MIT
"""A smart card for QEMU's card reader, played over the protocol of QEMU's ccid-card-passthru.

Messages are {type, reader, length}, each 32 bits with the high byte first, and then the data.
"""
import socket
import struct
import threading

HEADER = struct.Struct(">III")
INIT, READER_ADD, ATR, APDU = 1, 3, 5, 7
READER = 0
MAGIC = b"VSCD"

# Speaks protocol T=0, as a card does that says nothing of protocols, and is called "xvhc". QEMU
# takes no answer with a checksum at its end, which other protocols want.
ANSWER_TO_RESET = bytes.fromhex("3b04") + b"xvhc"

REVERSE = bytes.fromhex("80100000")  # the command that this card knows: it gives the data back


class Card:
    """Answers commands until the socket ends. commands: all that came."""

    def __init__(self, path):
        self.link = socket.socket(socket.AF_UNIX)
        self.link.connect(str(path))
        self.commands = []
        self.send(INIT, MAGIC + struct.pack(">II", 0x0002, 0))
        self.send(READER_ADD)
        self.send(ATR, ANSWER_TO_RESET)
        threading.Thread(target=self.serve, daemon=True, name="card").start()

    def send(self, kind, data=b""):
        self.link.sendall(HEADER.pack(kind, READER, len(data)) + data)

    def receive(self, count):
        data = b""
        while len(data) < count:
            part = self.link.recv(count - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def serve(self):
        try:
            while True:
                kind, _, length = HEADER.unpack(self.receive(HEADER.size))
                data = self.receive(length)
                if kind == APDU:
                    self.commands.append(data)
                    self.send(APDU, answer(data))
        except (EOFError, OSError):
            self.link.close()


def answer(command):
    """The data, reversed; or "file not found" to what is not known here."""
    if not command.startswith(REVERSE) or len(command) < 6:
        return b"\x6a\x82"
    return command[5:5 + command[4]][::-1] + b"\x90\x00"
