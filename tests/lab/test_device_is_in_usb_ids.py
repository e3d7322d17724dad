# SPDX-License-Identifier: MIT
"""Where udev's database of hardware is there, xvhc list shows what usb.ids calls a device."""
from xvhclab import debs, images


def database(lab):
    """udev's database of hardware with the names of usb.ids, as Debian makes it."""
    root, _ = images.dom0_root()
    folder = lab.run / "hwdb"
    names = folder / "etc/udev/hwdb.d/20-usb.hwdb"
    names.parent.mkdir(parents=True, exist_ok=True)
    names.write_bytes((root / "lib/udev/hwdb.d/20-usb-vendor-model.hwdb").read_bytes())
    debs.output_of(str(root / "bin/systemd-hwdb"), f"--root={folder}", "update")
    return (folder / "etc/udev/hwdb.bin").read_bytes()


def test(lab):
    keyboard = lab.plug("xhci.5", "kbd")
    lab.dom0.wait("xvhc list | grep ' 1-5 .* 0627:0001 QEMU USB Keyboard '")
    lab.dom0.put("/etc/udev/hwdb.bin", database(lab))
    lab.dom0.check("xvhc list | grep ' 1-5 .* 0627:0001 Adomax Technology Co., Ltd QEMU Tablet '")
    lab.dom0.check("rm /etc/udev/hwdb.bin")
    lab.unplug(keyboard)
