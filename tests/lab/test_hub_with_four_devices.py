# SPDX-License-Identifier: MIT
"""A hub with four devices behind it is plugged whole into a given port: all four appear in the
guest, each can come and go, dom0's drivers bind to none of them. It is unplugged, plugged in
again, met by an xvhcd that starts anew, and taken back."""
from hubs import HUB, check_dom0_has_none, check_hub_in_guest, four
from sticks import image_sha256, fat_stick, read_sha256, wait_disk


def check_commands(dom0):
    """A port behind the hub is not given or taken by itself, and the command says why."""
    rc, text = dom0.run(f"xvhc take {HUB}.1")
    assert rc != 0 and f"is behind the hub in port {HUB}" in text, text
    rc, text = dom0.run(f"xvhc give {HUB}.1 work")
    assert rc != 0 and "given to web already" in text and f"xvhc take {HUB}" in text, text
    rc, text = dom0.run(f"xvhc give {HUB}.1 web")
    assert rc == 0 and "already given to web" in text, text


def test(lab):
    dom0 = lab.dom0
    web, hub, devices = check_hub_in_guest(lab)
    check_commands(dom0)
    for behind in devices:
        behind.unplug()
    lab.unplug(hub)
    for behind in devices:
        web.wait(behind.gone)
    dom0.wait(f"xvhc list | grep ' {HUB} ' | grep 'ready, empty'")
    dom0.check(f"! xvhc list | grep ' {HUB}[.]'")
    # The same port, without the hub.
    image = fat_stick(lab, "plain", {"A.TXT": b"a"}, 4)
    stick = lab.plug("xhci.5", "storage", image=image)
    wait_disk(web)
    assert read_sha256(web) == image_sha256(image)
    lab.unplug(stick)
    # And with it again.
    lab.plug("xhci.5", "hub")
    devices = four(lab, image)
    for behind in devices:
        behind.there(web)
    check_dom0_has_none(dom0)
    # xvhcd starts anew while all is there.
    lab.stop_xvhcd(9)
    lab.start_xvhcd()
    for behind in devices:
        behind.there(web)
    check_dom0_has_none(dom0)
    # Taken back, dom0's drivers have the devices.
    dom0.check(f"xvhc take {HUB}")
    wait_disk(dom0)
    for behind in devices:
        web.wait(behind.gone)
    assert read_sha256(dom0) == image_sha256(image)
    # Given while dom0 has them, they go to the guest.
    dom0.check(f"xvhc give {HUB} web")
    for behind in devices:
        behind.there(web)
    assert read_sha256(web) == image_sha256(image)
    dom0.check("! ls /sys/block | grep '^sd'")
    # While dom0 uses one of them, the port is not given.
    dom0.check(f"xvhc take {HUB}")
    wait_disk(dom0)
    dom0.check("mkdir -p /mnt && mount -t vfat /dev/sda /mnt")
    rc, text = dom0.run(f"xvhc give {HUB} web")
    assert rc != 0 and "is mounted on /mnt in dom0" in text, text
    dom0.check("umount /mnt")
