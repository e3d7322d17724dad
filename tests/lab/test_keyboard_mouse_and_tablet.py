# SPDX-License-Identifier: MIT
"""Keyboard, mouse and tablet: what is done at them arrives in the guest as it was done, and the
guest sets the keyboard's lights."""
import base64

from keys import (EV_ABS, EV_KEY, EV_LED, EV_REL, EVENT, check_events, check_keys, find_input,
                  pressed)

BTN_LEFT = 0x110
LIGHTS = {"num lock": (0, 1), "caps lock": (1, 2), "scroll lock": (2, 4)}  # Linux's code, HID's bit


def send(lab, *events):
    lab.qmp.command("input-send-event", events=[{"type": kind, "data": data}
                                                for kind, data in events])


def check_mouse(lab, web):
    """Moves and clicks, at once and one after the other."""
    def use():
        send(lab, ("rel", {"axis": "x", "value": 7}), ("rel", {"axis": "y", "value": -9}))
        send(lab, ("btn", {"button": "left", "down": True}))
        send(lab, ("btn", {"button": "left", "down": False}))
        send(lab, ("rel", {"axis": "x", "value": -100}))

    check_events(web, "Mouse", {EV_REL, EV_KEY}, use, [
        (EV_REL, 0, 7), (EV_REL, 1, -9), (EV_KEY, BTN_LEFT, 1), (EV_KEY, BTN_LEFT, 0),
        (EV_REL, 0, -100)])


def check_tablet(lab, web):
    def use():
        for x, y in ((100, 200), (32000, 31000)):
            send(lab, ("abs", {"axis": "x", "value": x}), ("abs", {"axis": "y", "value": y}))

    check_events(web, "Tablet", {EV_ABS}, use, [
        (EV_ABS, 0, 100), (EV_ABS, 1, 200), (EV_ABS, 0, 32000), (EV_ABS, 1, 31000)])


def check_lights(web, keyboard):
    device = find_input(web, "Model keyboard")
    for name, (code, bit) in LIGHTS.items():
        for value in (1, 0):
            before = len(keyboard.says())
            event = EVENT.pack(0, 0, EV_LED, code, value)
            web.check(f"echo {base64.b64encode(event).decode()} | base64 -d > {device}")
            web.wait(lambda: keyboard.says()[before:], 10)
            said = keyboard.says()[before:]
            assert said == [f"lights {bit * value}"], f"{name} was set to {value}: {said}"


def test(lab):
    for port in ("1-5", "1-6", "1-7", "1-8"):
        lab.dom0.check(f"xvhc give {port} web")
    web = lab.guest("web")
    lab.plug("xhci.5", "kbd")
    check_keys(lab, web)
    lab.plug("xhci.6", "mouse")
    check_mouse(lab, web)
    lab.plug("xhci.7", "tablet")
    check_tablet(lab, web)
    keyboard = lab.plug("xhci.8", "keyboard")
    check_lights(web, keyboard)
    check_events(web, "Model keyboard", {EV_KEY}, keyboard.poke, pressed(["a"]))
