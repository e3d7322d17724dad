# SPDX-License-Identifier: MIT
"""A person edits /etc/xvhc/ports.conf while xvhcd runs: a new line gives, one that is gone takes. A
line that cannot be read is said in the log, with its number, and loses nothing."""
from sticks import image_sha256, noise_stick, read_sha256, wait_disk

FILE = "/etc/xvhc/ports.conf"
LOG = "/var/log/xvhcd.log"


def test(lab):
    dom0 = lab.dom0
    dom0.check("xvhc give 1-6 web")
    place = dom0.check("xvhc list --places | sed -n 's/.* 1-5 *\\([^ ]*\\) .*/\\1/p'")
    image = noise_stick(lab, "stick", 4)
    stick = lab.plug("xhci.5", "storage", image=image)
    web = lab.guest("web")
    dom0.wait("readlink /sys/bus/usb/devices/1-5:1.0/driver | grep usb-storage")
    dom0.check(f"echo '{place} web # by hand' >>{FILE}")
    wait_disk(web)
    assert read_sha256(web) == image_sha256(image)
    # As vi does it, and as an editor does that writes a new file.
    number = dom0.check(f"grep -n 'by hand' {FILE} | cut -d: -f1")
    dom0.check(f"sed 's/ web # by/ we b # by/' {FILE} >/tmp/new && cat /tmp/new >{FILE}")
    dom0.wait(f"grep 'line {number} is left out' {LOG}")
    dom0.wait(f"grep '1-5 has no line any more; it stays given to web' {LOG}")
    assert read_sha256(web) == image_sha256(image)
    dom0.check(f"sed 's/ we b # by/ web # by/' {FILE} >{FILE}~ && mv {FILE}~ {FILE}")
    dom0.wait(f"test $(grep -c 'has changed, and is followed' {LOG}) = 3")
    assert read_sha256(web) == image_sha256(image)
    dom0.check(f"sed -i '/by hand/d' {FILE}")
    web.wait("! test -e /sys/block/sda")
    dom0.wait("readlink /sys/bus/usb/devices/1-5:1.0/driver | grep usb-storage")
    dom0.check("xvhc list web | grep ' 1-6 '")
    lab.unplug(stick)
