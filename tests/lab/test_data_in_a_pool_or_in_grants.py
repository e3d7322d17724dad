# SPDX-License-Identifier: MIT
"""A SuperSpeed stick is read and written in each way that its data can take: through a pool that
the backend maps; through grants, since the guest has no pool; through grants, since the backend
maps none. With the pool nothing is copied by the hypervisor, and without it each transfer is."""
import re

from sticks import MIB, image_sha256, noise_stick, read_sha256, wait_disk

COUNTS = re.compile(r"(\d+) with data in the pool; (\d+) copies")


def counts_of(lab, domid):
    """What the worker of a guest that has left has counted: transfers in the pool, and copies."""
    line = lab.dom0.wait(f"grep 'guest {domid}: .*in the pool' /var/log/xvhcd.log", 30)
    return [int(number) for number in COUNTS.search(line).groups()]


def read_and_write(web, image):
    wait_disk(web)
    assert read_sha256(web) == image_sha256(image)
    web.check("dd if=/dev/urandom of=/tmp/noise bs=1M count=2 && "
              "dd if=/tmp/noise of=/dev/sda bs=1M oflag=direct", timeout=120)
    written = web.check("sha256sum < /tmp/noise").split()[0]
    assert image_sha256(image, 2) == written, "the host reads something else than was written"


def test(lab):
    lab.dom0.check("xvhc give 2-1 web")
    image = noise_stick(lab, "stick", 8)
    lab.plug("xhci.1", "storage", image=image)
    requests_min = 8 * MIB // (1 << 20)
    for pool, offered in ((4, True), (0, True), (4, False)):
        web = lab.guest("web", load=False)
        if not offered:
            backend = f"/local/domain/0/backend/vusb/{web.domid}/1000"
            lab.dom0.check(f"xenstore-write {backend}/max-pool-pages 0")
        web.check(f"modprobe xvhc pool={pool}")
        read_and_write(web, image)
        # The worker of a guest that is destroyed has no last word.
        web.check("echo vusb-1000 > /sys/bus/xen/drivers/xvhc/unbind", timeout=60)
        pooled, copies = counts_of(lab, web.domid)
        web.destroy()
        if pool and offered:
            assert pooled > requests_min, f"{pooled} transfers had their data in the pool"
            assert copies == 0, f"the hypervisor has copied {copies} times all the same"
        else:
            assert pooled == 0, "data is in a pool that was not agreed on"
            assert copies > requests_min, f"{copies} copies cannot have been all"
