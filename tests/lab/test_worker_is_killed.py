# SPDX-License-Identifier: MIT
"""The worker of one guest dies again and again, while that guest reads: no read hangs, the other
guest's stick does not notice, the broker starts a new worker after a pause that grows, says so, and
the guest has its stick back each time."""
import re

from sticks import (image_sha256, noise_stick, read_sha256, readable_disk, start_reading,
                    stop_reading, wait_disk)

DEATHS = 4


def worker_of(lab, guest):
    """The process that serves a guest."""
    return lab.dom0.wait("for p in $(pidof xvhcd-worker); do "
                         f"grep -q 'guest-{guest.domid}[.]' /proc/$p/cmdline && echo $p; "
                         "done | grep .", 60)


def test(lab):
    dom0 = lab.dom0
    dom0.check("xvhc give 1-5 web && xvhc give 1-6 work")
    images = {name: noise_stick(lab, name, mib) for name, mib in (("web", 4), ("work", 5))}
    guests = {name: lab.guest(name) for name in images}
    for port, (name, guest) in zip(("xhci.5", "xhci.6"), guests.items()):
        lab.plug(port, "storage", image=images[name])
        wait_disk(guest)
    web, work = guests["web"], guests["work"]
    work.start("while sleep 0; do echo 3 > /proc/sys/vm/drop_caches; "
               "sha256sum < /dev/sda >> /tmp/sums; done")
    other = worker_of(lab, work)
    before = int(dom0.check("grep -c 'ended by signal 9' /var/log/xvhcd.log || true"))
    number = work.check("cat /sys/bus/usb/devices/1-1/devnum")
    pauses = []
    for death in range(1, DEATHS + 1):
        reading = start_reading(web, readable_disk(web))
        worker = worker_of(lab, web)
        dom0.check(f"kill -9 {worker}")
        dom0.wait("test $(grep -c 'its worker was ended by signal 9' /var/log/xvhcd.log) = "
                  f"{before + death}")
        said = dom0.wait(f"grep 'guest {web.domid} (web): .*anew in .* ms' /var/log/xvhcd.log | "
                         f"awk '{{last = $0}} END {{print last; exit NR < {death}}}'")
        pauses.append(int(re.search(r"anew in (\d+) ms", said)[1]))
        dom0.wait(lambda: worker_of(lab, web) != worker, 60)
        # A read that fails ends the reading; but the kernel may have brought the disk back.
        readable_disk(web)
        stop_reading(reading)
    assert pauses == sorted(set(pauses)), f"the pauses do not grow: {pauses}"
    assert read_sha256(web, readable_disk(web)) == image_sha256(images["web"])
    assert worker_of(lab, work) == other, "the other guest's worker is another"
    assert work.check("cat /sys/bus/usb/devices/1-1/devnum") == number
    sums = set(work.check("cut -d' ' -f1 /tmp/sums").split())
    assert sums == {image_sha256(images["work"])}, "the other guest has read something else"
