# SPDX-License-Identifier: MIT
"""Tests of xvhc capture, which `run` runs: what it does where no guest asks for anything."""
import os
import shutil
import signal
import subprocess


def capturing(bench, path, *words, target="web"):
    """Begins a capture, and waits until the file has begun."""
    before = path.stat().st_ino if path.exists() else None
    process = subprocess.Popen([bench.xvhc, "--socket", bench.socket, "capture", target, "-w", path,
                                *words], text=True, stderr=subprocess.PIPE)
    assert "Capturing" in process.stderr.readline()
    bench.until(lambda: path.exists() and path.read_bytes()[:4] == b"\x0a\x0d\x0d\x0a")
    assert before in (None, path.stat().st_ino)
    return process


def capture_is_a_file_at_any_moment(bench):
    path = bench.folder / "web.pcapng"
    path.write_text("what was there before")
    os.chmod(path, 0o644)
    process = capturing(bench, path)
    assert path.stat().st_mode & 0o777 == 0o600, "somebody else may read what was captured"
    assert b"before" not in path.read_bytes()
    if shutil.which("tshark"):
        subprocess.run(["tshark", "-n", "-r", path], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=bench.limit)
    assert process.returncode == 0 and said == "0 packets, 0 lost\n", said
    assert "xvhc" in path.read_bytes().decode(errors="replace")


def capture_of_a_port_waits_for_its_guest(bench):
    bench.refused("capture", "1-2", "-w", "/dev/null", says=["1-2", "not given", "usbmon"])
    bench.ok("give", "1-2", "mail")
    process = capturing(bench, bench.folder / "port.pcapng", target="2-2")
    process.terminate()
    assert process.wait(bench.limit) == 0
    process.stderr.close()


def capture_ends_with_the_broker(bench):
    process = capturing(bench, bench.folder / "web.pcapng")
    bench.stop()
    _, said = process.communicate(timeout=bench.limit)
    assert process.returncode == 1 and "xvhcd has ended" in said, said
    bench.start()


def capture_ends_when_nobody_reads(bench):
    process = subprocess.Popen([bench.xvhc, "--socket", bench.socket, "capture", "web", "-w", "-"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.read(4) == b"\x0a\x0d\x0d\x0a"
    process.stdout.close()
    assert b"0 packets" in process.stderr.read()
    assert process.wait(bench.limit) == 0
    process.stderr.close()


def capture_says_what_is_wrong(bench):
    for words, says in ((["web"], "--write"), (["web", "-w", "x", "-s", "many"], "--snaplen"),
                        (["web", "-w", "x", "-s", "262145"], "262144"),
                        (["web", "-w", "x", "-s", "-1"], "--snaplen"),
                        (["web", "-w", "x", "--count", "1x"], "--count")):
        bench.refused("capture", *words, says=[says], code=2)
    missing, link = bench.folder / "no" / "file", bench.folder / "link"
    link.symlink_to("elsewhere")
    bench.refused("capture", "web", "-w", missing, says=[str(missing), "No such file"])
    bench.refused("capture", "web", "-w", link, says=[str(link), "cannot be written"])
    bench.refused("capture", "a b", "-w", missing, says=["neither of a port nor of a guest"])
    assert not (bench.folder / "elsewhere").exists()


TESTS = [capture_is_a_file_at_any_moment, capture_of_a_port_waits_for_its_guest,
         capture_ends_with_the_broker, capture_ends_when_nobody_reads, capture_says_what_is_wrong]
