# SPDX-License-Identifier: MIT
"""A guest is restarted, reboots, shuts down, panics: the lab follows, and its log has the panic.

This is a test of the lab: each other test stands on it.
"""
from xvhclab.verdict import faults_in

XVHCD = False
ALLOWED = [("Kernel panic|sysrq: Trigger a crash|Call Trace|BUG|Oops|cut here|end Kernel panic",
            "the guest panics on purpose")]


def test(lab):
    for kind in ("pv", "pvh"):
        guest = lab.guest(kind, kind=kind, driver=None)
        guest.check("touch /tmp/from-the-first-life")
        for start_over in (guest.restart, guest.reboot):
            old = guest.domid
            start_over()
            assert guest.domid != old
            assert guest.run("test -e /tmp/from-the-first-life")[0] == 1, "it did not start over"
            guest.check("touch /tmp/from-the-first-life")
        guest.shutdown()
        lab.dom0.check(f"! xl domid {kind}")
    guest = lab.guest("dies", driver=None)
    guest.start("echo c > /proc/sysrq-trigger")
    guest.wait_gone()
    said = (lab.run / "guest-dies-console.log").read_text(errors="replace")
    assert "Kernel panic" in said, f"the panic is not in the log: {said}"
    assert faults_in(said), "the scanner does not see the panic"
