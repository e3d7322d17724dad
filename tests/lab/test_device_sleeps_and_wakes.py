# SPDX-License-Identifier: MIT
"""The guest suspends a keyboard: the device sleeps in dom0, too. A key wakes it up, and so does the
guest. Either way it is the same device to the guest, and keys arrive."""
from keys import check_keys

HOST = "/sys/bus/usb/devices/1-5"


def keyboard_of(guest):
    """The folder in the guest's sysfs of the keyboard."""
    return guest.wait("for d in /sys/bus/usb/devices/*; do grep -qs Keyboard $d/product && echo $d "
                      "&& exit; done; false")


def test(lab):
    lab.dom0.check("xvhc give 1-5 web")
    web = lab.guest("web")
    lab.plug("xhci.5", "kbd")
    device = keyboard_of(web)
    check_keys(lab, web)
    number = web.check(f"cat {device}/devnum")
    for by_key in (True, False, True, False):
        web.check(f"echo enabled > {device}/power/wakeup && "
                  f"echo 1000 > {device}/power/autosuspend_delay_ms && "
                  f"echo auto > {device}/power/control")
        web.wait(f"grep suspended {device}/power/runtime_status")
        lab.dom0.wait(f"grep suspended {HOST}/power/runtime_status")
        if by_key:
            lab.keys("a")
        else:
            web.check(f"echo on > {device}/power/control")
        lab.dom0.wait(f"grep active {HOST}/power/runtime_status")
        web.wait(f"grep active {device}/power/runtime_status")
        web.check(f"echo on > {device}/power/control")
    check_keys(lab, web)
    assert web.check(f"cat {device}/devnum") == number, "it was plugged in anew for the guest"
