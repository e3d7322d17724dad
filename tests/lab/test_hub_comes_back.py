# SPDX-License-Identifier: MIT
"""Hubs and host controllers go and come back: their given ports are claimed again.

A device that is there already when the hub comes back may be enumerated before xvhcd has the port.
It is taken from dom0's driver then. Whatever is plugged in later meets no driver of dom0.
"""
from sticks import image_sha256, noise_stick, read_sha256, wait_disk

XHCI = "/sys/bus/pci/drivers/xhci_hcd"


def bound(lab):
    """How often usb-storage has taken a device in dom0."""
    return int(lab.dom0.check("dmesg | grep -c 'usb-storage 1-[56].*detected' || true"))


def test(lab):
    dom0 = lab.dom0
    hub = lab.plug("xhci.5", "hub")
    dom0.wait("xvhc list | grep -q ' 1-5.2 '")
    dom0.check("xvhc give 1-5.2 web && xvhc give 1-6 web")
    web = lab.guest("web")
    image = noise_stick(lab, "stick", 4)

    # The hub is replugged: a stick behind it meets the guest, at its first plug as well.
    before = bound(lab)
    lab.unplug(hub)
    dom0.wait("xvhc list | grep -q 'not there now'")
    lab.plug("xhci.5", "hub")
    dom0.wait("xvhc list | grep ' 1-5.2 ' | grep -q 'ready, empty'")
    stick = lab.plug("xhci.5.2", "storage", image=image)
    wait_disk(web)
    assert read_sha256(web) == image_sha256(image)
    lab.unplug(stick)
    web.wait("! test -e /sys/block/sda")
    assert bound(lab) == before, "dom0's driver took a device behind a hub that came back"

    # The hub's driver and the host controller's are started anew, with the same numbers as before.
    dom0.check("echo 0 > /sys/bus/usb/devices/1-5/authorized; "
               "echo 1 > /sys/bus/usb/devices/1-5/authorized")
    pci = dom0.check("basename $(dirname $(readlink -f /sys/bus/usb/devices/usb1))").strip()
    dom0.check(f"echo {pci} > {XHCI}/unbind; echo {pci} > {XHCI}/bind")
    for name in ("1-5.2", "1-6"):
        dom0.wait(f"xvhc list | grep ' {name} ' | grep -q 'ready, empty'", 30)
    before = bound(lab)
    for port in ("xhci.6", "xhci.5.2"):
        stick = lab.plug(port, "storage", image=image)
        wait_disk(web)
        lab.unplug(stick)
        web.wait("! test -e /sys/block/sda")
    assert bound(lab) == before, "dom0's driver took a device: the port was not claimed anew"

    # With the stick in it, the worst that may happen is that dom0 has it for a moment.
    lab.plug("xhci.6", "storage", image=image)
    wait_disk(web)
    dom0.check(f"echo {pci} > {XHCI}/unbind; echo {pci} > {XHCI}/bind")
    web.wait("test -b /dev/sda && dd if=/dev/sda of=/dev/null bs=64k count=1", 40)
    dom0.check("! ls /sys/block | grep -q '^sd'")
