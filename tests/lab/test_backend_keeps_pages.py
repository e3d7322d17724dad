# SPDX-License-Identifier: MIT
"""The backend's domain keeps pages of a transfer mapped after the connection has ended (XSA-396),
and writes into them. The guest defers their freeing, and uses them for nothing meanwhile: what was
written into them stays, though all of its free memory is put to use. It reads its stick right in
the next connection, and takes the pages back when they are let go."""
from spoiler import Spoiler
from sticks import image_sha256, noise_stick, read_sha256, start_reading, wait_disk

PAGES_MIN = 8
# Of the guest's memory, when all of it is put to use: what remains for processes, and of that.
PROCESSES_KIB = 24 << 10
FREE_KIB = 8 << 10

ALLOWED = [
    (r"deferring g\.e\.|g\.e\. 0x[0-9a-f]+ still pending", "that is what the pages are for"),
    (r"d0v\d+ Bad (?:flags|ref)", "the last page is asked for until it is granted no more"),
]


def stopped_with_pages(lab, spoiler, worker):
    """Stops the worker while it has a transfer with many pages. Returns these."""
    def attempt():
        lab.dom0.check(f"kill -STOP {worker}")
        pages = spoiler.pending()
        if len(pages) < PAGES_MIN:
            lab.dom0.check(f"kill -CONT {worker}")
            return None
        return pages
    return lab.dom0.wait(attempt, 60)


def deferrals(web):
    """The lines of web's kernel that are about grants."""
    return [line for line in web.dmesg().splitlines() if "g.e." in line]


def use_all_memory(web):
    """Files take what the kernel could move elsewhere, and processes what it could not, for their
    stacks and page tables."""
    web.check(f"""
        free() {{ awk '/^MemFree/ {{print $2}}' /proc/meminfo; }}
        mkdir -p /tmp/all && mount -t tmpfs -o size=100% none /tmp/all || exit
        dd if=/dev/zero of=/tmp/all/file bs=64k count=$((($(free) - {PROCESSES_KIB}) / 64)) || exit
        while [ $(free) -gt {FREE_KIB} ]; do tail -f /dev/null & all="$all $!"; done
        kill $all
        wait
        umount /tmp/all""", timeout=120)


def test(lab):
    lab.dom0.check("xvhc give 1-5 web")
    image = noise_stick(lab, "stick", 4)
    lab.plug("xhci.5", "storage", image=image)
    web = lab.guest("web", arguments="xvhc.wire=1")
    wait_disk(web)
    spoiler = Spoiler(lab, web)
    worker = spoiler.worker()
    web.check("echo 'format \"deferring g.e.\" +p' > /proc/dynamic_debug/control")
    start_reading(web)
    pages = stopped_with_pages(lab, spoiler, worker)
    holder = spoiler.start("hold", *pages)
    lab.dom0.wait(lambda: f"held {len(pages)}\n" in holder.text())
    spoiler.kill(worker)
    wait_disk(web, limit=60)
    web.wait(lambda: len(deferrals(web)) >= len(pages))
    said = deferrals(web)
    assert len(said) == len(pages) and all("deferring" in line for line in said), said
    for _ in range(3):
        use_all_memory(web)
        assert read_sha256(web) == image_sha256(image)
    assert holder.running()
    holder.close_input()
    rc, text = holder.wait(30)
    assert rc == 0, f"the guest has used pages that the backend still had mapped: {text}"
    for page in pages:
        lab.dom0.wait(f"! lab-spoil read {web.domid} {page} > /tmp/page", 60)
    assert not [line for line in deferrals(web) if "leaking" in line]
    use_all_memory(web)
    assert read_sha256(web) == image_sha256(image)
