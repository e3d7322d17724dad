# SPDX-License-Identifier: MIT
"""Each mistake gets a sentence that says what is wrong, exit code 1 or 2, and changes nothing."""
from sticks import fat_stick, wait_disk


def refused(lab, command, *words, code=1):
    """The command must fail with a sentence that has all these words, and leave all as it was."""
    before = lab.dom0.check("cat /etc/xvhc/ports.conf 2>/dev/null; xvhc list")
    got, said = lab.dom0.run(command)
    assert got == code, f"'{command}' ended with {got}: {said}"
    for word in words:
        assert word in said, f"'{command}' does not say '{word}': {said}"
    after = lab.dom0.check("cat /etc/xvhc/ports.conf 2>/dev/null; xvhc list")
    assert before == after, f"'{command}' changed something"


def test(lab):
    dom0 = lab.dom0
    dom0.check("xvhc give 1-6 work")
    refused(lab, "xvhc give 9-9 web", "9-9", "xvhc list")
    refused(lab, "xvhc give 1-99 web", "1-99", "xvhc list")
    refused(lab, "xvhc give 1-6 web", "1-6", "work", "xvhc take")
    refused(lab, "xvhc take 1-5", "1-5", "not given")
    refused(lab, "xvhc give 1-5/.. web", "1-5/..")
    refused(lab, "xvhc give 1-5 'no such/name'", "no such/name")
    refused(lab, "xvhc give 1-5", "xvhc give PORT GUEST", code=2)
    refused(lab, "xvhc lend 1-5 web", "lend", code=2)
    stick = lab.plug("xhci.5", "storage", image=fat_stick(lab, "stick", {"A": b"a"}))
    wait_disk(dom0)
    dom0.check("mkdir -p /mnt/here && mount -t vfat /dev/sda /mnt/here")
    refused(lab, "xvhc give 1-5 web", "1-5", "/mnt/here", "umount")
    dom0.check("cat /mnt/here/A && umount /mnt/here")
    lab.unplug(stick)
