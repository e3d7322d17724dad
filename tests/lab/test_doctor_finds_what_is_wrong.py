# SPDX-License-Identifier: MIT
"""xvhc doctor: nothing to say of a good dom0; then one thing after the other is broken.

Each time it must name what is wrong, and what to do; mended, it has nothing to say again.
"""
import json

from sticks import noise_stick

CONFIG = "/etc/xvhc/xvhc.conf"


def findings(lab, user="root"):
    command = "xvhc doctor --json"
    code, said = lab.dom0.run(command if user == "root" else f"su -s /bin/sh {user} -c '{command}'")
    whole = json.loads(said)
    assert code == (1 if whole["failures"] else 0), f"it ended with {code}: {said}"
    return [f for f in whole["findings"] if f["level"] != "ok"], said


def all_is_well(lab):
    found, said = findings(lab)
    assert not found, f"something is wrong: {said}"


def says(lab, check, level, what, todo, user="root"):
    found, said = findings(lab, user)
    assert any(f["check"] == check and f["level"] == level and what in f["what"]
               and todo in f["do"] for f in found), f"{level} {check} '{what}' '{todo}': {said}"


def machine_is_broken(lab):
    dom0 = lab.dom0
    memory = "/sys/module/usbcore/parameters/usbfs_memory_mb"
    for broken, mended, finding in (
            ("mv /dev/xen/gntdev /dev/xen/away", "mv /dev/xen/away /dev/xen/gntdev",
             ("devices", "failure", "/dev/xen/gntdev", "modprobe xen-gntdev")),
            ("umount -l /proc/xen", "mount -t xenfs xenfs /proc/xen",
             ("domain", "warning", "/proc/xen is not mounted", "mount -t xenfs")),
            (f"echo 1 > {memory}", f"echo 16 > {memory}",
             ("usbfs-memory", "failure", "usbfs_memory_mb is 1", "usbfs_memory_mb=64")),
            ("cp /etc/passwd /tmp/passwd; sed -i /xvhc-worker/d /etc/passwd",
             "cp /tmp/passwd /etc/passwd",
             ("worker-user", "warning", "no user xvhc-worker", "useradd")),
            ("mv /usr/libexec/xvhcd-worker /tmp/", "mv /tmp/xvhcd-worker /usr/libexec/",
             ("worker", "failure", "/usr/libexec/xvhcd-worker", "Install")),
            (f"echo 'filter = no' > {CONFIG}", f"rm {CONFIG}",
             ("files", "failure", f"{CONFIG}: line 1: 'no' is not a filter", "xvhc.conf(5)"))):
        dom0.check(broken)
        try:
            says(lab, *finding)
        finally:
            dom0.check(mended)
        all_is_well(lab)
    says(lab, "group", "failure", "neither root nor in the group", "adduser", user="nobody")


def port_is_not_used(lab):
    dom0 = lab.dom0
    dom0.check("xvhc give 1-5 web")
    all_is_well(lab)  # it waits for its guest
    guest = lab.guest("web", load=False)
    dom0.wait("xvhc list | grep ' 1-5 ' | grep -q 'frontend driver'")
    says(lab, "port", "warning", "port 1-5, given to web: the guest runs, but no driver",
         "modprobe xvhc")
    guest.check("modprobe xvhc")
    dom0.wait("xvhc list | grep ' 1-5 ' | grep -q 'ready, empty'")
    all_is_well(lab)
    assert "port 1-5, given to web: it is ready, and empty (wire version 2)" in \
        dom0.check("xvhc doctor")
    dom0.check(f"echo 'filter = 0x08:-1:-1:-1:0|-1:-1:-1:-1:1' > {CONFIG}; killall -HUP xvhcd")
    try:
        stick = lab.plug("xhci.5", "storage", image=noise_stick(lab, "stick", 2))
        dom0.wait("xvhc list | grep ' 1-5 ' | grep -q refused")
        says(lab, "port", "warning", "its device is refused: rule 0x08:-1:-1:-1:0", "xvhc.conf")
    finally:
        dom0.check(f"rm {CONFIG}; killall -HUP xvhcd")
    dom0.wait("xvhc list | grep ' 1-5 ' | grep -q configured")
    all_is_well(lab)
    lab.unplug(stick)


def test(lab):
    all_is_well(lab)
    lab.dom0.check("mkdir -p /etc/xvhc")
    machine_is_broken(lab)
    lab.stop_xvhcd()
    says(lab, "xvhcd", "failure", "xvhcd does not run", "Start it")
    lab.start_xvhcd()
    port_is_not_used(lab)
