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
    if found:
        summary["ratio"] = spread(found)
    return summary


def summary(session):
    """{workload: {"title", "unit", "variants": {variant: summary, or why there is none}}}"""
    made = {}
    for name in session.options.only:
        workload = workloads.ALL[name]
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
            "rounds": session.options.rounds, "size_mib": session.options.size,
            "variants": {name: variants.TITLES[name] for name in session.options.variants},
            "workloads": summary(session), "notes": session.notes}


def write(made, path):
    path.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")


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
    return "\n".join([*grid(rows), *(["", *grid(cpu)] if len(cpu) > 1 else [])])


def verdicts(made):
    """PASS, FAIL and SKIP lines, as the test runner counts them; and whether all went well."""
    lines, well = [], True
    for name, entry in made["workloads"].items():
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
