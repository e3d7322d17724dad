# SPDX-License-Identifier: MIT
"""Runs the parts of the test suite and adds up what they say.

Each part is a command that prints one line per test, `PASS name`, `FAIL name` or `SKIP name: why`
(anything else is passed through), or, for cmocka programs, TAP. A part that exits non-zero without
a FAIL line, or that says nothing at all, counts as one failed test.
"""

import argparse
import glob
import os
import re
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
JOBS = str(os.cpu_count() or 2)
TAP = re.compile(r"^(not ok|ok)\b[\s\d]*-?\s*(.*?)\s*(#\s*SKIP.*)?$", re.I)
REASON_LINES = 6  # of a failure, in the list at the end
LINE = re.compile(r"^(PASS|FAIL|SKIP) (.*)$")


class Count:
    """Verdicts of one part."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []  # their lines

    def add(self, word, line=""):
        if word == "PASS":
            self.passed += 1
        elif word == "SKIP":
            self.skipped += 1
        else:
            self.failed += 1
            self.failures.append(line)

    def explain(self, line):
        """A line about the failure that came last."""
        if self.failures[-1].count("\n") < REASON_LINES:
            self.failures[-1] += "\n" + line

    def fail(self, line):
        """A failure of which no test has told."""
        say(line)
        self.add("FAIL", line)

    def total(self):
        return self.passed + self.failed + self.skipped


def say(text):
    print(text, flush=True)


def run_lines(count, command, limit):
    """Runs a command that prints PASS, FAIL and SKIP lines. The lines are shown as they come."""
    before = count.failed
    first = count.total()
    # `timeout` ends what the command started as well, should it hang.
    process = subprocess.Popen(["timeout", "-k", "30", str(limit)] + command, cwd=TOP, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, errors="replace")
    for line in process.stdout:
        # The closing count of a part is not ours to repeat: the last line of ./test adds up all.
        if not re.match(r"^\d+ passed, \d+ failed", line):
            say(line.rstrip("\n"))
        found = LINE.match(line)
        if found:
            count.add(found.group(1), line.rstrip("\n"))
        elif count.failed > before and line.startswith("    "):
            count.explain(line.rstrip("\n"))
    code = process.wait()
    if (code != 0 and count.failed == before) or count.total() == first:
        count.fail(f"FAIL {' '.join(command)}: exit code {code}, {count.total() - first} verdicts")


def run_cmocka(count, program):
    """Runs one cmocka program. What it prints is shown only where a test of it failed."""
    name = os.path.basename(program)
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
    try:
        done = subprocess.run([program], cwd=TOP, env=env, text=True, errors="replace", timeout=120,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        output, code = done.stdout, done.returncode
    except subprocess.TimeoutExpired as late:
        output, code = (late.stdout or b"").decode(errors="replace"), "none: it ran for 120 s"
    planned = sum(int(n) for n in re.findall(r"^1\.\.(\d+)$", output, re.M))
    verdicts = [TAP.match(line) for line in output.splitlines()]
    verdicts = [v for v in verdicts if v]
    failed = False
    for verdict in verdicts:
        word = "FAIL" if verdict.group(1) == "not ok" else "SKIP" if verdict.group(3) else "PASS"
        failed |= word == "FAIL"
        line = f"{word} {name}: {verdict.group(2)}"
        count.add(word, line)
        say(line)
    if not failed and (code != 0 or planned == 0 or len(verdicts) != planned):
        count.fail(f"FAIL {name}: exit code {code}, {len(verdicts)} of {planned} tests ended")
        failed = True
    if failed:
        say(output)


def build(count, *targets):
    """Builds make targets; a failed build is a failed test."""
    done = subprocess.run(["make", "-s", "-j" + JOBS, *targets], cwd=TOP, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        say(done.stdout)
        count.fail("FAIL make " + " ".join(targets))
    return done.returncode == 0


def part_build(count):
    """every program builds without a warning"""
    if build(count, "all", "tests"):
        say("PASS make all tests")
        count.add("PASS")


def part_unit(count):
    """single functions, under ASan and UBSan"""
    if build(count, "tests"):
        for program in sorted(glob.glob(TOP + "/build/san/unit/test_*")):
            run_cmocka(count, program)


def part_wire(count):
    """the real worker over the memfd transport with device models, under ASan and UBSan"""
    if build(count, "tests"):
        for program in sorted(glob.glob(TOP + "/build/san/wire/test_*")):
            run_cmocka(count, program)


def part_sim(count):
    """a million steps of worker, guest and devices that misbehave, by a random seed"""
    if build(count, "sim"):
        run_lines(count, ["build/san/sim", "--seeds", "10", "--steps", "100000"], 900)


def part_fuzz(count):
    """each fuzzing harness for 20 s (XVHC_FUZZ_SECONDS), and what they reach of core/"""
    if build(count, "fuzzers"):
        seconds = int(os.environ.get("XVHC_FUZZ_SECONDS", "20"))
        run_lines(count, ["fuzz/run"], 10 * seconds + 600)


def part_proofs(count):
    """what core/ does with hostile bytes, for all of them at once, by Frama-C"""
    run_lines(count, ["proofs/run"], 1200)


def part_cli(count):
    """the xvhc command and its sentences"""
    if build(count, "tests"):
        run_lines(count, ["tests/cli/run"], 300)


def part_pages(count):
    """man pages and completions know what the programs know"""
    if build(count, "all", "tests"):
        run_lines(count, ["tests/pages/run"], 600)


def part_style(count):
    """sizes, licence lines, headers that compile alone, words"""
    run_lines(count, ["tests/style/run"], 300)


def part_lint(count):
    """clang-format, clang-tidy, cppcheck, shellcheck"""
    run_lines(count, ["tests/lint/run"], 900)


def part_module(count):
    """xvhc.ko builds for each guest kernel; sparse, checkpatch"""
    run_lines(count, ["tests/module/run"], 900)


def part_deb(count):
    """the Debian packages: built, clean to lintian, complete"""
    run_lines(count, ["tests/deb/run"], 900)


def part_lab(count):
    """real Xen, dom0 and guests, in QEMU"""
    if build(count, "all"):
        run_lines(count, ["tests/lab/run"], 4500)


def part_bench(count):
    """the engine alone, and what a transfer costs beside others; runs only when it is named"""
    if build(count, "all", "bench-engine"):
        run_lines(count, ["bench/engine/run"], 1200)
        run_lines(count, ["bench/run"], 7200)


PARTS = {name[len("part_"):]: function for name, function in list(globals().items())
         if name.startswith("part_")}
# Parts that measure and judge nothing are not among all.
ONLY_NAMED = {"bench"}


def main():
    parser = argparse.ArgumentParser(
        prog="./test", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Runs xvhc's tests: all parts, or the ones named.",
        epilog="parts:\n" + "\n".join(f"  {n:<8}{f.__doc__}" for n, f in PARTS.items()) +
        "\n\nOne test of the lab: tests/lab/run NAME")
    parser.add_argument("part", nargs="*", help="see below")
    parser.add_argument("--check", action="store_true", help="run nothing: only look at the parts")
    arguments = parser.parse_args()
    wanted = arguments.part or [name for name in PARTS if name not in ONLY_NAMED]
    for name in wanted:
        if name not in PARTS:
            parser.error(f"there is no part '{name}'; the parts are {', '.join(PARTS)}")
    if arguments.check:
        return 0
    total = Count()
    for name in wanted:
        start, count = time.monotonic(), Count()
        say(f"== {name}: {PARTS[name].__doc__}")
        PARTS[name](count)
        if count.total() == 0:
            count.fail(f"FAIL {name}: no test ran")
        say(f"== {name}: {time.monotonic() - start:.0f} s")
        total.passed += count.passed
        total.failed += count.failed
        total.skipped += count.skipped
        total.failures += count.failures
    if total.failures:
        say("What failed:")
        for line in total.failures:
            say("    " + line.replace("\n", "\n    "))
    say(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
