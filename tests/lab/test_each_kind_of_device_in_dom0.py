# SPDX-License-Identifier: MIT
"""Each kind of device that the lab has is plugged in: dom0's driver for it binds, at its port.

This is a test of the lab: each other test stands on it.
"""
from keys import check_keys
from sticks import image_sha256, noise_stick, read_sha256, wait_disk

XVHCD = False

# (port, kind, where it appears, speed in Mbit/s, driver)
DEVICES = [
    ("xhci.1", "storage", "2-1", "5000", "usb-storage"),
    ("xhci.5", "storage", "1-5", "480", "usb-storage"),
    ("ehci.1", "storage", "3-1", "480", "usb-storage"),
    ("xhci.2", "uas", "2-2", "5000", "uas"),
    ("xhci.6", "uas", "1-6", "480", "uas"),
    ("xhci.7", "mouse", "1-7", "480", "usbhid"),
    ("ehci.2", "tablet", "3-2", "480", "usbhid"),
    ("ehci.3", "serial", "5-1", "12", "ftdi_sio"),
    ("xhci.8", "audio", "1-8", "12", None),
]


def test(lab):
    dom0 = lab.dom0
    image = noise_stick(lab, "stick", 2)
    for port, kind, place, speed, driver in DEVICES:
        options = {"image": image} if kind in ("storage", "uas") else {}
        device = lab.plug(port, kind, **options)
        dom0.wait(f"test -e /sys/bus/usb/devices/{place}/devnum")
        there = dom0.check(f"cat /sys/bus/usb/devices/{place}/speed")
        assert there == speed, f"{kind} in {port} runs at {there} Mbit/s"
        if driver:
            link = f"/sys/bus/usb/devices/{place}/{place}:1.0/driver"
            dom0.wait(f"readlink {link} | grep '/{driver}$'")
        if options:
            wait_disk(dom0)
            assert read_sha256(dom0) == image_sha256(image), f"{kind} in {port} reads otherwise"
        lab.unplug(device)
        dom0.wait(f"! test -e /sys/bus/usb/devices/{place} && ! test -e /sys/block/sda")
    hub = lab.plug("ehci.1", "hub")
    dom0.wait("test -e /sys/bus/usb/devices/4-1:1.0/driver")
    keyboard = lab.plug("ehci.1.2", "kbd", usb_version=1)
    dom0.wait("test -e /sys/bus/usb/devices/4-1.2")
    check_keys(lab, dom0)
    lab.unplug(keyboard)
    lab.unplug(hub)
    dom0.wait("! test -e /sys/bus/usb/devices/4-1")
