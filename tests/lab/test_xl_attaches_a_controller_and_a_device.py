# SPDX-License-Identifier: MIT
"""Stock xl with type=pv: a controller in the guest's file and one at run time, a device on each."""
from sticks import image_sha256, noise_stick, read_sha256, wait_disk


def attach(lab, guest, port, controller):
    """xl takes a device that has no configuration: see docs/xl.md."""
    folder = f"/sys/bus/usb/devices/{port}"
    lab.dom0.wait(f"test -e {folder}/{port}:1.0/driver")
    lab.dom0.check(f"echo 0 > {folder}/bConfigurationValue")
    lab.dom0.check(f"xl usbdev-attach {guest.name} hostbus=$(cat {folder}/busnum) "
                   f"hostaddr=$(cat {folder}/devnum) controller={controller}")


def check_device(lab, guest, controller, number):
    image = noise_stick(lab, f"stick{number}", 3 + number)
    lab.plug("xhci.5", "storage", image=image)
    attach(lab, guest, "1-5", controller)
    wait_disk(guest)
    assert read_sha256(guest) == image_sha256(image)
    listed = lab.dom0.check(f"xl usb-list {guest.name}")
    assert "Port 1: Bus 001 Device" in listed, f"usb-list does not show it: {listed}"
    lab.dom0.check(f"xl usbdev-detach {guest.name} {controller} 1")
    guest.wait("! test -e /sys/block/sda")
    lab.dom0.wait("grep -q . /sys/bus/usb/devices/1-5/bConfigurationValue")
    lab.unplug(list(lab.plugged.values())[-1])


def test(lab):
    guest = lab.guest("web", config=["usbctrl=['type=pv,version=2,ports=2']"])
    listed = lab.dom0.check("xl usb-list web")
    assert " pv " in listed and " 4 " in listed, f"the controller is not connected: {listed}"
    check_device(lab, guest, 0, 0)
    lab.dom0.check("xl usbctrl-attach web type=pv version=2 ports=3")
    guest.wait("test $(ls -d /sys/bus/xen/devices/vusb-*/usb* | wc -l) = 4")
    assert guest.check("cat /sys/bus/xen/devices/vusb-1/usb*/maxchild | uniq") == "3"
    check_device(lab, guest, 1, 1)
    lab.dom0.check("xl usbctrl-detach web 1")
    guest.wait("test $(ls -d /sys/bus/usb/devices/usb* | wc -l) = 2")
    check_device(lab, guest, 0, 2)
    lab.dom0.check("xl usbctrl-detach web 0")
    guest.wait("! ls -d /sys/bus/usb/devices/usb*")
    lab.dom0.wait("! pidof xvhcd-worker")
