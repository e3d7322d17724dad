# SPDX-License-Identifier: MIT
"""Key presses: made by QEMU on the plugged keyboard, looked for in a guest."""
import struct

EVENT = struct.Struct("<qqHHi")
EV_KEY = 1
# Linux's codes of the keys that QEMU calls by these names.
CODES = {"a": 30, "b": 48, "c": 46, "x": 45, "ret": 28, "spc": 57}


def check_keys(lab, machine, names=("a", "x", "ret")):
    """Press keys; the machine's keyboard must report each going down and up, in this order."""
    device = machine.wait("for d in /sys/class/input/event*; do "
                          "grep -q Keyboard $d/device/name && echo /dev/input/${d##*/} && exit; "
                          "done; false")
    wanted = [(CODES[name], value) for name in names for value in (1, 0)]
    reader = machine.start(f"exec cat {device}")
    machine.wait(f"ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q {device}")
    lab.keys(*names)

    def pressed():
        data = reader.data()
        events = EVENT.iter_unpack(data[:len(data) // EVENT.size * EVENT.size])
        return [(code, value) for _, _, kind, code, value in events
                if kind == EV_KEY and value in (0, 1)]

    try:
        machine.wait(lambda: len(pressed()) >= len(wanted), 20)
    finally:
        reader.kill(9)
    assert pressed() == wanted, f"pressed {wanted}, arrived {pressed()}"
