# SPDX-License-Identifier: MIT
"""A file system that a guest has mounted, and goes on to use whatever happens to its disk."""
import os

from sticks import MIB, ext4_disk, sha256, wait_disk

DATA = os.urandom(3 * MIB + 17)
# A file is written, and read back past the cache, over and over; each round leaves one line.
WORK = """cd /mnt && i=0; while dd if=/dev/urandom of=new bs=64k count=16 2>/dev/null &&
sync new && want=$(sha256sum < new) && echo 3 > /proc/sys/vm/drop_caches &&
test "$(sha256sum < new)" = "$want" && test "$(sha256sum < data)" = "$(cat /tmp/data.sum)"; do
i=$((i + 1)); echo $i > /tmp/round; mv /tmp/round /tmp/rounds; done;
echo "stopped after round $i"; dmesg | tail -n 30"""


class MountedDisk:
    """An ext4 file system on a disk of the lab's, mounted and at work in a guest."""

    def __init__(self, lab, name):
        self.image = ext4_disk(lab, name, {"data": DATA})
        self.guest = self.process = self.disk = self.device = self.number = None

    def mount(self, guest, disk="sda"):
        """Mount it, and begin to work on it."""
        self.guest = guest
        self.disk = disk
        wait_disk(guest, disk)
        self.device = guest.check(f"realpath /sys/block/{disk}/device/../../../..").strip()
        self.number = guest.check(f"cat {self.device}/devnum")
        guest.check(f"mkdir -p /mnt && mount -t ext4 -o errors=remount-ro /dev/{disk} /mnt && "
                    "sha256sum < /mnt/data > /tmp/data.sum && echo 0 > /tmp/rounds")
        assert guest.check("cat /tmp/data.sum").split()[0] == sha256(DATA)
        self.process = guest.start(WORK)
        self.check_goes_on()

    def rounds(self):
        """So many rounds are done."""
        return int(self.guest.check("cat /tmp/rounds"))

    def check_goes_on(self, limit=60):
        """Two more rounds are done, on the same device."""
        wanted = self.rounds() + 2
        self.guest.wait(lambda: not self.process.running() or self.rounds() >= wanted, limit)
        assert self.process.running(), f"the file system is no more: {self.process.text()}"
        assert self.guest.check(f"cat {self.device}/devnum") == self.number, \
            "to the guest it is another device"

    def unmount(self):
        """End the work."""
        self.process.kill(9)
        self.process.wait(60)
        # What it was doing at that moment ends a little later.
        self.guest.wait("umount /mnt", 60)
