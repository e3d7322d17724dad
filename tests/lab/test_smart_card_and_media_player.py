# SPDX-License-Identifier: MIT
"""Drivers in the guest's user space: pcscd and libccid talk to a smart card, libmtp to a media
player, whose files are read and written."""
import os
import re

from card import ANSWER_TO_RESET, REVERSE, Card
from sticks import sha256
from xvhclab import TimedOut

SONG_BYTES = 3_000_017
DATA = bytes(range(0x21, 0x61))


def check_card(lab, web):
    path = lab.run / "card.socket"
    lab.plug("xhci.5", "ccid", socket=path)
    card = Card(path)
    web.wait("lsusb | grep -q 08e6:4433")
    daemon = web.start("exec pcscd --foreground 2>&1")
    atr = ":".join(f"{byte:02x}" for byte in ANSWER_TO_RESET)
    try:
        web.wait(f"opensc-tool --reader 0 --atr | grep -qi '{atr}'", 20)
    except TimedOut as late:
        raise AssertionError(f"{late}\npcscd says:\n{daemon.text()[-2000:]}") from None
    command = REVERSE + bytes([len(DATA)]) + DATA
    text = web.check("opensc-tool --reader 0 --card-driver default --send-apdu "
                     f"{command.hex(':')}:00", timeout=60)
    assert command in card.commands, f"the card got {card.commands}"
    assert "SW1=0x90, SW2=0x00" in text, text
    back = bytes.fromhex("".join(re.findall(r"^((?:[0-9A-F]{2} )+)", text, re.M)))
    assert back == DATA[::-1], f"the card's answer came as {back}"
    daemon.kill()


def check_player(lab, web):
    folder = lab.run / "player"
    folder.mkdir()
    song = os.urandom(SONG_BYTES)
    (folder / "song.mp3").write_bytes(song)
    lab.plug("xhci.6", "usb-mtp", rootdir=str(folder), readonly=False)
    web.wait("lsusb | grep -q 46f4:0004")
    listing = web.check("mtp-files", timeout=60)
    number = re.search(r"File ID: (\d+)\s+Filename: song.mp3", listing)
    assert number, listing
    web.check(f"mtp-getfile {number.group(1)} /tmp/song", timeout=60)
    text = web.check("sha256sum < /tmp/song")
    assert text.split()[0] == sha256(song), "the guest reads another song"
    web.check(f"head -c {SONG_BYTES} /dev/urandom > /tmp/new.mp3")
    wanted = web.check("sha256sum < /tmp/new.mp3").split()[0]
    web.check("mtp-sendfile /tmp/new.mp3 new.mp3", timeout=60)
    web.wait(lambda: (folder / "new.mp3").exists())
    assert sha256((folder / "new.mp3").read_bytes()) == wanted, "the player got another song"


def test(lab):
    lab.dom0.check("xvhc give 1-5 web && xvhc give 1-6 web")
    web = lab.guest("web", tools=True)
    check_player(lab, web)
    check_card(lab, web)
