# SPDX-License-Identifier: MIT
"""One boot of the lab, in which all variants take turns with all devices.

In each round each device is plugged in once. It visits one variant after the other, and during
such a visit all workloads on it are measured. Every round begins with the next variant, so that
what drifts in the machine favours nobody.
"""
import os
import shutil
import tempfile
import time
from pathlib import Path

import programs
import variants
import workloads
from xvhclab import Lab
from xvhclab.errors import LabError, TimedOut

DOM0_MEMORY = 2048
LAB_MEMORY = 5120
LAB_LIMIT = 7200
ERRORS = (LabError, TimedOut, AssertionError, ValueError, KeyError)
DISK_LIMIT = 30
METER_ID = "ca10"


class Place:
    """Where a workload runs: the machine, the disk's name there, the node of the USB device."""

    def __init__(self, lab, variant, device, beside=None):
        self.dom0 = lab.dom0
        self.name = variant.name
        self.machine = variant.machine
        self.guest = variant.guest
        self.disk = self.find_disk(device) if device.kind in workloads.BLOCKS else None
        self.node = self.find_node(device)
        self.beside = beside

    def find_disk(self, device):
        where = f"/sys/bus/usb/devices/{device.dom0_port}/*/host*/target*/*/block/" \
            if not self.guest else "/sys/block/"
        disk = self.machine.wait(f"d=$(ls -d {where}sd* | tail -n 1) && d=${{d##*/}} && "
                                 "test -b /dev/$d && test $(cat /sys/class/block/$d/size) -gt 0 && "
                                 "echo $d", DISK_LIMIT)
        self.machine.check(f"dd if=/dev/{disk} of=/dev/null bs=64k count=1 iflag=direct")
        return disk

    def find_node(self, device):
        if self.disk:
            find = (f"cd /sys/block/{self.disk}/device && cd $(pwd -P | "
                    "sed 's,/[^/]*:1[.]0/.*,,') && pwd")
        else:
            find = (f"f=$(grep -lx {METER_ID} /sys/bus/usb/devices/*/idProduct) && "
                    "test -e ${f%/*}/*:1.1 && echo ${f%/*}")
        folder = self.machine.wait(find, DISK_LIMIT)
        return self.machine.check(f"printf /dev/bus/usb/%03d/%03d $(cat {folder}/busnum) "
                                  f"$(cat {folder}/devnum)")


class Images:
    """The disks' content on the host, in memory, so that the host's own disk does not count."""

    def __init__(self, mib):
        self.folder = Path(tempfile.mkdtemp(prefix="xvhc-bench.", dir="/dev/shm"))
        self.mib = mib

    def of(self, device):
        path = self.folder / f"{device.name}.img"
        if not path.exists():
            block = os.urandom(1 << 20)
            with open(path, "wb") as file:
                for _ in range(self.mib):
                    file.write(block)
        return path

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Session:
    """Measures what options ask for. figures: {workload: {variant: [one for each round]}}."""

    def __init__(self, options, say):
        self.options = options
        self.say = say
        self.figures = {name: {} for name in options.only}
        self.failures = {}  # (workload, variant): why
        self.skipped = {}   # (workload, variant): why
        self.notes = []
        self.lab = None
        self.variants = {}
        self.images = None
        self.second = None
        self.round = self.rounds_done = 0

    def run(self):
        self.images = Images(self.options.size)
        try:
            with Lab(limit=LAB_LIMIT, name="bench", memory=LAB_MEMORY,
                     dom0_memory=DOM0_MEMORY) as self.lab:
                self.start()
                for self.round in range(self.options.rounds):
                    self.run_round()
                    self.rounds_done += 1
        finally:
            self.images.close()

    def start(self):
        self.lab.unpack(programs.archive())
        self.lab.start_xvhcd()
        for name in self.options.variants:
            variant = variants.made(self.lab, name)
            why = variants.started(variant, self.say)
            if why:
                for workload in self.options.only:
                    self.failures[workload, name] = why
            else:
                self.variants[name] = variant

    def turns(self):
        """The variants in this round's order."""
        all_of_them = list(self.variants.values())
        first = self.round % len(all_of_them)
        return all_of_them[first:] + all_of_them[:first]

    def run_round(self):
        began = time.monotonic()
        for device in workloads.DEVICES.values():
            wanted = [workloads.ALL[name] for name in self.options.only
                      if workloads.ALL[name].device is device]
            if wanted and self.round < (device.rounds or self.options.rounds):
                self.run_device(device, wanted)
        self.say(f"round {self.round + 1} of {self.options.rounds}: "
                 f"{time.monotonic() - began:.0f} s")

    def plug(self, device):
        options = {"image": self.images.of(device)} if device.kind in workloads.BLOCKS else {}
        return self.lab.plug(device.port, device.kind, **options)

    def plug_all(self, device):
        return [self.plug(each) for each in (device, device.beside) if each]

    def unplug_all(self, plugged):
        for each in plugged:
            self.lab.unplug(each)

    def run_device(self, device, wanted):
        plugged = self.plug_all(device)
        for variant in self.turns():
            reason = self.refusal(variant, device)
            if reason:
                self.skipped.update({(w.name, variant.name): reason for w in wanted})
            elif not self.visit_well(variant, device, wanted):
                self.unplug_all(plugged)
                plugged = self.plug_all(device)
        self.unplug_all(plugged)

    def refusal(self, variant, device):
        """Why a variant does not take part with a device, or None."""
        if device.name == "two" and variant.name not in ("native", "xvhc2"):
            return "two guests at once are measured with wire 2 only"
        return variant.refuses(device)

    def beside_of(self, variant, device):
        """The variant that has the device beside: for two sticks it is a second guest."""
        if device.name != "two" or not variant.guest:
            return variant
        if not self.second:
            self.second = variants.made(self.lab, variants.SECOND)
            self.second.start()
        return self.second

    def visit_well(self, variant, device, wanted):
        """Measure during one visit, again where a stock part died. False: it has failed, and the
        device is in an unknown state."""
        for attempt in range(variant.attempts):
            done = {}
            try:
                self.visit(variant, device, wanted, done)
                for name, figure in done.items():
                    self.keep(name, variant, figure)
                return True
            except ERRORS as error:
                again = variant.died() and attempt + 1 < variant.attempts
                text = f"{variant.title}, {device.title}: {error}"
                self.say(text)
                if again:
                    self.notes.append(f"{variant.title}: its QEMU died with the {device.title}; "
                                      "measured again")
                else:
                    for workload in wanted:
                        if workload.name not in done:
                            self.failures.setdefault((workload.name, variant.name), str(error))
                self.make_anew(variant, device)
                if not again:
                    return False
        return False

    def visit(self, variant, device, wanted, done):
        beside = self.beside_of(variant, device) if device.beside else None
        variant.bring(device.dom0_port)
        other = None
        if beside:
            beside.bring(device.beside.dom0_port)
            other = Place(self.lab, beside, device.beside)
        place = Place(self.lab, variant, device, other)
        for workload in wanted:
            figure = workload.take(place, self.options)
            done[workload.name] = figure
            self.say(f"{self.round + 1}: {workload.title}: {variant.title}: "
                     f"{figure['value']:.4g} {workload.unit}")
        variant.give_back(device.dom0_port)
        if beside:
            beside.give_back(device.beside.dom0_port)
        self.wait_home(device)

    def wait_home(self, device):
        """Devices are dom0's again, and work."""
        for each in (device, device.beside):
            if each:
                Place(self.lab, variants.made(self.lab, "native"), each)

    def make_anew(self, variant, device):
        """After a failure: the variant gets a new guest, and dom0 the device."""
        if variant.guest:
            self.say("its kernel's last words:\n" + variant.guest.run("dmesg | tail -n 12")[1])
            variants.started(variant, self.say)
        for each in (device, device.beside):
            if each:
                self.lab.dom0.run(f"xvhc take {each.dom0_port}")

    def keep(self, workload, variant, figure):
        self.figures[workload].setdefault(variant.name, []).append(
            {"round": self.round + 1, **figure})
