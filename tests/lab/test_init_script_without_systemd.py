# SPDX-License-Identifier: MIT
"""The init script in a dom0 without systemd: it starts xvhcd and says when it answers, tells its
state, reloads and restarts it, and ends it with its worker."""
from xvhclab import paths

XVHCD = False
SCRIPT = "/etc/init.d/xvhcd"


def script(dom0, action, status=0):
    rc, said = dom0.run(f"dash {SCRIPT} {action}", timeout=60)
    assert rc == status, f"{action} ended with {rc}: {said}"
    return said


def test(lab):
    dom0 = lab.dom0
    lab.load_init()
    dom0.check("mkdir -p /etc/init.d")
    dom0.put(SCRIPT, (paths.TREE / "packaging/init/xvhcd").read_bytes())
    # It calls itself to restart: the shell that it names is Debian's dash.
    dom0.check(f"sed -i '1s,/bin/sh,/usr/bin/dash,' {SCRIPT} && chmod +x {SCRIPT}")
    script(dom0, "status", 3)
    script(dom0, "stop")
    script(dom0, "start")
    first = dom0.check("pidof xvhcd")
    assert first == dom0.check("cat /run/xvhcd.pid")
    dom0.check("xvhc give 1-5 web")
    script(dom0, "start")
    script(dom0, "status")
    assert dom0.check("pidof xvhcd") == first, "a second start was one"
    script(dom0, "reload")
    dom0.wait("grep -q 'is read anew' /var/log/xvhcd.log", 10)
    web = lab.guest("web")
    dom0.wait("xvhc list | grep ' 1-5 .* ready, empty'", 60)
    script(dom0, "restart")
    assert dom0.check("pidof xvhcd") != first, "a restart was none"
    dom0.wait("xvhc list | grep ' 1-5 .* ready, empty'", 60)
    script(dom0, "force-reload")
    script(dom0, "stop")
    dom0.check("! pidof xvhcd xvhcd-worker && ! test -e /run/xvhcd.pid")
    script(dom0, "status", 3)
    # It cannot start where its configuration has a fault, and says so.
    dom0.check("mkdir -p /etc/xvhc && echo nonsense > /etc/xvhc/xvhc.conf")
    script(dom0, "start", 1)
    dom0.check("rm /etc/xvhc/xvhc.conf")
    script(dom0, "bad", 3)
    web.destroy()
    lab.start_xvhcd()  # takes the port back
