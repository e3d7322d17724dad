# SPDX-License-Identifier: MIT
"""Stock parts only: mainline's xen-hcd in the guest, QEMU's qusb in dom0, a stick and a keyboard.

Nothing of this project takes part. When this test fails, look at the lab before all else.
"""
from keys import check_keys
from sticks import image_sha256, noise_stick, read_sha256, wait_disk

XVHCD = False
QUSB = True


def attach(lab, guest, port):
    """Hand the device in a port over with xl."""
    folder = f"/sys/bus/usb/devices/{port}"
    lab.dom0.wait(f"test -e {folder}/{port}:1.0/driver")
    lab.dom0.check(f"xl usbdev-attach {guest.name} hostbus=$(cat {folder}/busnum) "
                   f"hostaddr=$(cat {folder}/devnum)")


def test(lab):
    guest = lab.guest("stock", driver="xen-hcd", config=["usbctrl=['type=qusb,version=2,ports=4']"])
    image = noise_stick(lab, "stick", 4)
    lab.plug("xhci.5", "storage", image=image)
    attach(lab, guest, "1-5")
    wait_disk(guest)
    assert read_sha256(guest) == image_sha256(image)
    lab.plug("xhci.6", "kbd")
    attach(lab, guest, "1-6")
    check_keys(lab, guest)
