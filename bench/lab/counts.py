# SPDX-License-Identifier: MIT
"""What a transfer costs in calls and notifications, apart from the times: counting costs time.

For a sequential read by each variant: system calls of the process that serves the guest, as
dom0's kernel counts them by its tracing; interrupts of the guest and of dom0 that are
notifications; hypercalls, by Xen's trace. Each is the difference between a long run and one of
1 MiB, so that fio's start does not count. A command to a disk is three transfers, with BOT and with
UAS alike.
"""
import re

import measuring
import trace
from xvhclab.errors import LabError

TRACING = "/sys/kernel/tracing"
EVENT = f"{TRACING}/events/raw_syscalls/sys_enter"
HISTOGRAM = "hist:keys=common_pid,id.syscall:size=4096"
XENTRACE_FILE = "/tmp/bench.trace"
MIB = 32
SECONDS = 30
TRANSFERS_PER_COMMAND = 3

# Processes of dom0 that serve a guest, by variant. USB/IP is served by the kernel alone.
SERVERS = {"xvhc2": "xvhcd-worker", "xvhc1": "xvhcd-worker", "stock": "xvhcd-worker",
           "qusb": "xen-qemu-system-i386"}
# Interrupts that are notifications, as /proc/interrupts names them, in dom0 and in the guest.
DOM0_LINES = {"qusb": r"evtchn:xen-qemu", "usbip": r"\bvif\d", None: r"evtchn:xvhcd-work"}
GUEST_LINES = {"usbip": r"vif|eth0", None: r"(?i)vusb|xvhc|xen-?hcd|xen-dyn-lateeoi.*usb|xenhcd"}

# How often each byte that is read is copied by a processor: by reading the sources, not measured.
COPIES = {
    "native": (0, "the controller writes to the reader's pages"),
    "xvhc2": (2, "usbfs to the pool in dom0, the pool to the URB in the guest"),
    "xvhc1": (3, "usbfs to the worker in dom0, grant copy by Xen, xvhc.ko's pages to the URB"),
    "stock": (2, "usbfs to the worker in dom0, grant copy by Xen to the URB's own pages"),
    "qusb": (2, "usbfs to libusb's buffer in dom0, from there to the guest's mapped pages"),
    "usbip": (3, "URB to network buffer in dom0, grant copy by Xen, network buffer to the URB"),
}


def interrupts(machine, pattern):
    """The sum of the interrupts whose line matches."""
    total = 0
    for line in machine.check("cat /proc/interrupts").splitlines():
        if re.search(pattern, line):
            total += sum(int(word) for word in re.findall(r"(?<=\s)\d+(?=\s)", line))
    return total


def system_calls(dom0, server):
    """{name: count} of the threads of all processes of that name."""
    if not server:
        return {}
    threads = set(dom0.check(f"for p in $(pidof {server}); do ls /proc/$p/task; done").split())
    counts = {}
    for thread, name, count in re.findall(
            r"common_pid:\s*(\d+), id: sys_(\w+).*hitcount:\s*(\d+)",
            dom0.check(f"cat {EVENT}/hist")):
        if thread in threads:
            counts[name] = counts.get(name, 0) + int(count)
    return counts


class Counted:
    """One run, counted. totals: {what: how often}"""

    def __init__(self, place, block_kib, depth, mib):
        self.place = place
        self.server = SERVERS.get(place.name)
        place.dom0.check(f"grep -q ' {TRACING} ' /proc/mounts || "
                         f"mount -t tracefs tracefs {TRACING}")
        place.dom0.check(f"echo '{HISTOGRAM}' > {EVENT}/trigger")
        tracing = place.dom0.start(f"exec xentrace -D -S 256 -e {trace.MASK:#x} {XENTRACE_FILE}")
        try:
            place.dom0.wait(f"test -s {XENTRACE_FILE}", 20)
            before = self.notifications(), self.commands()
            place.machine.check(measuring.fio_command(
                place.disk, "read", block_kib, depth, mib, SECONDS), timeout=SECONDS + 60)
            after = self.notifications(), self.commands()
            self.calls = system_calls(place.dom0, self.server)
        finally:
            place.dom0.check(f"echo '!{HISTOGRAM}' > {EVENT}/trigger")
            tracing.kill(2)
            tracing.wait(30)
        self.transfers = TRANSFERS_PER_COMMAND * (after[1] - before[1])
        self.totals = {"system calls": sum(self.calls.values())}
        for name in before[0]:
            self.totals[name] = after[0][name] - before[0][name]
        self.add_hypercalls()

    def notifications(self):
        place = self.place
        if not place.guest:
            return {}
        dom0 = interrupts(place.dom0, DOM0_LINES.get(place.name, DOM0_LINES[None]))
        guest = interrupts(place.guest, GUEST_LINES.get(place.name, GUEST_LINES[None]))
        return {"notifications of dom0": dom0, "notifications of the guest": guest}

    def commands(self):
        return int(self.place.machine.check(
            f"awk '{{ print $1 }}' /sys/block/{self.place.disk}/stat"))

    def add_hypercalls(self):
        dom0 = self.place.dom0
        found = trace.hypercalls(dom0.get(XENTRACE_FILE))
        dom0.check(f"rm {XENTRACE_FILE}")
        for domain, who in ((0, "dom0"), (self.place.guest and self.place.guest.domid, "guest")):
            if domain is None:
                continue
            of_it = found.get(domain, {})
            self.totals[f"hypercalls of {who}"] = sum(of_it.values())
            for name, count in of_it.items():
                self.totals[f"{who}: {name}"] = count


def take(place, block_kib, depth):
    """What there is for each transfer. The figure's value is the system calls."""
    short = Counted(place, block_kib, depth, 1)
    long = Counted(place, block_kib, depth, 1 + MIB)
    transfers = long.transfers - short.transfers
    if transfers <= 0:
        raise LabError("no transfers were counted")
    names = sorted({*short.totals, *long.totals})
    each = {name: (long.totals.get(name, 0) - short.totals.get(name, 0)) / transfers
            for name in names}
    calls = {name: (count - short.calls.get(name, 0)) / transfers
             for name, count in long.calls.items()}
    copies, why = COPIES[place.name]
    return {"value": each["system calls"], "transfers": transfers, "each": each,
            "system_calls": calls, "copies_of_a_byte": copies, "copies": why}
