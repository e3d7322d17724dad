# SPDX-License-Identifier: MIT
"""Two questions about binaries: which shared libraries does one need, where is a kernel's ELF."""
import lzma
import os
import re
import subprocess
from pathlib import Path

from .debs import output_of
from .errors import LabError

FOLDERS = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib", "usr/lib", "lib64",
           "usr/lib/xen-4.17/lib", "usr/lib/x86_64-linux-gnu/systemd",
           "usr/lib/xen-4.17/lib/x86_64-linux-gnu")


def needed_by(binary):
    """(names of needed libraries, the loader's path or None) of an ELF file."""
    text = output_of("readelf", "-ldW", str(binary))
    loader = re.search(r"program interpreter: (\S+)\]", text)
    return re.findall(r"\(NEEDED\).*\[(.*)\]", text), loader and loader.group(1)


def is_elf(path):
    path = Path(path)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def find_library(name, roots):
    """A library in the unpacked roots, or else on the host."""
    for root in (*roots, "/"):
        for folder in FOLDERS:
            path = Path(root) / folder / name
            if path.exists():
                return path
    found = subprocess.run(["gcc", f"-print-file-name={name}"], stdout=subprocess.PIPE,
                           text=True, check=False).stdout.strip()
    if os.path.isabs(found) and os.path.exists(found):
        return Path(found)
    raise LabError(f"no library {name}, neither unpacked nor on this machine")


def add_binary(archive, name, binary, roots=()):
    """Add a binary to an archive under a name, with its loader and libraries, closure included.

    Libraries go to /lib/x86_64-linux-gnu by their short name, where the loader looks anyway.
    """
    archive.file(name, binary, 0o755)
    todo = [binary]
    while todo:
        here = todo.pop()
        if not is_elf(here):
            continue
        libraries, loader = needed_by(here)
        if loader and not archive.has(loader):
            archive.file(loader, find_library(os.path.basename(loader), roots), 0o755)
        for library in libraries:
            target = f"/lib/x86_64-linux-gnu/{library}"
            if library.startswith("ld-linux") or archive.has(target):
                continue
            path = find_library(library, roots)
            archive.file(target, path, 0o755)
            todo.append(path)


def vmlinux_from(vmlinuz, target):
    """Take the kernel's ELF out of a compressed kernel: nobody then unpacks it in emulation."""
    target = Path(target)
    if target.exists() and target.stat().st_mtime >= Path(vmlinuz).stat().st_mtime:
        return target
    data = Path(vmlinuz).read_bytes()
    kernel = data if is_elf(vmlinuz) else unpack_xz(data) or unpack_zstd(data)
    if not kernel or kernel[:4] != b"\x7fELF":
        raise LabError(f"no kernel in {vmlinuz} that xz or zstd unpacks")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{os.getpid()}")
    part.write_bytes(kernel)
    part.rename(target)
    return target


def unpack_xz(data):
    start = data.find(b"\xfd7zXZ\0")
    if start < 0:
        return None
    try:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(data[start:])
    except lzma.LZMAError:
        return None


def unpack_zstd(data):
    start = data.find(b"\x28\xb5\x2f\xfd")
    if start < 0:
        return None
    done = subprocess.run(["zstd", "-dc"], input=data[start:], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    return done.stdout or None
