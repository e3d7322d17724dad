# SPDX-License-Identifier: MIT
"""A kernel for PV guests that judges locks, contexts and slabs, from Debian's source of 6.1.

It is built by lab/debug-kernel, by nobody else: that takes a processor a quarter of an hour.
"""
import re
import shutil
import subprocess
from pathlib import Path

from . import debs, paths
from .errors import LabError

NAME = "debug"
PACKAGE = "linux-source-6.1"
CONFIG = Path(__file__).resolve().parent.parent / "debug-kernel.config"
FOLDER = paths.LAB / "debug-kernel"
TREE = FOLDER / "linux-headers-debug"  # modules are built here, as in a folder of headers
ROOT = FOLDER / "root"
MEMORY_MIN = 384  # MiB of a guest


def build(jobs=1):
    """Unpack, configure and build it, as far as that is still to be done."""
    package = debs.download([PACKAGE])[0]
    unpacked = FOLDER / "unpacked"
    if not unpacked.exists() or unpacked.read_text() != package.name:
        shutil.rmtree(FOLDER, ignore_errors=True)
        TREE.mkdir(parents=True)
        unpack(package)
        unpacked.write_text(package.name)
    configure()
    make(f"-j{jobs}", "vmlinux", "modules")
    install(package.name)


def unpack(package):
    """The archive inside a package with Linux's source."""
    command = (f"dpkg-deb --fsys-tarfile '{package}' | tar -xO ./usr/src/{PACKAGE}.tar.xz | "
               f"tar -xJ --strip-components=1 -C '{TREE}'")
    debs.output_of("bash", "-o", "pipefail", "-c", command)


def configure():
    """Nothing but what the file says. What it says must have been taken."""
    taken = TREE / ".config"
    before = taken.read_text() if taken.exists() else ""
    make(f"KCONFIG_ALLCONFIG={CONFIG}", "allnoconfig")
    text = taken.read_text()
    wanted = re.findall(r"^CONFIG_.*", CONFIG.read_text(), re.M)
    lost = set(wanted) - set(text.splitlines())
    if lost:
        raise LabError(f"this kernel cannot have {', '.join(sorted(lost))}")
    if text == before:
        return
    shutil.rmtree(ROOT, ignore_errors=True)


def make(*words):
    done = subprocess.run(["nice", "-n", "19", "make", "-C", TREE, *words], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with open(FOLDER / "make.log", "a", encoding="utf-8") as log:
        log.write(done.stdout)
    if done.returncode != 0:
        raise LabError(f"make {' '.join(words)} failed:\n{done.stdout[-4000:]}")


def install(stamp):
    """Lay it out like a package of Debian's."""
    release = (TREE / "include/config/kernel.release").read_text().strip()
    shutil.rmtree(ROOT, ignore_errors=True)
    make(f"INSTALL_MOD_PATH={ROOT}", "modules_install")
    (ROOT / "boot").mkdir()
    debs.output_of("strip", "--strip-debug", "-o", str(ROOT / f"boot/vmlinuz-{release}"),
                   str(TREE / "vmlinux"))
    number = (TREE / ".version").read_text().strip()
    (FOLDER / "stamp").write_text(f"{release} {stamp} {number}")


def installed():
    """(release, the folder like an unpacked package, a stamp)"""
    stamp = FOLDER / "stamp"
    if not stamp.exists() or not ROOT.exists():
        raise LabError("there is no debug kernel: build it by lab/debug-kernel")
    text = stamp.read_text()
    return text.split()[0], ROOT, text
