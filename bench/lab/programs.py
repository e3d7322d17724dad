# SPDX-License-Identifier: MIT
"""What the bench needs in dom0 and in guests besides the lab's own: an archive on top of images.

It has fio, the bench's own programs, Debian's USB/IP, and the kernel's modules for a network
between two domains. It is made on demand.
"""
from pathlib import Path

from xvhclab import cpio, debs, elf, fio, images, modules, paths

HERE = Path(__file__).resolve().parent
NAME = "bench"
KERNEL = "6.1"

USBIP_PACKAGES = ["usbip"]
USBIP = {"/usr/sbin/usbip": "usr/sbin/usbip", "/usr/sbin/usbipd": "usr/sbin/usbipd"}
XENTRACE = {"/usr/sbin/xentrace": "usr/lib/xen-4.17/bin/xentrace"}
MODULES = ["xen-netback", "xen-netfront", "vhci-hcd", "usbip-host"]
VIF_SCRIPT = "/etc/xen/scripts/vif-bench"

# The bench's own programs: name in the machines, source, how it is linked.
PROGRAMS = [("bench-meter", "meter.c", ["-static"]), ("bench-cpu", "cpu.c", ["-lxenctrl"])]

# xl calls it for each interface: the interface gets an address, and is connected.
VIF = """#!/bin/sh
# $1 is what has happened, $vif the interface, $XENBUS_PATH its backend's node.
[ "$1" = online ] || exit 0
ip addr add 10.9.0.1/24 dev "$vif" && ip link set "$vif" up &&
	xenstore-write "$XENBUS_PATH/hotplug-status" connected
"""

# busybox' modprobe knows only of what depmod has seen: these are loaded one after the other.
LOAD = """#!/bin/sh
# bench-load MODULE: load it, and before it what it needs.
while read -r file; do insmod "$file" 2>/dev/null; done <"/usr/share/bench/$1"
test -d "/sys/module/$(echo "$1" | tr - _)"
"""


def compiled(name, source, options):
    """One of the bench's own programs."""
    path = HERE / source
    stamp = path.read_text() + " ".join(options)
    return images.made(f"lab-{name}", stamp, lambda target: debs.output_of(
        "gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-s", "-o", str(target), str(path),
        *options))


def in_order(kernel, name):
    """A module's name, and before it the names of those that it needs, each after its own."""
    found = []

    def visit(module):
        for other in kernel.needs[module]:
            visit(other)
        if module not in found:
            found.append(module)
    visit(modules.plain_name(name))
    return found


def add_modules(archive):
    kernel = modules.Kernel(KERNEL)
    folder = kernel.stage(paths.LAB / "stage-bench", MODULES)
    root = f"/lib/modules/{kernel.release}"
    for name in MODULES:
        files = [kernel.files[module].removesuffix(".xz") for module in in_order(kernel, name)]
        for file in files:
            archive.file(f"/usr/share/bench/modules/{Path(file).name}",
                         folder / root.lstrip("/") / file)
        archive.text(f"/usr/share/bench/{name}", "".join(
            f"/usr/share/bench/modules/{Path(file).name}\n" for file in files))
    return kernel.stamp


def archive():
    """Make build/lab/images/bench.cpio. Returns its name, as Lab.unpack() and Lab.guest() take
    it."""
    usbip, stamp = debs.root("usbip", USBIP_PACKAGES + debs.libraries_of(USBIP_PACKAGES))
    dom0, dom0_stamp = images.dom0_root()
    programs = {name: compiled(name, source, options) for name, source, options in PROGRAMS}

    def build(target):
        made = cpio.Archive()
        fio.add_to(made)
        for name, path in programs.items():
            elf.add_binary(made, f"/usr/bin/{name}", path, [dom0])
        for name, source in USBIP.items():
            elf.add_binary(made, name, (usbip / source).resolve(), [usbip, dom0])
        for name, source in XENTRACE.items():
            elf.add_binary(made, name, dom0 / source, [dom0])
        made.text(VIF_SCRIPT, VIF, 0o755)
        made.text("/usr/sbin/bench-load", LOAD, 0o755)
        add_modules(made)
        made.write(target)

    sources = [path.read_bytes().hex() for path in (HERE / "meter.c", HERE / "cpu.c")]
    images.made(f"{NAME}.cpio", " ".join(
        [stamp, dom0_stamp, fio.root()[1], modules.Kernel(KERNEL).stamp, Path(__file__).read_text(),
         images.source_hash("xvhclab/fio.py"), *sources]), build)
    return NAME


def versions():
    """What the stock parts are, for the record: {part: package's file without its ending}"""
    def of(package):
        return debs.file_names([package])[package].removesuffix("_amd64.deb")
    return {"kernel of dom0 and guests": modules.Kernel(KERNEL).release,
            "xen": of("xen-hypervisor-4.17-amd64"), "fio": of("fio"), "usbip": of("usbip"),
            "qusb": of("qemu-system-xen")}
