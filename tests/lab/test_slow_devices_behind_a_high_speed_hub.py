# SPDX-License-Identifier: MIT
"""A low-speed keyboard and a full-speed device behind a high-speed hub: each enumerates and works
in the guest, where the hub is given whole, and where one of its ports is given.

QEMU's hub is one of full speed. So the bus, the hub and the two devices are played in dom0's kernel
(lab/hsbus), which refuses a transfer whose device the kernel does not know to be behind the hub's
transaction translator.
"""
from contextlib import contextmanager

from keys import EV_KEY, check_events, find_input, pressed
from usbtest import Case, bring_testusb, check_cases, load_usbtest
from xvhclab import images

USAGES = {"a": 4, "b": 5, "ret": 40}  # HID Usage Tables, page 7
HUB, KEYBOARD, SOURCESINK = 1, 2, 4
PARAMETERS = "/sys/module/lab_hsbus/parameters"
CASES = [
    Case(1, "writes", 10, 64 << 10, 0, 0),
    Case(2, "reads", 10, 64 << 10, 0, 0),
    Case(3, "writes of changing odd lengths", 20, 4099, 501, 0),
    Case(9, "standard control requests", 5, 0, 0, 0),
    Case(11, "reads unlinked", 10, 64 << 10, 0, 0),
    Case(27, "queued writes", 2, 16 << 10, 0, 16),
    Case(28, "queued reads", 2, 16 << 10, 0, 16),
]


@contextmanager
def bus(lab):
    """The played bus. Yields dom0's name of its port."""
    dom0 = lab.dom0
    images.hsbus()
    dom0.check("insmod /images/lab_hsbus.ko")
    number = dom0.check("cd /sys/devices/platform/lab_hsbus && ls -d usb*").removeprefix("usb")
    try:
        yield f"{number}-1"
    finally:
        dom0.check("rmmod lab_hsbus")


def plug(dom0, what):
    dom0.check(f"echo {what} > {PARAMETERS}/plugged")


def speeds(guest):
    return guest.check("cd /sys/bus/usb/devices && for d in [0-9]*-*; do case $d in *:*) ;; *) "
                       "echo $(cat $d/idVendor) $(cat $d/speed);; esac; done").splitlines()


def check_keyboard(dom0, guest):
    def press():
        for name in USAGES:
            dom0.check(f"echo {USAGES[name]} > {PARAMETERS}/press")

    check_events(guest, "1209:0001", {EV_KEY}, press, pressed(USAGES))


def check_lights(dom0, guest):
    light = guest.wait("ls -d /sys/class/leds/*capslock")
    for value in (1, 0):
        guest.check(f"echo {value} > {light}/brightness")
        dom0.wait(f"test $(cat {PARAMETERS}/lights) = {2 * value}")


def check_none_in_dom0(dom0, port):
    assert "1209" not in dom0.check("cat /proc/bus/input/devices")
    dom0.check(f"! ls -d /sys/bus/usb/drivers/*/{port}.*:* | grep -v /usbfs/")


def test(lab):
    dom0 = lab.dom0
    guest = lab.guest("web")
    images.testusb()
    bring_testusb(lab, guest)
    load_usbtest(guest, 0)
    with bus(lab) as port:
        dom0.check(f"xvhc give {port} web")
        plug(dom0, HUB | KEYBOARD | SOURCESINK)
        find_input(guest, "1209:0001")
        guest.wait(lambda: sorted(speeds(guest)) == ["0525 12", "1209 1.5"], 20)
        assert dom0.check(f"cat /sys/bus/usb/devices/{port}/speed") == "480"
        check_keyboard(dom0, guest)
        check_lights(dom0, guest)
        check_cases(guest, CASES, (), "full speed")
        check_none_in_dom0(dom0, port)
        plug(dom0, HUB | SOURCESINK)
        guest.wait("! grep -q 1209 /proc/bus/input/devices")
        plug(dom0, 0)
        guest.wait("! ls -d /sys/bus/usb/devices/[0-9]*-[0-9] 2>&-")
        dom0.check(f"xvhc take {port}")
        # One port of the hub, which dom0 has.
        plug(dom0, HUB)
        dom0.wait(f"xvhc list | grep ' {port}[.]1 '")
        dom0.check(f"xvhc give {port}.1 web")
        plug(dom0, HUB | KEYBOARD)
        check_keyboard(dom0, guest)
        check_none_in_dom0(dom0, f"{port}")
        dom0.check(f"xvhc take {port}.1")
        guest.wait("! ls -d /sys/bus/usb/devices/[0-9]*-[0-9] 2>&-")
