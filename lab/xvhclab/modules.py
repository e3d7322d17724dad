# SPDX-License-Identifier: MIT
"""Kernel modules: those of Debian's kernels that an image needs, and those that are built here."""
import hashlib
import lzma
import os
import re
import shutil
import subprocess
from pathlib import Path

from . import debs, debug_kernel, paths
from .errors import LabError

# The kernels that the lab knows, and where Debian has what is needed of each.
KERNELS = {
    "6.1": {"image": "linux-image-amd64", "headers": "linux-headers-amd64",
            "source": "linux-source-6.1"},
    "6.12": {"image": "linux-image-6.12-amd64", "headers": "linux-headers-6.12-amd64",
             "source": "linux-source-6.12"},
}


class Kernel:
    """One of Debian's kernels, unpacked, or the debug kernel: its release name, its image, its
    modules."""

    def __init__(self, name):
        self.name = name
        if name == debug_kernel.NAME:
            self.release, self.root, self.stamp = debug_kernel.installed()
        elif name in KERNELS:
            package = debs.depends_of(KERNELS[name]["image"])[0]
            self.release = package.removeprefix("linux-image-")
            self.root, self.stamp = debs.root(f"kernel-{name}", [package])
        else:
            raise LabError(f"no kernel '{name}': the lab has {', '.join(KERNELS)}")
        self.vmlinuz = self.root / f"boot/vmlinuz-{self.release}"
        self.folder = self.root / f"lib/modules/{self.release}"
        if not (self.folder / "modules.dep.bin").exists():
            debs.output_of(depmod(), "-b", str(self.root), self.release)
        self.files = {}
        self.needs = {}
        for line in (self.folder / "modules.dep").read_text().splitlines():
            file, _, rest = line.partition(":")
            self.files[plain_name(file)] = file
            self.needs[plain_name(file)] = [plain_name(f) for f in rest.split()]

    def closure(self, names, wanted=()):
        """The given modules with all they need; those of `wanted` only where they exist."""
        found = set()
        for name in [*names, *(w for w in wanted if plain_name(w) in self.files)]:
            name = plain_name(name)
            if name not in self.files:
                raise LabError(f"kernel {self.release} has no module {name}")
            found |= {name, *self.needs[name]}
        return sorted(found)

    def stage(self, folder, names, wanted=()):
        """Make <folder>/lib/modules/<release> with the given modules unpacked, and depmod it."""
        target = Path(folder) / f"lib/modules/{self.release}"
        shutil.rmtree(folder, ignore_errors=True)
        for name in self.closure(names, wanted):
            source = self.folder / self.files[name]
            place = target / self.files[name].removesuffix(".xz")
            place.parent.mkdir(parents=True, exist_ok=True)
            if source.suffix == ".xz":
                place.write_bytes(lzma.decompress(source.read_bytes()))
            else:
                shutil.copyfile(source, place)
        for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
            shutil.copyfile(self.folder / name, target / name)
        debs.output_of(depmod(), "-b", str(folder), self.release)
        return Path(folder)


    def with_module(self, staged, file, folder):
        """Make a folder with one more module and the lists of modules that go with it.

        staged: what stage() made. Returns the part that belongs on top of /lib/modules/<release>.
        """
        shutil.rmtree(folder, ignore_errors=True)
        target = folder / f"lib/modules/{self.release}"
        shutil.copytree(staged / f"lib/modules/{self.release}", target, copy_function=os.link)
        for old in target.glob("modules.*"):
            if not old.name.startswith("modules.builtin") and old.name != "modules.order":
                old.unlink()
        (target / "lab").mkdir()
        shutil.copyfile(file, target / "lab" / Path(file).name)
        debs.output_of(depmod(), "-b", str(folder), self.release)
        shutil.rmtree(target / "kernel")
        return target


def depmod():
    return shutil.which("depmod", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def plain_name(file):
    return re.sub(r"\.ko(\.xz)?$", "", os.path.basename(file)).replace("-", "_")


def headers(name):
    """Folder in which to build modules for a kernel, from Debian's header packages unpacked."""
    if name == debug_kernel.NAME:
        return debug_kernel.TREE
    package = debs.depends_of(KERNELS[name]["headers"])[0]
    parts = [p for p in debs.depends_of(package)
             if re.match(r"linux-(headers|kbuild|compiler)-", p)]
    root, _ = debs.root(f"headers-{name}", [package, *parts])
    folder = root / "usr/src" / package
    mark = root / "absolute-paths-replaced"
    if not mark.exists():
        replace_paths(root, folder)
        mark.write_text("")
    return folder


def replace_paths(root, folder):
    """The packages name each other by absolute path: make them find each other under the root."""
    for makefile in (folder / "Makefile", folder / ".kernelvariables"):
        if makefile.exists() and not makefile.is_symlink():
            text = makefile.read_text()
            makefile.write_text(re.sub(r"(?<![\w/])/usr/(src|lib)/linux-", rf"{root}/usr/\1/linux-",
                                       text))
    for link in [*folder.iterdir(), *root.glob("usr/src/*-common/*")]:
        if link.is_symlink() and os.readlink(link).startswith("/"):
            target = root / os.readlink(link).lstrip("/")
            link.unlink()
            link.symlink_to(target)


def folder_hash(folders, pattern="*"):
    """Changes when a file under one of the folders does."""
    digest = hashlib.sha256()
    for folder in folders:
        for file in sorted(Path(folder).rglob(pattern)):
            if file.is_file():
                digest.update(str(file).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def build_module(name, sources, module_folder, key, options=()):
    """Build a module outside the kernel's tree.

    name: "6.1" or "6.12". sources: {name under the build folder: folder of the tree}, all copied.
    module_folder: which of them holds the Kbuild file. key: names the build folder,
    build/kmod-<release>[-key]. options: more words for make. What the compiler warns of is printed,
    and stands in make.log of the build folder. Returns the folder in which the .ko files are;
    nothing is done when no source has changed.
    """
    kernel_headers = headers(name)
    release = kernel_headers.name.removeprefix("linux-headers-")
    folder = paths.BUILD / (f"kmod-{release}" + (f"-{key}" if key else ""))
    stamp = f"{kernel_headers} {folder_hash(sources.values())} {options}"
    if name == debug_kernel.NAME:
        stamp += debug_kernel.installed()[2]
    mark = folder / "stamp"
    if mark.exists() and mark.read_text() == stamp:
        return folder / module_folder
    mark.unlink(missing_ok=True)
    for part, source in sources.items():
        copy_changed(Path(source), folder / part)
    # Type information for BPF would need one more package, pahole, and nobody looks at it.
    done = subprocess.run(["make", "-C", str(kernel_headers), f"M={folder / module_folder}",
                           "-j2", "CONFIG_DEBUG_INFO_BTF_MODULES=", *options, "modules"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    (folder / "make.log").write_text(done.stdout)
    if done.returncode != 0:
        raise LabError(f"building {module_folder} for {release} failed:\n{done.stdout[-6000:]}")
    for line in done.stdout.splitlines():
        if "warning:" in line:
            print(f"lab: {release}: {line}", flush=True)
    mark.write_text(stamp)
    return folder / module_folder


def copy_changed(source, target):
    """Copy a folder; files that did not change keep their time, so that make leaves them alone."""
    for file in sorted(source.rglob("*")):
        place = target / file.relative_to(source)
        if not file.is_file():
            continue
        content = file.read_bytes()
        if place.exists() and place.read_bytes() == content:
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def linux_sources(name):
    """The few files of Debian's kernel source that comparison tests need; see images.py."""
    folder = paths.LAB / f"linux-source-{name}"
    package = KERNELS[name]["source"]
    deb = debs.download([package])[0]
    mark = folder / "stamp"
    stamp = f"{deb.name} {Path(__file__).stat().st_size}"
    if mark.exists() and mark.read_text() == stamp:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    base = f"linux-source-{name}"
    unpack_files(deb, folder, base, [f"{base}/drivers/usb/host/xen-hcd.c",
                                     f"{base}/tools/usb/testusb.c",
                                     f"{base}/scripts/checkpatch.pl",
                                     f"{base}/scripts/spelling.txt",
                                     f"{base}/scripts/const_structs.checkpatch"])
    mark.write_text(stamp)
    return folder


def unpack_files(deb, folder, base, names):
    """Take single files out of the archive inside a linux-source package."""
    outer = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE)
    inner = subprocess.Popen(["tar", "-xO", f"./usr/src/{base}.tar.xz"], stdin=outer.stdout,
                             stdout=subprocess.PIPE)
    outer.stdout.close()
    done = subprocess.run(["tar", "-xJ", "-C", str(folder), "--strip-components=1", *names],
                          stdin=inner.stdout, stderr=subprocess.PIPE, text=True, check=False)
    inner.stdout.close()
    inner.wait()
    outer.wait()
    if done.returncode != 0:
        raise LabError(f"unpacking {base} failed: {done.stderr}")
