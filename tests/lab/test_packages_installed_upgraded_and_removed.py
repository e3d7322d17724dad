# SPDX-License-Identifier: MIT
"""Both packages in fresh Debian systems, under systemd: a guest uses a stick; xvhc is upgraded
meanwhile, and the stick stays; the packages are purged, and nothing of them stays."""
from xvhclab import system
from sticks import FILES, fat_stick, sha256, wait_disk

XVHCD = False
LIMIT = 600
NEXT = "+next"  # of the version that is upgraded to
PORT = "1-5"
BIG = "BIG.BIN"
# What Debian's own programs write down at any time, or when packages come and go.
NOT_OURS = ("/var/lib/dpkg /var/log /var/lib/systemd /var/lib/xen /var/cache /tmp /var/tmp /root "
            "/host /images /etc/passwd* /etc/group* /etc/shadow* /etc/gshadow* /etc/subuid* "
            "/etc/subgid*")
# Of Xen's, the lab's and adduser's, in /run.
RUN_NOT_OURS = "lab xen-hotplug adduser"


def LAB():  # pylint: disable=invalid-name
    """dom0 and the guest are systems on disks; the guest's package is in it from the start."""
    xvhc, guest = system.packages_of_tree()
    return {"disks": [system.disk("dom0", needs=system.needs_of(xvhc)),
                      system.disk("guest", [guest])],
            "dom0_arguments": "lab.root=vda"}


def bring(lab, package):
    """Returns the path that a package has in dom0."""
    lab.dom0.put(f"/root/{package.name}", package.read_bytes())
    return f"/root/{package.name}"


def state_of(dom0):
    """What a package may leave behind: files as they are, users, groups, units, nodes."""
    prune = " -o ".join(f"-path '{path}'" for path in NOT_OURS.split())
    files = dom0.check(f"find / -xdev \\( {prune} \\) -prune -o -type f -printf "
                       "'%p %m %u %s %T@\\n' -o -printf '%p %m %u %l\\n'", timeout=200)
    not_ours = "\n".join(RUN_NOT_OURS.split())
    return set(files.splitlines()) | set(dom0.check(
        "cat /etc/passwd /etc/group; systemctl list-unit-files --no-pager --no-legend; "
        f"ls /run | grep -v -x -F '{not_ours}'; "
        "xenstore-ls -f /local/domain/0/backend/vusb 2>/dev/null; true").splitlines())


def main_pid(dom0):
    return dom0.check("systemctl show -P MainPID xvhcd")


def status(dom0):
    return dom0.check("systemctl show -P StatusText xvhcd")


def install(lab, package):
    dom0 = lab.dom0
    dom0.check(f"dpkg -i {bring(lab, package)}", timeout=200)
    assert dom0.check("systemctl is-active xvhcd && systemctl is-enabled xvhcd").split() == [
        "active", "enabled"]
    dom0.check("systemd-analyze security --threshold=40 xvhcd >/dev/null", timeout=60)
    assert dom0.check("stat -c '%U:%G %a' /run/xvhc/control") == "root:xvhc 660"


def start_guest(lab):
    """A guest with the package in it, whose module is loaded at boot by itself."""
    lab.dom0.check(f"xvhc give {PORT} web")
    web = lab.guest("web", kind="pv", driver=None, memory=320, arguments="lab.root=xvda",
                    config=["disk = ['phy:/dev/vdb,xvda,w']"])
    web.wait("grep -q '^xvhc ' /proc/modules", 120)
    assert "/updates/dkms/" in web.check("modinfo -F filename xvhc")
    lab.dom0.wait("xvhc list | grep ' 1-5 .* ready, empty'", 60)
    return web


def mount_stick(lab, web):
    image = fat_stick(lab, "stick", FILES)
    lab.plug("xhci.5", "storage", image=image)
    wait_disk(web, limit=60)
    web.check("mount -t vfat -o ro /dev/sda /mnt")
    worker = lab.dom0.check("ps_user() { stat -c %U /proc/$1; }; ps_user $(pidof xvhcd-worker)")
    assert worker == "xvhc-worker", f"the worker runs as {worker}"


def programs_keep_away(dom0):
    """udev has heeded our rules, for the device and for what the guest has configured in it."""
    device = f"/sys/bus/usb/devices/{PORT}"
    node = dom0.check(f"printf /dev/bus/usb/%03d/%03d $(cat {device}/busnum {device}/devnum)")
    for path in (device, f"{device}:1.0"):
        dom0.wait(f"udevadm info -q property {path} | grep -q XVHC_GIVEN=1", 30)
    assert dom0.check(f"stat -c '%U:%G %a' {node}") == "root:root 600"
    dom0.check("! grep -q usb_storage /proc/modules", 20)
    dom0.check("! journalctl -b -u systemd-udevd --no-pager | grep xvhc")


def read_on(web):
    """Read a file again and again, past the cache, for as long as it is the right one."""
    right = sha256(FILES[BIG])
    return web.start("while echo 3 > /proc/sys/vm/drop_caches && "
                     f"test \"$(sha256sum < /mnt/{BIG})\" = '{right}  -'; do echo .; done")


def read_more(web, reading):
    """It reads still, and has read the whole file twice from now on."""
    before = reading.text().count(".")
    web.wait(lambda: reading.text().count(".") > before + 1 or not reading.running(), 120)
    assert reading.running(), f"a read failed, or read something else: {reading.text()[-300:]}"


def device_in(web):
    """What would be another, if the guest had seen the stick go and come back."""
    return web.check("readlink -f /sys/block/sda && cat /sys/block/sda/diskseq "
                     "/sys/bus/usb/devices/*-*/devnum")


def upgrade(lab, web):
    dom0 = lab.dom0
    pid, device, reading = main_pid(dom0), device_in(web), read_on(web)
    read_more(web, reading)
    dom0.check(f"dpkg -i {bring(lab, system.packages_of_tree(NEXT)[0])}", timeout=200)
    assert dom0.check("xvhcd --version").endswith(NEXT)
    assert dom0.check("systemctl is-active xvhcd") == "active"
    assert main_pid(dom0) != pid, "it is the process from before the upgrade"
    assert f"{PORT} " in dom0.check("xvhc list | grep web"), "the port did not stay given"
    read_more(web, reading)
    dom0.wait("xvhc list | grep ' 1-5 .*in use by web'", 60)
    assert device_in(web) == device, "the guest has seen its stick go"
    return reading


def reload_configuration(dom0):
    pid = main_pid(dom0)
    dom0.check("echo 'nonsense = 1' > /tmp/x && cat /etc/xvhc/xvhc.conf >> /tmp/x && "
               "cp -p /etc/xvhc/xvhc.conf /tmp/right && cp /tmp/x /etc/xvhc/xvhc.conf")
    assert dom0.run("systemctl reload xvhcd")[0] != 0, "a faulty file was reloaded without a word"
    dom0.check(f"kill -HUP {pid}")
    dom0.wait("systemctl show -P StatusText xvhcd | grep 'configuration has a fault'", 20)
    dom0.check("cp -p /tmp/right /etc/xvhc/xvhc.conf && rm /tmp/right /tmp/x && "
               "systemctl reload xvhcd")
    dom0.wait("systemctl show -P StatusText xvhcd | grep -v fault", 20)
    assert main_pid(dom0) == pid
    assert "Ports given: 1." in status(dom0), status(dom0)


def killed_and_back(dom0):
    pid = main_pid(dom0)
    dom0.check(f"kill -9 {pid}")
    dom0.wait(f"systemctl is-active xvhcd && test $(systemctl show -P MainPID xvhcd) != {pid}", 60)


def purge(lab, web, before):
    dom0 = lab.dom0
    web.check("umount /mnt")
    dom0.check("dpkg --purge xvhc", timeout=200)
    dom0.check("! pidof xvhcd xvhcd-worker")
    # The stick is dom0's now.
    dom0.wait("test -b /dev/sda && test $(cat /sys/class/block/sda/size) -gt 0", 30)
    dom0.wait(f"! udevadm info -q property /sys/bus/usb/devices/{PORT} | grep XVHC_GIVEN", 30)
    web.wait("! test -e /sys/block/sda", 60)
    web.wait("! ls -d /sys/bus/xen/devices/vusb-*", 60)
    after = {line for line in state_of(dom0) if "/dev/sda" not in line}
    assert after == before, (f"left behind: {sorted(after - before)}; "
                             f"gone or changed: {sorted(before - after)}")


def purge_in_guest(web):
    web.check("dpkg --purge xvhc-guest-dkms && rmmod xvhc", timeout=200)
    left = web.check("find / -xdev -name '*xvhc*' ! -path '/var/log/*' ! -path '/proc/*'; "
                     "grep -r xvhc /lib/modules/*/modules.* || true")
    assert not left, f"left behind in the guest: {left}"


def test(lab):
    dom0 = lab.dom0
    assert dom0.check("systemctl is-system-running --wait", timeout=200) == "running"
    before = state_of(dom0)
    install(lab, system.packages_of_tree()[0])
    web = start_guest(lab)
    mount_stick(lab, web)
    programs_keep_away(dom0)
    reading = upgrade(lab, web)
    reload_configuration(dom0)
    killed_and_back(dom0)
    read_more(web, reading)
    reading.kill(9)
    reading.wait(60)
    assert dom0.check("systemctl --failed --no-legend --plain") == ""
    purge(lab, web, before)
    purge_in_guest(web)
