# SPDX-License-Identifier: MIT
"""Two guests with two ports each read and write at once, each its own sticks."""
from sticks import check_stick_both_ways, fat_file, fat_stick, image_sha256, noise_stick

MIB = 12


def disk_of(guest, image_size):
    """The disk with this many sectors: which of two ports comes first is not ours to say."""
    script = (f"for d in /sys/block/sd*; do [ $(cat $d/size) = {image_size // 512} ] && "
              "basename $d; done | grep .")
    return guest.wait(script)


def test(lab):
    ports = {"web": ("1-5", "1-6"), "work": ("3-1", "3-2")}
    qemu = {"1-5": "xhci.5", "1-6": "xhci.6", "3-1": "ehci.1", "3-2": "ehci.2"}
    for name, (first, second) in ports.items():
        lab.dom0.check(f"xvhc give {first} {name} && xvhc give {second} {name}")
    guests = {"web": lab.guest("web", kind="pv"), "work": lab.guest("work", kind="pvh")}
    noise, fat, files = {}, {}, {}
    for number, (name, (first, second)) in enumerate(ports.items()):
        noise[name] = noise_stick(lab, f"noise-{name}", MIB + number)
        lab.plug(qemu[first], "storage", image=noise[name])
        files[name] = {"WHO.TXT": name.encode() * 1000}
        fat[name] = fat_stick(lab, f"fat-{name}", files[name], mib=20 + number)
    sticks = {name: lab.plug(qemu[ports[name][1]], "storage", image=fat[name]) for name in ports}
    busy, later = {}, {}
    for name, guest in guests.items():
        disk = disk_of(guest, noise[name].stat().st_size)
        busy[name] = guest.start(
            f"until test -e /tmp/enough; do echo 3 > /proc/sys/vm/drop_caches; "
            f"sha256sum < /dev/{disk}; done")
    for name, guest in guests.items():
        later[name] = check_stick_both_ways(guest, fat[name], files[name],
                                            disk_of(guest, fat[name].stat().st_size))
    for name, process in busy.items():
        assert process.running(), f"{name} was not busy all the time"
        guests[name].check("touch /tmp/enough")
        rc, output = process.wait(120)
        sums = {line.split()[0] for line in output.splitlines()}
        assert rc == 0 and sums == {image_sha256(noise[name])}, f"{name} read {output}"
    for name, stick in sticks.items():
        lab.unplug(stick)
        assert fat_file(fat[name], "LATER.BIN") == later[name], f"{name} wrote something else"
