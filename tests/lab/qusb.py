# SPDX-License-Identifier: MIT
"""A guest behind QEMU's qusb backend: a stick and a keyboard, whatever its frontend driver.

Where QEMU hears of a device in dom0 later than xl attaches it, it dies of an assertion of its own
when the guest first talks to the device. Then there is nothing to be tested, and all begins anew.
"""
import shlex

from keys import check_keys
from sticks import image_sha256, noise_stick, read_sha256, wait_disk
from xvhclab import TimedOut
from xvhclab.errors import LabError

QEMU_LOG = "/var/log/xen/qemu-dm-stock.log"
QEMU_DIED = "Assertion `dev->state == USB_STATE_DEFAULT' failed"
ALLOWED = [(QEMU_DIED, "QEMU died of it, and the test began anew")]
ATTEMPTS = 4


def attach(lab, guest, port):
    """Hand the device in a port over with xl."""
    folder = f"/sys/bus/usb/devices/{port}"
    lab.dom0.wait(f"test -e {folder}/{port}:1.0/driver")
    # QEMU looks for the device once. One that it opens later is in no state to be talked to.
    lab.dom0.check("udevadm settle")
    lab.dom0.check(f"xl usbdev-attach {guest.name} hostbus=$(cat {folder}/busnum) "
                   f"hostaddr=$(cat {folder}/devnum)")


def qemu_died(lab):
    """Whether it was QEMU's own assertion that ended the attempt."""
    return lab.dom0.run(f"grep -qF {shlex.quote(QEMU_DIED)} {QEMU_LOG}")[0] == 0


def start_over(lab):
    """Take everything away, and wait until it is gone."""
    for guest in list(lab.guests.values()):
        guest.destroy()
    for device in list(lab.plugged.values()):
        lab.unplug(device)
    lab.dom0.wait("! pidof xen-qemu-system-i386")
    lab.dom0.check(f"rm -f {QEMU_LOG}")


def check_guest_on_qusb(lab, driver):
    for attempt in range(ATTEMPTS):
        try:
            try_guest_on_qusb(lab, driver)
            return
        except (AssertionError, LabError, TimedOut):
            if attempt + 1 == ATTEMPTS or not qemu_died(lab):
                raise
            print("    QEMU's qusb has died of an assertion of its own: once more", flush=True)
            start_over(lab)


def try_guest_on_qusb(lab, driver):
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
