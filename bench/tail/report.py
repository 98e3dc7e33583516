"""The report: percentiles, outliers with their causes, curves."""
import csv
import json
import os

import causes
import gnuplot
import markdown

SHOWN = 40
PERCENTILES = ("p50_us", "p90_us", "p99_us", "p99.9_us", "p99.99_us", "max_us")


def _series(out, level):
    with open(os.path.join(out, "series", level + ".csv"), encoding="ascii") as file:
        return list(csv.DictReader(file))


def _seen(out, level):
    with open(os.path.join(out, "series", level + ".seen.json"), encoding="ascii") as file:
        return json.load(file)


def outliers(out, row):
    seen = _seen(out, row["level"])
    usual = causes.usual_clock_rate(seen["counters"])
    return [causes.explain(o, seen["scheduler"], seen["counters"], row.get("roll_at_s"), usual)
            for o in causes.slow(_series(out, row["level"]))]


def _percentiles(rows):
    lines = []
    for row in rows:
        for name in [None] + sorted(row["result"]["operations"]):
            r = row["result"]["operations"][name] if name else row["result"]
            lines.append([f"{row['share']} %, {row['rate']:,}/s" if not name else "",
                          name or "all", f"{r['count']:,}"]
                         + [markdown.ms(r[key]) for key in PERCENTILES])
    return markdown.table(["Level", "Operation", "count", "p50 ms", "p90", "p99", "p99.9",
                           "p99.99", "longest"], lines)


def _disk_and_loop(out, rows):
    """What shards and router themselves say was their longest turn and append."""
    lines = []
    for row in rows:
        samples = _seen(out, row["level"])["counters"]
        if not samples:
            continue
        first, last = samples[0][1], samples[-1][1]
        for role in sorted(last):
            now, before = last[role], first.get(role, {})
            more = {name: now[name] - before.get(name, 0) for name in now}
            lines.append([f"{row['share']} %", role, markdown.ms(now["turn_max_us"]),
                          str(more["turns_slow"]), markdown.ms(now.get("append_max_us")),
                          str(more.get("appends_slow", "-")), str(more.get("segments", "-")),
                          f"{more.get('clock', 0):,}", str(more.get("snapshots", "-"))])
    return markdown.table(["Level", "Process", "longest turn ms", "turns over 5 ms",
                           "longest append ms", "appends over 5 ms", "segments",
                           "expiries, retirements, days", "snapshots"], lines)


def _outliers(row, found):
    lines = [f"### {row['share']} %: {len(found)} times over 5 ms", ""]
    if not found:
        return lines
    lines += markdown.table(["How often", "longest ms", "What was seen"],
                            [[str(count), markdown.ms(longest), cause]
                             for cause, count, longest in causes.grouped(found)])
    worst = sorted(found, key=lambda o: -o.longest_us)[:SHOWN]
    lines += markdown.table(["at s", "longest ms", "What was seen"],
                            [[f"{o.begin:.2f} to {o.end:.2f}", markdown.ms(o.longest_us), o.cause]
                             for o in sorted(worst, key=lambda o: o.begin)])
    if len(found) > SHOWN:
        lines += [f"The {SHOWN} longest of {len(found)}.", ""]
    return lines


def _curves(out, rows):
    wanted = []
    for row in rows:
        points = [(float(r["t_s"]), int(r["p50_us"]) / 1000, int(r["p99_us"]) / 1000,
                   int(r["max_us"]) / 1000) for r in _series(out, row["level"]) if int(r["count"])]
        at = gnuplot.points(out, f"{row['level']}.csv", points)
        marks = "".join(
            f"set arrow from {row[key]:.2f}, graph 0 to {row[key]:.2f}, graph 1 nohead dt 2\n"
            f"set label '{what}' at {row[key]:.2f}, graph 0.97\n"
            for key, what in (("snapshot_at_s", " snapshot"), ("roll_at_s", " business day"))
            if key in row)
        lines = [f"'{at}' using 1:{column} with lines lw 1 lc rgb '{colour}' title '{name}'"
                 for column, colour, name in ((4, "#e78a98", "longest"), (3, "#2b5c9e", "p99"),
                                              (2, "#0b6e4f", "p50"))]
        title = f"{row['share']} per cent of the maximum, {row['rate']:,} BOOK and CANCEL a second"
        wanted.append((f"{row['level']}.svg", title, gnuplot.script(
            f"{row['level']}.svg", title, "seconds", "ms, of each tenth of a second", lines,
            extra="set logscale y\n" + marks)))
    return wanted


def write(out, cache):
    """README.md in `out`; returns its text."""
    with open(os.path.join(out, "raw.jsonl"), encoding="utf-8") as file:
        raw = [json.loads(line) for line in file]
    rows = [row for row in raw if "level" in row]
    stamps = [row for row in raw if "stamp" in row]
    lines = ["# The tail", ""]
    for stamp in stamps:
        lines += [f"`bench/tail/run.sh {stamp['command']}`: "
                  + ", ".join(f"{key}: {value}" for key, value in stamp["stamp"].items()), ""]
    lines += ["BOOK and CANCEL 1:1, open loop, latency from the intended start; retirements "
              + ", ".join(f"{row['retired_a_second']:,.0f}" for row in rows)
              + " a second; inside are a snapshot"
              + " and a turn of every hotel's business day" * any("roll_at_s" in r for r in rows)
              + ".", ""]
    lines += _percentiles(rows) + ["What the processes say themselves:", ""]
    lines += _disk_and_loop(out, rows) + ["## Answers of more than 5 ms", ""]
    for row in rows:
        lines += _outliers(row, outliers(out, row))
        for key in ("snapshot_error",):
            if row.get(key):
                lines += [f"{key}: {row[key]}", ""]
    made, why = [], "not asked for"
    if cache:
        made, why = gnuplot.draw(out, cache, _curves(out, rows))
    for name, title in made:
        lines += [f"![{title}]({name})", ""]
    if why:
        lines += [f"There are no curves: {why}", ""]
    text = "\n".join(lines)
    with open(os.path.join(out, "README.md"), "w", encoding="utf-8") as file:
        file.write(text)
    return text
