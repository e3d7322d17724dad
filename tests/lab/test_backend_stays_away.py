# SPDX-License-Identifier: MIT
"""xvhcd ends while a guest reads a stick, and does not come back. After a while the guest has no
stick any more, and the read has failed. Where the guest removes its driver while it waits, that
does not take long. When xvhcd runs again, the stick is there as a new device."""
from sticks import image_sha256, noise_stick, read_sha256, start_reading, wait_disk

# The driver's own limit is 20 s.
AWAY_MAX_S = 60
REMOVAL_MAX_S = 15


def test(lab):
    lab.dom0.check("xvhc give 1-5 web")
    web = lab.guest("web")
    image = noise_stick(lab, "stick", 4)
    lab.plug("xhci.5", "storage", image=image)
    for remove in (False, True):
        wait_disk(web, limit=60)
        number = web.check("cat /sys/bus/usb/devices/1-1/devnum").strip()
        reading = start_reading(web)
        lab.stop_xvhcd()
        assert web.check("cat /sys/bus/usb/devices/1-1/devnum").strip() == number
        if remove:
            web.check("echo vusb-1000 > /sys/bus/xen/drivers/xvhc/unbind && rmmod xvhc",
                      timeout=REMOVAL_MAX_S)
        web.wait("! test -e /sys/block/sda", AWAY_MAX_S)
        rc, said = reading.wait(30)
        print(f"    the read ended with {rc}: {said.strip()}")
        if remove:
            web.check("modprobe xvhc")
        lab.start_xvhcd()
    wait_disk(web, limit=60)
    assert read_sha256(web) == image_sha256(image)
