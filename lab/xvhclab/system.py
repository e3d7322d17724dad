# SPDX-License-Identifier: MIT
"""Debian as one installs it, under systemd, on a disk: for dom0 and for a guest.

mmdebstrap makes a tree; what the lab needs is added: the kernel's modules, the agent as a unit. A
disk is a file with a copy of that tree, and, for the guest, with packages that dpkg has installed
in it. The lab's usual images boot as ever, and pass the root on (lab.root= on the kernel's command
line). All this takes root's rights, or sudo.
"""
import hashlib
import inspect
import os
import re
import shutil
import subprocess
from pathlib import Path

from . import debs, images, modules, paths
from .errors import LabError

SUITE = "bookworm"
KERNEL = "6.1"
SPARE_MIB = 192  # free space on a disk

COMMON = ["systemd", "systemd-sysv", "udev", "kmod", "busybox-static", "logrotate"]
XEN = ["xen-utils-4.17", "xen-utils-common", "xenstore-utils", "usbutils", "adduser"]
GUEST = ["dkms"]
ROOT_MODULES = {
    "dom0": ["virtio_blk", "xen-blkback", *images.DOM0_MODULES],
    "guest": ["xen-blkfront", *images.GUEST_MODULES],
}
# How the agent is reached, and what it needs first.
AGENT = {
    "dom0": ("/dev/vport0p1", [
        "/bin/mkdir -p /host /images",
        "/bin/mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=none host /host",
        "/bin/mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=none,ro images "
        "/images",
    ]),
    "guest": ("/dev/hvc0", ["/bin/mkdir -p /mnt"]),
}
# What takes time in the emulation, and has no part in what is tested. Consoles are the agent's.
MASKED = ["getty.target", "getty@tty1.service", "serial-getty@hvc0.service",
          "console-getty.service", "systemd-update-utmp.service", "systemd-random-seed.service",
          "e2scrub_reap.service", "systemd-pstore.service", "systemd-networkd.service",
          "xendomains.service", "apt-daily.timer", "apt-daily-upgrade.timer",
          "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer", "logrotate.timer"]
APPLETS = ["usleep"]  # that the lab uses, and Debian has not


def as_root(*command):
    """Run a command of the host as root."""
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            raise LabError(f"'{command[0]}' must run as root, and there is no sudo")
        command = ("sudo", *command)
    return debs.output_of(*command)


def tree_packages(kind):
    """What is installed in the tree: all that our own packages need, too."""
    release = modules.Kernel(KERNEL).release
    extra = XEN if kind == "dom0" else [*GUEST, f"linux-headers-{release}"]
    return [*COMMON, *extra]


def needs_of(package):
    """The names of the packages that a .deb file depends on."""
    text = debs.output_of("dpkg-deb", "-f", str(package), "Depends")
    return [re.split(r"[\s(|]", part.strip())[0] for part in text.split(",") if part.strip()]


def stamp_of(*parts):
    return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()


def tree(kind, needs):
    """The tree of a fresh system, in build/lab/root/system-<kind>. Returns (folder, stamp)."""
    packages = sorted({*tree_packages(kind), *needs})
    folder = paths.ROOTS / f"system-{kind}"
    mark = paths.ROOTS / f"system-{kind}.stamp"
    kernel = modules.Kernel(KERNEL)
    stamp = stamp_of(packages, kernel.stamp, sorted(debs.file_names(packages).items()),
                     AGENT, MASKED, APPLETS, inspect.getsource(furnish), images.source_hash())
    if mark.exists() and mark.read_text() == stamp:
        return folder, stamp
    mark.unlink(missing_ok=True)
    as_root("rm", "-rf", str(folder))
    print(f"lab: making a Debian system for {kind}", flush=True)
    sources = Path("/etc/apt/sources.list.d/debian.sources")
    as_root("mmdebstrap", "--variant=minbase", "--mode=root", "--quiet",
            f"--include={','.join(packages)}", SUITE, str(folder),
            *([str(sources)] if sources.exists() else []))
    furnish(kind, folder, kernel)
    mark.write_text(stamp)
    return folder, stamp


def furnish(kind, folder, kernel):
    """Add the lab's own files to a tree."""
    stage = kernel.stage(paths.LAB / f"stage-system-{kind}", ROOT_MODULES[kind],
                         images.OPTIONAL_MODULES)
    device, before = AGENT[kind]
    own = paths.LAB / f"own-{kind}"
    shutil.rmtree(own, ignore_errors=True)
    files = {
        "etc/hostname": f"{kind}\n",
        "etc/fstab": "",
        "etc/systemd/system/lab-agent.service":
            "[Unit]\nDescription=The lab's agent\nAfter=basic.target\n\n[Service]\n"
            + "".join(f"ExecStartPre={command}\n" for command in before)
            + f"ExecStart=/usr/sbin/lab-agent {device}\n"
            # What the host starts is not this service, and has no limits of its own.
            "KillMode=process\nTasksMax=infinity\nStandardOutput=null\nStandardError=null\n",
        # Messages of systemd's would stand between those of the agent.
        "etc/systemd/system.conf.d/lab.conf": "[Manager]\nShowStatus=no\n",
        "etc/systemd/journald.conf.d/lab.conf": "[Journal]\nStorage=volatile\nForwardToWall=no\n",
        "etc/modprobe.d/lab.conf": "options usb_storage delay_use=0\n",
    }
    for name, text in files.items():
        place = own / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    links = {f"etc/systemd/system/{unit}": "/dev/null" for unit in MASKED}
    links |= {f"usr/local/bin/{applet}": "/bin/busybox" for applet in APPLETS}
    links["etc/systemd/system/multi-user.target.wants/lab-agent.service"] = "../lab-agent.service"
    for name, target in links.items():
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).symlink_to(target)
    (own / "usr/sbin").mkdir(parents=True, exist_ok=True)
    shutil.copy(images.agent(), own / "usr/sbin/lab-agent")
    as_root("cp", "-a", "--no-preserve=ownership", f"{own}/.", str(folder))
    as_root("cp", "-a", "--no-preserve=ownership", f"{stage}/lib/modules",
            f"{folder}/usr/lib/")
    as_root("rm", "-rf", f"{folder}/var/cache/apt", f"{folder}/var/lib/apt/lists")


def install(folder, packages):
    """Have dpkg install packages in a tree of which no system runs."""
    for package in packages:
        as_root("cp", str(package), f"{folder}/root/")
        as_root("unshare", "--mount", "--pid", "--fork", f"--mount-proc={folder}/proc",
                "chroot", str(folder), "dpkg", "-i", f"/root/{Path(package).name}")
        as_root("rm", f"{folder}/root/{Path(package).name}")


def disk(kind, packages=(), needs=()):
    """A disk with a fresh system, in which dpkg has installed packages, for which those named in
    needs are there already. Returns the file, build/lab/images/system-<kind>.ext4."""
    folder, tree_stamp = tree(kind, needs)
    stamp = stamp_of(tree_stamp, *(hashlib.sha256(Path(p).read_bytes()).hexdigest()
                                   for p in packages))

    def build(target):
        work = folder
        if packages:
            work = paths.ROOTS / f"system-{kind}.work"
            as_root("rm", "-rf", str(work))
            as_root("cp", "-a", str(folder), str(work))
            install(work, packages)
        size = int(as_root("du", "-sm", "--apparent-size", str(work)).split()[0])
        target.unlink(missing_ok=True)
        # Blocks of 4 KiB: small files take more than their size.
        as_root("mkfs.ext4", "-q", "-O", "^has_journal", "-E", "root_owner=0:0", "-d", str(work),
                str(target), f"{size * 5 // 4 + SPARE_MIB}M")
        if os.geteuid() != 0:
            as_root("chown", str(os.geteuid()), str(target))
        if packages:
            as_root("rm", "-rf", str(work))

    return images.made(f"system-{kind}.ext4", stamp, build)


def packages_of_tree(suffix=""):
    """Build this tree's Debian packages. Returns (xvhc, xvhc-guest-dkms), as files."""
    done = subprocess.run(["make", "-s", "-C", str(paths.TREE), "deb", f"DEB_SUFFIX={suffix}"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"make deb failed:\n{done.stdout[-4000:]}")
    version = re.search(r"^VERSION := (\S+)", (paths.TREE / "Makefile").read_text(), re.M)[1]
    folder = paths.TREE / "build/deb"
    return (next(folder.glob(f"xvhc_{version}{suffix}_*.deb")),
            next(folder.glob(f"xvhc-guest-dkms_{version}{suffix}_*.deb")))
