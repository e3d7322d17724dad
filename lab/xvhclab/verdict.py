# SPDX-License-Identifier: MIT
"""What the logs of a test say about it.

A line that matches one of FAULTS fails the test, unless ALLOWED has a reason to let it pass. Of
what Xen says after dom0 has booted, every line is a fault that XEN_ALLOWED does not know: there is
little of it, and what is new there deserves a look. See lab/README.md.
"""
import re

# frontend/bare has met an exception. It does so by a broken emulation only, or by a fault of its
# own, which is there each time.
BARE_EXCEPTION = "xvhc-bare: exception"

# In any log: kernel, console, daemon, tool.
FAULTS = [
    # Linux
    r"\bWARNING: ", r"\bBUG: ", r"\bBUG\b.* at ", r"kernel BUG", r"\bOops\b", r"Call Trace:",
    r"cut here",
    r"Kernel panic", r"general protection", r"unable to handle", r"invalid opcode: ",
    r"blocked for more than", r"soft lockup", r"hard LOCKUP", r"rcu.*(?:stall|self-detected)",
    r"KASAN", r"KCSAN", r"KFENCE", r"KMSAN", r"kmemleak", r"UBSAN",
    r"possible (?:recursive|circular) locking", r"inconsistent lock state",
    r"(?:circular|invalid) (?:locking|wait)", r"held lock freed", r"lock held when returning",
    r"suspicious RCU", r"scheduling while atomic", r"sleeping function called from invalid",
    r"refcount_t: ", r"list_(?:add|del) corruption", r"Bad (?:page|rss|swap)", r"use.after.free",
    r"double free", r"slab .* (?:corrupt|inconsistent)",
    r"Out of memory", r"oom-kill", r"page allocation failure",
    r"DMA-API: ", r"swiotlb buffer is full", r"nobody cared", r"cannot create duplicate",
    r"\bsegfault at\b", r"\btraps: ", r"trap (?:invalid opcode|divide error|int3)",
    r"xen:?.*grant.*(?:fail|bad|leak|still in use)", r"g\.e\. 0x[0-9a-f]+ still pending",
    r"deferring g\.e\.", r"leaking g\.e\.", r"xhci_hcd .*(?:HC died|not responding)",
    # programs
    r"AddressSanitizer", r"LeakSanitizer", r"ThreadSanitizer", r"MemorySanitizer",
    r"UndefinedBehaviorSanitizer", r"runtime error: ", r"Assertion .*failed", r"assertion failed",
    r"stack smashing detected", r"buffer overflow detected", r"malloc\(\): ", r"free\(\): ",
    r"corrupted (?:size|double-linked)", r"Segmentation fault", r"^Aborted", r"core dumped",
    r"Bad system call", r"double free or corruption",
    # frontend/bare
    BARE_EXCEPTION,
]

# Harmless lines of stock parts. Each: (pattern, why it is harmless).
ALLOWED = [
    (r"clocksource: .*WARNING|Marking clocksource 'tsc' as unstable",
     "the emulated time stamp counter is not steady; domains then use Xen's clock"),
    (r"AMD-Vi: AMD IOMMUv2 functionality not available on this system - This is not a bug",
     "says itself that it is none"),
    (r"Spectre V2 : WARNING: |Speculative .*WARNING|MDS: .*WARNING|RETBleed: WARNING",
     "about the emulated processor's model"),
]

# What Xen 4.17 says of ordinary life with guests, after dom0 has booted.
XEN_ALLOWED = [
    (r"HVM ?d?\d+(?:v\d+)? (?:save|restore): ", "a PVH guest's processor state is set up"),
    (r"d\d+v\d+: upcall vector ", "a PVH guest chooses its interrupt vector"),
    (r"PCI add device ", "dom0 reports its devices"),
    (r"\*\*\* Serial input to DOM0", "the console tells who gets its input"),
    (r"d\d+: \w* ?time_offset|Dom\d+ .*tsc_mode", "about clocks"),
    (r"Freed \d+kB init memory", "end of Xen's own boot"),
    (r"arch/x86/traps\.c:.* GPF .*: \S+ -> \S+$|"
     r"emul-priv-op\.c:\d+:d\d+v\d+ Domain attempted (?:RD|WR)MSR",
     "stock kernels probe model specific registers; Xen answers with a fault that they expect"),
]

BOOT_ENDED = re.compile(r"Freed \d+kB init memory")
FAULT = re.compile("|".join(f"(?:{p})" for p in FAULTS), re.M)
ALLOW = re.compile("|".join(f"(?:{p})" for p, _ in ALLOWED))
XEN_ALLOW = re.compile("|".join(f"(?:{p})" for p, _ in XEN_ALLOWED))


def faults_in(text, allowed=()):
    """The lines of a log that fail a test. allowed: (pattern, reason) pairs of this test alone."""
    extra = [re.compile(pattern) for pattern, _ in allowed]
    return [line for line in text.splitlines()
            if FAULT.search(line) and not ALLOW.search(line)
            and not any(pattern.search(line) for pattern in extra)]


# QEMU's emulation of nested guests mixes up states once in a while: a guest wakes up with Xen's
# own code segment, e008, which no guest has, and can but die. Xen calls that a reboot.
#
# frontend/bare (code segment 0008) was seen to die with its registers in order. It has handlers for
# all exceptions, which say so; where they are not reached, the test fails, and begins anew.
DEATH = (r"^\(XEN\) d(\d+)v\d+ Triple fault(?:(?!Triple fault).)*?"
         r"^\(XEN\) ds: [^\n]*\bcs: %s\s*?(?:\n|\Z)")
MIXED_UP = re.compile(DEATH % "e008", re.M | re.S)
BARE_DIED = re.compile(DEATH % "0008", re.M | re.S)


def killed_in(text):
    """How many guests the emulation has killed, as far as that can be told."""
    return len(MIXED_UP.findall(text)) + len(BARE_DIED.findall(text))


def without_deaths(text, domains):
    """Xen's words without those on guests that the emulation killed: with states mixed up, or at
    birth (domains; see guest.py)."""
    text = MIXED_UP.sub("", text)
    for domain in domains:
        text = re.sub(rf"^\(XEN\) d{domain}v0 Triple fault.*?^\(XEN\) ds: [^\n]*\n", "", text,
                      flags=re.M | re.S)
    return text


def xen_faults_in(text, allowed=(), booting=False):
    """The same for Xen's console. booting: the text begins with Xen's boot, which is not judged
    line by line."""
    extra = [re.compile(pattern) for pattern, _ in allowed]
    ended = BOOT_ENDED.search(text) if booting else None
    strict_from = ended.end() if ended else len(text) if booting else 0
    found = faults_in(text[:strict_from], allowed)
    for line in text[strict_from:].splitlines():
        said = line.partition("(XEN)")[2].strip()
        known = not said or XEN_ALLOW.search(said) or any(p.search(said) for p in extra)
        if not known or faults_in(line, allowed):
            found.append(line)
    return found


class Verdict:
    """Only ever gets worse: "PASS", then "SKIP", then "FAIL"."""

    ORDER = ("PASS", "SKIP", "FAIL")

    def __init__(self):
        self.word = None
        self.reasons = []

    def worsen(self, word, reason=""):
        if self.word is None or self.ORDER.index(word) > self.ORDER.index(self.word):
            self.word = word
        if reason:
            self.reasons.append(reason)

    def final(self):
        """The word. Nobody having said any is a failure."""
        if self.word is None:
            self.worsen("FAIL", "the test ended without a verdict")
        return self.word
