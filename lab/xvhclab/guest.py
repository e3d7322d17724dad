# SPDX-License-Identifier: MIT
"""A guest: its xl file, its life, its agent on the console.

The console's pseudo-terminal in dom0 is opened by dom0's agent and carried to us as a stream of
bytes. Lines of the guest's agent are taken out of it; the rest, what the guest's kernel says when
it dies, goes to guest-<name>-console.log. While it lives its kernel's log comes through the agent.
"""
import re
import time

from . import agent, images
from .domain import Machine
from .errors import LabError, TimedOut
from .logs import KernelLog, Log

FOLDER = "/run/lab"
# For a quicker boot in emulation: what is left out here has no part in what is tested.
FAST = "mitigations=off cryptomgr.notests apparmor=0 audit=0 usb_storage.delay_use=0"
# QEMU's hub does not wake up by a device that comes at the very moment at which it falls asleep.
DOM0 = "usbcore.autosuspend=-1"


class Guest(Machine):
    """Made by Lab.guest()."""

    def __init__(self, lab, name, kind, kernel, driver, config, memory, vcpus, load, arguments,
                 archives):
        if kind not in ("pv", "pvh"):
            raise LabError(f"no kind of guest '{kind}': the lab has pv and pvh")
        self.lab = lab
        self.name = name
        self.kind = kind
        self.kernel = kernel
        self.driver = driver
        self.config = list(config)
        self.memory = memory
        self.vcpus = vcpus
        self.arguments = arguments
        self.archives = list(archives)
        if driver:
            self.arguments += f" lab.{'load' if load else 'keep'}={driver}"
        self.domid = None
        self.stream = None
        self.console_log = Log(lab.run / f"guest-{name}-console.log")
        self.kernel_log = None
        self.lives = 0

    def image_name(self):
        return f"guest-{'-'.join([self.kernel, self.driver or 'none', *self.archives])}.cpio"

    def xl_file(self):
        """The text of the file for xl."""
        lines = [
            f"name = '{self.name}'",
            f"type = '{self.kind}'",
            f"kernel = '{FOLDER}/vmlinux-{self.kernel}'",
            f"ramdisk = '{FOLDER}/{self.image_name()}'",
            f"extra = 'console=hvc0 loglevel=2 {FAST} {self.clock()} {self.arguments}'",
            f"memory = {self.memory}",
            f"vcpus = {self.vcpus}",
            "tsc_mode = 'native'",
            "on_crash = 'destroy'",
            *self.config,
        ]
        return "\n".join(lines) + "\n"

    def clock(self):
        """A PVH guest's kernel spends seconds to measure the clock's rate, which Xen knows."""
        found = re.search(rb"Detected (\d+)\.(\d\d\d) MHz processor",
                          (self.lab.run / "xen-console.log").read_bytes())
        if self.kind != "pvh" or not found:
            return ""
        return f"tsc_early_khz={int(found.group(1) + found.group(2))}"

    def bring_images(self):
        """Copy kernel and image into dom0, once for each kind of image."""
        name = self.image_name()
        kernel = f"vmlinux-{self.kernel}"
        if kernel not in self.lab.loaded:
            images.vmlinux(self.kernel)
            self.lab.dom0.check(f"mkdir -p {FOLDER} && cp /images/{kernel} {FOLDER}/", timeout=60)
            self.lab.loaded.add(kernel)
        if name not in self.lab.loaded:
            images.guest_image(self.kernel, self.driver, self.lab.share / name,
                               self.archives)
            self.lab.dom0.check(f"mv /host/{name} {FOLDER}/", timeout=60)
            self.lab.loaded.add(name)

    def create(self, wait=True):
        """Have xl create it. Its ports and devices are not looked at."""
        self.bring_images()
        path = f"{FOLDER}/{self.name}.cfg"
        self.lab.dom0.put(path, self.xl_file())
        log = self.lab.run / "xen-console.log"
        since = log.stat().st_size
        self.lab.dom0.check(f"xl create {path}", timeout=180)
        if self.kind == "pvh":
            self.lab.dom0.wait(lambda: self.was_born(log.read_bytes()[since:].decode()), 120)
        self.attach()
        if wait:
            self.wait_ready()

    def was_born(self, said):
        """Has a PVH guest come past the first moments of its kernel, as Xen tells?

        Now and then one dies of the emulation while it measures its processor's speed, long
        before it loads a driver. Xen calls that a reboot, and xl creates it once more.
        """
        dead = set(re.findall(r"d(\d+)v0 Triple fault", said))
        self.lab.died_at_birth |= dead
        return set(re.findall(r"d(\d+)v0: upcall vector", said)) - dead

    def attach(self):
        """Speak to a new agent in the domain that has our name now."""
        self.lives += 1
        life = "" if self.lives == 1 else f".{self.lives}"
        self.kernel_log = KernelLog(self.lab.run / f"guest-{self.name}-kernel{life}.log")
        self.agent = agent.Agent(self.name, self.send, self.console_log.add)
        self.open_console()

    def open_console(self):
        """Have our agent speak over the console of the domain that has our name now."""
        dom0 = self.lab.dom0
        self.domid = int(dom0.check(f"xl domid {self.name}"))
        tty = dom0.wait(f"xenstore-read /local/domain/{self.domid}/console/tty", 20)
        self.stream = dom0.agent.open(tty, self.agent.feed)

    def save(self, path, limit=180):
        """Have xl save it to a file in dom0; returns when the domain is gone."""
        self.save_kernel_log()
        self.lab.dom0.check(f"xl save {self.name} {path}", timeout=limit)
        self.lab.dom0.agent.forget(self.stream)
        self.wait_gone()

    def restore(self, path, limit=180, served=True):
        """Have xl restore it; what runs in it, for us too, goes on. served: it has given ports, and
        goes on once xvhcd has made a controller for it."""
        dom0 = self.lab.dom0
        if served:
            dom0.check(f"xl restore -p {path}", timeout=limit)
            dom0.wait(f"xenstore-exists /local/domain/$(xl domid {self.name})"
                      "/device/vusb/1000/backend", 60)
            dom0.check(f"xl unpause {self.name}")
        else:
            dom0.check(f"xl restore {path}", timeout=limit)
        self.open_console()
        self.agent.wait_hello(limit, self.exists)

    def send(self, data):
        self.lab.dom0.agent.send("I", self.stream.id, self.stream.sent, data)
        self.stream.sent += len(data)

    def wait_ready(self, limit=180):
        """Wait until the guest's agent answers."""
        self.agent.wait_hello(limit, self.exists)
        self.agent.start("exec cat /dev/kmsg", 0, self.kernel_log.feed)

    def exists(self):
        """Does the domain exist, and run?"""
        return self.stream is not None and not self.stream.ended()

    def detach(self):
        """Forget the agent and the console."""
        if self.agent:
            self.agent.close()
        self.agent = None
        if self.stream:
            self.lab.dom0.agent.forget(self.stream)
        self.stream = None

    def destroy(self):
        """Have xl destroy it at once; returns when the domain is gone."""
        self.lab.guests.pop(self.name, None)
        self.save_kernel_log()
        self.detach()
        self.lab.dom0.run(f"xl destroy {self.name}", timeout=60)
        self.wait_gone()

    def shutdown(self, limit=60):
        """Have it power off by itself; returns when the domain is gone."""
        self.lab.guests.pop(self.name, None)
        self.save_kernel_log()
        self.start_end("sync; exec poweroff -f")
        self.wait_gone(limit)
        self.detach()

    def restart(self):
        """Destroy it and create it again from the same file."""
        self.destroy()
        self.lab.guests[self.name] = self
        self.create()

    def reboot(self, limit=180):
        """Have it reboot by itself; xl makes a new domain of the same name."""
        dom0 = self.lab.dom0
        old = self.domid
        self.save_kernel_log()
        self.start_end("sync; exec reboot -f")
        dom0.wait(f'id=$(xl domid {self.name}) && [ "$id" != {old} ] && '
                  f"xenstore-exists /local/domain/$id/console/tty", limit)
        self.detach()
        self.attach()
        self.wait_ready(limit)

    def start_end(self, command):
        """Start a command that ends the guest. The caller waits for that, whatever is said here."""
        try:
            self.agent.start(command, limit=10)
        except TimedOut:
            pass  # the guest may end before its console has brought word of the start

    def wait_gone(self, limit=90):
        """Wait until the domain has gone from Xen altogether."""
        self.lab.dom0.wait(f"! xl list {self.domid}", limit)

    def save_kernel_log(self):
        """See to it that all that the guest's kernel has said so far is in its log."""
        if self.agent is None or self.agent.closed or self.kernel_log is None:
            return
        mark = f"lab: log read up to {time.monotonic_ns()}"
        try:
            self.run(f"echo '{mark}' > /dev/kmsg", timeout=10)
            self.kernel_log.wait_for(mark, 10)
        except (LabError, TimedOut):
            pass
