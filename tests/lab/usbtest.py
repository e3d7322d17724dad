# SPDX-License-Identifier: MIT
"""The kernel's own judge of host controllers: usbtest, which testusb drives, on a device for it.

The device is a SourceSink gadget on dummy_hcd in dom0: what is written to it must be bytes of a
pattern, and what is read from it are such bytes. It is plugged into dummy_hcd's port, a port of
dom0 like any other. All cases run in dom0 first, where they tell of the device and of dom0's
kernel, then in a guest that the port is given to.

What the judge does not see: lists that are read are not compared (usbtest leaves that out), and
the pattern begins anew with each packet, so that whole packets in a wrong order look right. The
tests with sticks see both.
"""
import re
from collections import namedtuple
from contextlib import contextmanager

from sticks import SECTOR, sha256, wait_disk
from xvhclab import images

# A case's number and what it does, then testusb's -c, -s, -v and -g.
Case = namedtuple("Case", "number does count size vary entries")

# usbtest passes over a case in silence when the device has nothing for it. These are all of those;
# test_usbtest_of_isochronous_and_interrupt_endpoints.py has a device for them.
NOT_HERE = {
    15: "isochronous writes: dummy_hcd moves none, and the gadget's first setting, which usbtest "
        "takes, has no endpoint for them",
    16: "isochronous reads: see 15",
    22: "isochronous writes from odd addresses: see 15",
    23: "isochronous reads to odd addresses: see 15",
    25: "interrupt writes: the gadget has no endpoint for them",
    26: "interrupt reads: the gadget has no endpoint for them",
}

SINGLE = 500 << 10  # bytes of one transfer: eight requests of the wire and a smaller one
SINGLE_STOCK = 60 << 10  # xen-hcd takes no more than one request's pages
PACKET = 512


def cases(single):
    """The cases whose bytes are compared, with transfers of up to so many bytes.

    Reads, and the entries of lists, are whole packets: the gadget sends no others, and dummy_hcd
    wants lists so.
    """
    odd = single - 509
    return [
        Case(0, "nothing", 1, 0, 0, 0),
        Case(1, "writes", 40, single, 0, 0),
        Case(2, "reads", 40, single, 0, 0),
        Case(3, "writes of changing odd lengths", 60, odd, 7001, 0),
        Case(4, "reads of changing lengths", 60, single, 31 * PACKET, 0),
        Case(5, "lists to write", 30, 9 * PACKET, 0, 128),
        Case(6, "lists to read", 30, 9 * PACKET, 0, 128),
        Case(7, "lists to write, their entries differ", 30, 11 * PACKET, 3 * PACKET, 128),
        Case(8, "lists to read, their entries differ", 30, 11 * PACKET, 3 * PACKET, 128),
        Case(9, "standard control requests", 20, 0, 0, 0),
        Case(10, "queued control requests: some stall, some are short", 20, 0, 0, 32),
        Case(11, "reads unlinked", 40, single, 0, 0),
        Case(12, "writes unlinked", 40, single, 0, 0),
        Case(13, "halts", 20, 0, 0, 0),
        Case(14, "control data, written and read", 60, 4096, 1021, 0),
        Case(17, "writes from odd addresses", 40, odd, 0, 0),
        Case(18, "reads to odd addresses", 40, single, 0, 0),
        Case(19, "writes from odd addresses, premapped", 40, odd, 0, 0),
        Case(20, "reads to odd addresses, premapped", 40, single, 0, 0),
        Case(21, "control data at odd addresses", 60, 4096, 1021, 0),
        Case(24, "writes unlinked from a queue", 10, single // 4, 0, 32),
        Case(29, "toggles cleared", 40, 0, 0, 0),
    ]


def queues(single):
    """The cases for speed. They want zeros for data, and do not compare what they read."""
    return [
        Case(27, "queued writes", 4, single // 4, 0, 32),
        Case(28, "queued reads", 4, single // 4, 0, 32),
    ]


# Lists with entries of odd lengths at odd places: only a controller without constraints takes them.
ODD_LISTS = Case(7, "lists to write, their entries are no whole packets", 30, 3001, 1234, 100)


@contextmanager
def gadget(lab, pattern):
    """A SourceSink gadget in dummy_hcd's port. Yields dom0's name of the port."""
    dom0 = lab.dom0
    folder = "/sys/kernel/config/usb_gadget/judge"
    dom0.check("modprobe -a dummy_hcd libcomposite usb_f_ss_lb; grep -q configfs /proc/mounts || "
               "mount -t configfs configfs /sys/kernel/config")
    dom0.check(f"mkdir {folder} && cd {folder} && echo 0x0525 > idVendor && echo 0xa4a0 > idProduct"
               " && mkdir configs/c.1 functions/SourceSink.0 && "
               f"echo {pattern} > functions/SourceSink.0/pattern && "
               "ln -s functions/SourceSink.0 configs/c.1/ && echo dummy_udc.0 > UDC")
    bus = dom0.check("cd /sys/devices/platform/dummy_hcd.0 && ls -d usb*").removeprefix("usb")
    try:
        yield f"{bus}-1"
    finally:
        dom0.check(f"cd {folder} && echo > UDC; rm configs/c.1/SourceSink.0; "
                   "rmdir configs/c.1 functions/SourceSink.0; cd / && rmdir "
                   f"{folder} && rmmod usb_f_ss_lb dummy_hcd")


def load_usbtest(machine, pattern):
    """The judge, with a pattern. The device may be there already, or come later."""
    machine.check(f"rmmod usbtest 2>/dev/null; modprobe usbtest pattern={pattern}")


def device_node(machine):
    """/dev/bus/usb/... of the gadget, once usbtest has it."""
    name = machine.wait("cd /sys/bus/usb/drivers/usbtest && ls -d *:1.0").removesuffix(":1.0")
    numbers = machine.check(f"cd /sys/bus/usb/devices/{name} && cat busnum devnum").split()
    return "/dev/bus/usb/" + "/".join(number.zfill(3) for number in numbers)


def check_cases(machine, some, elsewhere=tuple(NOT_HERE), speed="high speed"):
    """Each of these cases must have run, and have found nothing wrong. elsewhere: the numbers of
    cases that must not run, because the device has nothing for them. speed: as testusb calls it.

    testusb ends with 0 in any case: only its line with the time tells that a case went well.
    """
    node = device_node(machine)
    for case in some:
        said = machine.check(f"/tmp/testusb -D {node} -t {case.number} -c {case.count} "
                             f"-s {case.size} -v {case.vary} -g {case.entries} 2>&1", timeout=60)
        assert said.startswith(speed), f"{machine.name}: no device of {speed}: {said}"
        done = re.search(rf"^{node} test {case.number}, +([\d.]+) secs$", said, re.M)
        if not done:
            log = "\n".join(machine.dmesg().splitlines()[-12:])
            raise AssertionError(f"{machine.name}: case {case.number}, {case.does}: {said}\n{log}")
        print(f"    {machine.name}: {case.number:2} {float(done[1]):6.2f} s  {case.does}")
    numbers = " ".join(map(str, elsewhere))
    ran = machine.check(f"for t in {numbers}; do /tmp/testusb -D {node} -t $t -c 1; done 2>&-")
    assert not ran, f"{machine.name}: a case that was thought not to apply to the device ran: {ran}"


def bring_testusb(lab, guest):
    """testusb on a stick: the guest's console would take half a minute for it."""
    program = images.testusb().read_bytes()
    image = lab.run / "testusb.img"
    image.write_bytes(program + bytes(-len(program) % SECTOR))
    lab.dom0.check(f"xvhc give 1-5 {guest.name}")
    stick = lab.plug("xhci.5", "storage", image=image)
    wait_disk(guest)
    guest.check(f"head -c {len(program)} /dev/sda > /tmp/testusb && chmod +x /tmp/testusb")
    assert guest.check("sha256sum < /tmp/testusb").split()[0] == sha256(program)
    lab.unplug(stick)
    guest.wait("! test -e /sys/block/sda")
    lab.dom0.check("xvhc take 1-5")


def check_usbtest_in_guest(lab, *guests, single=SINGLE, more=()):
    """All cases in dom0, then in each guest. more: further cases, which dummy_hcd cannot do."""
    dom0 = lab.dom0
    numbers = {case.number for case in cases(single) + queues(single)} | set(NOT_HERE)
    assert numbers == set(range(30)), "a case of testusb's is missing here"
    images.testusb()
    dom0.check("cp /images/testusb /tmp/")
    for guest in guests:
        bring_testusb(lab, guest)
    for pattern, some in ((1, cases(single)), (0, queues(single))):
        for machine in (dom0, *guests):
            load_usbtest(machine, pattern)
        with gadget(lab, pattern) as port:
            check_cases(dom0, some)
            for guest in guests:
                dom0.check(f"xvhc give {port} {guest.name}")
                check_cases(guest, [*some, *(more if pattern else ())])
                dom0.check(f"xvhc take {port}")
    log = dom0.dmesg()
    assert "bad OUT byte" not in log, f"the gadget got other bytes than usbtest wrote:\n{log}"
