# SPDX-License-Identifier: MIT
"""What a backend finds in a page that was granted for a transfer, behind the transfer's own bytes:
nothing with trusted=0, and with trusted=1, for comparison, what was written to a stick before."""
from spoiler import Spoiler
from sticks import MIB, image_sha256, noise_stick, read_sha256, wait_disk

SECRET = b"secret. "
# A command to a stick has 31 bytes (USB Mass Storage Class, Bulk-Only Transport, 5.1).
COMMAND_BYTES = 31


def write_secret(web, block):
    """Fill the first blocks of the stick."""
    web.check(f"yes '{SECRET.decode()}' | tr -d '\\n' | "
              f"dd of=/dev/sda bs={block} count=16 iflag=fullblock oflag=direct 2>/dev/null")


def write_and_read(web, image):
    """A stick works in both directions, with large and small transfers."""
    assert read_sha256(web) == image_sha256(image)
    write_secret(web, "64k")
    wanted = SECRET * (MIB // len(SECRET))
    assert image.read_bytes()[:MIB] == wanted, "the host reads something else than was written"
    assert read_sha256(web) == image_sha256(image)


def command_page(lab, web):
    """The page with the next command to the stick, as it is when the command is in the ring."""
    spoiler = Spoiler(lab, web)
    worker = spoiler.worker()
    lab.dom0.check(f"kill -STOP {worker}")
    reader = web.start("dd if=/dev/sda of=/dev/null bs=512 count=1 skip=4000 iflag=direct")
    page = spoiler.read(lab.dom0.wait(spoiler.pending)[0])
    lab.dom0.check(f"kill -CONT {worker}")
    assert reader.wait(30)[0] == 0
    assert page.startswith(b"USBC"), f"this is no command: {page[:64]}"
    return page


def test(lab):
    lab.dom0.check("xvhc give 1-5 web")
    found = {}
    for trusted in (1, 0):
        image = noise_stick(lab, f"stick{trusted}", 4)
        stick = lab.plug("xhci.5", "storage", image=image)
        web = lab.guest("web", load=False)
        web.check(f"modprobe xvhc wire=1 trusted={trusted}")
        wait_disk(web)
        write_and_read(web, image)
        write_secret(web, "4k")
        found[trusted] = command_page(lab, web)[COMMAND_BYTES:]
        web.destroy()
        lab.unplug(stick)
    assert SECRET in found[1], "nothing old was found where it should have been"
    assert found[0] == bytes(len(found[0])), "old data was found with trusted=0"
