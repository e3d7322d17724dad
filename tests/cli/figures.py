# SPDX-License-Identifier: MIT
"""Tests of `xvhc show`, `top` and `metrics`: with the broker of all tests, and with one that says
what the test wants, be it ever so odd."""
import json
import os
import pathlib
import pty
import re
import select
import signal
import socket
import subprocess
import threading
import time

from exposition import Figures

TOP = pathlib.Path(__file__).resolve().parents[2]
XVHC = TOP / "build/san/xvhc"
LIMIT = 20
TYPES = ("control", "isochronous", "bulk", "interrupt")
ERRORS = ("stall", "io", "babble", "cancelled", "gone", "other")


def names_in_the_docs(file, pattern):
    return set(re.findall(pattern, (TOP / "docs" / file).read_text(), re.M))


def counters(bulk=(0, 0), size=(0, 0), in_flight=0, **errors):
    """The counters of a port, as the broker has them: in, out."""
    table = {kind: {"in": 0, "out": 0} for kind in TYPES}
    return {"transfers": dict(table, bulk=dict(zip(("in", "out"), bulk))),
            "bytes": dict(table, bulk=dict(zip(("in", "out"), size))),
            "errors": dict(dict.fromkeys(ERRORS, 0), **errors), "refused": 0,
            "isochronous-packets": 0, "isochronous-packets-lost": 0, "resets": 0, "host-full": 0,
            "in-flight": in_flight}


def port(name="1-2", guest="web", product="Cruzer", **more):
    return dict({"port": name, "names": [name], "place": f"pci-0000:00:04.0/hs-{name[2:]}",
                 "device": {"vendor": "0781", "product": "5567", "name": product,
                            "speed": "480 Mbit/s"},
                 "guest": guest, "domain": 7, "condition": "in-use", "counters": counters()},
                **more)


def controller(cpu_ms=0, pid=99):
    return {"guest": "web", "domain": 7, "controller": 1000, "ports": 8, "phase": "connected",
            "wire": {"version": 2}, "worker": {"pid": pid, "uptime-ms": 5, "cpu-ms": cpu_ms},
            "connections": 1, "failures": 0, "counters": {"requests": 5, "refused": 1}}


def answer(ports, uptime_ms=1000, controllers=()):
    return {"ok": True, "version": "0.1", "uptime-ms": uptime_ms, "ports": ports,
            "controllers": list(controllers)}


class Oracle:
    """A broker that gives these answers, one after the other, the last again and again."""

    def __init__(self, bench, *answers):
        self.path = bench.folder / "oracle"
        self.answers = [json.dumps(a).encode() + b"\n" for a in answers]
        self.asked = 0
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(self.path))
        self.socket.listen(8)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            with client:
                client.makefile("rb").readline()
                client.sendall(self.answers[min(self.asked, len(self.answers) - 1)])
                self.asked += 1

    def run(self, *words):
        done = subprocess.run([XVHC, "--socket", self.path, *words], text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT)
        assert done.returncode == 0, f"xvhc {' '.join(words)}: {done.returncode}: {done.stdout}"
        return done.stdout


def show_tells_all_about_a_given_port(bench):
    bench.stop()
    bench.config.write_text("filter = 0x08:-1:-1:-1:1\n[guest web]\nallow-dfu = yes\n")
    bench.start()
    bench.ok("give", "1-2", "web")
    bench.until(lambda: "frontend driver" in bench.port("1-2")["state"])
    bench.until(lambda: json.loads(bench.ok("show", "1-2", "--json"))["device"]["interfaces"])
    said = bench.ok("show", "2-2")
    for words in ("Port 1-2/2-2\n", "pci-0000:00:04.0/hs-2\n", "2-2, SuperSpeed", "46f4:0001",
                  "08:06:50 storage", "domain        7, UUID", "controller    1000",
                  "filter        for all: 0x08:-1:-1:-1:1", "downloads may pass",
                  "transfers-in-flight          256", "0 in flight", "Last events",
                  "is given to web"):
        assert words in said, f"'{words}' is not in: {said}"
    assert all(c.isprintable() or c == "\n" for c in said), f"not fit for a terminal: {said!r}"


def show_has_all_of_list_and_more(bench):
    for name in ("1-2", "1-4", "1-5"):
        bench.ok("give", name, "web")
    bench.until(lambda: bench.port("1-5")["state"].startswith("hub, given"))
    for listed in json.loads(bench.ok("list", "--json"))["ports"]:
        shown = json.loads(bench.ok("show", listed["place"], "--json"))
        for member, value in listed.items():
            if isinstance(value, dict):
                assert value.items() <= shown[member].items(), (value, shown[member])
            else:
                assert shown[member] == value, (member, value, shown[member])
        for member in ("sides", "owner"):
            assert member in shown, (member, shown)
        for member in ("policy", "quotas", "counters", "condition", "connection"):
            assert (member in shown) == (listed["guest"] is not None), (member, shown)


def show_of_a_port_in_dom0(bench):
    said = bench.ok("show", "1-3")
    assert "none: dom0 has this port" in said and "46f4:0001" in said, said
    assert "Counters" not in said and "Policy" not in said, said
    assert "none is plugged in" in bench.ok("show", "1-1")


def show_of_a_port_that_is_not_there(bench):
    bench.refused("show", "9-9", says=["no port 9-9", "xvhc list"])
    bench.refused("show", "nonsense", says=["not the name of a port"])
    bench.stop()
    bench.ports.write_text("pci-0000:00:09.0/hs-1 web\n")
    bench.start()
    assert "not there now" in bench.ok("show", "pci-0000:00:09.0/hs-1")


def show_names_the_rule_that_refused(bench):
    bench.stop()
    bench.config.write_text("[guest web]\nfilter = 0x08:-1:-1:-1:0|-1:-1:-1:-1:1\n")
    bench.start()
    bench.ok("give", "1-2", "web")
    bench.until(lambda: bench.port("1-2")["refused-by"])
    said = bench.ok("show", "1-2")
    assert "refused by    rule 0x08:-1:-1:-1:0 of the filter of [guest web]" in said, said
    assert json.loads(bench.ok("show", "1-2", "--json"))["condition"] == "refused"


def members_of(value, path=""):
    """The paths of all members, as docs/json.md writes them."""
    if isinstance(value, list):
        return set().union(*(members_of(element, path + "[]") for element in value))
    if not isinstance(value, dict):
        return set()
    names = {member: "TYPE" if member in TYPES else member for member in value}
    paths = {member: f"{path}.{name}" if path else name for member, name in names.items()}
    return set(paths.values()).union(*(members_of(inner, paths[member])
                                       for member, inner in value.items()))


def documented_members(section):
    text = (TOP / "docs/json.md").read_text().split(f"\n## {section}\n")[1]
    return set(re.findall(r"^\| `([^`]+)` \|", text.split("\n## ")[0], re.M))


def members_of_json_are_documented(bench):
    bench.stop()
    bench.config.write_text("filter = -1:-1:-1:-1:1\n")
    bench.start()
    bench.ok("give", "1-2", "web")
    bench.until(lambda: json.loads(bench.ok("show", "1-2", "--json"))["device"]["interfaces"])
    bench.until(lambda: json.loads(bench.ok("show", "1-2", "--json"))["connection"])
    listed = members_of(bench.port("1-2"))
    shown = json.loads(bench.ok("show", "1-2", "--json"))
    assert shown["events"][-1]["message"], shown
    shown = {path for path in members_of(shown) - listed if not path.startswith("events[]")}
    documented = documented_members("`xvhc show --json`")
    assert shown <= documented, shown - documented
    # No guest is connected here: tests/unit/test_broker_tally.c has what is missing.
    missing = {path for path in documented - shown
               if not path.startswith(("connection.wire.", "connection.worker."))}
    assert not missing, missing
    got = json.loads(bench.ok("top", "--json", "-n", "1", "-d", "0.1"))
    rates = {path for path in members_of(got) if ".device." not in path}
    assert rates == documented_members("`xvhc top --json`"), rates
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(bench.socket))
        client.sendall(b'{"command":"counters"}\n')
        got = json.loads(client.makefile("rb").readline())
    assert set(got) == {"ok", "version", "uptime-ms", "ports", "controllers"}, got
    assert members_of(got["ports"][0]) - listed <= documented | {"domain"}, got
    assert {"connection." + path for path in members_of(got["controllers"][0])} <= documented, got


def top_shows_what_changed_by_the_time_between(bench):
    before = answer([port(counters=counters((10, 1), (1048576, 100)))], 1000, [controller(100)])
    after = answer([port(counters=counters((30, 5), (5242880, 2100), 4, stall=2, cancelled=9)),
                    port("1-3", "mail", counters=counters((8, 0), (4096, 0)))], 3000,
                   [controller(1100)])
    oracle = Oracle(bench, before, after)
    got = json.loads(oracle.run("top", "--json", "-n", "1", "-d", "0.1"))
    web, mail = got["guests"]
    assert got["elapsed-ms"] == 2000 and web["guest"] == "web", got
    assert web["ports"][0]["place"] == "pci-0000:00:04.0/hs-2", web
    for row in (web, web["ports"][0]):
        assert (row["transfers-per-second"], row["bytes-in-per-second"]) == (12, 2097152), row
        assert (row["bytes-out-per-second"], row["errors"], row["in-flight"]) == (1000, 2, 4), row
    assert web["cpu-percent"] == 50, web
    # It was given in between.
    assert (mail["transfers-per-second"], mail["bytes-in-per-second"]) == (4, 2048), mail


def top_as_a_table(bench):
    before = answer([port(counters=counters((0, 0), (0, 0)))], 1000)
    after = answer([port(counters=counters((30, 5), (5242880, 2000), 4, io=2))], 2000)
    said = Oracle(bench, before, after).run("top", "-n", "1", "-d", "0.1")
    lines = [line.split() for line in said.splitlines()]
    assert lines[1] == ["web", "35", "5.0M", "2.0K", "4", "2", "0"], lines
    assert lines[2] == ["1-2", "0781:5567", "Cruzer", "35", "5.0M", "2.0K", "4", "2"], lines
    said = bench.ok("top", "-n", "3", "-d", "0.1")
    assert said.count("TRANSFERS") == 3 and "xvhc give" in said, said


def top_over_a_restart_of_the_broker(bench):
    before = answer([port(counters=counters((500, 0), (9000, 0)))], 90000, [controller(900)])
    after = answer([port(counters=counters((8, 0), (4000, 0)))], 2000, [controller(40, pid=5)])
    got = json.loads(Oracle(bench, before, after).run("top", "--json", "-n", "1", "-d", "0.1"))
    row = got["guests"][0]
    assert (row["transfers-per-second"], row["bytes-in-per-second"]) == (4, 2000), got
    assert row["cpu-percent"] == 2, got


def top_with_the_wrong_numbers(bench):
    for words in (["-d", "0"], ["-d", "x"], ["-d", "nan"], ["-d", "-1"], ["-n", "0"], ["-n", "-1"],
                  ["-n", "1x"], ["--delay", "1e99"]):
        bench.refused("top", *words, says=["--delay" if "-d" in words[0] else "--count"], code=2)


def top_bears_any_text(bench):
    evil = port(guest="\x1b[2Jw\u00e9b", product='\x1b]0;x\x07"\\\n', port="1-\x1b[31m")
    for answers in (answer([evil]), answer("x"), answer([7, None, []], -5, [None]),
                    {"ok": True}, answer([{"counters": {"bytes": 5}}], 2**64)):
        oracle = Oracle(bench, answers)
        for words in (["top", "-n", "1", "-d", "0.1"], ["metrics"]):
            said = oracle.run(*words)
            assert all(c.isprintable() or c == "\n" for c in said), repr(said)
        oracle.socket.close()
        oracle.path.unlink()
    Figures(Oracle(bench, answer([evil])).run("metrics"))


class Screen:
    """xvhc top on a terminal."""

    def __init__(self, bench, *words):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(XVHC, [str(XVHC), "--socket", str(bench.socket), "top", *words])
        self.text = ""

    def until(self, words):
        end = time.monotonic() + LIMIT
        while words not in self.text:
            assert time.monotonic() < end, f"'{words}' is not on the screen: {self.text!r}"
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.fd, 65536).decode()
                except OSError:  # it has ended, and all is read
                    assert words in self.text, f"'{words}' is not on the screen: {self.text!r}"

    def code(self):
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def top_puts_the_terminal_back(bench):
    for end in ("q", "\x03", signal.SIGTERM, signal.SIGHUP):
        screen = Screen(bench, "-d", "0.1")
        screen.until("\x1b[?1049h")
        screen.until("\x1b[H")
        screen.until("TRANSFERS")
        if isinstance(end, str):
            os.write(screen.fd, end.encode())
        else:
            os.kill(screen.pid, end)
        screen.until("\x1b[?1049l")
        assert screen.code() == 0
        os.close(screen.fd)


def top_without_a_broker(bench):
    bench.stop()
    code, said = bench.run("top", "-n", "1")
    assert code == 1 and "does not run" in said, said
    bench.start()


def metrics_keep_to_the_format(bench):
    bench.ok("give", "1-2", "web")
    bench.ok("give", "1-4", "mail")
    bench.until(lambda: "frontend driver" in bench.port("1-2")["state"])
    figures = Figures(bench.ok("metrics"))
    assert figures.values("xvhc_up") == [1]
    assert figures.values("xvhc_port_state", port="pci-0000:00:04.0/hs-2", state="waiting") == [1]
    assert figures.total("xvhc_port_state") == 2
    assert figures.values("xvhc_port_info", name="1-4", guest="mail", device="46f4:0001") == [1]
    assert figures.values("xvhc_bytes_total", type="bulk", direction="in") == [0, 0]
    assert figures.values("xvhc_controller_requests_total", guest="web", domid="7") == [0]


def metrics_are_documented(bench):
    figures = Figures(bench.ok("metrics"))
    documented = names_in_the_docs("metrics.md", r"^\| `(xvhc_[a-z_]+)`")
    assert documented == set(figures.types), documented ^ set(figures.types)


def metrics_say_what_the_counters_say(bench):
    shown = port(product='a "quoted" \\ name', counters=counters((30, 5), (2**53 + 1, 7), 4, io=2))
    figures = Figures(Oracle(bench, answer([shown], 65000, [controller(1042)])).run("metrics"))
    assert figures.values("xvhc_transfers_total", type="bulk", direction="in") == [30]
    assert figures.values("xvhc_transfers_total", type="bulk", direction="out") == [5]
    assert figures.total("xvhc_transfers_total") == 35
    assert figures.values("xvhc_errors_total", kind="io") == [2]
    assert figures.total("xvhc_errors_total") == 2
    assert figures.values("xvhc_transfers_in_flight") == [4]
    assert figures.values("xvhc_port_info", product='a "quoted" \\ name') == [1]
    assert figures.values("xvhc_uptime_seconds") == [65]
    assert figures.values("xvhc_controller_cpu_seconds") == [1.042]
    assert figures.values("xvhc_controller_wire_version") == [2]


def metrics_are_written_at_one_stroke(bench):
    path = bench.folder / "xvhc.prom"
    path.write_text("old\n")
    with open(path, encoding="ascii") as reader:
        bench.ok("metrics", "--write", str(path))
        assert reader.read() == "old\n", "the file that somebody reads was written to"
    assert Figures(path.read_text()).values("xvhc_up") == [1]
    assert path.stat().st_mode & 0o777 == 0o644
    # Nothing is left beside it that the collector would take: it reads *.prom.
    assert [p.name for p in bench.folder.glob("xvhc.prom*")] == ["xvhc.prom"]
    bench.refused("metrics", "--write", str(bench.folder / "no" / "x.prom"),
                  says=["cannot be written", "No such file"])


def metrics_without_a_broker(bench):
    bench.stop()
    done = subprocess.run([XVHC, "--socket", bench.socket, "metrics"], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LIMIT)
    assert done.returncode == 0 and "does not run" in done.stderr, done
    figures = Figures(done.stdout)
    assert figures.values("xvhc_up") == [0] and len(figures.types) == 1
    bench.start()


TESTS = [show_tells_all_about_a_given_port, show_has_all_of_list_and_more, show_of_a_port_in_dom0,
         show_of_a_port_that_is_not_there, show_names_the_rule_that_refused,
         members_of_json_are_documented, top_shows_what_changed_by_the_time_between,
         top_as_a_table, top_over_a_restart_of_the_broker, top_with_the_wrong_numbers,
         top_bears_any_text, top_puts_the_terminal_back, top_without_a_broker,
         metrics_keep_to_the_format, metrics_are_documented, metrics_say_what_the_counters_say,
         metrics_are_written_at_one_stroke, metrics_without_a_broker]
