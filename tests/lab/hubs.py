# SPDX-License-Identifier: MIT
"""A hub with four devices behind it, in a given port: each appears in the guest, comes and goes,
and dom0's drivers bind to none."""
from keys import check_keys, find_input
from sticks import image_sha256, noise_stick, read_sha256, wait_disk

HUB = "1-5"
# What dom0's kernel says when a driver of its takes such a device.
TAKEN = f"usb-storage {HUB}|ftdi_sio {HUB}|input: .*{HUB}|hid-generic .*{HUB}|scsi host"


def said(machine, pattern):
    """How many lines of a kernel's log match."""
    return int(machine.check(f"dmesg | grep -cE '{pattern}' || true"))


class Behind:
    """A kind of device in a port of the hub."""

    def __init__(self, lab, port, kind, there, gone):
        self.lab, self.port, self.kind = lab, port, kind
        self.there, self.gone = there, gone
        self.device = None

    def plug(self, **options):
        self.device = self.lab.plug(f"xhci.5.{self.port}", self.kind, **options)

    def unplug(self):
        self.lab.unplug(self.device)


def four(lab, image):
    """A stick, a keyboard, a mouse and a serial adapter."""
    devices = [
        Behind(lab, 1, "storage", wait_disk, "! ls /sys/block | grep sd"),
        Behind(lab, 2, "kbd", lambda guest: find_input(guest, "QEMU USB Keyboard"),
               "! grep -q 'USB Keyboard' /proc/bus/input/devices"),
        Behind(lab, 3, "mouse", lambda guest: find_input(guest, "QEMU USB Mouse"),
               "! grep -q 'USB Mouse' /proc/bus/input/devices"),
        Behind(lab, 4, "serial", lambda guest: guest.wait("ls /dev/ttyUSB0"),
               "! ls /dev/ttyUSB0"),
    ]
    devices[0].plug(image=image)
    for behind in devices[1:]:
        behind.plug()
    return devices


def check_dom0_has_none(dom0):
    """No driver of dom0 has, or had, one of the devices behind the hub; it drives the hub."""
    assert not said(dom0, TAKEN), dom0.check(f"dmesg | grep -E '{TAKEN}'")
    drivers = dom0.check(f"for i in /sys/bus/usb/devices/{HUB}.*:*; do test ! -e $i/driver || "
                         "readlink $i/driver; done")
    assert {line.rpartition("/")[2] for line in drivers.split()} <= {"usbfs"}, drivers
    dom0.check(f"readlink /sys/bus/usb/devices/{HUB}:1.0/driver | grep '/hub$'")
    assert dom0.check("cat /sys/bus/usb/drivers_autoprobe") == "1"


def numbers(guest, devices):
    """The guest's numbers of its USB devices, to see whether one has come anew."""
    assert devices
    return set(guest.check("cd /sys/bus/usb/devices && for d in [0-9]*-*; do case $d in *:*) ;; "
                           "*) echo $d=$(cat $d/devnum);; esac; done").split())


def check_each_comes_and_goes(guest, devices, image):
    for behind in devices:
        before = numbers(guest, devices)
        behind.unplug()
        guest.wait(behind.gone)
        left = numbers(guest, devices)
        assert left < before and len(left) == len(before) - 1, f"{before}, then {left}"
        behind.plug(**({"image": image} if behind.kind == "storage" else {}))
        behind.there(guest)
        assert left < numbers(guest, devices), "another device has come anew"


def check_hub_in_guest(lab, **guest_options):
    """All of it. Returns the guest and what is plugged in: the hub and the four."""
    dom0 = lab.dom0
    dom0.check(f"xvhc give {HUB} web")
    web = lab.guest("web", **guest_options)
    image = noise_stick(lab, "stick", 2)
    hub = lab.plug("xhci.5", "hub")
    devices = four(lab, image)
    for behind in devices:
        behind.there(web)
    dom0.wait(f"xvhc list | grep ' {HUB} ' | grep 'hub, given with its ports'")
    check_dom0_has_none(dom0)
    assert read_sha256(web) == image_sha256(image)
    check_keys(lab, web)
    check_each_comes_and_goes(web, devices, image)
    assert read_sha256(web) == image_sha256(image)
    check_dom0_has_none(dom0)
    return web, hub, devices
