"""The report: Markdown and plots out of the raw rows."""
import json
import os
import shlex
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "common"))
import machine  # noqa: E402
import plots  # noqa: E402
import works  # noqa: E402
from markdown import ms, number, table  # noqa: E402


# ---- the stamp ----

def stamp(options, there, absent, argv):
    return {
        "stamp": machine.stamp(options.work),
        "command": "python3 bench/peers/run.py " + " ".join(map(shlex.quote, argv[1:])),
        "rounds": options.rounds, "seconds": options.seconds, "preload": options.preload,
        "warmup": options.warmup, "shards": options.shards, "transport": options.transport,
        "apart": options.apart,
        "shared": options.shared,
        "snapshots": not (options.no_snapshots or options.quick),
        "systems": [{"name": s.name, "label": s.label, "version": s.version,
                     "durability": s.durability} for s in there],
        "absent": absent,
    }


# ---- figures ----

class Figures:
    """Rows by work and system; limits by name."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        self.stamp = rows[0]
        self.names = [s["name"] for s in self.stamp["systems"]]
        self.rows, self.limits, self.errors, self.skipped = {}, {}, [], {}
        for row in rows[1:]:
            if "error" in row:
                self.errors.append(row)
            elif "limit" in row:
                self.limits.setdefault(row["limit"], []).append(row["result"])
            elif "skipped" in row:
                self.skipped[(row["work"], row["system"])] = row["skipped"]
            else:
                self.rows.setdefault((row["work"], row["system"]), []).append(row)

    def values(self, work, system, key):
        rows = self.rows.get((work, system), [])
        return [row[key] if key in row else row["result"].get(key) for row in rows]

    def median(self, work, system, key):
        values = [v for v in self.values(work, system, key) if v is not None]
        return statistics.median(values) if values else None

    def limit(self, name, key="rate"):
        values = [row[key] for row in self.limits.get(name, []) if key in row]
        return statistics.median(values) if values else None

    def has(self, work):
        return any((work, name) in self.rows for name in self.names)


def systems_relaxed():
    """Those that answer before the disk has it."""
    return ("keyrack-async", "redis-everysec", "tarantool-write")


# ---- tables ----

def _best(f, kind, name):
    """(rate, title) of the best closed loop of a kind."""
    found = [(f.median(w.name, name, "rate"), w.title.split(", ")[1]) for w in works.ALL
             if w.name.startswith(kind)]
    return max(((rate, title) for rate, title in found if rate), default=(None, ""))


def _spread(values):
    text = number(statistics.median(values))
    return text + (f" ({number(min(values))} to {number(max(values))})" if len(values) > 1 else "")


def _rates(f, names):
    """Closed loops: median, lowest to highest."""
    rows = []
    for work in works.ALL:
        values = {name: f.values(work.name, name, "rate") for name in names}
        if not work.rate and any(values.values()):
            rows.append([work.title] + [_spread(values[n]) if values[n] else "-" for n in names])
    for kind, title in (("book-", "BOOKs, best"), ("read-", "reads, best")):
        best = [_best(f, kind, name) for name in names]
        if any(rate for rate, _ in best):
            rows.append([title] + [f"{number(rate)} at {at}" if rate else "-"
                                   for rate, at in best])
    return table(["Operations a second"] + names, rows)


def _ratios(f, names):
    """How often Keyrack's rate is the other's."""
    others = [name for name in names if name != "keyrack"]
    pairs = [(work.title, [f.median(work.name, name, "rate") for name in ["keyrack"] + others])
             for work in works.ALL if not work.rate]
    pairs += [(title, [_best(f, kind, name)[0] for name in ["keyrack"] + others])
              for kind, title in (("book-", "BOOKs, best"), ("read-", "reads, best"))]
    rows = [[title] + [f"{mine / rate:.2f}" if rate else "-" for rate in theirs]
            for title, (mine, *theirs) in pairs if mine and any(theirs)]
    return table(["Keyrack (sync, its router inside) to"] + others, rows)


PERCENTILES = (("p50", "p50 ms"), ("p90", "p90"), ("p99", "p99"), ("p99.9", "p99.9"),
               ("max", "longest"))


def _latencies(f, is_open):
    rows = []
    for work in works.ALL:
        if bool(work.rate) != is_open:
            continue
        beaten = [name for name in f.names
                  if (work.name, name) in f.skipped and (work.name, name) not in f.rows]
        if beaten:
            rows.append([work.title, ", ".join(beaten), "not reached"] + ["-"] * 5)
        for name in f.names:
            if not f.rows.get((work.name, name)):
                continue
            reached = f.median(work.name, name, "rate")
            offered = f.rows[(work.name, name)][0].get("offered_rate") or 0
            text = number(reached)
            if offered and offered != work.rate:
                text += f" (offered {offered:,})"
            if offered and reached < 0.97 * offered:
                text += ", does not keep up"
            rows.append([work.title, name, text] + [
                ms(f.median(work.name, name, key + "_us")) for key, _ in PERCENTILES])
    floor = [f.limit("disk-pre-zeroed-4096", f"arrival_{key}_us") for key, _ in PERCENTILES]
    if is_open and all(floor):
        rows.append(["who comes at any instant", "the disk alone, one append after the other",
                     number(f.limit("disk-pre-zeroed-4096")) + " appends"]
                    + [ms(value) for value in floor])
    return table(["Work", "System", "a second"] + [title for _, title in PERCENTILES], rows)


def _costs(f):
    rows = []
    for work in works.ALL:
        for name in f.names:
            if not f.rows.get((work.name, name)):
                continue
            rows.append([work.title, name, number(f.median(work.name, name, "cpu_us_each")),
                         f"{f.median(work.name, name, 'driver_cpu_share'):.0%}",
                         f"{(f.median(work.name, name, 'resident_bytes') or 0) / 2**20:,.0f}",
                         f"{(f.median(work.name, name, 'disk_bytes') or 0) / 2**20:,.0f}"])
    return table(["Work", "System", "CPU us each, servers", "driver, of a core", "resident MiB",
                  "on disk MiB"], rows)


def _shares(f):
    """Keyrack and the best peer as shares of what bare frames reach in the same shape."""
    rows = []
    for work in works.ALL:
        is_like = f.stamp.get("transport", "tcp") == "tcp"  # as the limits of frames are
        limit = f.limit("forwarded-" + work.limit) if work.limit and is_like else None
        mine = f.median(work.name, "keyrack", "rate")
        if not limit or mine is None:
            continue
        row = [work.title, number(mine), number(limit), f"{mine / limit:.0%}"]
        router = f.limit("router-" + work.limit)
        row += [number(router), f"{mine / router:.0%}" if router else "-"]
        rows.append(row)
    lines = table(["Work", "Keyrack", "bare forwarded frames", "share",
                   "its router, null shard", "share"], rows)
    disk = f.limit("disk-pre-zeroed-4096", "p50_us")
    one, bare = (f.median("book-1x1", "keyrack", "p50_us"),
                 f.limit("forwarded-book-1x1", "p50_us"))
    if disk and one and bare and f.stamp.get("transport", "tcp") == "tcp":
        lines += [f"One BOOK at a time: p50 {one:,.0f} us, where the disk's own append of 4 KiB "
                  f"takes {disk:,.0f} us and a frame there and back {bare:,.0f} us: "
                  f"{one / (disk + bare):.2f} times their sum.", ""]
    tail = f.limit("disk-pre-zeroed-4096", "arrival_p99.9_us")
    for name in ("open-20000", "open-100000"):
        mine = f.median(name, "keyrack", "p99.9_us")
        if tail and mine:
            lines += [f"{works.BY_NAME[name].title}: p99.9 {ms(mine)} ms, {mine / tail:.1f} times "
                      f"what the disk alone leaves ({ms(tail)} ms).", ""]
    return lines


def _limits(f):
    rows = []
    for name in f.limits:
        values = [row["rate"] for row in f.limits[name] if "rate" in row]
        spread = f" ({number(min(values))} to {number(max(values))})" if len(values) > 1 else ""
        rows.append([name, number(f.limit(name)) + spread] + [
            number(f.limit(name, key)) for key in ("p50_us", "p99_us", "p99.9_us")])
    failed = {row["limit"] for row in f.errors if "limit" in row} - set(f.limits)
    rows += [[name, "failed", "-", "-", "-"] for name in sorted(failed)]
    return table(["Limit", "a second", "p50 us", "p99 us", "p99.9 us"], rows)


def _ceilings(f):
    """The drivers: that none of them is what was measured."""
    rows = []
    for name in f.names:
        driver = name.split("-")[0] if not name.startswith("postgres") else name
        for kind, work in (("book", "book-64x16"), ("read", "read-64x16")):
            ceiling = f.limit(f"driver-{driver}-{kind}")
            reached = f.median(work, name, "rate")
            if ceiling and reached:
                rows.append([name, works.BY_NAME[work].title, number(reached), number(ceiling),
                             f"{reached / ceiling:.0%}"])
    return table(["System", "Work", "reached", "its driver before a null server", "share"], rows)


def _checks(f):
    """Runs whose answers are not what the work is meant to be."""
    lines = []
    for (work, name), rows in f.rows.items():
        for row in rows:
            r = row["result"]
            failed = r.get("failed", 0) + r.get("transient", 0) + r.get("unknown", 0)
            calls = r.get("calls", r["count"])
            where = f"- {work}, {name}, round {row['round']}: "
            if failed:
                lines.append(where + f"{failed:,} of {calls:,} failed")
            if row.get("snapshot_error"):
                lines.append(where + f"no snapshot: {row['snapshot_error']}")
            if r.get("differences"):
                lines.append(where + f"{r['differences']} nights differ from the answers")
            if work == "hot-refused" and r["refused"] < 0.99 * calls:
                lines.append(where + f"only {r['refused']:,} of {calls:,} were refused")
            if work != "hot-refused" and r.get("refused"):
                lines.append(where + f"{r['refused']:,} of {calls:,} were refused")
            if row["driver_cpu_share"] > 0.9:
                lines.append(where + f"the driver used {row['driver_cpu_share']:.0%} of a core")
    for row in f.errors:
        lines.append(f"- {row.get('work', row.get('limit'))}, {row.get('system', 'the machine')}, "
                     f"round {row.get('round')}: {row['error']}")
    for row in f.stamp["absent"]:
        lines.append(f"- {row['name']} was left out: {row['why']}")
    return lines or ["Every answer was what the work is meant to give."]


def _commands(f):
    lines = ["```"]
    for name in f.names:
        for work in ("book-64x16", "read-64x16"):
            rows = f.rows.get((work, name))
            if rows:
                words = [os.path.basename(rows[0]["command"][0])] + rows[0]["command"][1:]
                lines.append(" ".join(words))
    return lines + ["```", ""]


def _head(f):
    s = f.stamp
    lines = ["# Keyrack beside its peers", "", "`" + s["command"].strip() + "`", ""]
    lines += table(["What", "It was"], [[key, str(value)] for key, value in s["stamp"].items()]
                   + [["rounds", f"{s['rounds']} of {s['seconds']:g} s after {s['warmup']:g} s, "
                       "the systems in turn"],
                      ["asked over", {"tcp": "TCP of the loopback",
                                      "unix": "unix sockets; the limits of frames are of TCP"}[
                          s.get("transport", "tcp")]],
                      ["placed", "the first core the driver's, the others the system's"
                       if s.get("apart") else "wherever the scheduler puts them"],
                      ["before each", f"{s['preload']:,} bookings; a fresh directory for "
                       + ("several works" if s["shared"] else "each kind of sale")],
                      ["snapshots", "in the middle of every run that sells" if s["snapshots"]
                       else "only where named"],
                      ["Keyrack's shards", f"{s['shards']}, on {s['stamp'].get('cores', '?')} "
                       "cores"]])
    lines += table(["System", "Version", "A booking is answered when it is"],
                   [[x["name"], x["version"], x["durability"]] for x in s["systems"]])
    return lines


def write(out, cache):
    figures = Figures(os.path.join(out, "raw.jsonl"))
    made, why_not = plots.draw(figures, out, cache)
    lines = _head(figures)
    lines += ["Figures are medians over the rounds, with the lowest and the highest. The peers are "
              "asked directly, Keyrack through its router: `keyrack` has it inside the shard's "
              "process, `keyrack-router` in a process of its own, one hop more.", ""]
    strict = [name for name in figures.names if name not in systems_relaxed()]
    relaxed = [name for name in figures.names if name in systems_relaxed()]
    lines += ["## Rates", ""] + _rates(figures, strict)
    if relaxed:
        lines += ["Answered before the disk has it:", ""] + _rates(figures, relaxed)
    lines += ["## Ratios", ""] + _ratios(figures, figures.names)
    for name, title in made:
        lines += [f"![{title}]({name})", ""]
    if why_not:
        lines += [f"There are no plots: {why_not}", ""]
    lines += ["## Latencies, open loop", ""] + _latencies(figures, True)
    lines += ["## Latencies, closed loop", ""] + _latencies(figures, False)
    if figures.limits:
        lines += ["## Shares of the limits", ""] + _shares(figures)
        lines += ["## The drivers' ceilings", ""] + _ceilings(figures)
    lines += ["## Costs", ""] + _costs(figures)
    if figures.limits or any("limit" in row for row in figures.errors):
        lines += ["## The machine's limits", ""] + _limits(figures)
    lines += ["## What was not as meant", ""] + _checks(figures) + [""]
    lines += ["## Commands", ""] + _commands(figures)
    lines += ["`raw.jsonl` has every run with its command and its whole result; `series/` has each "
              "tenth of a second of every run.", ""]
    with open(os.path.join(out, "README.md"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
