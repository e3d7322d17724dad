# SPDX-License-Identifier: MIT
"""Writes initramfs images: cpio archives in the "newc" form, uncompressed.

Everything belongs to root and carries no time stamp, so that no privilege is needed to make one and
the same content gives the same image. Several archives one after the other are one image to Linux.
"""
import os
import stat
from pathlib import Path


class Archive:
    """Collects entries; write() makes the file. A later entry replaces an earlier of that name."""

    def __init__(self):
        self.entries = {}

    def add(self, name, mode, data=b"", device=(0, 0)):
        """Add one entry and the folders above it. The name is absolute."""
        name = os.path.normpath(name).lstrip("/")
        parent = os.path.dirname(name)
        if parent and parent not in self.entries:
            self.add(parent, stat.S_IFDIR | 0o755)
        if name in self.entries and stat.S_ISDIR(mode):
            return
        self.entries[name] = (mode, data, device)

    def folder(self, name, mode=0o755):
        self.add(name, stat.S_IFDIR | mode)

    def file(self, name, source, mode=None):
        """Add a file of the host (its target, if it is a link)."""
        source = Path(source)
        perm = stat.S_IMODE(source.stat().st_mode) | 0o444 if mode is None else mode
        self.add(name, stat.S_IFREG | perm, source)

    def text(self, name, content, mode=0o644):
        self.add(name, stat.S_IFREG | mode, content.encode())

    def link(self, name, target):
        self.add(name, stat.S_IFLNK | 0o777, target.encode())

    def node(self, name, kind, major, minor, mode=0o600):
        self.add(name, kind | mode, b"", (major, minor))

    def tree(self, source, prefix="/"):
        """Add a folder of the host with all that is in it."""
        source = Path(source)
        for here, folders, files in os.walk(source):
            folders.sort()
            base = Path(prefix) / Path(here).relative_to(source)
            for name in sorted(files) + [f for f in folders if (Path(here) / f).is_symlink()]:
                path = Path(here) / name
                if path.is_symlink():
                    self.link(str(base / name), os.readlink(path))
                elif path.is_file():
                    self.file(str(base / name), path)
            for name in folders:
                if not (Path(here) / name).is_symlink():
                    self.folder(str(base / name))

    def has(self, name):
        return os.path.normpath(name).lstrip("/") in self.entries

    def write(self, path):
        """Write the archive, whole or not at all."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}")
        with part.open("wb") as out:
            for number, (name, entry) in enumerate(self.entries.items(), 1):
                write_entry(out, number, name, *entry)
            write_entry(out, 0, "TRAILER!!!", 0, b"", (0, 0))
            out.write(b"\0" * (-out.tell() % 512))
        part.rename(path)


def write_entry(out, number, name, mode, data, device):
    """One entry, header and content each padded to four bytes."""
    if isinstance(data, Path):
        data = data.read_bytes()
    encoded = name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (number, mode, 0, 0, links, 0, len(data), 0, 0, device[0], device[1],
              len(encoded), 0)
    out.write(b"070701" + b"".join(b"%08X" % f for f in fields) + encoded)
    out.write(b"\0" * (-(110 + len(encoded)) % 4))
    out.write(data)
    out.write(b"\0" * (-len(data) % 4))
