# SPDX-License-Identifier: MIT
"""Hypercalls, as Xen's own trace has them: how many of which, by domain.

The trace is made of records: a header with the event and the count of words that follow, the time
if the header says so, the words. One kind tells which processor the next ones are of, another which
domain runs there from now on. See xen/trace.h. Only PV domains make such records.
"""
import collections
import struct

# Classes "scheduler" and "PV", of each the first subclass.
MASK = 0x00221000
CPU_CHANGE = 0x0001f003
RUNSTATE, RUNSTATE_STATES, RUNSTATE_NEW = 0x00021001, 0x330, 0x030
HYPERCALL = 0x0020100d
OPERATION = 0xfffff

GRANT_TABLE, EVENT_CHANNEL = 20, 32
GRANT_NAMES = {0: "grant map", 1: "grant unmap", 5: "grant copy"}
EVENT_NAMES = {4: "event send", 9: "event unmask"}


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
    command = words[1] if len(words) > 1 else None
    if operation == GRANT_TABLE:
        return GRANT_NAMES.get(command, "grant table, other")
    if operation == EVENT_CHANNEL:
        return EVENT_NAMES.get(command, "event channel, other")
    return "other"


def hypercalls(data):
    """{domain: {kind: count}}"""
    counts = collections.defaultdict(collections.Counter)
    running, processor = {}, 0
    for event, words in records(data):
        if event == CPU_CHANGE and words:
            processor = words[0]
        elif event & ~RUNSTATE_STATES == RUNSTATE and not event & RUNSTATE_NEW and words:
            running[processor] = words[0] >> 16
        elif event == HYPERCALL and words and processor in running:
            counts[running[processor]][name_of(words)] += 1
    return counts
