# SPDX-License-Identifier: MIT
"""A phone leaves the port and is its boot loader half a second later, and a phone again, ten times
in a row: each time the guest sees which of them is there, and talks to the phone."""
from sticks import sha256

TIMES = 10
ECHO_BYTES = 20_000
PHONE = ("ca04", "Phone")
LOADER = ("ca05", "Boot loader")
TTY = "/dev/ttyACM0"


def check_identity(web, visit):
    product, name = PHONE if visit % 2 else LOADER
    web.wait(f"cd /sys/bus/usb/devices/1-1 && grep -qx {visit} serial && "
             f"grep -qx {product} idProduct && grep -qx '{name}' product", 20)


def check_echo(web):
    """The phone sends back what it is sent."""
    web.wait(f"test -c {TTY} && stty -F {TTY} raw -echo")
    text = web.check(f"head -c {ECHO_BYTES} /dev/urandom > /tmp/sent; exec 3<>{TTY}; "
                     f"cat /tmp/sent >&3 & head -c {ECHO_BYTES} {TTY} > /tmp/back; wait; "
                     "sha256sum < /tmp/sent; sha256sum < /tmp/back")
    sent, back = (line.split()[0] for line in text.splitlines())
    assert sent == back != sha256(b""), "the phone sent back other bytes"


def test(lab):
    dom0 = lab.dom0
    dom0.check("xvhc give 1-5 web")
    web = lab.guest("web")
    device = lab.plug("xhci.5", "changeling")
    check_identity(web, 1)
    check_echo(web)
    for visit in range(2, TIMES + 2):
        device.poke()
        check_identity(web, visit)
        if visit % 2:
            check_echo(web)
        else:
            web.check(f"! test -e {TTY}")
    dom0.check("! dmesg | grep -q 'cdc_acm.*ttyACM'")
    assert not device.says(), device.says()
