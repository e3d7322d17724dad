# SPDX-License-Identifier: MIT
"""Two ports of a hub go to a guest, the hub and its other ports stay with dom0. A keyboard of low
speed and a serial adapter of full speed work in the guest behind it, a keyboard in dom0."""
from keys import EV_KEY, check_events, check_keys, pressed
from lines import check_line

SPEEDS = {"1-1": "1.5", "1-2": "12"}  # in the guest


def test(lab):
    dom0 = lab.dom0
    lab.plug("xhci.5", "hub")
    dom0.wait("xvhc list | grep ' 1-5.2 '")
    dom0.check("xvhc give 1-5.2 web && xvhc give 1-5.3 web")
    web = lab.guest("web")
    for again in (False, True):
        slow = lab.plug("xhci.5.2", "keyboard_low")
        line = lab.plug("xhci.5.3", "serial", socket=lab.run / f"line{again}")
        own = lab.plug("xhci.5.4", "kbd")
        for name, port in (("1-1", "1-5.2"), ("1-2", "1-5.3")):
            for machine, place in ((web, name), (dom0, port)):
                speed = machine.wait(f"cat /sys/bus/usb/devices/{place}/speed")
                assert speed == SPEEDS[name], f"{place} has {speed} Mbit/s in {machine.name}"
        check_events(web, "Model keyboard", {EV_KEY}, slow.poke, pressed(["a"]))
        check_line(web, lab.run / f"line{again}")
        check_keys(lab, dom0)
        for device in (slow, line, own):
            lab.unplug(device)
        web.wait("! ls -d /sys/bus/usb/devices/1-[12]")
    dom0.check("! dmesg | grep -E 'usbhid 1-5[.]2|ftdi_sio 1-5[.]3'")
