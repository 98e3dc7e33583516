"""The report of sizes: each figure beside what it must be; memory and time as curves."""
import json
import os

import gnuplot
from markdown import ms, number, table

CELLS = 73_000_000  # what the musts of time are about


def line_of(row):
    """What the one who waits is told."""
    if "error" in row:
        return "FAILED: " + row["error"]
    if "result" in row:
        r = row["result"]
        return f"{r['rate']:,.0f}/s, p50 {ms(r['p50_us'])} ms, p99 {ms(r['p99_us'])} ms"
    keys = ("seconds", "stop_s", "rate", "tool_rate", "night_bytes", "night_more_bytes",
            "reservation_bytes", "reservation_more_bytes", "connection_bytes", "memory_bytes")
    return ", ".join(f"{key} {number(row[key])}" for key in keys if key in row)


def read(out):
    """(heads, rows by level and step); the last row of a step counts."""
    heads, levels = [], {}
    with open(os.path.join(out, "raw.jsonl"), encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if "stamp" in row:
                heads.append(row)
            else:
                levels.setdefault(row["level"], {})[row["step"]] = row
    return heads, levels


# ---- figures ----

def _inside(row, is_inside):
    """p99 and longest of the tenths of a second in or out of the snapshot: (median, worst)."""
    begin = row["snapshot"]["begin_s"]
    end = begin + row["snapshot"]["seconds"]
    found = [(p99, longest) for t, count, _, p99, longest in row["series"]
             if count and (begin <= t <= end) == is_inside]
    if not found:
        return None, None
    return sorted(p99 for p99, _ in found)[len(found) // 2], max(x for _, x in found)


def _mib(size):
    return f"{size / 2**20:,.0f} MiB"


class Figures:
    """Rows (figure, measured, must, holds) of one level."""

    def __init__(self, steps):
        self.steps, self.rows = steps, []

    def of(self, step):
        row = self.steps.get(step)
        return row if row and "error" not in row else None

    def add(self, name, text, must="", holds=None):
        self.rows.append([name, text, must, "" if holds is None else "yes" if holds else "**no**"])

    def times(self):
        if row := self.of("load"):
            cells = row["cells"]
            big = cells >= CELLS
            self.add(f"load of {cells / 1e6:,.1f} M nights", f"{row['seconds']:.1f} s, "
                     f"{cells / row['seconds'] / 1e6:.1f} M a second", "20 s for 73 M",
                     row["seconds"] <= 20 if big else None)
        if row := self.of("restart"):
            big = row["cells"] >= CELLS and row["reservations"] >= 1_000_000
            # The must is about 1 M reservations; what more of them take is told beside it.
            judged = big and row["reservations"] == 1_000_000
            self.add("stop, with a snapshot", f"{row['stop_s']:.1f} s")
            self.add("start from that snapshot until all serve", f"{row['seconds']:.1f} s",
                     "5 s at 73 M nights, 1 M reservations",
                     row["seconds"] <= 5 if judged else None)
        if row := self.of("replay"):
            self.add("start behind SIGKILL, snapshot alone", f"{row['bare_s']:.1f} s")
            self.add(f"the same with {row['effects']:,} effects behind it",
                     f"{row['seconds']:.1f} s: {row['rate'] / 1e6:.1f} M effects a second",
                     "3 M a second", row["rate"] >= 3e6)
            self.add("replay by keyrack-recover, one shard",
                     f"{row['tool_rate'] / 1e6:.1f} M effects a second", "3 M a second",
                     row["tool_rate"] >= 3e6)

    def sales(self):
        if row := self.of("book"):
            r = row["result"]
            self.add("BOOKs, 64 connections x 16", f"{r['rate']:,.0f} a second")
            self.add("their p50 / p99 / p99.9 / longest", " / ".join(
                ms(r[key]) for key in ("p50_us", "p99_us", "p99.9_us", "max_us")) + " ms")
            self.add("CPU of a BOOK: shards / router / driver / all", " / ".join(
                number(row["cpu_us_each"].get(role)) for role in
                ("shards", "router", "driver", "all")) + " us", "4 us",
                row["cpu_us_each"]["all"] <= 4)
            self.add("log of a BOOK, records", f"{row['log_bytes']:.0f} bytes", "120",
                     row["log_bytes"] <= 120)
        if row := self.of("replay"):
            self.add("log of a BOOK, blocks on disk, 64 x 64", f"{row['disk_bytes']:.0f} bytes",
                     "120", row["disk_bytes"] <= 120)
        bare, row = self.of("open"), self.of("snapshot")
        for one, name in ((bare, "without"), (row, "with")):
            if one:
                self.add(f"{one['result']['offered_rate']:,.0f} BOOKs a second {name} a snapshot: "
                         "p50 / p99 / p99.9 / longest", " / ".join(
                             ms(one["result"][key]) for key in
                             ("p50_us", "p99_us", "p99.9_us", "max_us")) + " ms",
                         *(("p99.9 within 2 x of without", one["result"]["p99.9_us"] <=
                            2 * bare["result"]["p99.9_us"]) if one is row and bare else ()))
        if row:
            told = row["snapshot"]
            self.add("that snapshot", f"{_mib(told['bytes'])} in {told['seconds']:.1f} s, "
                     f"{_mib(told['bytes'] / told['seconds'])} a second")
            inside, outside = _inside(row, True), _inside(row, False)
            self.add("p99 of a tenth of a second, median: outside / inside it",
                     f"{ms(outside[0])} / {ms(inside[0])} ms; longest {ms(outside[1])} / "
                     f"{ms(inside[1])} ms")

    def memory(self):
        if row := self.of("load"):
            self.add("memory of a night, all the shards took since the start",
                     f"{row['night_bytes']:.1f} bytes", "17", row["night_bytes"] <= 17)
            self.add("memory of a night more", f"{row['night_more_bytes']:.1f} bytes", "17",
                     row["night_more_bytes"] <= 17)
        if row := self.of("reservations"):
            self.add("memory of a reservation, all the shards took since the load",
                     f"{row['reservation_bytes']:.0f} bytes", "200",
                     row["reservation_bytes"] <= 200)
            self.add("memory of a reservation more", f"{row['reservation_more_bytes']:.0f} bytes",
                     "200", row["reservation_more_bytes"] <= 200)
            self.add("resident, of the sizing that was printed", f"{_mib(row['memory_bytes'])} of "
                     f"{_mib(row['printed_bytes'])}, {row['memory_bytes'] / row['printed_bytes']:.0%}"
                     )
        if row := self.of("restart"):
            self.add("resident after the restart", _mib(row["memory_bytes"]))
        if row := self.of("connections"):
            self.add("memory of a connection that says nothing, in the router",
                     f"{row['connection_bytes']:,.0f} bytes")
            last = row["points"][-1]
            self.add(f"CPU of all servers beside {last['connections']:,} such connections",
                     f"{last['cpu_share']:.1%} of a core", "1 % idle", last["cpu_share"] <= 0.01)

    def failures(self):
        for step, row in self.steps.items():
            if "error" in row:
                self.add(step, "FAILED: " + row["error"], "", False)

    def all(self):
        self.times()
        self.sales()
        self.memory()
        self.failures()
        return self.rows


# ---- curves ----

def _memory_curve(levels, out):
    lines = []
    for at, (name, steps) in enumerate(levels.items()):
        points = []
        for step in ("start", "load", "reservations", "restart"):
            row = steps.get(step, {})
            if "memory_bytes" in row:
                points.append((len(points), row["memory_bytes"] / 2**20, step))
        if len(points) > 1:
            csv = gnuplot.points(out, f"memory.{at}.csv", points)
            lines.append(f"'{csv}' using 1:2:xtic(3) with linespoints lw 2 pt 7 lc rgb "
                         f"'{gnuplot.COLOURS[at]}' title '{name}'")
    return gnuplot.script("memory.svg", "Resident memory of the shards behind each step", "",
                          "MiB", lines, extra="set yrange [0:*]\n") if lines else None


def _connections_curve(levels, out):
    lines = []
    for at, (name, steps) in enumerate(levels.items()):
        points = [(p["connections"], p["resident"] / 2**20)
                  for p in steps.get("connections", {}).get("points", [])]
        if points:
            csv = gnuplot.points(out, f"connections.{at}.csv", points)
            lines.append(f"'{csv}' using 1:2 with linespoints lw 2 pt 7 lc rgb "
                         f"'{gnuplot.COLOURS[at]}' title '{name}'")
    return gnuplot.script("connections.svg", "Resident memory of the router's process", "connections that "
                          "say nothing", "MiB", lines, extra="set yrange [0:*]\n"
                          ) if lines else None


def _snapshot_curve(levels, out):
    lines = []
    for at, (name, steps) in enumerate(levels.items()):
        row = steps.get("snapshot", {})
        if "snapshot" not in row or "series" not in row:
            continue
        begin, end = row["snapshot"]["begin_s"], row["snapshot"]["seconds"]
        csv = gnuplot.points(out, f"snapshot.{at}.csv", [
            (t - begin, p99 / 1000 if count else None)
            for t, count, _, p99, _ in row["series"]])
        lines.append(f"'{csv}' using 1:2 with lines lw 1.5 lc rgb '{gnuplot.COLOURS[at]}' title "
                     f"'{name}, a snapshot from 0 to {end:.1f} s'")
    return gnuplot.script("snapshot.svg", "p99 of each tenth of a second around a snapshot",
                          "seconds", "ms", lines, extra="set logscale y\n") if lines else None


# ---- the whole ----

def tables(heads, levels):
    stamp = heads[-1]
    lines = table(["What", "It was"], [[key, str(value)] for key, value in stamp["stamp"].items()]
                  + [[name, str(stamp[name])] for name in ("shards", "router") if name in stamp])
    for name, steps in levels.items():
        some = next(iter(steps.values()))
        lines += [f"## {name}: {some['hotels']:,} hotels, {some['cells'] / 1e6:,.1f} M nights", ""]
        lines += table(["Figure", "Measured", "Must", "Holds"], Figures(steps).all())
    return lines


def write(out, cache):
    heads, levels = read(out)
    lines = ["# Sizes", "", *("`" + head["command"].strip() + "`" for head in heads), ""]
    lines += tables(heads, levels)
    made, why_not = gnuplot.draw(out, cache, (
        ("memory.svg", "memory behind each step", _memory_curve(levels, out)),
        ("connections.svg", "memory of connections", _connections_curve(levels, out)),
        ("snapshot.svg", "the time around a snapshot", _snapshot_curve(levels, out))))
    for name, title in made:
        lines += [f"![{title}]({name})", ""]
    if why_not:
        lines += [f"There are no plots: {why_not}", ""]
    lines += ["`raw.jsonl` has every step with its whole result.", ""]
    with open(os.path.join(out, "README.md"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
