# SPDX-License-Identifier: MIT
"""The bare guest attacks (frontend/bare/README.md), and what must hold meanwhile and afterwards.

The guest web reads its stick over and over. The guest evil has a stick and a keyboard, and attacks.
After each attack: evil got an answer for each request; web has read nothing but what is on its
stick, and went on reading; no process ended but evil's worker; neither xvhcd, nor web's worker, nor
xenstored, nor dom0's kernel, nor Xen has less memory to spare than before the first one; xvhcd and
the worker have no more open files; and evil's stick works in web.
"""
import re

from sticks import MIB, SECTOR, image_sha256, noise_stick, sha256
from xvhclab import TimedOut

GROWTH_MAX_KIB = 512
# What dom0's kernel and Xen keep in caches and pools goes up and down by this much.
SYSTEM_GROWTH_MAX_KIB = 8192
# What each worker tells at its end.
COUNTS = "grep -o '[0-9]* requests, [0-9]* of them refused' /var/log/xvhcd.log"
# The broker, Xen's daemons, and the workers of guests: no describer, which lives for a moment, and
# no child of the broker that is about to become another program.
PROCESSES = ("{ pidof xenstored; pidof xenconsoled; b=$(cat /run/lab-xvhcd.pid); "
             "kill -0 $b && echo $b; for p in $(pidof xvhcd-worker); do "
             "grep -qs guest- /proc/$p/cmdline && echo $p; done; } 2>/dev/null | sort -n")
# The kernel's own memory, without caches that it gives back; and what Xen has left. KiB.
SYSTEM = ("awk '/^(SUnreclaim|KernelStack|PageTables|VmallocUsed):/ {sum += $2} "
          "END {print sum}' /proc/meminfo; xl info | awk '/^free_memory/ {print $3 * 1024}'")


class Siege:
    """The two guests, their devices, and how things stood before the first attack."""

    def __init__(self, lab):
        self.lab = lab
        dom0 = lab.dom0
        dom0.check("xvhc give 1-5 web && xvhc give 1-6 evil && xvhc give 1-7 evil")
        self.web = lab.guest("web")
        self.web_image = noise_stick(lab, "web", 2)
        self.evil_image = lab.run / "evil.img"
        self.evil_image.write_bytes(self.web_image.read_bytes()[:MIB + SECTOR])
        lab.plug("xhci.5", "storage", image=self.web_image)
        self.disk_of(self.web_image)
        self.web.start("while sleep 0; do echo 3 > /proc/sys/vm/drop_caches; "
                       "sha256sum < /dev/sda >> /tmp/sums; done")
        lab.plug("xhci.6", "storage", image=self.evil_image)
        lab.plug("xhci.7", "kbd")
        dom0.wait(f"test $({PROCESSES} | wc -l) = 4")
        self.pids = dom0.check(PROCESSES).split()
        self.said = ""
        self.now = {}
        # What is allocated once, when a guest connects and its stick changes hands, is there now.
        self.lab.bare_guest("evil", "work").wait_end(90)
        self.hand_over()
        self.before = self.memory()

    def disk_of(self, image):
        """web's disk of this image's size."""
        return self.web.wait("for d in /sys/block/sd*; do [ $(cat $d/size) = "
                             f"{image.stat().st_size // SECTOR} ] && basename $d; done | grep .")

    def attack(self, name):
        """One attack. Returns its counters."""
        read_before = len(self.web_reads())
        told_before = int(self.lab.dom0.check(f"{COUNTS} | wc -l"))
        said = self.lab.bare_guest("evil", f"attack={name} devices=2").wait_end(90)
        counters = {key: int(value) for key, value in re.findall(r"([\w-]+)=(-?\d+)", said)}
        self.said = said
        if "unanswered" in counters:
            self.check_refused(counters, told_before)
            assert counters["unanswered"] == 0, f"requests have no answer: {said}"
        assert "lets number" not in said, said
        self.web.wait(lambda: len(self.web_reads()) > read_before, 60)
        self.check_processes()
        self.hand_over()
        self.check_growth()
        return counters

    def check_refused(self, counters, before):
        """The worker has counted what it refused, and tells that at its end."""
        told = self.lab.dom0.wait(f"test $({COUNTS} | wc -l) -gt {before} && {COUNTS} | tail -n 1",
                                  20)
        requests, refused = re.findall(r"\d+", told)
        if counters["closed"] == 0:
            assert int(refused) >= counters["inval"], f"{refused} of {requests}: {self.said}"

    def web_reads(self):
        """The sums of all that web has read, each of which must be its stick's."""
        sums = {line.split()[0] for line in self.web.check("cat /tmp/sums").splitlines()}
        wanted = image_sha256(self.web_image)
        assert sums <= {wanted}, f"web has read {sums}, on its stick is {wanted}"
        return self.web.check("cat /tmp/sums").splitlines()

    def check_processes(self):
        """Those from before run, and no other does, once evil's worker has ended."""
        self.lab.dom0.wait(f"[ \"$({PROCESSES} | xargs)\" = '{' '.join(self.pids)}' ]", 20)

    def hand_over(self):
        """evil's stick works in web."""
        dom0 = self.lab.dom0
        dom0.check("xvhc take 1-6 && xvhc give 1-6 web")
        disk = self.disk_of(self.evil_image)
        data = self.web.check(f"sha256sum < /dev/{disk}").split()[0]
        assert data == sha256(self.evil_image.read_bytes()), "evil's stick reads otherwise in web"
        dom0.check("xvhc take 1-6 && xvhc give 1-6 evil")
        self.web.wait(f"! test -e /sys/block/{disk}")

    def memory(self):
        """KiB and open files of each process that goes on running; KiB of dom0's kernel and Xen."""
        numbers = {}
        for pid in self.pids:
            told = self.lab.dom0.check(f"awk '/^(RssAnon|VmPTE):/ {{sum += $2}} END {{print sum}}' "
                                       f"/proc/{pid}/status; ls /proc/{pid}/fd 2>/dev/null | wc -l")
            numbers[pid] = [int(number) for number in told.split()]
        kernel, free = (int(number) for number in self.lab.dom0.check(SYSTEM).split())
        numbers["kernel"] = [kernel, 0]
        numbers["Xen"] = [-free, 0]
        return numbers

    def has_not_grown(self):
        """Whether all have as much as before the first attack, or little more."""
        self.now = self.memory()
        for name, (memory, files) in self.now.items():
            limit = GROWTH_MAX_KIB if name.isdigit() else SYSTEM_GROWTH_MAX_KIB
            if memory > self.before[name][0] + limit or files > self.before[name][1]:
                return False
        return True

    def check_growth(self):
        """What ends a moment later, a describer or a guest's remains, is waited for."""
        try:
            self.lab.dom0.wait(self.has_not_grown, 30)
        except TimedOut:
            raise AssertionError(f"memory or open files: {self.before}, {self.now}") from None


def run_attacks(lab, attacks):
    """Runs attacks, {name: function of its counters that says whether they are right}."""
    siege = Siege(lab)
    for name, is_right in attacks.items():
        counters = siege.attack(name)
        assert is_right(counters), siege.said


def only(*statuses):
    """All requests were answered with one of these, and there were many."""
    def is_right(counters):
        return counters["answered"] > 100 and counters["closed"] == 0 and \
            counters["answered"] == sum(counters[status] for status in statuses)
    return is_right


def answered(counters):
    """There were many answers, on one connection."""
    return counters["answered"] > 20 and counters["closed"] == 0


def closed(counters):
    """The backend ended the connection, and the next one too."""
    return counters["closed"] > 1


def many(what, least):
    """It did so at least this often: that everybody else is well is enough."""
    return lambda counters: counters[what] >= least
