# SPDX-License-Identifier: MIT
"""xl saves and restores a PV guest that works on a mounted stick and reads a keyboard: both go on,
as the devices that they were. Where the stick was swapped for another meanwhile, and the keyboard
unplugged, the guest sees that."""
from saved import SavedGuest
from sticks import image_sha256, noise_stick, read_sha256, readable_disk


def test(lab):
    saved = SavedGuest(lab, "pv", "6.1")
    for _ in range(2):
        saved.save()
        saved.restore()
        saved.check_goes_on()
    saved.stick.unmount()

    saved.save()
    lab.unplug(saved.stick_plugged, gone="1-5")
    lab.unplug(saved.keyboard_plugged, gone="1-6")
    image = noise_stick(lab, "other", 2)
    lab.plug("xhci.5", "storage", image=image)
    saved.restore()
    web = saved.guest
    web.wait("! ls /sys/class/input | grep event", 60)
    saved.keyboard.reader.wait(30)
    web.wait("dmesg | grep 'usb 1-1: USB disconnect'", 60)
    assert read_sha256(web, readable_disk(web)) == image_sha256(image), "it reads another stick"
