# SPDX-License-Identifier: MIT
"""From figures to a summary: medians, ratios to native, a table, results.json."""
import json
import platform
import re
import statistics
import subprocess
from pathlib import Path

import measuring
import programs
import variants
import workloads

TOP = Path(__file__).resolve().parent.parent.parent
CPU = ("dom0_ms_per_mib", "guest_ms_per_mib")


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def ratios(workload, rounds, native):
    """The ratio to native in each round that has both."""
    by_round = {figure["round"]: figure["value"] for figure in native}
    found = [workload.ratio(figure["value"], by_round[figure["round"]])
             for figure in rounds if figure["round"] in by_round]
    return [ratio for ratio in found if ratio is not None]


def summary_of(workload, rounds, native):
    """What results.json says of one workload by one variant."""
    summary = {**spread([figure["value"] for figure in rounds]), "rounds": rounds}
    for name in CPU:
        values = [figure[name] for figure in rounds if name in figure]
        if values:
            summary[name] = spread(values)
    found = ratios(workload, rounds, native)
    if found and not workload.counted:
        summary["ratio"] = spread(found)
    return summary


def summary(session, counted):
    """{workload: {"title", "unit", "variants": {variant: summary, or why there is none}}}, of
    speeds or of what was counted."""
    made = {}
    for name in session.options.only:
        workload = workloads.ALL[name]
        if workload.counted != counted:
            continue
        figures = session.figures[name]
        entry = {"title": workload.title, "unit": workload.unit,
                 "better": "higher" if workload.higher else "lower", "variants": {}}
        for variant in session.options.variants:
            of_it = entry["variants"][variant] = {}
            if variant in figures:
                of_it.update(summary_of(workload, figures[variant], figures.get("native", [])))
            if (name, variant) in session.failures:
                of_it["failed"] = session.failures[name, variant]
            if (name, variant) in session.skipped:
                of_it["skipped"] = session.skipped[name, variant]
        made[name] = entry
    return made


def first_line(*command):
    done = subprocess.run(command, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, check=False)
    return done.stdout.strip().splitlines()[0] if done.stdout.strip() else "unknown"


def machine():
    """What it was measured on."""
    names = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    return {"processor": names[0] if names else platform.machine(), "processors": len(names),
            "kernel": platform.release(),
            "emulator": first_line("qemu-system-x86_64", "--version"),
            "note": "Xen, dom0 and the guests run in the emulation, without KVM"}


def results(session):
    return {"measured": measuring.now(), "machine": machine(),
            "versions": {"xvhc": first_line("git", "describe", "--always", "--dirty"),
                         **programs.versions()},
            "rounds": session.rounds_done, "size_mib": session.options.size,
            "variants": {name: variants.TITLES[name] for name in session.options.variants},
            "workloads": summary(session, False), "counts": summary(session, True),
            "notes": session.notes}


def lines_of(value, depth=4, indent=""):
    """JSON with a line for each entry down to a depth, and one line for all below."""
    if not isinstance(value, dict) or not value or depth == 0:
        return json.dumps(value, ensure_ascii=False)
    inner = ",\n".join(f"{indent} {json.dumps(key)}: {lines_of(entry, depth - 1, indent + ' ')}"
                       for key, entry in value.items())
    return f"{{\n{inner}\n{indent}}}"


def write(made, path):
    path.write_text(lines_of(made) + "\n", encoding="utf-8")


def number(value):
    """Three digits that matter."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def cell(summary_):
    if "skipped" in summary_:
        return "-"
    if "median" not in summary_:
        return "failed" if "failed" in summary_ else ""
    text = number(summary_["median"])
    if "ratio" in summary_:
        text += f" ({summary_['ratio']['median']:.2f})"
    return text


def cpu_cell(summary_):
    parts = [number(summary_[name]["median"]) if name in summary_ else "-" for name in CPU]
    return "+".join(parts) if "median" in summary_ else ""


def grid(rows):
    """Lines of a table whose columns are as wide as what is in them."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(word.ljust(width) if i == 0 else word.rjust(width)
                      for i, (word, width) in enumerate(zip(row, widths))) for row in rows]


def counts_rows(made, names):
    """What there is for each transfer: a row for each thing that was counted."""
    rows = []
    for entry in made["counts"].values():
        of_names = {name: entry["variants"][name].get("rounds", [{}])[0] for name in names}
        kinds = dict.fromkeys(kind for figure in of_names.values()
                              for kind in figure.get("each", {}))
        rows.append([f"{entry['title']}; for each transfer:", *("" for _ in names)])
        for kind in sorted(kinds, key=lambda kind: (":" in kind, kind)):
            rows.append([f"  {kind}", *(
                f"{figure['each'].get(kind, 0):.2f}" if "each" in figure else "-"
                for figure in of_names.values())])
        rows.append(["  copies of a byte (by reading)", *(
            str(figure.get("copies_of_a_byte", "-")) for figure in of_names.values())])
    return rows


def streams_rows(made, names):
    """What was lost at the rates that were tried, of the best of all rounds."""
    rows = []
    for entry in made["workloads"].values():
        tried = {name: {} for name in names}
        for name in names:
            for figure in entry["variants"][name].get("rounds", []):
                for rate, counts in figure.get("tried_mb_per_second", {}).items():
                    best = tried[name].get(rate)
                    if best is None or counts["bad"] < best["bad"]:
                        tried[name][rate] = counts
        for rate in sorted({rate for rates in tried.values() for rate in rates}, key=int):
            rows.append([f"{entry['title']}: at {rate} MB/s", *(
                lost_cell(tried[name].get(rate)) for name in names)])
    return rows


def lost_cell(counts):
    if counts and "error" in counts:
        return "error"
    return f"{counts['bad']} of {counts['got'] + counts['bad']}" if counts else ""


def table(made):
    """What is printed: medians with the ratio to native, and processor time for each MiB."""
    names = list(made["variants"])
    rows = [["", "unit", *names]]
    cpu = [["processor time, dom0+guest, ms for each MiB", *names]]
    for entry in made["workloads"].values():
        rows.append([entry["title"], entry["unit"],
                     *(cell(entry["variants"][name]) for name in names)])
        cells = [cpu_cell(entry["variants"][name]) for name in names]
        if any("dom0_ms_per_mib" in entry["variants"][name] for name in names):
            cpu.append([entry["title"], *cells])
    more = [cpu, [["packets that did not arrive whole", *names], *streams_rows(made, names)],
            [["counts", *names], *counts_rows(made, names)]]
    parts = [rows] if len(rows) > 1 else []
    return "\n\n".join("\n".join(grid(part)) for part in
                       parts + [part for part in more if len(part) > 1])


def verdicts(made):
    """PASS, FAIL and SKIP lines, as the test runner counts them; and whether all went well."""
    lines, well = [], True
    for name, entry in {**made["workloads"], **made["counts"]}.items():
        for variant, of_it in entry["variants"].items():
            if "failed" in of_it:
                well = False
                reason = of_it["failed"].strip().splitlines() or ["no reason"]
                lines.append(f"FAIL bench: {name}, {variant}: {reason[0]}")
            elif "skipped" in of_it:
                lines.append(f"SKIP bench: {name}, {variant}: {of_it['skipped']}")
            elif "median" in of_it:
                lines.append(f"PASS bench: {name}, {variant}")
            else:
                well = False
                lines.append(f"FAIL bench: {name}, {variant}: was not measured")
    return lines, well
