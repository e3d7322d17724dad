# SPDX-License-Identifier: MIT
"""The kernel's own judge of host controllers, on isochronous and interrupt endpoints: the cases
for which the gadget of the other tests has nothing. In dom0, then in a PV guest by each version of
the wire."""
from usbtest import Case, bring_testusb, check_cases, load_usbtest
from xvhclab import images

ISOC = 16 << 10    # bytes of one transfer: 16 packets
INTERRUPT = 64     # one packet: a device with less to say than was asked for would end the transfer

CASES = [
    Case(15, "isochronous writes", 20, ISOC, 0, 8),
    Case(16, "isochronous reads", 20, ISOC, 0, 8),
    Case(22, "isochronous writes from odd addresses", 20, ISOC, 0, 8),
    Case(23, "isochronous reads to odd addresses", 20, ISOC, 0, 8),
    Case(25, "interrupt writes", 40, INTERRUPT, 0, 0),
    Case(26, "interrupt reads", 40, INTERRUPT, 0, 0),
]
# Bytes that the device must get: of cases 15 and 22, and of case 25.
SUNK = f"sunk {2 * 20 * 8 * ISOC} and {40 * INTERRUPT}"


def judge(lab, machine):
    load_usbtest(machine, 1)
    device = lab.plug("xhci.6", "sourcesink")
    check_cases(machine, CASES, elsewhere=())
    before = len(device.says())
    device.poke()
    machine.wait(lambda: device.says()[before:])
    assert device.says() == [SUNK], f"{machine.name}: the device says {device.says()}"
    lab.unplug(device)


def test(lab):
    images.testusb()
    lab.dom0.check("cp /images/testusb /tmp/")
    judge(lab, lab.dom0)
    for wire in (1, 2):
        guest = lab.guest(f"wire{wire}", arguments=f"xvhc.wire={wire}")
        bring_testusb(lab, guest)
        lab.dom0.check(f"xvhc give 1-6 {guest.name}")
        judge(lab, guest)
        lab.dom0.check("xvhc take 1-6")
