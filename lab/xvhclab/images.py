# SPDX-License-Identifier: MIT
"""Builds what the lab boots: Xen, kernels, the images of dom0 and of the guests.

An image is made anew when what goes into it has changed. What this project builds is not in these
images: it is put on top at each start (`project_overlay`, `guest_image`).
"""
import gzip
import hashlib
import shutil
import stat
from pathlib import Path

from . import cpio, debs, elf, fio, modules, paths
from .errors import LabError

LAB_SOURCES = Path(__file__).resolve().parent.parent

DOM0_KERNEL = "6.1"

DOM0_TOOLS = {
    "/usr/libexec/xenstored": "usr/lib/xen-4.17/bin/xenstored",
    "/usr/sbin/xenconsoled": "usr/lib/xen-4.17/bin/xenconsoled",
    "/usr/sbin/xen-init-dom0": "usr/lib/xen-4.17/bin/xen-init-dom0",
    "/usr/sbin/xl": "usr/lib/xen-4.17/bin/xl",
    "/usr/lib/xen-4.17/bin/libxl-save-helper": "usr/lib/xen-4.17/bin/libxl-save-helper",
    "/usr/sbin/lsevtchn": "usr/lib/xen-4.17/bin/lsevtchn",
    "/usr/bin/lsusb": "usr/bin/lsusb",
    "/usr/bin/udevadm": "bin/udevadm",
    **{f"/usr/bin/xenstore-{verb}": f"usr/bin/xenstore-{verb}"
       for verb in ("chmod", "exists", "list", "ls", "read", "rm", "watch", "write")},
}

DOM0_MODULES = """
    xenfs xen-privcmd xen-evtchn xen-gntdev xen-gntalloc virtio_pci virtio_console 9pnet_virtio 9p
    xhci_pci ehci_pci uhci_hcd ohci_pci usb_storage uas sd_mod usbhid hid_generic evdev vfat
    nls_cp437 nls_ascii nls_utf8 dummy_hcd usbmon libcomposite usb_f_ss_lb usb_f_mass_storage
    usb_f_hid vhci_hcd usbip_host cdc_acm ftdi_sio usbtest ext4 loop uvcvideo snd_usb_audio
    snd_pcm_oss virtio_blk xen-pciback xen-netback
""".split()

GUEST_MODULES = """
    xenfs xen-privcmd xen-evtchn xen-gntdev xen-gntalloc usbcore usb_storage uas sd_mod usbhid
    hid_generic evdev vfat nls_cp437 nls_ascii nls_utf8 ext4 usbmon usbtest uvcvideo
    snd_usb_audio snd_pcm_oss cdc_acm ftdi_sio cdc_ether xen-blkfront xen-pcifront xhci_pci
    xen-netfront usbip_host
""".split()

# Programs of Debian's that drive devices: for Lab.load_tools(), and for guests with tools.
TOOL_PACKAGES = ["v4l-utils", "mtp-tools", "pcscd", "libccid", "opensc", "opensc-pkcs11"]
TOOLS = ["usr/bin/v4l2-ctl", "usr/bin/v4l2-compliance", "usr/bin/mtp-files",
         "usr/bin/mtp-connect", "usr/sbin/pcscd", "usr/bin/opensc-tool"]
TOOL_LINKS = {"/usr/bin/mtp-getfile": "mtp-connect", "/usr/bin/mtp-sendfile": "mtp-connect"}
# What these load at run time, and where it is in Debian's packages.
CCID = "usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents"
LIBRARIES = "usr/lib/x86_64-linux-gnu"
TOOL_PLUGINS = {
    f"{CCID}/Linux/libccid.so": f"{CCID}/Linux/libccid.so",
    f"{CCID}/Info.plist": "etc/libccid_Info.plist",
    "lib/x86_64-linux-gnu/libpcsclite.so.1": f"{LIBRARIES}/libpcsclite.so.1",
    "lib/x86_64-linux-gnu/libgcc_s.so.1": "lib/x86_64-linux-gnu/libgcc_s.so.1",
    f"{LIBRARIES}/gconv/UTF-16.so": f"{LIBRARIES}/gconv/UTF-16.so",
    f"{LIBRARIES}/gconv/gconv-modules": f"{LIBRARIES}/gconv/gconv-modules",
}

# The lab's own programs in dom0 and in each guest, from lab/<name>.c.
PROGRAMS = ["sound", "pattern"]

# Taken where a kernel has them: what other modules ask for by another name than their own.
OPTIONAL_MODULES = """
    crct10dif_generic crct10dif_common crc64_rocksoft_generic crc64_rocksoft crc32c_generic
    crc32c_intel xen-hcd
""".split()

# systemd-udevd runs in dom0 as on a real host: libudev's users get its events, and drivers load.
UDEV_RULES = """
SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", IMPORT{builtin}="usb_id"
ENV{MODALIAS}=="?*", RUN{builtin}+="kmod load $env{MODALIAS}"
"""


def source_hash(*names):
    """Changes when one of the lab's own files does."""
    digest = hashlib.sha256()
    for name in ("agent.c", *(f"{program}.c" for program in PROGRAMS), "devices/pattern.h",
                 "xvhclab/images.py", "xvhclab/cpio.py", "xvhclab/elf.py", *names):
        digest.update((LAB_SOURCES / name).read_bytes())
    return digest.hexdigest()


def made(name, stamp, make):
    """build/lab/images/<name>, by make(path) when its stamp has changed."""
    target = paths.IMAGES / name
    mark = paths.LAB / "stamps" / name
    if target.exists() and mark.exists() and mark.read_text() == stamp:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.unlink(missing_ok=True)
    make(target)
    mark.write_text(stamp)
    return target


def dom0_root():
    names = ["xen-hypervisor-4.17-amd64", "xen-utils-4.17", "xen-utils-common", "xenstore-utils",
             "udev", "busybox-static", "usbutils", "libinih1", "libusbredirparser1"]
    return debs.root("dom0", names + debs.libraries_of(
        ["xen-utils-4.17", "xenstore-utils", "udev", "usbutils"]))


def xen():
    """The hypervisor as the ELF file that QEMU's multiboot loads."""
    root, stamp = dom0_root()
    return made("xen.elf", stamp, lambda target: target.write_bytes(
        gzip.decompress((root / "boot/xen-4.17-amd64.gz").read_bytes())))


def vmlinux(name):
    """A kernel's uncompressed ELF."""
    kernel = modules.Kernel(name)
    return made(f"vmlinux-{name}", kernel.stamp,
                lambda target: elf.vmlinux_from(kernel.vmlinuz, target))


def static_program(name):
    """A program of the lab's own that runs in its machines, compiled from lab/<name>.c."""
    def build(target):
        debs.output_of("gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-static", "-s",
                       f"-I{paths.TREE / 'include'}", "-o",
                       str(target), str(LAB_SOURCES / f"{name}.c"), "-lutil")
    return made(f"lab-{name}", source_hash(f"{name}.c"), build)


def device_program():
    """What plays devices on the host, for usb-redir: see lab/devices."""
    debs.output_of("make", "-s", "-C", str(paths.TREE), "lab-device")
    return paths.TREE / "build/lab-device"


def agent():
    """What executes commands in dom0 and in guests."""
    return static_program("agent")


def base_archive(busybox):
    """What both kinds of image begin with: folders, device nodes, busybox, the agent."""
    archive = cpio.Archive()
    for folder in ("/dev", "/proc", "/sys", "/run", "/mnt", "/root", "/etc", "/var/log",
                   "/usr/sbin", "/usr/bin", "/usr/libexec", "/lib64"):
        archive.folder(folder)
    archive.folder("/tmp", 0o1777)
    archive.link("/var/run", "/run")
    archive.link("/var/lock", "/run")
    archive.link("/bin", "usr/bin")
    archive.link("/sbin", "usr/sbin")
    archive.node("/dev/console", stat.S_IFCHR, 5, 1)
    archive.node("/dev/null", stat.S_IFCHR, 1, 3, 0o666)
    archive.file("/usr/bin/busybox", busybox, 0o755)
    for applet in debs.output_of(str(busybox), "--list").split():
        if applet != "busybox":
            archive.link(f"/usr/bin/{applet}", "busybox")
    archive.link("/usr/sbin/modprobe", "../bin/busybox")
    archive.file("/usr/sbin/lab-agent", agent(), 0o755)
    for program in PROGRAMS:
        archive.file(f"/usr/bin/lab-{program}", static_program(program), 0o755)
    archive.text("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"
                 "nobody:x:65534:65534::/:/bin/false\n"
                 "operator:x:1000:65534::/:/bin/false\n"
                 "xvhc-worker:x:990:990::/:/bin/false\n")
    archive.text("/etc/group", "root:x:0:\nnogroup:x:65534:\nxvhc-worker:x:990:\n"
                 "xvhc:x:991:operator\n")
    return archive


def dom0_image():
    """dom0's image without this project's parts."""
    root, root_stamp = dom0_root()
    kernel = modules.Kernel(DOM0_KERNEL)

    def build(target):
        archive = base_archive(root / "bin/busybox")
        for name, source in DOM0_TOOLS.items():
            archive.entries.pop(name.lstrip("/"), None)
            elf.add_binary(archive, name, (root / source).resolve(), [root])
        for library in ("libgcc_s.so.1", "libnss_files.so.2"):
            archive.file(f"/lib/x86_64-linux-gnu/{library}", elf.find_library(library, [root]))
        archive.file("/init", LAB_SOURCES / "dom0-init", 0o755)
        archive.folder("/var/log/xen/console")
        archive.folder("/var/lib/xen")
        archive.text("/etc/xen/xl.conf", "")
        archive.tree(root / "etc/xen/scripts", "/etc/xen/scripts")
        archive.link("/usr/lib/systemd/systemd-udevd", "/usr/bin/udevadm")
        archive.text("/etc/udev/rules.d/50-lab.rules", UDEV_RULES)
        archive.text("/etc/udev/udev.conf", "")
        archive.tree(kernel.stage(paths.LAB / "stage-dom0", DOM0_MODULES, OPTIONAL_MODULES))
        archive.write(target)

    stamp = f"{root_stamp} {kernel.stamp} {source_hash('dom0-init')}"
    return made("dom0.cpio", stamp, build)


def guest_base(name):
    """A guest's image for one of the kernels, without drivers that are built here."""
    root, root_stamp = dom0_root()
    kernel = modules.Kernel(name)

    def build(target):
        archive = base_archive(root / "bin/busybox")
        elf.add_binary(archive, "/usr/bin/lsusb", root / "usr/bin/lsusb", [root])
        archive.file("/init", LAB_SOURCES / "guest-init", 0o755)
        archive.file("/usr/sbin/lab-hotplug", LAB_SOURCES / "guest-hotplug", 0o755)
        # Much of it is no module in the debug kernel.
        names = GUEST_MODULES if name in modules.KERNELS else ()
        archive.tree(kernel.stage(paths.LAB / f"stage-{name}", names,
                                  [*GUEST_MODULES, *OPTIONAL_MODULES]))
        archive.write(target)

    stamp = f"{root_stamp} {kernel.stamp} {source_hash('guest-init', 'guest-hotplug')}"
    return made(f"guest-{name}.cpio", stamp, build)


# What xvhc.ko, and what the lab's own bus, are built from, under these names.
HSBUS_SOURCES = {"hsbus": LAB_SOURCES / "hsbus"}
MODULE_SOURCES = {part: paths.TREE / part for part in ("frontend/linux", "core", "include")}


def driver(kernel, name):
    """A frontend's .ko file for a kernel: "xvhc" from this tree, "xen-hcd" from Debian's source."""
    if name == "xvhc":
        return modules.build_module(kernel, MODULE_SOURCES, "frontend/linux", "") / "xvhc.ko"
    if name == "xen-hcd":
        folder = paths.LAB / f"xen-hcd-{kernel}"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(modules.linux_sources(kernel) / "drivers/usb/host/xen-hcd.c", folder)
        (folder / "Kbuild").write_text("obj-m := xen-hcd.o\n")
        built = modules.build_module(kernel, {"xen-hcd": folder}, "xen-hcd", "xen-hcd")
        return built / "xen-hcd.ko"
    raise LabError(f"no frontend '{name}': the lab has xvhc and xen-hcd")


def guest_image(name, driver_name, target, archives=()):
    """Write a guest's whole image: the base, with archives of images/ by name, and a driver that is
    built here, on top."""
    base = guest_base(name)
    archive = cpio.Archive()
    if driver_name:
        kernel = modules.Kernel(name)
        folder = kernel.with_module(paths.LAB / f"stage-{name}", driver(name, driver_name),
                                    paths.LAB / f"stage-{name}-{driver_name}")
        archive.tree(folder, f"/lib/modules/{kernel.release}")
    overlay = Path(f"{target}.overlay")
    archive.write(overlay)
    join([base, *(paths.IMAGES / f"{archive}.cpio" for archive in archives), overlay], target)
    overlay.unlink()
    return target


PROJECT_FILES = {
    "/usr/sbin/xvhcd": "xvhcd",
    "/usr/sbin/xvhcd-dom0": "xvhcd-dom0",
    "/usr/libexec/xvhcd-worker": "xvhcd-worker",
    "/usr/bin/xvhc": "xvhc",
}


def project_overlay(build, extra=None):
    """An archive with what `make` left in a build folder, and extra files {name: host's file}."""
    archive = cpio.Archive()
    roots = [dom0_root()[0]]
    for name, source in PROJECT_FILES.items():
        if (Path(build) / source).exists():
            elf.add_binary(archive, name, Path(build) / source, roots)
    for name, source in (extra or {}).items():
        elf.add_binary(archive, name, source, roots)
    return archive


def project_archive(build):
    """For a guest in which xvhcd runs: what `make` left in a build folder, and XenStore's tools.
    Returns its name, as Lab.guest() takes it."""
    root = dom0_root()[0]
    archive = project_overlay(build)
    for name, source in DOM0_TOOLS.items():
        if "xenstore-" in name:
            elf.add_binary(archive, name, (root / source).resolve(), [root])
    archive.write(paths.IMAGES / "project.cpio")
    return "project"


# xl calls it for each network interface of a guest: dom0's side gets an address.
VIF_SCRIPT = "/etc/xen/scripts/vif-lab"
VIF = """#!/bin/sh
# $1 is what has happened, $vif the interface, $XENBUS_PATH its backend's node.
[ "$1" = online ] || exit 0
ip addr add 10.9.0.1/24 dev "$vif" && ip link set "$vif" up &&
	xenstore-write "$XENBUS_PATH/hotplug-status" connected
"""


def usbip_image():
    """An archive for guests, and to unpack in a running dom0: USB/IP's programs, and what a network
    between two domains needs in dom0. Returns its name, as Lab.guest() takes it."""
    root, stamp = debs.root("usbip", ["usbip"] + debs.libraries_of(["usbip"]))

    def build(target):
        archive = cpio.Archive()
        for program in ("usbip", "usbipd"):
            elf.add_binary(archive, f"/usr/sbin/{program}",
                           (root / f"usr/sbin/{program}").resolve(), [root, dom0_root()[0]])
        archive.text(VIF_SCRIPT, VIF, 0o755)
        archive.write(target)

    made("usbip.cpio", f"{stamp} {source_hash()}", build)
    return "usbip"


def testusb(kernel=DOM0_KERNEL):
    """The kernel's own test of host controllers, compiled statically from Debian's source."""
    source = modules.linux_sources(kernel) / "tools/usb/testusb.c"
    return made("testusb", source.read_text(), lambda target: debs.output_of(
        "gcc", "-O2", "-static", "-s", "-pthread", "-o", str(target), str(source)))


def hsbus():
    """The kernel module that plays a bus with a high-speed hub in dom0: see lab/hsbus."""
    built = modules.build_module(DOM0_KERNEL, HSBUS_SOURCES, "hsbus", "hsbus") / "lab_hsbus.ko"
    content = built.read_bytes()
    return made("lab_hsbus.ko", hashlib.sha256(content).hexdigest(),
                lambda target: target.write_bytes(content))


def qemu_image():
    """An archive to unpack in a running dom0: QEMU with the qusb backend, as xl starts it."""
    names = ["qemu-system-xen", "qemu-system-data", "seabios", "ipxe-qemu"]
    root, stamp = debs.root("qemu", names + debs.libraries_of(["qemu-system-xen"]))

    def build(target):
        archive = cpio.Archive()
        elf.add_binary(archive, "/usr/libexec/xen-qemu-system-i386",
                       (root / "usr/libexec/xen-qemu-system-i386").resolve(), [root])
        for folder in ("usr/share/qemu/keymaps",):
            if (root / folder).exists():
                archive.tree(root / folder, f"/{folder}")
        archive.write(target)

    return made("qemu.cpio", f"{stamp} {source_hash()}", build)


def tools_image():
    """An archive with programs that drive devices, for guests, and to unpack in a running dom0."""
    root, stamp = debs.root("tools", TOOL_PACKAGES + debs.libraries_of(TOOL_PACKAGES))

    def build(target):
        archive = cpio.Archive()
        fio.add_to(archive)
        for name, source in {**{tool: tool for tool in TOOLS}, **TOOL_PLUGINS}.items():
            elf.add_binary(archive, f"/{name}", (root / source).resolve(), [root])
        for name, link in TOOL_LINKS.items():
            archive.link(name, link)
        archive.write(target)

    return made("tools.cpio", f"{stamp} {fio.root()[1]} {source_hash('xvhclab/fio.py')}", build)


def init_image():
    """An archive to unpack in a running dom0: what an init script of Debian's calls."""
    root, stamp = debs.root("init", ["dpkg", "sysvinit-utils", "dash",
                                     *debs.libraries_of(["dpkg"])])

    def build(target):
        archive = cpio.Archive()
        elf.add_binary(archive, "/usr/sbin/start-stop-daemon", root / "sbin/start-stop-daemon",
                       [root])
        # busybox' shell would call its own start-stop-daemon.
        elf.add_binary(archive, "/usr/bin/dash", root / "bin/dash", [root])
        archive.tree(root / "lib/lsb", "/lib/lsb")
        archive.write(target)

    return made("init.cpio", f"{stamp} {source_hash()}", build)


def join(parts, target):
    """Put files one after the other."""
    part = Path(f"{target}.part")
    with part.open("wb") as out:
        for name in parts:
            with Path(name).open("rb") as file:
                shutil.copyfileobj(file, out, 1 << 20)
    part.rename(target)


def build_all(kernels=tuple(modules.KERNELS)):
    """All that every lab needs, and what guests with these kernels need, which is made on demand
    otherwise. Comparison parts (xen-hcd, QEMU in dom0) always are."""
    xen()
    agent()
    vmlinux(DOM0_KERNEL)
    dom0_image()
    for name in kernels:
        vmlinux(name)
        guest_base(name)
