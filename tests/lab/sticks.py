# SPDX-License-Identifier: MIT
"""Sticks for the lab's tests: images on the host, and what a guest must find on them."""
import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

SECTOR = 512
MIB = 1 << 20


def noise_stick(lab, name, mib):
    """A stick of random bytes. Returns its image's path."""
    image = lab.run / f"{name}.img"
    with open(image, "wb") as file:
        for _ in range(mib):
            file.write(os.urandom(MIB))
    return image


def fat_stick(lab, name, files, mib=16):
    """A stick with a FAT file system with these files, {name: bytes}. Returns its image's path."""
    image = lab.run / f"{name}.img"
    with open(image, "wb") as file:
        file.truncate(mib * MIB)
    subprocess.run(["mkfs.vfat", "-n", "LAB", image], check=True, stdout=subprocess.DEVNULL)
    for file_name, data in files.items():
        subprocess.run(["mcopy", "-i", image, "-", f"::{file_name}"], input=data, check=True)
    return image


def ext4_disk(lab, name, files, mib=32):
    """A disk with an ext4 file system with these files. Returns its image's path."""
    image = lab.run / f"{name}.img"
    image.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=lab.run) as folder:
        for file_name, data in files.items():
            (Path(folder) / file_name).write_bytes(data)
        subprocess.run(["/sbin/mkfs.ext4", "-q", "-d", folder, image, f"{mib}M"], check=True,
                       stdout=subprocess.DEVNULL)
    return image


def ext4_file(image, name):
    """A file's bytes as the host reads them from an unplugged disk."""
    return subprocess.run(["/sbin/debugfs", "-R", f"cat /{name}", image], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def fat_file(image, name):
    """A file's bytes as the host reads them from an unplugged stick."""
    return subprocess.run(["mtype", "-i", image, f"::{name}"], check=True,
                          stdout=subprocess.PIPE).stdout


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def image_sha256(image, mib=None):
    """The SHA-256 of an image, or of its first MiBs."""
    with open(image, "rb") as file:
        return sha256(file.read() if mib is None else file.read(mib * MIB))


def wait_disk(machine, disk="sda", limit=30):
    """Wait until a disk is there and has a size."""
    machine.wait(f"test -b /dev/{disk} && test $(cat /sys/class/block/{disk}/size) -gt 0", limit)


def check_speed(guest, disk, mbit, driver):
    """A disk runs at this speed, on a root hub of ours, with this driver. Returns the name of its
    USB device in sysfs."""
    path = guest.check(f"readlink -f /sys/block/{disk}/device")
    name = [part for part in path.split("/") if "-" in part and ":" not in part][-1]
    device = f"/sys/bus/usb/devices/{name}"
    there = guest.check(f"cat {device}/speed")
    assert there == str(mbit), f"{disk} runs at {there} Mbit/s"
    root = guest.check(f"cat /sys/bus/usb/devices/usb{name.split('-')[0]}/product")
    assert root == "Xen Virtual Host Controller", f"{disk} is behind {root}"
    found = guest.check(f"basename $(readlink {device}/{name}:1.0/driver)")
    assert found == driver, f"{disk} has the driver {found}"
    return name


def read_sha256(machine, disk="sda", limit=120):
    """The SHA-256 of a whole disk as the machine reads it, past its cache."""
    machine.check("echo 3 > /proc/sys/vm/drop_caches")
    return machine.check(f"sha256sum < /dev/{disk}", timeout=limit).split()[0]


def readable_disk(machine, limit=60):
    """Wait until the machine's disk can be read, past its cache. Returns its name: the disk from
    before may still be on its way out, or may be the one that goes on."""
    return machine.wait("d=$(ls /sys/block | grep sd | tail -n 1) && "
                        "dd if=/dev/$d of=/dev/null bs=4096 count=1 iflag=direct 2>/dev/null && "
                        "echo $d", limit)


def start_reading(machine, disk="sda"):
    """Have a disk read over and over, until a read fails. Returns the process, once it reads."""
    process = machine.start("while echo 3 > /proc/sys/vm/drop_caches && "
                            f"dd if=/dev/{disk} of=/dev/null bs=64k 2>/dev/null; do :; done")
    machine.wait(f"awk '{{exit !($1 > 0)}}' /sys/block/{disk}/inflight")
    return process


def stop_reading(process):
    """End it, where no read has failed. A read that never comes back cannot be ended."""
    if process.running():
        process.kill(9)
    process.wait(60)


def check_stick_both_ways(machine, image, files, disk="sda", file_system="vfat"):
    """Mount a stick, compare each file with what is on it, write one. Returns what was written.

    The file is LATER.BIN; the caller unplugs the stick and compares it with fat_file() or
    ext4_file().
    """
    wait_disk(machine, disk)
    machine.check(f"mkdir -p /mnt && mount -t {file_system} /dev/{disk} /mnt")
    for name, data in files.items():
        there = machine.check(f"sha256sum < /mnt/{name}", timeout=60).split()[0]
        assert there == sha256(data), f"{machine.name} reads another {name} than the host wrote"
    later = os.urandom(300_001)
    machine.put("/tmp/later", later)
    machine.check("cp /tmp/later /mnt/LATER.BIN && umount /mnt", timeout=60)
    assert image.exists()
    return later


FILES = {"SMALL.TXT": b"small\n", "BIG.BIN": os.urandom(3 * MIB + 17), "EMPTY": b""}
