# SPDX-License-Identifier: MIT
"""Storage in one kind of guest, with one kernel: a high-speed stick, a SuperSpeed stick, and a UAS
disk that works by streams.

Each has three partitions: FAT and ext4 with files, which must be the same on both sides, and a raw
one that fio writes in several ways and compares with what it reads back.
"""
import json
import re

from sticks import (FILES, MIB, SECTOR, check_speed, ext4_disk, ext4_file, fat_file, fat_stick,
                    sha256, wait_disk)

# Partitions: name of the part, first MiB, MiBs, the type's number.
PARTS = [("fat", 1, 16, 0x0c), ("ext4", 17, 16, 0x83), ("raw", 33, 16, 0xda)]
LATER_BYTES = 2 * MIB + 4321

# fio's jobs, each on its own half of the raw partition: name, options.
JOBS = [("sequential", "--rw=write --bs=1M --iodepth=4 --verify=sha256"),
        ("random", "--rw=randwrite --bsrange=4k-256k --blockalign=4k --iodepth=32 "
                   "--verify=crc32c")]
JOB_MIB = 8
STREAMS = 16  # of QEMU's disk, on each of its three endpoints for data and status
DISKS_PORT = "2-2"


def parted_disk(lab, name):
    """A disk's image with the partitions of PARTS, and files on two of them."""
    parts = {"fat": fat_stick(lab, f"{name}-fat", FILES), "ext4": ext4_disk(
        lab, f"{name}-ext4", FILES, 16)}
    image = lab.run / f"{name}.img"
    table = b""
    with open(image, "wb") as file:
        for part, first, mibs, kind in PARTS:
            table += bytes([0, 0, 0, 0, kind, 0, 0, 0])
            table += b"".join(n.to_bytes(4, "little")
                              for n in (first * MIB // SECTOR, mibs * MIB // SECTOR))
            file.seek(first * MIB)
            if part in parts:
                file.write(parts[part].read_bytes())
            file.truncate((first + mibs) * MIB)
        file.seek(446)
        file.write(table.ljust(64, b"\0") + b"\x55\xaa")
    return image


def part_image(image, part):
    """One partition of an unplugged disk, as a file of its own."""
    _, first, mibs, _ = next(entry for entry in PARTS if entry[0] == part)
    cut = image.with_name(f"{image.stem}-{part}.img")
    with open(image, "rb") as file:
        file.seek(first * MIB)
        cut.write_bytes(file.read(mibs * MIB))
    return cut


def exchange_files(guest, number, file_system):
    """The guest compares the host's files and makes one: LATER.BIN. Returns its SHA-256."""
    guest.check(f"mount -t {file_system} /dev/sda{number} /mnt")
    for name, data in FILES.items():
        there = guest.check(f"sha256sum < /mnt/{name}").split()[0]
        assert there == sha256(data), f"{guest.name} reads another {name} than the host wrote"
    made = guest.check(f"head -c {LATER_BYTES} /dev/urandom > /tmp/later && "
                       "cp /tmp/later /mnt/LATER.BIN && umount /mnt && sha256sum < /tmp/later",
                       timeout=60)
    return made.split()[0]


def run_fio(guest, disk):
    """Each job writes its part of a disk and reads it back, past the guest's cache."""
    jobs = " ".join(f"--name={name} {options} --offset={number * JOB_MIB}M --stonewall"
                    for number, (name, options) in enumerate(JOBS))
    report = guest.check(f"fio --filename=/dev/{disk} --size={JOB_MIB}M --ioengine=libaio "
                         "--direct=1 --verify_fatal=1 --verify_state_save=0 --output-format=json "
                         f"{jobs}", timeout=120)
    for job in json.loads(report[report.index("{"):])["jobs"]:
        assert job["error"] == 0, f"{guest.name}: fio, {job['jobname']}: {report}"
        for way in ("write", "read"):
            assert job[way]["io_bytes"] == JOB_MIB * MIB, f"{guest.name}: {way}: {report}"
        print(f"    {guest.name}: fio, {job['jobname']}: " + ", ".join(
            f"{way} {job[way]['bw'] / 1024:.1f} MiB/s" for way in ("write", "read")))


def stream_places(dom0):
    """Where dom0's controller is in each stream of the disk: {(endpoint, stream): address}."""
    dom0.check("grep -q ^debugfs /proc/mounts || mount -t debugfs debugfs /sys/kernel/debug")
    said = dom0.check("cd /sys/kernel/debug/usb/xhci/*/devices/ && "
                      f"cd $(dirname $(grep -lx {DISKS_PORT} */name)) && "
                      "grep 'stream id' ep*/stream_context_array")
    found = re.findall(r"^(ep\d+)/.* stream id (\d+) deq (\w+)$", said, re.M)
    return {(endpoint, int(stream)): place for endpoint, stream, place in found if int(stream)}


def check_streams(lab, guest, before):
    """The guest's driver has all streams, and has used several of each endpoint since `before`.

    How many depends on how fast the disk is. A ring that has come round in full counts as unused.
    """
    depth = int(guest.check("cat /sys/block/sda/device/queue_depth"))
    # Two of the streams are kept for commands that are no reads and writes.
    assert depth == STREAMS - 2, f"the queue's depth is {depth}"
    after = stream_places(lab.dom0)
    used = {}
    for (endpoint, stream), place in after.items():
        used.setdefault(endpoint, set()).update({stream} if before[endpoint, stream] != place
                                                else ())
    counts = {endpoint: len(streams) for endpoint, streams in used.items()}
    print(f"    {guest.name}: streams used at each endpoint: {counts}")
    assert len(counts) == 3 and min(counts.values()) >= 2, counts
    assert max(counts.values()) >= STREAMS // 2, counts


def check_disk(lab, guest, port, kind, speed):
    image = parted_disk(lab, f"{kind}-{speed}")
    disk = lab.plug(port, kind, image=image)
    wait_disk(guest, "sda3")
    check_speed(guest, "sda", speed, {"storage": "usb-storage"}.get(kind, kind))
    made = {part: exchange_files(guest, number, {"fat": "vfat"}.get(part, part))
            for number, part in ((1, "fat"), (2, "ext4"))}
    before = stream_places(lab.dom0) if kind == "uas" else {}
    run_fio(guest, "sda3")
    if kind == "uas":
        check_streams(lab, guest, before)
    lab.unplug(disk)
    guest.wait("! test -e /sys/block/sda")
    for part, read in (("fat", fat_file), ("ext4", ext4_file)):
        data = read(part_image(image, part), "LATER.BIN")
        assert sha256(data) == made[part], f"the host reads another file from {part}"


def check_storage_in_guest(lab, kind, kernel):
    for port in ("1-5", "2-1", DISKS_PORT):
        lab.dom0.check(f"xvhc give {port} web")
    web = lab.guest("web", kind=kind, kernel=kernel, tools=True)
    check_disk(lab, web, "xhci.5", "storage", 480)
    check_disk(lab, web, "xhci.1", "storage", 5000)
    check_disk(lab, web, "xhci.2", "uas", 5000)
