# SPDX-License-Identifier: MIT
"""A port of another machine, by USB/IP: a guest plays that machine. It owns the USB controller,
runs usbipd, and has a network to dom0. The device goes to a second guest; no driver of dom0 meets
it. The link breaks and comes back, xvhcd restarts, and the port is taken."""
from driver_domain import STOPPED, XHCI, hand_over_usb
from sticks import image_sha256, noise_stick, read_sha256, wait_disk
from xvhclab import images

LAB = {"driver_domain": True}
LIMIT = 600
ALLOWED = [STOPPED]
PORT = "usbip://10.9.0.2/1-5"


def start_server(lab):
    """The other machine."""
    images.usbip_image()
    lab.unpack("usbip")
    lab.dom0.check("modprobe xen-netback && ip link set lo up")
    server = lab.guest("server", driver=None, memory=320, archives=("usbip",), config=[
        f"pci=['{XHCI}']", f"vif=['script={images.VIF_SCRIPT}']"])
    server.check("modprobe -a xen-pcifront xhci_pci xen-netfront usbip_host && "
                 "ip link set lo up")
    server.wait("test -e /sys/class/net/eth0")
    server.check("ip addr add 10.9.0.2/24 dev eth0 && ip link set eth0 up")
    lab.dom0.wait("ping -c 1 10.9.0.2")
    return server


def export(server):
    server.wait("test -e /sys/bus/usb/devices/1-5/bConfigurationValue")
    server.wait("usbip bind -b 1-5")


def start_usbipd(server):
    server.check("usbipd -D && pidof usbipd")


def refused(lab, word):
    code, said = lab.dom0.run(f"xvhc give {PORT} web", timeout=90)
    assert code == 1 and word in said, f"it does not say '{word}': {said}"


def check_what_is_missing(lab, server):
    lab.dom0.check("mv /usr/sbin/usbip /usr/sbin/away")
    lab.dom0.check("modprobe vhci_hcd")
    refused(lab, "apt install usbip")
    lab.dom0.check("mv /usr/sbin/away /usr/sbin/usbip; rmmod vhci_hcd")
    lab.dom0.wait("! test -e /sys/devices/platform/vhci_hcd.0")
    refused(lab, "modprobe vhci_hcd")
    lab.dom0.check("modprobe vhci_hcd")
    refused(lab, "10.9.0.2 does not answer")
    start_usbipd(server)
    refused(lab, "usbip bind -b 1-5")


def check_reads(lab, web, image):
    wait_disk(web, limit=60)
    assert read_sha256(web) == image_sha256(image), "the guest reads other data"
    lab.dom0.check("! test -e /sys/block/sda")


def check_link_that_breaks(lab, server, web, image):
    """All of usbipd's connections end, as when the other machine is rebooted."""
    server.check("kill -9 $(pidof usbipd); usbip unbind -b 1-5")
    web.wait("! test -e /sys/block/sda", 60)
    lab.dom0.wait("xvhc list | grep 'does not answer'", 60)
    start_usbipd(server)
    lab.dom0.wait("xvhc list | grep 'does not export'", 60)
    export(server)
    check_reads(lab, web, image)


def test(lab):
    hand_over_usb(lab)
    server = start_server(lab)
    check_what_is_missing(lab, server)
    web = lab.guest("web")
    image = noise_stick(lab, "stick", 4)
    lab.plug("xhci.5", "storage", image=image)
    export(server)
    said = lab.dom0.check(f"xvhc give {PORT} web", timeout=60)
    assert f"Port {PORT} is given to web" in said, said
    lab.dom0.check(f"grep -q '^{PORT}  *web' /etc/xvhc/ports.conf")
    lab.dom0.wait(f"xvhc list | grep '{PORT} .*in use by web'", 60)
    check_reads(lab, web, image)
    check_link_that_breaks(lab, server, web, image)
    lives = web.check("cat /sys/block/sda/diskseq")
    lab.stop_xvhcd()
    lab.start_xvhcd()
    check_reads(lab, web, image)
    assert web.check("cat /sys/block/sda/diskseq") == lives, "the disk is another one"
    drivers = lab.dom0.dmesg()
    assert "usb-storage" not in drivers, f"a driver of dom0 met the device:\n{drivers}"
    assert "taken" in lab.dom0.check(f"xvhc take {PORT}", timeout=60)
    web.wait("! ls -d /sys/bus/usb/devices/usb*")
    lab.dom0.check("! grep -v '^hub' /sys/devices/platform/vhci_hcd.0/status | grep -v ' 004 '")
    lab.dom0.check(f"! test -e /sys/block/sda && ! grep {PORT} /etc/xvhc/ports.conf")
    lab.dom0.check("rmmod vhci_hcd")
