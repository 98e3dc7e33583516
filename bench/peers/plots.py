"""Plots by gnuplot, as SVG: rates by what is in flight, percentiles at fixed rates, and the time
around a snapshot."""
import csv
import os

import gnuplot
import works


def _colour(figures, name):
    return gnuplot.COLOURS[figures.names.index(name) % len(gnuplot.COLOURS)]


def _in_flight(figures, out):
    lines = []
    for name in figures.names:
        points = [(w.connections * w.depth, figures.median(w.name, name, "rate"))
                  for w in works.ALL if w.name.startswith("book-")]
        points = [(x, y) for x, y in points if y]
        if len(points) < 2:
            continue
        at = gnuplot.points(out, f"in-flight.{name}.csv", points)
        lines.append(f"'{at}' using 1:2 with linespoints lw 2 pt 7 lc rgb "
                     f"'{_colour(figures, name)}' title '{name}'")
    limit = [(w.connections * w.depth, figures.limit("forwarded-" + w.limit))
             for w in works.ALL if w.name.startswith("book-")]
    limit = [(x, y) for x, y in limit if y]
    if limit and lines:
        at = gnuplot.points(out, "in-flight.limit.csv", limit)
        lines.append(f"'{at}' using 1:2 with linespoints lw 1 dt 2 pt 1 lc rgb '#888888' title "
                     "'bare forwarded frames'")
    if not lines:
        return None
    return gnuplot.script("in-flight.svg", "BOOKs of 3 nights a second, by requests in flight",
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
        at = gnuplot.points(out, f"open.{name}.csv", points)
        colour = _colour(figures, name)
        lines += [f"'{at}' using 1:2 with linespoints lw 1 dt 3 pt 6 lc rgb '{colour}' title "
                  f"'{name} p50'",
                  f"'{at}' using 1:3 with linespoints lw 2 pt 7 lc rgb '{colour}' title "
                  f"'{name} p99'",
                  f"'{at}' using 1:4 with linespoints lw 1 dt 2 pt 5 lc rgb '{colour}' title "
                  f"'{name} p99.9'"]
    if not lines:
        return None
    return gnuplot.script("open.svg", "Latency of BOOKs at fixed rates, from the intended start",
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
        at = gnuplot.points(out, f"snapshot.{name}.csv", points)
        offered = rows[0].get("offered_rate") or 0
        lines.append(f"'{at}' using 1:2 with lines lw 1.5 lc rgb '{_colour(figures, name)}' title "
                     f"'{name}, {offered:,}/s'")
    if not lines:
        return None
    return gnuplot.script("snapshot.svg", "p99 of each tenth of a second; a snapshot begins at 0",
                   "seconds", "ms", lines, extra="set logscale y\n")


def draw(figures, out, cache):
    """[(file, title)] of what was drawn, and why nothing was."""
    return gnuplot.draw(out, cache, (
        ("in-flight.svg", "rates by requests in flight", _in_flight(figures, out)),
        ("open.svg", "percentiles at fixed rates", _percentiles(figures, out)),
        ("snapshot.svg", "the time around a snapshot", _snapshot(figures, out))))
