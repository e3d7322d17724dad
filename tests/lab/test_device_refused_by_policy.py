# SPDX-License-Identifier: MIT
"""A rule refuses sticks to one guest: it sees none, dom0's drivers stay away, list says why.

The next device in the same port is another matter. A keyboard that turns into a stick is noticed.
"""
import json

from keys import check_keys
from sticks import noise_stick, wait_disk

XVHCD = False

CONFIG = "/etc/xvhc/xvhc.conf"
RULE = "rule 0x08:-1:-1:-1:0 of the filter of [guest web]"
BINDS = "dmesg | grep -cE '(usb-storage|usbhid|uas) 1-5|scsi host.*1-5' || true"


def port(lab):
    ports = json.loads(lab.dom0.check("xvhc list --json"))["ports"]
    return next(p for p in ports if "1-5" in p["names"])


def test(lab):
    dom0 = lab.dom0
    dom0.check("mkdir -p /etc/xvhc")
    dom0.put(CONFIG, b"[guest web]\nfilter = nonsense\n")
    try:
        rc, said = dom0.run("xvhcd")
        assert rc == 1 and f"{CONFIG}: line 2: " in said, f"a bad line: {rc}, {said}"
        dom0.put(CONFIG, b"[guest web]\nfilter = 0x08:-1:-1:-1:0|-1:-1:-1:-1:1\n")
        lab.start_xvhcd()
        refuse(lab)
    finally:
        dom0.check(f"rm {CONFIG}; killall -HUP xvhcd || true")


def refuse(lab):
    dom0 = lab.dom0
    dom0.check("xvhc give 1-5 web && xvhc give 1-6 work")
    web = lab.guest("web")
    work = lab.guest("work", kind="pvh")
    image = noise_stick(lab, "stick", 2)
    before = dom0.check(BINDS)
    stick = lab.plug("xhci.5", "storage", image=image)
    dom0.wait("xvhc list | grep ' 1-5 ' | grep -q refused")
    assert port(lab)["refused-by"] == RULE, port(lab)
    # The other guest may have one like it: by then the first would have had its own.
    other = lab.plug("xhci.6", "storage", image=noise_stick(lab, "other", 2))
    wait_disk(work)
    lab.unplug(other)
    web.check("! ls -d /sys/bus/usb/devices/[0-9]*-[0-9]* | grep -v :")
    dom0.check("! test -e /sys/block/sda && ! test -e /sys/bus/usb/devices/1-5:1.0")
    assert dom0.check(BINDS) == before, "a driver of dom0 bound to a refused device"
    lab.unplug(stick)
    dom0.wait("xvhc list | grep ' 1-5 ' | grep -q 'ready, empty'")

    keyboard = lab.plug("xhci.5", "kbd")
    check_keys(lab, web)
    assert port(lab)["refused-by"] is None and port(lab)["changed-from"] is None
    lab.unplug(keyboard)
    stick = lab.plug("xhci.5", "storage", image=image)
    dom0.wait("xvhc list | grep ' 1-5 ' | grep -q 'refused: .* before'")
    assert port(lab)["refused-by"] == RULE, port(lab)
    assert port(lab)["changed-from"].startswith("0627:0001 (03:01:01"), port(lab)
    dom0.check("grep -q 'has come back as 46f4:0001' /var/log/xvhcd.log")
    assert dom0.check(BINDS) == before, "a driver of dom0 bound to a refused device"
    lab.unplug(stick)
