"""The report of growth: a table and a curve for each axis."""
import json
import os
import statistics

import gnuplot
from markdown import ms, number, table


def line_of(row):
    if "error" in row:
        return "FAILED: " + row["error"]
    r = row["result"]
    return (f"{r['rate']:12,.0f}/s  {row['cpu_us_each']['all']:6.2f} us CPU each  p50 "
            f"{ms(r['p50_us'])}  p99 {ms(r['p99_us'])} ms")


def read(out):
    """(heads, {axis: {(value, work): rows}}, failures)"""
    heads, axes, failures = [], {}, []
    with open(os.path.join(out, "raw.jsonl"), encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if "stamp" in row:
                heads.append(row)
            elif "error" in row:
                failures.append(row)
            else:
                key = (row[row["axis"]], row["work"])
                axes.setdefault(row["axis"], {}).setdefault(key, []).append(row)
    return heads, axes, failures


def _median(rows, pick):
    values = [pick(row) for row in rows]
    return statistics.median(values)


def _cost(rows, role):
    return _median(rows, lambda row: row["cpu_us_each"].get(role, 0))


def axis_table(axis, points):
    rows = []
    for (value, work), found in sorted(points.items(), key=lambda item: (item[0][1], item[0][0])):
        rows.append([work, f"{value:,}", number(_median(found, lambda r: r["result"]["rate"])),
                     *(f"{_cost(found, role):.2f}" for role in
                       ("all", "shards", "router", "driver")),
                     *(ms(_median(found, lambda r, k=key: r["result"][k]))
                       for key in ("p50_us", "p99_us"))])
    return table(["Work", axis, "a second", "CPU us each, all", "shards", "router", "driver",
                  "p50 ms", "p99"], rows)


def _curve(axis, points, out):
    lines = []
    for at, work in enumerate(sorted({work for _, work in points})):
        found = [(value, _cost(rows, "all"), _cost(rows, "shards"))
                 for (value, w), rows in sorted(points.items()) if w == work]
        csv = gnuplot.points(out, f"{axis}.{work}.csv", found)
        colour = gnuplot.COLOURS[at]
        lines += [f"'{csv}' using 1:2 with linespoints lw 2 pt 7 lc rgb '{colour}' title "
                  f"'{work}, all processes'",
                  f"'{csv}' using 1:3 with linespoints lw 1 dt 2 pt 6 lc rgb '{colour}' title "
                  f"'{work}, shards'"]
    return gnuplot.script(f"{axis}.svg", f"CPU of an operation by {axis}", axis, "us", lines,
                          extra="set logscale x\nset yrange [0:*]\nset format x '%.0s%c'\n")


def write(out, cache):
    heads, axes, failures = read(out)
    lines = ["# Growth", "", *("`" + head["command"].strip() + "`" for head in heads), ""]
    lines += table(["What", "It was"],
                   [[key, str(value)] for key, value in heads[-1]["stamp"].items()])
    made, why_not = gnuplot.draw(out, cache, [
        (f"{axis}.svg", f"cost by {axis}", _curve(axis, points, out))
        for axis, points in axes.items()])
    for axis, points in axes.items():
        lines += [f"## {axis}", ""] + axis_table(axis, points)
        lines += [f"![{title}]({name})\n" for name, title in made if name == f"{axis}.svg"]
    if why_not:
        lines += [f"There are no plots: {why_not}", ""]
    if failures:
        lines += ["## What failed", ""] + [
            f"- {row['axis']} {row[row['axis']]:,}, {row['work']}, round {row['round']}: "
            f"{row['error']}" for row in failures] + [""]
    with open(os.path.join(out, "README.md"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
