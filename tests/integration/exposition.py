"""A strict reader of Prometheus' text format 0.0.4, stricter than Prometheus: what it should be."""
import math
import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|\Z)')
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)\Z")
KINDS = ("counter", "gauge")


class Wrong(Exception):
    """The text is no exposition: says the line and why."""


def labels_read(text, line):
    labels = {}
    while text:
        match = LABEL.match(text)
        if not match or (match.group(3) == "," and match.end() == len(text)):
            raise Wrong(f"{line}: labels")
        if match.group(1) in labels or match.group(1).startswith("__"):
            raise Wrong(f"{line}: label {match.group(1)} twice or reserved")
        labels[match.group(1)] = match.group(2)
        text = text[match.end():]
    return labels


def value_read(text, line):
    try:
        value = float(text)
    except ValueError:
        raise Wrong(f"{line}: {text} is no number") from None
    if not math.isfinite(value) or "_" in text:
        raise Wrong(f"{line}: {text} is no number")
    return value


def read(text):
    """{family: (kind, help, {labels as sorted pairs: value})}; Wrong if anything is."""
    if not text.endswith("\n"):
        raise Wrong("the last line does not end")
    families, helps, last = {}, {}, None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            _, _, name, meaning = line.split(" ", 3)
            if name in helps or not NAME.match(name) or not meaning.strip():
                raise Wrong(f"{line}: help twice, empty, or of no name")
            helps[name], last = meaning, name
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            if name in families or name != last or kind not in KINDS:
                raise Wrong(f"{line}: type twice, not behind its help, or unknown")
            if (kind == "counter") != name.endswith("_total"):
                raise Wrong(f"{line}: counters end in _total, and nothing else does")
            families[name] = (kind, helps[name], {})
        else:
            match = SAMPLE.match(line)
            if not match or match.group(1) != last or last not in families:
                raise Wrong(f"{line}: no sample, or not behind its type")
            key = tuple(sorted(labels_read(match.group(2) or "", line).items()))
            samples = families[last][2]
            if key in samples:
                raise Wrong(f"{line}: twice")
            samples[key] = value_read(match.group(3), line)
            if families[last][0] == "counter" and samples[key] < 0:
                raise Wrong(f"{line}: a counter below 0")
    if set(helps) != set(families):
        raise Wrong("a help without a type")
    return families
