# SPDX-License-Identifier: MIT
"""A controller in a guest's xl file over the guest's own reboot, beside a port that xvhc gave.

Both are there afterwards; a device that xl attached is dom0's again. Without xvhcd xl does not make
such a guest at all.
"""
from xvhclab.errors import CommandFailed

from sticks import image_sha256, noise_stick, read_sha256, wait_disk

CONFIG = ["usbctrl=['type=pv,ports=4']"]
CONNECTED = "xl usb-list web | grep -Eq '^0 +pv +0 +4 +2 +4'"
KEYBOARD = "/sys/bus/usb/devices/1-6"


def refused_without_xvhcd(lab):
    lab.stop_xvhcd()
    try:
        lab.guest("web", config=CONFIG)
        raise AssertionError("xl made a guest whose controller nobody serves")
    except CommandFailed as error:
        assert "unable to add vusb devices" in str(error), error
    lab.dom0.check("! xl domid web && ! xenstore-exists /local/domain/0/backend/vusb")
    lab.start_xvhcd()


def test(lab):
    dom0 = lab.dom0
    refused_without_xvhcd(lab)
    guest = lab.guest("web", config=CONFIG)
    dom0.wait(CONNECTED)
    dom0.check("xvhc give 1-5 web")
    image = noise_stick(lab, "stick", 5)
    lab.plug("xhci.5", "storage", image=image)
    wait_disk(guest)
    lab.plug("xhci.6", "kbd")
    dom0.wait(f"test -e {KEYBOARD}/1-6:1.0/driver")
    dom0.check(f"echo 0 > {KEYBOARD}/bConfigurationValue")
    dom0.check(f"xl usbdev-attach web hostbus=$(cat {KEYBOARD}/busnum) "
               f"hostaddr=$(cat {KEYBOARD}/devnum)")
    dom0.wait("xl usb-list web | grep -q 'Port 1: Bus 001'")
    guest.reboot()
    dom0.wait(CONNECTED)
    wait_disk(guest)
    assert read_sha256(guest) == image_sha256(image)
    dom0.check("! xl usb-list web | grep -q 'Bus 001'")
    dom0.wait("xvhc list | grep ' 1-6 ' | grep -q 'in dom0'")
