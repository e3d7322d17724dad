# SPDX-License-Identifier: MIT
"""A camera in a given port of a PVH guest with kernel 6.12: no frame is damaged or lost."""
from movies import watch_all


def test(lab):
    lab.dom0.check("xvhc give 1-5 web")
    watch_all(lab, lab.guest("web", kind="pvh", kernel="6.12", tools=True))
