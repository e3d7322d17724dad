# SPDX-License-Identifier: MIT
"""dom0 is booted with usbcore.authorized_default=0: given ports work, and dom0 takes nothing."""
from sticks import image_sha256, noise_stick, read_sha256, wait_disk

LAB = {"dom0_arguments": "usbcore.authorized_default=0"}


def test(lab):
    lab.dom0.check("xvhc give 1-5 web")
    web = lab.guest("web")
    image = noise_stick(lab, "given", 2)
    lab.plug("xhci.5", "storage", image=image)
    lab.plug("xhci.6", "storage", image=noise_stick(lab, "other", 2))
    wait_disk(web)
    assert read_sha256(web) == image_sha256(image)
    lab.dom0.wait("test -e /sys/bus/usb/devices/1-6")
    assert lab.dom0.check("cat /sys/bus/usb/devices/1-6/authorized") == "0"
    lab.dom0.check("! ls /sys/block | grep '^sd'")
