# SPDX-License-Identifier: MIT
"""A port's life as xvhc monitor tells it: given, plugged, used, reset, its worker killed, refused,
unplugged, taken; each as soon as it happens, in that order, and to a second one afterwards."""
import json

from sticks import noise_stick, readable_disk, wait_disk
from xvhclab.images import static_program

CONFIG = "/etc/xvhc/xvhc.conf"
RULE = "rule 0x03:-1:-1:-1:0 of the filter of [guest web]"


class Events:
    """What an xvhc monitor --json in dom0 has told so far."""

    def __init__(self, dom0, last=1):
        self.dom0 = dom0
        self.process = dom0.start(f"exec xvhc monitor --json -n {last}")
        dom0.wait(self.all)
        self.seen = len(self.all())

    def all(self):
        return [json.loads(line) for line in self.process.text().splitlines(keepends=True)
                if line.endswith("\n")]

    def until(self, *kinds):
        """Wait for events of these kinds, in this order, behind those awaited before. Returns the
        last of them."""
        for kind in kinds:
            self.dom0.wait(lambda kind=kind: self.find(kind), 60)
            self.seen = self.find(kind)
        return self.all()[self.seen - 1]

    def find(self, kind):
        """The number of events up to the next one of this kind; 0: it has not come."""
        for index, event in enumerate(self.all()[self.seen:]):
            if event["kind"] == kind:
                return self.seen + index + 1
        return 0


def reset(web):
    web.put("/tmp/lab-reset", static_program("reset").read_bytes())
    web.check("chmod 755 /tmp/lab-reset && /tmp/lab-reset $(printf /dev/bus/usb/%03d/%03d $(cat "
              "/sys/bus/usb/devices/1-1/busnum /sys/bus/usb/devices/1-1/devnum))")


def test(lab):
    dom0 = lab.dom0
    events = Events(dom0)
    try:
        live(lab, events)
    finally:
        dom0.check(f"rm -f {CONFIG}; killall -HUP xvhcd")
    events.until("reloaded")
    seen = events.all()
    later = Events(dom0, len(seen))
    dom0.wait(lambda: len(later.all()) >= len(seen))
    assert later.all() == seen, "one who came later is told something else"
    dom0.wait("timeout 1 xvhc monitor -n 200 1-5 | grep -F ' refused ' | grep -qF "
              f"'does not get the device: {RULE}'")
    for monitor in (events, later):
        monitor.process.kill(2)
        assert monitor.process.wait()[0] == 130, "it does not end by Ctrl-C"


def live(lab, events):
    dom0 = lab.dom0
    dom0.check("xvhc give 1-5 web")
    given = events.until("given")
    assert (given["port"], given["guest"]) == ("1-5", "web"), given
    web = lab.guest("web")
    assert events.until("connected")["domain"] == web.domid

    image = noise_stick(lab, "stick", 2)
    stick = lab.plug("xhci.5", "storage", image=image)
    wait_disk(web)
    used = events.until("plugged", "attached", "configured")
    assert used["device"]["vendor"] == "46f4" and used["place"] == given["place"], used
    assert "QEMU" in used["device"]["name"] and used["domain"] == web.domid, used
    reset(web)
    assert events.until("reset")["count"] == 1
    events.until("configured")

    readable_disk(web)
    dom0.check("kill -9 $(pidof xvhcd-worker)")
    assert "signal 9" in events.until("error")["message"]
    assert events.until("disconnected", "restarting")["pause-ms"] > 0
    events.until("connected", "attached", "configured")
    readable_disk(web)
    lab.unplug(stick)
    gone = events.until("unplugged")
    assert gone["guest"] == "web" and gone["device"] == used["device"], gone
    events.until("detached")

    dom0.check("mkdir -p /etc/xvhc")
    dom0.put(CONFIG, b"[guest web]\nfilter = 0x03:-1:-1:-1:0|-1:-1:-1:-1:1\n")
    dom0.check("killall -HUP xvhcd")
    events.until("reloaded")
    keyboard = lab.plug("xhci.5", "kbd")
    assert events.until("plugged", "refused")["rule"] == RULE
    lab.unplug(keyboard)
    events.until("unplugged")
    dom0.check("xvhc take 1-5")
    events.until("taken", "disconnected")
