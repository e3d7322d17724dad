# SPDX-License-Identifier: MIT
"""Each kind of fault, planted in a log, is found by the scanner; ordinary lines are not."""
from xvhclab.verdict import Verdict, faults_in, killed_in, without_deaths, xen_faults_in

LAB = None

FAULTY = """
<4>[   12.000000] WARNING: CPU: 0 PID: 99 at drivers/usb/core/hcd.c:1 usb_hcd_unlink_urb+0x1/0x2
<1>[   12.000000] BUG: kernel NULL pointer dereference, address: 0000000000000010
<1>[   12.000000] BUG: unable to handle page fault for address: ffffc90000000000
<2>[   12.000000] kernel BUG at mm/slub.c:1!
<4>[   12.000000] Oops: 0000 [#1] PREEMPT SMP NOPTI
<4>[   12.000000] Call Trace:
<0>[   12.000000] Kernel panic - not syncing: Attempted to kill init!
<3>[   12.000000] INFO: task kworker/0:1:17 blocked for more than 120 seconds.
<3>[   12.000000] rcu: INFO: rcu_preempt self-detected stall on CPU
<3>[   12.000000] BUG: KASAN: slab-out-of-bounds in foo
<4>[   12.000000] WARNING: possible circular locking dependency detected
<4>[   12.000000] WARNING: possible recursive locking detected
<3>[   12.000000] BUG: sleeping function called from invalid context at a.c:1
<4>[   12.000000] refcount_t: underflow; use-after-free.
<4>[   12.000000] xvhcd-worker[99]: segfault at 0 ip 0000000000000000 sp 0 error 14
<6>[   12.000000] traps: xvhcd[9] trap invalid opcode ip:1 sp:1 error:0 in xvhcd
<4>[   12.000000] xen_grant: leaking g.e. 0x1c still in use
<4>[   12.000000] xen:grant_table: g.e. 0x1c still pending
<3>[   12.000000] Out of memory: Killed process 1 (x)
==99==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x1
core/ring.c:1:2: runtime error: signed integer overflow
xvhcd: core/ring.c:10: ring_get: Assertion `a' failed.
malloc(): invalid size (unsorted)
*** stack smashing detected ***: terminated
"""

ORDINARY = """
<6>[    1.000000] usb 1-1: new high-speed USB device number 2 using vusb
<3>[    1.000000] usb 1-1: device descriptor read/64, error -71
<3>[    1.000000] blk_update_request: I/O error, dev sda, sector 0
<4>[    1.000000] xvhc: loading out-of-tree module taints kernel.
<6>[    1.000000] debug: a line about DEBUG: levels
xvhcd: port 1-5 given to web
"""

XEN_BOOT = "(XEN) Unknown thing at boot\n(XEN) Freed 656kB init memory\n"
XEN_FAULTY = """
(XEN) common/grant_table.c:2811:d1v0 Bad grant reference 0x1
(XEN) mm.c:2345:d1v0 Bad page 0000000000000000
(XEN) d1v0 Unexpected vmexit: reason 1
(XEN) Assertion 'x' failed at common/y.c:1
(XEN) domain_crash called from traps.c:1
(XEN) something that nobody has seen before
"""
XEN_ORDINARY = """
(XEN) HVM d2v0 save: CPU
(XEN) HVM2 restore: MTRR 0
(XEN) d2v0: upcall vector f3
(XEN) PCI add device 0000:00:1f.3
"""


def lines(text):
    return [line for line in text.splitlines() if line]


def test(_lab):
    missed = [line for line in lines(FAULTY) if faults_in(line) != [line]]
    assert not missed, f"not found: {missed}"
    assert faults_in(FAULTY + ORDINARY) == lines(FAULTY)
    assert not faults_in(ORDINARY), faults_in(ORDINARY)
    assert xen_faults_in(XEN_FAULTY + XEN_ORDINARY) == lines(XEN_FAULTY)
    assert xen_faults_in(XEN_BOOT + XEN_ORDINARY, booting=True) == []
    assert xen_faults_in(XEN_BOOT + XEN_FAULTY, booting=True) == lines(XEN_FAULTY)
    death = "(XEN) d6v0 Triple fault - x\n(XEN) rax: 0\n(XEN) ds: 0\n"
    assert xen_faults_in(without_deaths(death + XEN_FAULTY, {"6"})) == lines(XEN_FAULTY)
    assert xen_faults_in(without_deaths(death, {"7"})) == lines(death)
    mixed_up = "(XEN) d7v0 Triple fault - x\n(XEN) rax: 0\n(XEN) ds: 0000   cs: e008\n"
    bare = "(XEN) d8v0 Triple fault - x\n(XEN) rax: 0\n(XEN) ds: 0010   cs: 0008\n"
    assert (killed_in(death + mixed_up + bare), killed_in(death)) == (2, 0)
    assert xen_faults_in(without_deaths(death + mixed_up + bare + XEN_FAULTY, {})) == \
        lines(death + bare + XEN_FAULTY)
    allowed = [("blocked for more than", "this test blocks on purpose")]
    assert len(faults_in(FAULTY, allowed)) == len(lines(FAULTY)) - 1
    verdict = Verdict()
    assert verdict.final() == "FAIL", "no verdict is a failure"
    verdict = Verdict()
    for word in ("PASS", "FAIL", "SKIP", "PASS"):
        verdict.worsen(word)
    assert verdict.final() == "FAIL", "a verdict must not get better"
