# SPDX-License-Identifier: MIT
"""Somebody in the backend's domain writes nonsense into the rings while a guest reads a stick: wild
indices, a response to no request, one that is longer than its request. Each time the guest closes
the connection and says why, its URBs end, and a while later it connects anew by itself. So it is
with both versions of the wire; with the second one the stick stays what it was."""
from spoiler import Spoiler
from sticks import image_sha256, noise_stick, read_sha256, wait_disk

READ = ("while sleep 0; do echo 3 > /proc/sys/vm/drop_caches; "
        "dd if=/dev/sda of=/dev/null bs=64k 2>/dev/null; done")
SLOTS_1 = range(64, 64 + 16 * 148, 148)
SLOTS_2 = range(0, 4096, 64)

# What is written where, and what the guest must say of it.
WRONGS_1 = [
    ("urb-ring-ref", "0x7fffff00", [8], "the URB ring has an impossible index"),
    ("conn-ring-ref", "0x7fffff00", [8], "the connection ring has an impossible index"),
    ("urb-ring-ref", "0x0000ff00", SLOTS_1, "a response has an impossible id or length"),
    ("urb-ring-ref", "0x00010001", [slot + 8 for slot in SLOTS_1],
     "a response is longer than was asked for"),
]
WRONGS_2 = [
    ("head-ref", "0x7fffff00", [8], "the request ring has an impossible index"),
    ("head-ref", "0x7fffff00", [64 + 8], "the event ring has an impossible index"),
    # Read as a request, it is a transfer on port 1: the backend does not mind its id.
    ("ring-ref0", "0x01010064", SLOTS_2, "a response is to no request"),
    ("ring-ref0", "0x00200000", [slot + 8 for slot in SLOTS_2],
     "a response is longer than was asked for"),
]

ALLOWED = [(r"deferring g\.e\.|g\.e\. 0x[0-9a-f]+ still pending",
            "the page that is written to is mapped a while longer than the connection lasts")]


def closings(web):
    """What web's kernel has said so far of connections that it closed."""
    return [line.split("closing the connection: ")[1] for line in web.dmesg().splitlines()
            if "closing the connection: " in line]


def devices(web):
    """How often a device was new to web, and how often it was reset."""
    said = web.dmesg()
    return said.count("new high-speed USB device"), said.count("reset high-speed USB device")


def came_back(web, wire, before):
    """Has the device, since then: with version 1 as a new one, with version 2 after a reset."""
    new, reset = devices(web)
    return new > before[0] if wire == 1 else new == before[0] and reset > before[1]


def check_wrongs(lab, image, wire, wrongs):
    """A guest that speaks this version of the wire notices all of these."""
    web = lab.guest("web", arguments=f"xvhc.wire={wire}")
    spoiler = Spoiler(lab, web)
    web.start(READ)
    for page, value, offsets, said in wrongs:
        wait_disk(web, limit=60)
        web.wait("awk '{exit !($3 > 4096)}' /sys/block/sda/stat", 60)
        known = devices(web)
        before = closings(web)
        web.wait(lambda: spoiler.write(page, value, offsets) or len(closings(web)) > len(before),
                 60)
        assert closings(web) == before + [said], closings(web)
        web.wait(lambda: came_back(web, wire, known), 60)
    wait_disk(web, limit=60)
    assert read_sha256(web) == image_sha256(image)
    lab.dom0.check("xvhc list | grep 'in use by web'")
    web.destroy()


def test(lab):
    lab.dom0.check("xvhc give 1-5 web")
    image = noise_stick(lab, "stick", 4)
    lab.plug("xhci.5", "storage", image=image)
    check_wrongs(lab, image, 1, WRONGS_1)
    check_wrongs(lab, image, 2, WRONGS_2)
