# SPDX-License-Identifier: MIT
"""Someone who is neither root nor in the group xvhc is told so."""


def test(lab):
    lab.dom0.check("grep -q '^nobody:' /etc/passwd || "
                   "echo 'nobody:x:65534:65534::/:/bin/sh' >> /etc/passwd")
    code, said = lab.dom0.run("su -s /bin/sh nobody -c 'xvhc list'")
    assert code == 1 and "may not" in said and "group xvhc" in said, f"'{said}' ({code})"
