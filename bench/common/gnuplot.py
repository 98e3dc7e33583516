"""Curves by gnuplot, as SVG. A report without gnuplot is whole but for its pictures."""
import os
import subprocess

import debian

HEAD = """set terminal svg size 960,{height} dynamic background '#ffffff' font 'sans-serif,13'
set output '{name}'
set datafile separator ','
set datafile missing '-'
set grid ytics xtics linecolor '#dddddd'
set key outside right top
set title '{title}'
set xlabel '{x}'
set ylabel '{y}'
"""
COLOURS = ["#0b6e4f", "#c8102e", "#e07a1f", "#2b5c9e", "#7b4ea3", "#5fb49c", "#e78a98", "#f0b77f"]


def script(name, title, x, y, lines, height=540, extra=""):
    head = HEAD.format(name=name, title=title.replace("'", "''"), x=x, y=y, height=height)
    return head + extra + "plot " + ", \\\n  ".join(lines) + "\n"


def points(out, name, rows):
    """Writes them below `out`; returns the name for a script."""
    os.makedirs(os.path.join(out, "plots"), exist_ok=True)
    with open(os.path.join(out, "plots", name), "w", encoding="ascii") as file:
        for row in rows:
            file.write(",".join("-" if v is None else str(v) for v in row) + "\n")
    return "plots/" + name


def draw(out, cache, wanted):
    """`wanted`: (file, title, script or None). [(file, title)] of what was drawn, and why not."""
    os.makedirs(os.path.join(out, "plots"), exist_ok=True)
    try:
        program = debian.find("gnuplot-nox", ["usr/bin/gnuplot", "usr/bin/gnuplot-nox"], cache)
    except debian.Missing as why:
        return [], str(why)
    made = []
    for name, title, text in wanted:
        if text is None:
            continue
        path = os.path.join(out, "plots", name.replace(".svg", ".gnuplot"))
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        done = subprocess.run([program, path], cwd=out, text=True, capture_output=True,
                              check=False, env=debian.environment(cache))
        if done.returncode != 0:
            return made, done.stderr.strip()[-300:]
        made.append((name, title))
    return made, ""
