# SPDX-License-Identifier: MIT
"""What xvhc captures, tshark reads: a guest's reads of a stick, with the stick's own data in them;
and an attacker's requests, each with the reason why it was refused."""
import collections
import json
import shutil
import subprocess

from sticks import MIB, SECTOR, noise_stick, wait_disk
from xvhclab import Skip

SIGINT = 2
USBMON_HEAD = 64
READ_10 = "0x28"


def tshark(path, *arguments):
    """What tshark says of a file. It complains of nothing."""
    done = subprocess.run(["tshark", "-n", "-r", path, *arguments], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    words = [line for line in done.stderr.splitlines() if "Running as user" not in line]
    assert done.returncode == 0 and not words, f"tshark does not like the file: {words}"
    return done.stdout


def fields(path, wanted, *names):
    """A list for each packet that the filter lets pass."""
    options = [word for name in names for word in ("-e", name)]
    return [line.split("\t") for line in
            tshark(path, "-Y", wanted, "-T", "fields", *options).splitlines()]


def begin(lab, guest, *options):
    """Captures in dom0. Returns the process, once it has begun."""
    capture = lab.dom0.start(f"xvhc capture {guest} -w /tmp/{guest}.pcapng {' '.join(options)}")
    lab.dom0.wait(f"test -s /tmp/{guest}.pcapng")
    return capture


def copy(lab, guest):
    """The file, on the host."""
    path = lab.run / f"{guest}.pcapng"
    path.write_bytes(lab.dom0.get(f"/tmp/{guest}.pcapng"))
    return path


def data_by_sector(path):
    """What READ (10) has read: {number of the first sector: bytes}."""
    read, sector = {}, None
    wanted = f"scsi_sbc.opcode == {READ_10} && usb.transfer_type == 3"
    commands = {number: lba for number, lba in
                fields(path, wanted + " && scsi_sbc.rdwr10.lba", "frame.number",
                       "scsi_sbc.rdwr10.lba")}
    packets = json.loads(tshark(path, "-Y", wanted, "-T", "jsonraw"))
    numbers = fields(path, wanted, "frame.number", "usb.urb_type", "usb.endpoint_address.direction",
                     "usb.data_len")
    assert len(numbers) == len(packets)
    for (number, event, direction, length), packet in zip(numbers, packets):
        if number in commands:
            sector = int(commands[number])
        elif event == "'C'" and direction == "1" and int(length) >= SECTOR:
            raw = bytes.fromhex(packet["_source"]["layers"]["frame_raw"][0])
            read[sector] = raw[USBMON_HEAD:]
    return read


def reads_of_a_stick(lab):
    dom0 = lab.dom0
    dom0.check("xvhc give 1-5 web")
    capture = begin(lab, "web")
    web = lab.guest("web")
    image = noise_stick(lab, "stick", 4)
    lab.plug("xhci.5", "storage", image=image)
    wait_disk(web)
    web.check("dd if=/dev/sda of=/dev/null bs=64k count=16 iflag=direct 2>/dev/null")
    capture.kill(SIGINT)
    rc, said = capture.wait(20)
    assert rc == 0 and " packets, 0 lost" in said, said
    assert "web does not run: waiting for it" in said, said
    assert dom0.check("stat -c %a /tmp/web.pcapng") == "600"
    path, content = copy(lab, "web"), image.read_bytes()
    read = data_by_sector(path)
    for sector, data in read.items():
        at = sector * SECTOR
        assert data == content[at:at + len(data)], f"sector {sector} is not what is on the stick"
    there = set()
    for sector, data in read.items():
        there.update(range(sector, sector + len(data) // SECTOR))
    assert there >= set(range(MIB // SECTOR)), "not all of the first MiB was captured"
    # All that reached the device has an answer; the names of port and device are right.
    events = collections.Counter(event for event, in fields(path, "usb", "usb.urb_type"))
    assert events["'S'"] == events["'C'"] + events.get("'E'", 0), events
    ports = {name for name, in fields(path, "usb", "frame.interface_name")}
    assert ports == {"web port 1-5"}, ports
    vendors = {name for name, in fields(path, "usb.idVendor", "usb.idVendor")}
    assert vendors == {"0x46f4"}, vendors
    answered = fields(path, "frame.comment contains \"answered by xvhcd\"", "usb.urb_type")
    assert answered, "SET_ADDRESS is not marked"


def requests_of_an_attacker(lab):
    lab.dom0.check("xvhc give 1-6 evil")
    image = noise_stick(lab, "evil", 2)
    lab.plug("xhci.6", "storage", image=image)
    capture = begin(lab, "evil", "-s 0")
    evil = lab.bare_guest("evil", "attack=pipe")
    evil.wait_end(90)
    capture.kill(SIGINT)
    rc, said = capture.wait(20)
    assert rc == 0, said
    path = copy(lab, "evil")
    refused = fields(path, "usb.urb_type == 'E'", "usb.urb_status", "frame.comment")
    verdicts = collections.Counter(comment.split(",")[0] for _, comment in refused)
    assert len(refused) > 20 and all(text.startswith("refused by xvhcd: ") for text in verdicts), \
        verdicts
    for text in ("a bit of the pipe that has no meaning", "there is no device in this port",
                 "no device has this address"):
        assert verdicts[f"refused by xvhcd: {text}"] > 0, verdicts
    assert {status for status, _ in refused} <= {"-22", "-19", "-32"}, refused


def test(lab):
    if not shutil.which("tshark"):
        raise Skip("tshark is not installed")
    reads_of_a_stick(lab)
    requests_of_an_attacker(lab)
