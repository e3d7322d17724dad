# SPDX-License-Identifier: MIT
"""results.svg: for each workload a bar for each variant, its speed relative to native's."""
import math
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, TOP = 980, 380, 70, 84
BAR, GAP, GROUP_GAP = 12, 2, 14
NAME_HEIGHT = 28
LOWEST, HIGHEST = 0.01, 2.0
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2)
# Told apart by those who see colours otherwise, too.
COLOURS = {"xvhc2": "#0072b2", "xvhc1": "#56b4e9", "stock": "#009e73", "qusb": "#d55e00",
           "usbip": "#cc79a7"}
FONT = "font-family='DejaVu Sans, Verdana, sans-serif'"


def place(ratio):
    """Where a ratio is on the axis, which is logarithmic."""
    share = math.log(min(max(ratio, LOWEST), HIGHEST) / LOWEST) / math.log(HIGHEST / LOWEST)
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def text(x, y, words, size=11, anchor="start", more=""):
    return (f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' text-anchor='{anchor}' {FONT} "
            f"{more}>{escape(words)}</text>")


def rectangle(x, y, width, height, colour):
    return (f"<rect x='{x:.1f}' y='{y:.1f}' width='{max(width, 1):.1f}' height='{height}' "
            f"fill='{colour}'/>")


def line(x1, y1, x2, y2, colour="#dddddd"):
    return (f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}'/>")


def bar(y, of_it, colour):
    """One bar with the median of the ratios, and a thin line from the least to the greatest."""
    ratio, middle = of_it["ratio"], y + BAR / 2
    parts = [rectangle(LEFT, y, place(ratio["median"]) - LEFT, BAR, colour),
             line(place(ratio["min"]), middle, place(ratio["max"]), middle, "#222222")]
    after = max(place(ratio["median"]), place(ratio["max"])) + 4
    return parts + [text(after, y + BAR - 2, f"{ratio['median']:.2f}", 10)]


def group(y, entry, names):
    """The bars of one workload, and its name at their left. Returns (parts, the next y)."""
    parts = []
    began = y
    for name in names:
        of_it = entry["variants"].get(name, {})
        if "ratio" in of_it and of_it["ratio"]["median"] > 0:
            parts += bar(y, of_it, COLOURS[name])
        else:
            why = "does not apply" if "skipped" in of_it else \
                "failed" if "failed" in of_it else "nothing came through" if "median" in of_it \
                else "not measured"
            parts.append(text(LEFT + 4, y + BAR - 2, why, 9, more=f"fill='{COLOURS[name]}'"))
        y += BAR + GAP
    native = entry["variants"].get("native", {})
    parts.append(text(LEFT - 8, began + 11, entry["title"], 11, "end"))
    if "median" in native:
        parts.append(text(LEFT - 8, began + 26,
                          f"native: {native['median']:.3g} {entry['unit']}", 9, "end",
                          "fill='#666666'"))
    return parts, max(y, began + NAME_HEIGHT) + GROUP_GAP


def legend(names, titles):
    parts, x = [], 20
    for name in names:
        parts += [rectangle(x, 42, 12, 12, COLOURS[name]), text(x + 17, 52, titles[name])]
        x += 32 + 7 * len(titles[name])
    return parts


def axis(bottom):
    parts = []
    for tick in TICKS:
        x = place(tick)
        parts += [line(x, TOP - 8, x, bottom, "#888888" if tick == 1 else "#dddddd"),
                  text(x, TOP - 12, f"{tick:g}", 10, "middle")]
    return parts


def svg(made):
    """The whole picture of what report.results() has made."""
    names = [name for name in made["variants"] if name in COLOURS]
    bars, y = [], TOP
    for entry in made["workloads"].values():
        parts, y = group(y, entry, names)
        bars += parts
    title = "Speed relative to native in dom0 (1: as fast), median of the rounds, logarithmic"
    body = [rectangle(0, 0, WIDTH, y + 10, "#ffffff"), text(20, 26, title, 15),
            *legend(names, made["variants"]), *axis(y), *bars]
    return ("<!-- SPDX-License-Identifier: MIT -->\n"
            f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{y + 10:.0f}' "
            f"viewBox='0 0 {WIDTH} {y + 10:.0f}'>\n" + "\n".join(body) + "\n</svg>\n")
