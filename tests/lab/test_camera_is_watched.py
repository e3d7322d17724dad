# SPDX-License-Identifier: MIT
"""A camera, isochronous IN with three packets in each microframe: uvcvideo in the guest gets the
frames that dom0 itself gets from it, none damaged, none lost, and it complies with V4L2 as it does
in dom0."""
import re

from movies import watch_all


def comply(machine):
    """What v4l2-compliance says to each of its tests, {name: verdict}; streams are among them.

    Three of them fail in dom0 itself: Debian's v4l2-compliance and kernel do not agree on when a
    stream without buffers is refused.
    """
    _, report = machine.run("v4l2-compliance -s10", timeout=120)
    print(f"    {machine.name}: {report.splitlines()[-1]}")
    verdicts = dict(re.findall(r"\btest ([^:\n]+): (OK|FAIL|Cannot)", report))
    assert verdicts.get("USERPTR (select)") == "OK", report
    return verdicts


def test(lab):
    lab.load_tools()
    camera = watch_all(lab, lab.dom0)
    native = comply(lab.dom0)
    lab.unplug(camera)
    lab.dom0.check("xvhc give 1-5 web")
    web = lab.guest("web", tools=True)
    camera = watch_all(lab, web)
    verdicts = comply(web)
    assert verdicts == native, f"in dom0 {native}, in the guest {verdicts}"
    web.check("v4l2-ctl --set-ctrl=brightness=77")
    camera.wait_said("brightness 77")
