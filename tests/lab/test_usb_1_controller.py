# SPDX-License-Identifier: MIT
"""A controller of USB 1.1, as stock xl makes it: a keyboard and a serial adapter of full speed work
in the guest, with data in both directions, for pv and pvh, with each kernel."""
import os
import socket

from keys import check_keys

TTY = "/dev/ttyUSB0"
BYTES = 3000


def attach(lab, guest, port):
    """xl takes a device that has no configuration: see docs/xl.md."""
    folder = f"/sys/bus/usb/devices/{port}"
    lab.dom0.wait(f"test -e {folder}/{port}:1.0/driver")
    lab.dom0.check(f"echo 0 > {folder}/bConfigurationValue")
    lab.dom0.check(f"xl usbdev-attach {guest.name} hostbus=$(cat {folder}/busnum) "
                   f"hostaddr=$(cat {folder}/devnum)")


def check_line(guest, path):
    """What the host says on the serial line arrives in the guest, and what the guest says here."""
    guest.wait(f"test -c {TTY}")
    guest.check(f"stty -F {TTY} raw -echo")
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(30)
        line.connect(str(path))
        reader = guest.start(f"exec head -c {BYTES} {TTY}")
        guest.wait(f"ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q {TTY}")
        said = os.urandom(BYTES)
        line.sendall(said)
        reader.wait(30)
        assert reader.data() == said, "the guest hears something else than the host said"
        guest.put("/tmp/said", said)
        writer = guest.start(f"cat /tmp/said > {TTY}")
        heard = b""
        while len(heard) < BYTES:
            heard += line.recv(BYTES - len(heard))
        assert heard == said, "the host hears something else than the guest said"
        assert writer.wait(30)[0] == 0


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
