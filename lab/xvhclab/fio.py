# SPDX-License-Identifier: MIT
"""fio, which writes to disks in many ways and verifies what it reads back: Debian's program.

It is linked with libraries of storage networks, 80 MB of them, which no test uses. Libraries with
the same names and with functions that do nothing stand in for these.
"""
import re

from . import debs, elf, paths

PACKAGES = ["fio", "libaio1", "libnuma1", "zlib1g"]
NETWORKS = re.compile(r"lib(gfapi|ibverbs|nbd|pmem|pmemblk|rados|rbd|rdmacm)\.so\.")
FUNCTIONS = re.compile(r" UND ((?:glfs|ibv|nbd|pmem|pmemblk|rados|rbd|rdma)_\w+)(?:@(\S+))?")


def root():
    """fio, unpacked, and a stamp: see debs.root()."""
    return debs.root("fio", PACKAGES)


def add_to(archive):
    """Put fio into an archive as /usr/bin/fio."""
    folder, _ = root()
    program = folder / "usr/bin/fio"
    elf.add_binary(archive, "/usr/bin/fio", program, [stand_ins(program), folder])


def stand_ins(program):
    """A folder with the libraries that stand in for others."""
    folder = paths.LAB / "fio-stand-ins"
    libraries = folder / elf.FOLDERS[0]
    libraries.mkdir(parents=True, exist_ok=True)
    source, versions = folder / "functions.c", folder / "versions"
    names = sorted(FUNCTIONS.findall(debs.output_of("readelf", "--dyn-syms", "-W", str(program))))
    source.write_text("".join(f"void {name}(void) {{}}\n" for name, _ in names))
    versions.write_text("".join(
        f"{version} {{ {' '.join(f'{name};' for name, of in names if of == version)} }};\n"
        for version in sorted({version for _, version in names if version})))
    for name in filter(NETWORKS.match, elf.needed_by(program)[0]):
        debs.output_of("gcc", "-shared", "-fPIC", "-nostdlib", f"-Wl,-soname,{name}",
                       f"-Wl,--version-script={versions}", "-o", str(libraries / name), str(source))
    return folder
