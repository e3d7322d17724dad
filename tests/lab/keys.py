# SPDX-License-Identifier: MIT
"""What a person does at a keyboard, a mouse or a tablet: made by QEMU, looked for in a guest."""
import struct

EVENT = struct.Struct("<qqHHi")
EV_KEY, EV_REL, EV_ABS, EV_LED = 1, 2, 3, 0x11
# Linux's codes of the keys that QEMU calls by these names.
CODES = {"a": 30, "b": 48, "c": 46, "x": 45, "ret": 28, "spc": 57}


def find_input(machine, name):
    """Wait for an input device with a name like that; returns its file."""
    return machine.wait("for d in /sys/class/input/event*; do "
                        f"grep -q '{name}' $d/device/name && echo /dev/input/${{d##*/}} && exit; "
                        "done; false")


def check_events(machine, name, kinds, make, wanted):
    """Call make(); the input device with such a name must report these events, in this order.

    kinds: the types of event that are looked at. wanted: [(type, code, value), ...].
    """
    device = find_input(machine, name)
    reader = machine.start(f"exec cat {device}")
    machine.wait(f"ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q {device}$")
    make()

    def seen():
        data = reader.data()
        events = EVENT.iter_unpack(data[:len(data) // EVENT.size * EVENT.size])
        # A key that is held down repeats itself: value 2.
        return [(kind, code, value) for _, _, kind, code, value in events
                if kind in kinds and (kind, value) != (EV_KEY, 2)]

    try:
        machine.wait(lambda: len(seen()) >= len(wanted), 20)
    finally:
        reader.kill(9)
    assert seen() == wanted, f"{name}: {wanted} was made, {seen()} arrived"


def pressed(names):
    """What a keyboard reports of keys that are pressed and released one after the other."""
    return [(EV_KEY, CODES[name], value) for name in names for value in (1, 0)]


def check_keys(lab, machine, names=("a", "x", "ret")):
    """Press keys; the machine's keyboard must report each going down and up, in this order."""
    check_events(machine, "Keyboard", {EV_KEY}, lambda: lab.keys(*names), pressed(names))


class OpenKeyboard:
    """A process in the guest that reads the events of a keyboard all the time."""

    def __init__(self, lab, guest):
        self.lab = lab
        self.guest = guest
        self.reader = guest.start(f"exec cat {find_input(guest, 'Keyboard')}")

    def keys(self):
        """Those that it has reported so far."""
        data = self.reader.data()
        events = EVENT.iter_unpack(data[:len(data) // EVENT.size * EVENT.size])
        return [(kind, code, value) for _, _, kind, code, value in events
                if kind == EV_KEY and value != 2]

    def check(self):
        """Press a key until it arrives: a keyboard that is away loses some."""
        before = len(self.keys())

        def arrived():
            self.lab.keys("a")
            return len(self.keys()) > before or not self.reader.running()
        self.guest.wait(arrived, 60)
        assert self.reader.running(), "the keyboard's file has come to its end"
        assert self.keys()[-1] in pressed(["a"])
