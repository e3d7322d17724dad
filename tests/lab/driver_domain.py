# SPDX-License-Identifier: MIT
"""A guest that owns the machine's USB controller by PCI passthrough, and in which xvhcd runs."""
XHCI = "0000:00:10.0"
# Of Xen's words, for ALLOWED.
STOPPED = (r"\[VT-D\]DMAR:", "a domain is destroyed while its controller runs: the IOMMU stops it")
HELPER = "/var/log/xvhcd-dom0.log"


def hand_over_usb(lab):
    """dom0 lets go of the USB controller; afterwards it has no USB at all."""
    lab.dom0.check(f"modprobe xen-pciback && {{ test -e /sys/bus/pci/drivers/pciback/{XHCI} || "
                   f"xl pci-assignable-add {XHCI}; }}")


def start_driver_domain(lab, name="usbdom", **more):
    """Create it, and start xvhcd in it."""
    domain = lab.guest(name, driver=None, xvhcd=True, memory=320,
                       config=[f"pci=['{XHCI}']", "driver_domain=1"], **more)
    domain.check("modprobe -a xen-evtchn xen-gntdev xen-gntalloc xen-pcifront xhci_pci")
    domain.wait("test -e /sys/bus/usb/devices/usb2")
    start_xvhcd_in(domain)
    return domain


def start_xvhcd_in(domain):
    domain.check("setsid xvhcd </dev/null >>/var/log/xvhcd.log 2>&1 & echo $! >/run/xvhcd.pid")
    domain.wait("xvhc list >/dev/null")


def stop_xvhcd_in(domain):
    domain.check("kill $(cat /run/xvhcd.pid)")
    domain.wait("! kill -0 $(cat /run/xvhcd.pid) 2>/dev/null")


def start_helper(lab, arguments):
    lab.dom0.check(f"setsid xvhcd-dom0 {arguments} </dev/null >>{HELPER} 2>&1 & "
                   "echo $! >/run/lab-xvhcd-dom0.pid")


def stop_helper(lab):
    lab.dom0.check("kill $(cat /run/lab-xvhcd-dom0.pid)")
