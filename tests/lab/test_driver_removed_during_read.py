# SPDX-License-Identifier: MIT
"""xvhc.ko is unbound and unloaded while a stick is read; later its port is taken away."""
from sticks import image_sha256, noise_stick, read_sha256, wait_disk

READ = ("while dd if=/dev/sda of=/dev/null bs=64k 2>/dev/null; do "
        "echo 3 > /proc/sys/vm/drop_caches; done; exit 1")


def start_reading(guest):
    wait_disk(guest)
    reader = guest.start(READ)
    guest.wait("awk '{exit !($3 > 4096)}' /sys/block/sda/stat")
    assert reader.running(), "nothing was read at that moment"
    return reader


def check_ended(guest, reader):
    rc, output = reader.wait(60)
    assert rc == 1, f"the read went on without a controller: {output}"
    guest.wait("! test -e /sys/block/sda")


def test(lab):
    lab.dom0.check("xvhc give 1-5 web")
    image = noise_stick(lab, "stick", 16)
    lab.plug("xhci.5", "storage", image=image)
    web = lab.guest("web")
    reader = start_reading(web)
    # XenBus holds on to a module as long as one of its devices is bound.
    web.check("echo vusb-1000 > /sys/bus/xen/drivers/xvhc/unbind && rmmod xvhc", timeout=60)
    check_ended(web, reader)
    web.check("modprobe xvhc")
    reader = start_reading(web)
    lab.dom0.check("xvhc take 1-5")
    check_ended(web, reader)
    lab.dom0.wait(f"! xenstore-exists /local/domain/{web.domid}/device/vusb/1000")
    lab.dom0.check("xvhc give 1-5 web")
    wait_disk(web)
    assert read_sha256(web) == image_sha256(image)
