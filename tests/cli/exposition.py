# SPDX-License-Identifier: MIT
"""Reads Prometheus' text format (version 0.0.4), and nothing that is not in its specification."""
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? ([0-9]+(?:\.[0-9]+)?)")
ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


def labels_of(text):
    """The labels of a sample; each has to be there once."""
    found = re.findall(r'([a-zA-Z0-9_]+)="((?:[^"\\]|\\.)*)"', text or "")
    assert len(dict(found)) == len(found), f"a label stands there twice: {text}"
    return {name: re.sub(r'\\["\\n]', lambda e: ESCAPES[e[0]], value) for name, value in found}


class Figures:
    """All samples of a text, by metric. Fails where a rule of the format is broken."""

    def __init__(self, text):
        assert text.endswith("\n"), "the last line has no end"
        assert text.isascii(), "it is not ASCII"
        self.types, self.helps, self.samples, name = {}, {}, {}, None
        for line in text.splitlines():
            if found := re.fullmatch(rf"# HELP ({NAME}) (\S.*)", line):
                name = found[1]
                assert name not in self.helps, f"the metric stands there twice: {line}"
                assert found[2].endswith("."), f"its help is no sentence: {line}"
                self.helps[name] = found[2]
            elif found := re.fullmatch(rf"# TYPE ({NAME}) (counter|gauge)", line):
                assert found[1] == name and name not in self.types, f"TYPE is out of place: {line}"
                assert name.endswith("_total") == (found[2] == "counter"), f"a bad name: {line}"
                self.types[name], self.samples[name] = found[2], []
            else:
                found = SAMPLE.fullmatch(line)
                assert found, f"this is no line of the format: {line!r}"
                assert found[1] == name and name in self.types, f"out of place: {line}"
                labels = labels_of(found[2])
                assert labels not in [l for l, _ in self.samples[name]], f"a second time: {line}"
                self.samples[name].append((labels, float(found[3])))

    def values(self, metric, /, **labels):
        """The values of a metric's samples with these labels, and maybe more."""
        return [value for of, value in self.samples[metric]
                if all(of.get(label) == wanted for label, wanted in labels.items())]

    def total(self, metric, /, **labels):
        return sum(self.values(metric, **labels))
