# SPDX-License-Identifier: MIT
"""xvhcd runs in a guest that owns the USB controller; dom0 has no USB. Other guests are served,
through ends and restarts of each of the parts."""
from driver_domain import (HELPER, STOPPED, hand_over_usb, start_driver_domain,
                           start_helper, start_xvhcd_in, stop_helper, stop_xvhcd_in)
from sticks import image_sha256, noise_stick, read_sha256, wait_disk

LAB = {"driver_domain": True}
XVHCD = False
ALLOWED = [STOPPED]


def check_dom0_has_no_usb(lab):
    lab.dom0.check("! ls -d /sys/bus/usb/devices/*")
    assert "Bus" not in lab.dom0.run("lsusb")[1], "dom0 sees a USB bus"


def check_reads(guest, image):
    wait_disk(guest)
    assert read_sha256(guest) == image_sha256(image), "the guest reads other data"


def check_devices_follow(lab, domain, web, image):
    """Replug, another guest's port that may not be served, and xvhcd's restart."""
    stick = lab.plug("xhci.1", "storage", image=image)
    check_reads(web, image)
    lab.unplug(stick)
    web.wait("! test -e /sys/block/sda")
    stick = lab.plug("xhci.1", "storage", image=image)
    check_reads(web, image)
    domain.check("! test -e /sys/block/sda")
    domain.check("xvhc give 1-6 other")
    lab.guest("other", driver="xvhc")
    lab.dom0.wait(f"grep -q 'other.*may not serve' {HELPER}")
    domain.check("xvhc list | grep ' 1-6 .*xvhcd-dom0'")
    lab.guests["other"].destroy()
    domain.check("xvhc take 1-6")
    lives = web.check("cat /sys/block/sda/diskseq")
    stop_xvhcd_in(domain)
    start_xvhcd_in(domain)
    check_reads(web, image)
    assert web.check("cat /sys/block/sda/diskseq") == lives, "the disk is another one"
    return stick


def check_guest_comes_back(lab, domain, web, image):
    """The guest ends and starts again, while the helper is away for a time."""
    stop_helper(lab)
    web.destroy()
    start_helper(lab, "usbdom web")
    domain.wait("! xenstore-ls backend/vusb | grep state")
    lab.guests["web"] = web
    web.create()
    check_reads(web, image)
    domain.check("xvhc take 1-1")
    web.wait("! ls -d /sys/bus/usb/devices/usb*")
    lab.dom0.wait("! xenstore-ls /tool/xvhc | grep '= \"[1-9]'")
    domain.wait("test -e /sys/bus/usb/devices/1-1/1-1:1.0 || "
                "test -e /sys/bus/usb/devices/2-1/2-1:1.0")


def test(lab):
    hand_over_usb(lab)
    check_dom0_has_no_usb(lab)
    domain = start_driver_domain(lab)
    start_helper(lab, "usbdom web")
    said = domain.check("xvhc give 1-1 web")
    assert "xvhcd-dom0" in said, f"it does not tell what else is needed: {said}"
    web = lab.guest("web")
    image = noise_stick(lab, "stick", 4)
    check_devices_follow(lab, domain, web, image)
    check_guest_comes_back(lab, domain, web, image)
    domain.check("xvhc give 1-1 web")
    check_reads(web, image)
    domain.destroy()
    web.wait("! ls -d /sys/bus/usb/devices/usb*")
    domain = start_driver_domain(lab)
    domain.check("xvhc give 1-1 web")
    check_reads(web, image)
    check_dom0_has_no_usb(lab)
    stop_helper(lab)
