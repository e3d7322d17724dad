# SPDX-License-Identifier: MIT
"""The lab's USB ports, and what can be plugged into them.

dom0 has these controllers, and dom0's kernel numbers their buses in this order:

    QEMU port       dom0's port       connector
    xhci.1 .. 4     1-1 .. 1-4        with SuperSpeed: the peer is 2-1 .. 2-4
    xhci.5 .. 8     1-5 .. 1-8        USB 2 only
    ehci.1 .. 6     3-1 .. 3-6        USB 2; what is only full or low speed appears on a companion:
                                      4-1 4-2, 5-1 5-2, 6-1 6-2

A device behind a hub is at "xhci.5.2": port 2 of the hub in xhci.5.
"""
import signal
import subprocess
from pathlib import Path

from . import images
from .errors import LabError
from .qemu import start_bound

XHCI = ["-device", "qemu-xhci,id=xhci,p2=8,p3=4,addr=10"]
CONTROLLERS = [
    *XHCI,
    "-device", "ich9-usb-ehci1,id=ehci,addr=1d.7,multifunction=on",
    "-device", "ich9-usb-uhci1,masterbus=ehci.0,firstport=0,addr=1d.0,multifunction=on",
    "-device", "ich9-usb-uhci2,masterbus=ehci.0,firstport=2,addr=1d.1,multifunction=on",
    "-device", "ich9-usb-uhci3,masterbus=ehci.0,firstport=4,addr=1d.2,multifunction=on",
]

# Kinds that the program of lab/devices plays.
MODELS = ("camera", "changeling", "disk", "keyboard", "keyboard_low", "meter", "microphone",
          "sourcesink")

# Kinds for which QEMU listens on the socket.
SERVED = ("serial", "ccid")

# Kinds that are one QEMU device with no more to it. Other names are taken as QEMU's own.
PLAIN = {"kbd": "usb-kbd", "mouse": "usb-mouse", "tablet": "usb-tablet", "hub": "usb-hub"}


def dom0_name(port):
    """The name in dom0 of a QEMU port for a device of high speed: "xhci.5.2" is "1-5.2"."""
    bus, _, rest = port.partition(".")
    return {"xhci": "1-", "ehci": "3-"}[bus] + rest


def superspeed_name(port):
    """The name in dom0 of a QEMU port for a SuperSpeed device: "xhci.1" is "2-1"."""
    bus, _, rest = port.partition(".")
    if bus != "xhci" or int(rest.split(".")[0]) > 4:
        raise LabError(f"port {port} has no SuperSpeed")
    return "2-" + rest


class Plugged:
    """A device in a port. Made by Lab.plug(); pulled out by Lab.unplug()."""

    def __init__(self, lab, name, port, kind, options):
        self.lab = lab
        self.id = name.replace("-", "_")
        self.port = port
        self.kind = kind
        self.options = dict(options)
        self.nodes = []
        self.devices = []
        self.chardev = None
        self.netdev = None
        self.program = None
        self.said = lab.run / f"device-{self.id}.log"

    def plug(self):
        method = getattr(self, f"plug_{self.kind}", None)
        if self.kind in MODELS:
            self.plug_model()
        elif method:
            method()
        else:
            self.add_device(PLAIN.get(self.kind, self.kind))

    def add_device(self, driver, name=None, port=True, **options):
        name = name or self.id
        if port:
            bus, _, number = self.port.partition(".")
            options.update(bus=f"{bus}.0", port=number)
            options.update(self.options)
        self.lab.qmp.command("device_add", driver=driver, id=name,
                             **{key.replace("_", "-") if key not in KEEP else key: value
                                for key, value in options.items()})
        self.devices.append(name)

    def add_node(self):
        """The file behind a disk: option image, and read_only."""
        image = Path(self.options.pop("image"))
        node = f"{self.id}-disk"
        self.lab.qmp.command("blockdev-add", driver="raw", **{
            "node-name": node, "read-only": bool(self.options.get("read_only", False)),
            "file": {"driver": "file", "filename": str(image.resolve()), "locking": "off"}})
        self.options.pop("read_only", None)
        self.nodes.append(node)
        return node

    def plug_storage(self):
        """A stick. Options: image (file of the host), serial, read_only."""
        self.add_device("usb-storage", drive=self.add_node(), removable=True)

    def plug_uas(self):
        """A disk that speaks UAS. Options: image, read_only."""
        node = self.add_node()
        self.add_device("usb-uas")
        self.add_device("scsi-hd", f"{self.id}_lun", port=False, bus=f"{self.id}.0", drive=node)
        # QEMU keeps a UAS device unplugged until it has its disk and is told so.
        self.lab.qmp.command("qom-set", path=f"/machine/peripheral/{self.id}", property="attached",
                             value=True)

    def plug_serial(self):
        """An FTDI serial adapter. Option socket: a Unix socket on which QEMU listens."""
        self.add_chardev("null")
        self.options.setdefault("always_plugged", True)
        self.add_device("usb-serial", chardev=self.chardev)

    def plug_audio(self):
        """A loudspeaker: isochronous OUT."""
        self.add_device("usb-audio", audiodev="sound")

    def plug_net(self):
        """A network adapter, CDC Ethernet. On its network 10.0.2.2 is the host itself, to whoever
        takes the address 10.0.2.15."""
        self.netdev = f"{self.id}-network"
        self.lab.qmp.command("netdev_add", type="user", id=self.netdev)
        self.add_device("usb-net", netdev=self.netdev)

    def plug_ccid(self):
        """A reader with a smart card in it, which a program plays that connects to the Unix socket
        of option socket."""
        self.add_chardev(None)
        self.add_device("usb-ccid")
        self.add_device("ccid-card-passthru", f"{self.id}_card", port=False, bus=f"{self.id}.0",
                        chardev=self.chardev)

    def plug_redir(self):
        """A device that a program plays. Option socket: the program listens there."""
        self.add_chardev(None)
        self.add_device("usb-redir", chardev=self.chardev)

    def plug_model(self):
        """A device that lab/devices plays. What it says is read by says()."""
        socket = self.lab.run / f"{self.id}.socket"
        with open(self.said, "wb") as log:
            self.program = start_bound([images.device_program(), self.kind, socket], log)
        self.lab.dom0.wait(lambda: socket.exists() or self.program.poll() is not None, 10)
        self.options["socket"] = socket
        self.plug_redir()
        socket.unlink()

    def says(self):
        """The lines that a model has said so far."""
        return self.said.read_text().splitlines()

    def wait_said(self, line, limit=20):
        """Wait until a model has said a line."""
        self.lab.dom0.wait(lambda: line in self.says(), limit)

    def poke(self):
        """Have a model do what it does by itself, as lab/README.md tells."""
        self.program.send_signal(signal.SIGUSR1)

    def add_chardev(self, otherwise):
        path = self.options.pop("socket", None)
        self.chardev = f"{self.id}-link"
        if path:
            backend = {"type": "socket", "data": {
                "addr": {"type": "unix", "data": {"path": str(path)}},
                "server": self.kind in SERVED,
                **({"wait": False} if self.kind in SERVED else {})}}
        elif otherwise:
            backend = {"type": otherwise, "data": {}}
        else:
            raise LabError(f"a {self.kind} device needs the option socket")
        self.lab.qmp.command("chardev-add", id=self.chardev, backend=backend)

    def unplug(self):
        self.lab.qmp.forget()
        name = self.devices[0]
        self.lab.qmp.command("device_del", id=name)
        self.lab.qmp.wait_event("DEVICE_DELETED", lambda data: data.get("device") == name, 20)
        for node in self.nodes:
            self.lab.qmp.command("blockdev-del", **{"node-name": node})
        # QEMU's usb-redir removes its chardev by itself.
        if self.chardev and self.kind in SERVED:
            self.lab.qmp.command("chardev-remove", id=self.chardev)
        if self.netdev:
            self.lab.qmp.command("netdev_del", id=self.netdev)
        self.end_program()

    def end_program(self):
        """A model ends by itself when QEMU has left it."""
        if not self.program:
            return
        try:
            status = self.program.wait(10)
        except subprocess.TimeoutExpired:
            self.program.kill()
            status = "nothing within 10 s"
        if status != 0:
            raise LabError(f"the program that played the {self.kind} ended with {status}: "
                           + "\n".join(self.says()))


# QEMU's option names that have an underscore.
KEEP = {"usb_version", "min_io_size", "bootindex"}
