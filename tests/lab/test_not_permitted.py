# SPDX-License-Identifier: MIT
"""Who is neither root nor in the group xvhc is told so, and changes nothing; a member may all."""


def as_user(lab, user, command):
    return lab.dom0.run(f"su -s /bin/sh {user} -c 'xvhc {command}'")


def refused_all(lab):
    before = lab.dom0.check("cat /etc/xvhc/ports.conf 2>/dev/null; xvhc list")
    for command in ("list", "give 1-5 web", "take 1-6"):
        code, said = as_user(lab, "nobody", command)
        assert code == 1 and "may not" in said and "group xvhc" in said, f"'{said}' ({code})"
    assert lab.dom0.check("cat /etc/xvhc/ports.conf 2>/dev/null; xvhc list") == before


def test(lab):
    lab.dom0.check("xvhc give 1-6 work")
    refused_all(lab)
    # The file's mode is not all that stands between them.
    lab.dom0.check("chmod 666 /run/xvhc/control")
    refused_all(lab)
    for command in ("list", "give 1-5 web", "take 1-5"):
        code, said = as_user(lab, "operator", command)
        assert code == 0, f"a member of the group may not {command}: {said}"
