# SPDX-License-Identifier: MIT
"""Hypercalls, as Xen's own trace has them: how many of which, by domain.

The trace is made of records: a header with the event and the count of words that follow, the time
if the header says so, the words. One kind tells which processor the next ones are of, another which
domain runs there from now on. See xen/trace.h. Only PV domains make such records.
"""
import collections
import struct

from xvhclab.errors import LabError

# Classes "scheduler" and "PV", of each the first subclass.
MASK = 0x00221000
CPU_CHANGE = 0x0001f003
RUNSTATE, RUNSTATE_STATES, RUNSTATE_NEW = 0x00021001, 0x330, 0x030
HYPERCALL = 0x0020100d
OPERATION = 0xfffff

GRANT_TABLE = 20
GRANT_NAMES = {0: "grant map", 1: "grant unmap", 5: "grant copy"}
# By number: xen/xen.h. Some of these come with each change of the running task or each interrupt.
NAMES = {1: "mmu_update", 3: "stack_switch", 5: "fpu_taskswitch", 13: "multicall",
         14: "update_va_mapping", 15: "set_timer_op", 23: "iret", 24: "vcpu_op", 26: "mmuext_op",
         29: "sched_op", 32: "event_channel_op", 33: "physdev_op"}
LOST = 0x0001f001


def records(data):
    """(event, words) for each record of a trace."""
    at = 0
    while at + 4 <= len(data):
        header = struct.unpack_from("<I", data, at)[0]
        count = header >> 28 & 7
        at += 12 if header >> 31 else 4
        if at + 4 * count > len(data):
            return
        yield header & 0x0fffffff, struct.unpack_from(f"<{count}I", data, at)
        at += 4 * count


def name_of(words):
    """What kind of hypercall a record tells of."""
    operation = words[0] & OPERATION
    if operation == GRANT_TABLE:
        return GRANT_NAMES.get(words[1] if len(words) > 1 else None, "grant_table_op, other")
    return NAMES.get(operation, "other")


def hypercalls(data):
    """{domain: {kind: count}}. Where Xen has dropped records there is no result."""
    counts = collections.defaultdict(collections.Counter)
    running, processor = {}, 0
    for event, words in records(data):
        if event == LOST:
            raise LabError("Xen's trace has lost records")
        if event == CPU_CHANGE and words:
            processor = words[0]
        elif event & ~RUNSTATE_STATES == RUNSTATE and not event & RUNSTATE_NEW and words:
            running[processor] = words[0] >> 16
        elif event == HYPERCALL and words and processor in running:
            counts[running[processor]][name_of(words)] += 1
    return counts
