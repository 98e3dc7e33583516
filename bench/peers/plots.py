"""Plots by gnuplot, as SVG: rates by what is in flight, percentiles at fixed rates, and the time
around a snapshot."""
import csv
import os
import subprocess

import works

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


def _script(name, title, x, y, lines, height=540, extra=""):
    head = HEAD.format(name=name, title=title, x=x, y=y, height=height)
    return head + extra + "plot " + ", \\\n  ".join(lines) + "\n"


def _colour(figures, name):
    return COLOURS[figures.names.index(name) % len(COLOURS)]


def _write(out, name, rows):
    path = os.path.join(out, "plots", name)
    with open(path, "w", encoding="ascii") as file:
        for row in rows:
            file.write(",".join("-" if v is None else str(v) for v in row) + "\n")
    return "plots/" + name


def _in_flight(figures, out):
    lines = []
    for name in figures.names:
        points = [(w.connections * w.depth, figures.median(w.name, name, "rate"))
                  for w in works.ALL if w.name.startswith("book-")]
        points = [(x, y) for x, y in points if y]
        if len(points) < 2:
            continue
        at = _write(out, f"in-flight.{name}.csv", points)
        lines.append(f"'{at}' using 1:2 with linespoints lw 2 pt 7 lc rgb "
                     f"'{_colour(figures, name)}' title '{name}'")
    limit = [(w.connections * w.depth, figures.limit("forwarded-" + w.limit))
             for w in works.ALL if w.name.startswith("book-")]
    limit = [(x, y) for x, y in limit if y]
    if limit and lines:
        at = _write(out, "in-flight.limit.csv", limit)
        lines.append(f"'{at}' using 1:2 with linespoints lw 1 dt 2 pt 1 lc rgb '#888888' title "
                     "'bare forwarded frames'")
    if not lines:
        return None
    return _script("in-flight.svg", "BOOKs of 3 nights a second, by requests in flight",
                   "in flight", "a second", lines,
                   extra="set logscale xy\nset format y '%.0s%c'\n")


def _percentiles(figures, out):
    lines = []
    for name in figures.names:
        points = [(w.rate, figures.median(w.name, name, "p50_us"),
                   figures.median(w.name, name, "p99_us"),
                   figures.median(w.name, name, "p99.9_us"))
                  for w in works.ALL if w.name.startswith("open-")]
        points = [(x, *(y / 1000 for y in ys)) for x, *ys in points if None not in ys]
        if not points:
            continue
        at = _write(out, f"open.{name}.csv", points)
        colour = _colour(figures, name)
        lines += [f"'{at}' using 1:2 with linespoints lw 1 dt 3 pt 6 lc rgb '{colour}' title "
                  f"'{name} p50'",
                  f"'{at}' using 1:3 with linespoints lw 2 pt 7 lc rgb '{colour}' title "
                  f"'{name} p99'",
                  f"'{at}' using 1:4 with linespoints lw 1 dt 2 pt 5 lc rgb '{colour}' title "
                  f"'{name} p99.9'"]
    if not lines:
        return None
    return _script("open.svg", "Latency of BOOKs at fixed rates, from the intended start",
                   "offered a second", "ms", lines, 640,
                   "set logscale xy\nset format x '%.0s%c'\n")


def _snapshot(figures, out):
    lines = []
    for name in figures.names:
        rows = figures.rows.get(("snapshot", name))
        if not rows:
            continue
        path = os.path.join(out, "series", f"snapshot.{name}.{rows[0]['round']}.csv")
        if not os.path.exists(path):
            continue
        with open(path, encoding="ascii") as file:
            points = [(float(r["t_s"]) - rows[0].get("snapshot_at_s", 0),
                       int(r["p99_us"]) / 1000 if int(r["count"]) else None)
                      for r in csv.DictReader(file)]
        at = _write(out, f"snapshot.{name}.csv", points)
        offered = rows[0].get("offered_rate") or 0
        lines.append(f"'{at}' using 1:2 with lines lw 1.5 lc rgb '{_colour(figures, name)}' title "
                     f"'{name}, {offered:,}/s'")
    if not lines:
        return None
    return _script("snapshot.svg", "p99 of each tenth of a second; a snapshot begins at 0",
                   "seconds", "ms", lines, extra="set logscale y\n")


def draw(figures, out, cache, debian):
    """[(file, title)] of what was drawn, and why nothing was."""
    os.makedirs(os.path.join(out, "plots"), exist_ok=True)
    try:
        gnuplot = debian.find("gnuplot-nox", ["usr/bin/gnuplot", "usr/bin/gnuplot-nox"], cache)
    except debian.Missing as why:
        return [], str(why)
    made = []
    for name, title, script in (
            ("in-flight.svg", "rates by requests in flight", _in_flight(figures, out)),
            ("open.svg", "percentiles at fixed rates", _percentiles(figures, out)),
            ("snapshot.svg", "the time around a snapshot", _snapshot(figures, out))):
        if script is None:
            continue
        path = os.path.join(out, "plots", name.replace(".svg", ".gnuplot"))
        with open(path, "w", encoding="ascii") as file:
            file.write(script)
        done = subprocess.run([gnuplot, path], cwd=out, text=True, capture_output=True,
                              check=False, env=debian.environment(cache))
        if done.returncode != 0:
            return made, done.stderr.strip()[-300:]
        made.append((name, title))
    return made, ""
