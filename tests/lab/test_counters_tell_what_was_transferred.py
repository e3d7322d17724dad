# SPDX-License-Identifier: MIT
"""A guest reads and writes a stick: `xvhc show`, `top` and `metrics` say how much, in which
direction, and which requests failed. The figures go on when the worker is killed, and begin anew
with xvhcd."""
import json
import sys
from pathlib import Path

from sticks import image_sha256, noise_stick, read_sha256, readable_disk, wait_disk
from test_worker_is_killed import worker_of
from xvhclab.images import static_program

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
from exposition import Figures

MIB = 1 << 20
READ, WRITTEN, STALLS = 8, 2, 5


def show(lab):
    return json.loads(lab.dom0.check("xvhc show 1-5 --json"))


def stall(guest, count):
    """Have the guest make requests that the stick does not know."""
    guest.put("/tmp/lab-stall", static_program("stall").read_bytes())
    device = "/sys/bus/usb/devices/1-1"
    guest.check("chmod 755 /tmp/lab-stall && /tmp/lab-stall $(printf /dev/bus/usb/%03d/%03d "
                f"$(cat {device}/busnum {device}/devnum)) {count}")


def check_top(lab, guest):
    """While the guest reads, that is what top shows, and when it does not, it shows nothing."""
    def rates():
        got = json.loads(lab.dom0.check("xvhc top --json -n 1 -d 2"))["guests"]
        assert [row["guest"] for row in got] == ["web"], got
        assert got[0]["ports"][0]["device"]["vendor"] == "46f4", got
        return got[0]["transfers-per-second"], got[0]["bytes-in-per-second"]

    copy = guest.start("while dd if=/dev/sda of=/dev/null bs=64k iflag=direct 2>/dev/null; "
                       "do :; done")
    lab.dom0.wait(lambda: rates() > (4, 100000), 60)
    copy.kill(9)
    copy.wait(30)
    lab.dom0.wait(lambda: rates() == (0, 0), 60)


def check_figures(counters):
    """What was read and written is there, and not much more: partitions, and what a disk says."""
    bulk = counters["bytes"]["bulk"]
    assert READ * MIB <= bulk["in"] < (READ + 2) * MIB, counters
    assert WRITTEN * MIB <= bulk["out"] < (WRITTEN + 1) * MIB, counters
    assert counters["transfers"]["bulk"]["in"] > READ * MIB // 122880, counters
    assert counters["transfers"]["control"]["in"] > 0 and counters["in-flight"] <= 1, counters
    assert counters["errors"]["io"] == counters["errors"]["babble"] == 0, counters


def test(lab):
    dom0 = lab.dom0
    dom0.check("xvhc give 1-5 web")
    image = noise_stick(lab, "stick", READ)
    web = lab.guest("web")
    lab.plug("xhci.5", "storage", image=image)
    wait_disk(web)
    assert read_sha256(web) == image_sha256(image)
    web.check(f"dd if=/dev/zero of=/dev/sda bs=64k count={WRITTEN * 16} oflag=direct", timeout=60)
    shown = show(lab)
    check_figures(shown["counters"])
    assert shown["condition"] == "in-use" and shown["owner"]["domain"] == web.domid, shown
    wire = shown["connection"]["wire"]
    assert wire["version"] == 2 and wire["pool-pages"] > 0, shown
    assert shown["connection"]["counters"]["requests"] > 0, shown
    kinds = [event["kind"] for event in shown["events"]]
    assert "configured" in kinds, shown["events"]
    said = dom0.check("xvhc show 1-5")
    assert "version 2" in said and "08:06:50 storage" in said, said

    stall(web, STALLS)
    after = show(lab)["counters"]
    assert after["errors"]["stall"] == shown["counters"]["errors"]["stall"] + STALLS, after
    figures = Figures(dom0.check("xvhc metrics") + "\n")
    place = shown["place"]
    assert figures.values("xvhc_bytes_total", port=place, type="bulk", direction="in",
                          guest="web") == [after["bytes"]["bulk"]["in"]]
    stalls = figures.values("xvhc_errors_total", port=place, kind="stall")
    assert stalls == [after["errors"]["stall"]], stalls
    assert figures.values("xvhc_port_state", port=place, state="in-use") == [1]
    check_top(lab, web)

    before = show(lab)
    worker = worker_of(lab, web)
    assert int(worker) == before["connection"]["worker"]["pid"], before
    dom0.check(f"kill -9 {worker}")
    dom0.wait(lambda: worker_of(lab, web) != worker, 60)
    read_sha256(web, readable_disk(web))
    again = show(lab)
    assert again["counters"]["bytes"]["bulk"]["in"] >= \
        before["counters"]["bytes"]["bulk"]["in"] + READ * MIB, (before, again)
    assert again["connection"]["failures"] == before["connection"]["failures"] + 1, again
    assert again["connection"]["counters"]["requests"] > \
        before["connection"]["counters"]["requests"], again

    lab.stop_xvhcd()
    lab.start_xvhcd()
    dom0.wait("xvhc show 1-5 | grep 'in use by web'", 60)
    readable_disk(web)
    anew = show(lab)["counters"]["bytes"]["bulk"]["in"]
    assert anew < again["counters"]["bytes"]["bulk"]["in"], anew
    read_sha256(web, readable_disk(web))
    assert show(lab)["counters"]["bytes"]["bulk"]["in"] >= anew + READ * MIB
