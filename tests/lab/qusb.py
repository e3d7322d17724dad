# SPDX-License-Identifier: MIT
"""A guest behind QEMU's qusb backend: a stick and a keyboard, whatever its frontend driver."""
from keys import check_keys
from sticks import image_sha256, noise_stick, read_sha256, wait_disk


def attach(lab, guest, port):
    """Hand the device in a port over with xl."""
    folder = f"/sys/bus/usb/devices/{port}"
    lab.dom0.wait(f"test -e {folder}/{port}:1.0/driver")
    lab.dom0.check(f"xl usbdev-attach {guest.name} hostbus=$(cat {folder}/busnum) "
                   f"hostaddr=$(cat {folder}/devnum)")


def check_guest_on_qusb(lab, driver):
    guest = lab.guest("stock", driver=driver, config=["usbctrl=['type=qusb,version=2,ports=4']"])
    image = noise_stick(lab, "stick", 4)
    lab.plug("xhci.5", "storage", image=image)
    attach(lab, guest, "1-5")
    wait_disk(guest)
    assert read_sha256(guest) == image_sha256(image)
    guest.check("dd if=/dev/zero of=/dev/sda bs=64k count=8 conv=fsync")
    assert image.read_bytes()[:512 << 10] == bytes(512 << 10), "the write did not reach the stick"
    lab.plug("xhci.6", "kbd")
    attach(lab, guest, "1-6")
    check_keys(lab, guest)
