# SPDX-License-Identifier: MIT
"""The lab itself: one QEMU with Xen in it, its dom0, its guests, what is plugged in.

Start: QEMU loads Xen, dom0's kernel and its image by multiboot. dom0's init brings up Xen's
services and ends as the agent, which answers on a virtio-serial port. The host's folder <run>/share
is dom0's /host, build/lab/images its /images (9p).

End: stop() kills QEMU by its process id. It is reached on every way out of a `with` block, on
SIGTERM, and at the lab's limit; the kernel does it when this process is killed.
"""
import os
import shutil
import signal
import threading
import time
from pathlib import Path

from . import agent, debug_kernel, images, paths, usb
from .errors import LabError, TimedOut
from .bare import BareGuest
from .guest import DOM0, FAST, Guest
from .logs import KernelLog, Log
from .domain import Machine
from .qemu import Qmp, connect, start_bound

XEN_ARGUMENTS = ("console=com1 com1=115200,8n1 dom0_mem={dom0_memory}M,max:{dom0_memory}M "
                 "loglvl=all guest_loglvl=all noreboot=1 no-real-mode edd=off {more}")
# What QEMU 7.2's emulation gets wrong is taken out of the processor. With SMAP a PV dom0 dies at
# its first trap, with RDTSCP a PVH guest stops. With AVX a task's vector registers are sometimes
# lost when it is interrupted, in every domain: memcpy() then copies zeros and programs crash. With
# ERMS kernels copy by "rep movsb", for which the emulation takes a step for each byte.
CPU = "max,-smap,-smep,-rdtscp,-erms,-xsave,-xsaveopt,-avx,-avx2,-f16c,-fma,-vaes,-vpclmulqdq"

# Boots take seconds; these are for machines on which much else runs.
BOOT_LIMIT = 240


class Dom0(Machine):
    """The control domain."""

    name = "dom0"

    def __init__(self, lab):
        self.lab = lab
        self.kernel_log = KernelLog(lab.run / "dom0-kernel.log")

    def attach(self, path, limit, alive):
        self.socket = connect(path, 10, alive)
        self.agent = agent.Agent("dom0", self.socket.sendall)
        threading.Thread(target=self.read, daemon=True, name="dom0").start()
        self.agent.wait_hello(limit, alive)
        self.agent.start("exec cat /dev/kmsg", 0, self.kernel_log.feed)

    def read(self):
        try:
            while True:
                data = self.socket.recv(65536)
                if not data:
                    break
                self.agent.feed(data)
        except OSError:
            pass
        self.agent.close()

    def put(self, path, data):
        """Write bytes or text to a file in dom0, through the shared folder."""
        data = data.encode() if isinstance(data, str) else data
        name = self.lab.share_file(data)
        self.check(f"cp /host/{name} '{path}' && rm /host/{name}")

    def get(self, path):
        """The bytes of a file in dom0."""
        name = self.lab.share_name()
        self.check(f"cat '{path}' > /host/{name}", timeout=120)
        place = self.lab.share / name
        data = place.read_bytes()
        place.unlink()
        return data

    def detach(self):
        if self.agent:
            self.agent.close()
            self.socket.close()


class Lab:
    """A context manager: `with Lab() as lab: lab.dom0.check("xl info")`.

    build: the folder with xvhcd, xvhcd-worker and xvhc. limit: seconds after which everything is
    killed. extra: {name in dom0: file of the host}, more binaries for dom0. use_debug_kernel:
    guests that would have kernel 6.1 have the debug kernel. disks: files that are dom0's /dev/vda
    and so on; what is written to them is gone after this lab. With dom0_arguments "lab.root=vda"
    dom0 is what is on the first: see system.py. driver_domain: the
    machine has an IOMMU, and the xHCI is its only USB controller, so that a guest can own all USB.
    """

    def __init__(self, build=None, limit=900, memory=4096, dom0_memory=1536, name="lab",
                 xen_arguments="", dom0_arguments="", extra=None, use_debug_kernel=False,
                 disks=(), driver_domain=False):
        self.build = Path(build or paths.BUILD)
        self.limit = limit
        self.memory = memory
        self.dom0_memory = dom0_memory
        self.xen_arguments = xen_arguments
        self.dom0_arguments = dom0_arguments
        self.extra = extra
        self.use_debug_kernel = use_debug_kernel
        self.disks = list(disks)
        self.driver_domain = driver_domain
        self.run = paths.LAB / "run" / f"{name}.{os.getpid()}"
        self.share = self.run / "share"
        self.process = None
        self.qmp = None
        self.dom0 = None
        self.watchdog = None
        self.guests = {}
        self.died_at_birth = set()  # domain numbers, see guest.py
        self.plugged = {}
        self.numbers = 0
        self.loaded = set()
        self.over_limit = False
        self.began = 0
        self.boot_seconds = None
        self.trace = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    # Start and end.

    def start(self):
        """Boot Xen and dom0. Returns when dom0's agent answers."""
        images.build_all(kernels=())
        remove_old_runs()
        shutil.rmtree(self.run, ignore_errors=True)
        self.share.mkdir(parents=True)
        self.trace = Log(self.run / "trace.log")
        self.began = time.monotonic()
        on_sigterm_exit()
        try:
            self.start_qemu()
            self.watchdog = threading.Timer(self.limit, self.end_by_limit)
            self.watchdog.daemon = True
            self.watchdog.start()
            self.qmp = Qmp(self.run / "qmp", self.alive)
            self.dom0 = Dom0(self)
            self.dom0.attach(self.run / "agent", BOOT_LIMIT, self.alive)
        except BaseException:
            self.stop(keep=True)
            raise
        self.boot_seconds = time.monotonic() - self.began

    def start_qemu(self):
        overlay = self.run / "project.cpio"
        images.project_overlay(self.build, self.extra).write(overlay)
        dom0 = self.run / "dom0.cpio"
        images.join([images.dom0_image(), overlay], dom0)
        kernel = images.vmlinux(images.DOM0_KERNEL)
        command = [
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
            "-vga", "none", "-no-reboot", "-machine", "q35,i8042=off", "-accel", "tcg,thread=multi",
            "-cpu", CPU, "-smp", "2", "-m", str(self.memory),
            "-kernel", str(images.xen()),
            "-append", XEN_ARGUMENTS.format(dom0_memory=self.dom0_memory, more=self.xen_arguments),
            "-initrd", f"{kernel} console=hvc0 loglevel=3 {FAST} {DOM0} {self.dom0_arguments},"
                       f"{dom0}",
            "-chardev", f"file,id=com1,path={self.run}/xen-console.log", "-serial", "chardev:com1",
            *(["-device", "intel-iommu"] if self.driver_domain else []),
            "-qmp", f"unix:{self.run}/qmp,server=on,wait=off",
            "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=agent,path={self.run}/agent,server=on,wait=off",
            "-device", "virtserialport,chardev=agent,name=lab.agent",
            "-fsdev", f"local,id=host,path={self.share},security_model=none",
            "-device", "virtio-9p-pci,fsdev=host,mount_tag=host",
            "-fsdev", f"local,id=images,path={paths.IMAGES},security_model=none,readonly=on",
            "-device", "virtio-9p-pci,fsdev=images,mount_tag=images",
            "-audiodev", f"wav,id=sound,path={self.run}/sound.wav,out.frequency=48000",
            *(usb.XHCI if self.driver_domain else usb.CONTROLLERS),
        ]
        for disk in self.disks:
            command += ["-drive", f"file={disk},format=raw,if=virtio,snapshot=on"]
        with open(self.run / "qemu.log", "wb") as log:
            self.process = start_bound(command, log)

    def alive(self):
        """Does QEMU still run?"""
        return self.process is not None and self.process.poll() is None

    def end_by_limit(self):
        self.over_limit = True
        self.process.kill()

    def stop(self, keep=False):
        """Kill QEMU and wait for its end. The logs stay in build/lab/run until the next lab
        of this name, or for good with keep."""
        if self.watchdog:
            self.watchdog.cancel()
        for guest in list(self.guests.values()):
            guest.detach()
        if self.process:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
        if self.dom0:
            self.dom0.detach()
        if self.qmp:
            self.qmp.close()
        self.process = None
        (self.run / "dom0.cpio").unlink(missing_ok=True)
        shutil.rmtree(self.share, ignore_errors=True)
        if not keep:
            shutil.rmtree(self.run, ignore_errors=True)

    # Files between the host and dom0.

    def share_name(self):
        self.numbers += 1
        return f"file{self.numbers}"

    def share_file(self, data):
        name = self.share_name()
        (self.share / name).write_bytes(data)
        return name

    # Guests.

    def guest(self, name, kind="pv", kernel="6.1", driver="xvhc", config=(), memory=256, vcpus=1,
              load=True, arguments="", tools=False, xvhcd=False, archives=(), wait=True):
        """Create a guest and wait for its agent.

        kind: "pv" or "pvh". kernel: "6.1" or "6.12". driver: "xvhc", "xen-hcd" or None; load=False
        leaves it unloaded, in /lib/modules/lab. config: more lines for the xl file, such as
        "usbctrl=['type=pv,version=2,ports=4']". arguments: for the kernel's command line.
        tools: Debian's programs for devices are in it (see images.TOOLS). xvhcd: this project's own
        programs are in it, and those of XenStore. archives: names of
        more archives in build/lab/images that are put on top of its image.
        wait=False returns before the agent answers (guest.wait_ready() waits).
        """
        if self.use_debug_kernel and kernel == "6.1":
            kernel, memory = debug_kernel.NAME, max(memory, debug_kernel.MEMORY_MIN)
        if tools:
            images.tools_image()
            archives = ("tools", *archives)
        if xvhcd:
            archives = (images.project_archive(self.build), *archives)
        guest = Guest(self, name, kind, kernel, driver, config, memory, vcpus, load, arguments,
                      archives)
        self.guests[name] = guest
        guest.create(wait)
        return guest

    def bare_guest(self, name, arguments, config=(), memory=16):
        """Start the guest without an operating system (frontend/bare), which ends by itself.

        arguments: "work", "work wire=2", or "attack=NAME": see frontend/bare/README.md.
        """
        guest = BareGuest(self, name, arguments, config, memory)
        self.guests[name] = guest
        guest.create()
        return guest

    # What is plugged in.

    def plug(self, port, kind, **options):
        """Plug a device into a port such as "xhci.1" (see usb.py). Returns a usb.Plugged."""
        self.numbers += 1
        device = usb.Plugged(self, f"{kind}{self.numbers}", port, kind, options)
        device.plug()
        self.plugged[device.id] = device
        return device

    def unplug(self, device, gone=None):
        """Pull a device out: what plug() returned, or its id.

        gone: its name in dom0's sysfs; waits until dom0 has noticed. No hand is as fast as this
        lab, and a device that is back while dom0 resets it is to the kernel the one that was there.
        """
        device = self.plugged.pop(device if isinstance(device, str) else device.id)
        device.unplug()
        if gone:
            self.dom0.wait(f"! test -e /sys/bus/usb/devices/{gone}", 60)

    def keys(self, *names):
        """Press and release keys, by QEMU's names ("a", "ret"), on the plugged keyboard."""
        for name in names:
            self.qmp.command("send-key", keys=[{"type": "qcode", "data": name}])

    # Our own parts, and those for comparison.

    def start_xvhcd(self, arguments="", limit=20):
        """Start the broker in dom0 and wait until it answers. Its log: /var/log/xvhcd.log."""
        self.dom0.check(f"setsid /usr/sbin/xvhcd {arguments} </dev/null >>/var/log/xvhcd.log 2>&1 "
                        "& echo $! >/run/lab-xvhcd.pid")
        try:
            self.dom0.wait("xvhc list >/dev/null", limit)
        except TimedOut as error:
            raise LabError(f"xvhcd does not answer: {error}\n"
                           + self.dom0.run("tail -n 20 /var/log/xvhcd.log")[1]) from None

    def stop_xvhcd(self, signal_number=15, limit=20):
        """Send the broker a signal and wait for its end."""
        self.dom0.check(f"kill -{signal_number} $(cat /run/lab-xvhcd.pid)")
        self.dom0.wait("! kill -0 $(cat /run/lab-xvhcd.pid) 2>/dev/null", limit)

    def load_qemu(self):
        """Unpack QEMU with the qusb backend into dom0 (once)."""
        images.qemu_image()
        self.unpack("qemu")

    def load_tools(self):
        """Unpack Debian's programs for devices into dom0 (once): see images.TOOLS."""
        images.tools_image()
        self.unpack("tools")

    def load_init(self):
        """Unpack what Debian's init scripts call into dom0 (once)."""
        images.init_image()
        self.unpack("init")

    def unpack(self, name):
        """Unpack the archive build/lab/images/<name>.cpio into dom0 (once)."""
        if name not in self.loaded:
            self.dom0.check(f"cd / && cpio -idmu < /images/{name}.cpio 2>/dev/null", timeout=60)
            self.loaded.add(name)


def remove_old_runs():
    """Remove what labs left behind whose programs were killed."""
    for folder in (paths.LAB / "run").glob("*.*"):
        if not Path(f"/proc/{folder.suffix[1:]}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def on_sigterm_exit():
    """Make SIGTERM an ordinary way out, so that `with` blocks end. Only in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        return

    def leave(number, _frame):
        raise SystemExit(128 + number)
    signal.signal(signal.SIGTERM, leave)
