# SPDX-License-Identifier: MIT
"""A controller of USB 1.1, as stock xl makes it: a keyboard and a serial adapter of full speed work
in the guest, with data in both directions, for pv and pvh, with each kernel."""
from keys import check_keys
from lines import check_line


def attach(lab, guest, port):
    """xl takes a device that has no configuration: see docs/xl.md."""
    folder = f"/sys/bus/usb/devices/{port}"
    lab.dom0.wait(f"test -e {folder}/{port}:1.0/driver")
    lab.dom0.check(f"echo 0 > {folder}/bConfigurationValue")
    lab.dom0.check(f"xl usbdev-attach {guest.name} hostbus=$(cat {folder}/busnum) "
                   f"hostaddr=$(cat {folder}/devnum)")


def check_guest(lab, kind, kernel):
    config = ["usbctrl=['type=pv,version=1,ports=2']"]
    guest = lab.guest("web", kind=kind, kernel=kernel, config=config)
    listed = lab.dom0.wait("xl usb-list web | grep -E '^0 +pv +0 +4 +1 +2'")
    assert listed, "the controller is not connected"
    guest.wait("test $(cat /sys/bus/usb/devices/usb1/speed) = 12")
    keyboard = lab.plug("ehci.1", "kbd", usb_version=1)
    line = lab.plug("ehci.3", "serial", socket=lab.run / "line")
    attach(lab, guest, "4-1")
    check_keys(lab, guest)
    attach(lab, guest, "5-1")
    assert guest.wait("cat /sys/bus/usb/devices/1-2/speed") == "12"
    check_line(guest, lab.run / "line")
    for number, port in ((2, "5-1"), (1, "4-1")):
        lab.dom0.check(f"xl usbdev-detach web 0 {number}")
        guest.wait(f"! test -e /sys/bus/usb/devices/1-{number}")
        lab.dom0.wait(f"grep -q . /sys/bus/usb/devices/{port}/bConfigurationValue")
    guest.destroy()
    for device in (keyboard, line):
        lab.unplug(device)


def test(lab):
    for kind, kernel in (("pv", "6.1"), ("pvh", "6.12")):
        check_guest(lab, kind, kernel)
