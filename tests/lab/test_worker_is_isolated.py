# SPDX-License-Identifier: MIT
"""What a worker has left while it serves: no privilege, no file, no network, few system calls."""
import re

from sticks import image_sha256, noise_stick, read_sha256, wait_disk


LIMITS = {"Max core file size": 0, "Max open files": 64, "Max data size": 64 << 20,
          "Max locked memory": 0, "Max msgqueue size": 0}


def status(lab, worker, field):
    return lab.dom0.check(f"grep '^{field}:' /proc/{worker}/status").split()[1:]


def test(lab):
    dom0 = lab.dom0
    dom0.check("xvhc give 1-5 web")
    web = lab.guest("web")
    image = noise_stick(lab, "stick", 2)
    lab.plug("xhci.5", "storage", image=image)
    wait_disk(web)
    assert read_sha256(web) == image_sha256(image)
    worker = dom0.check("pidof xvhcd-worker")
    user = dom0.check("id -u xvhc-worker")
    assert status(lab, worker, "Uid") == [user] * 4, "it does not run as its own user"
    assert status(lab, worker, "Groups") == [], "it has groups besides its own"
    for field in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status(lab, worker, field)[0], 16) == 0, f"it has capabilities: {field}"
    assert status(lab, worker, "NoNewPrivs") == ["1"]
    for thread in dom0.check(f"ls /proc/{worker}/task").split():
        assert status(lab, f"{worker}/task/{thread}", "Seccomp") == ["2"], "a thread has no filter"
    assert dom0.check(f"ls -A /proc/{worker}/root/") == "", "it can see files"
    limits = dom0.check(f"cat /proc/{worker}/limits")
    for name, most in LIMITS.items():
        told = re.search(rf"^{name}\s+(\d+)\s+(\d+)", limits, re.M)
        assert told and [int(n) for n in told.groups()] == [most] * 2, f"{name}: {limits}"
    assert "are not restricted" not in dom0.check("cat /var/log/xvhcd.log"), \
        "its event channels are not restricted to its guest"
    for space in ("mnt", "net", "ipc", "uts", "cgroup"):
        ours, its = (dom0.check(f"readlink /proc/{pid}/ns/{space}") for pid in ("self", worker))
        assert ours != its, f"it shares the {space} namespace of dom0"
    assert dom0.check(f"grep -c : /proc/{worker}/net/dev") == "1", "it has a network"
    links = dom0.check(
        f"for fd in /proc/{worker}/fd/*; do readlink $fd; done").splitlines()
    known = ("/dev/null", "/dev/xen/gntdev", "/dev/xen/evtchn", "/dev/bus/usb/", "socket:",
             "anon_inode:", "pipe:", "/var/log/xvhcd.log")
    extra = [link for link in links if not link.startswith(known)]
    assert not extra, f"it holds descriptors that it does not need: {extra}"
    device = [link for link in links if link.startswith("/dev/bus/usb/")]
    assert len(device) == 1, f"it holds other devices than its guest's: {device}"
