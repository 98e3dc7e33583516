#!/usr/bin/python3
"""Where the time of a BOOK and of an availability goes: CPU, system calls, sleeps, frames a read and
a send, records an append, by process; and by perf the parts.  usage: run.py   (see README.md)
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "bench/common"))
sys.dont_write_bytecode = True
import build  # noqa: E402
import cluster  # noqa: E402
import counters  # noqa: E402
import machine  # noqa: E402
import markdown  # noqa: E402
import parts  # noqa: E402
import processes  # noqa: E402

HOTELS, TYPES, NIGHTS, ROOMS = 1000, 4, 365, 1000
SHAPES = [(op, c, d) for op in ("book", "availability") for c, d in ((64, 16), (64, 1), (1, 1))]
COUNTED = {"book": "operation_BOOK", "availability": "operation_AVAILABILITY"}
BOOKS_A_SECOND_MAX = 600_000


def say(text):
    print(time.strftime("%H:%M:%S ") + text, file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("  usage", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=6, help="of each of the six works (6)")
    parser.add_argument("--works", help="only these: book-64x16,availability-1x1")
    cluster.shape_options(parser, os.cpu_count())
    parser.add_argument("--hotels", type=int, default=HOTELS, help=f"({HOTELS})")
    parser.add_argument("--no-perf", action="store_true", help="without perf")
    parser.add_argument("--dir", default="/var/tmp", help="where the data lies (/var/tmp)")
    parser.add_argument("--build", default=os.path.join(ROOT, "build-peers"),
                        help="a build folder; made where it is missing")
    parser.add_argument("--no-build", action="store_true", help="its programs as they are")
    parser.add_argument("--json", action="store_true", help="the rows, not the tables")
    return parser.parse_args()


class Budget:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.tools = (build.there(options.build, build.PROGRAMS) if options.no_build else
                      build.programs(options.build, build.PROGRAMS, say))
        self.cluster = cluster.Cluster(self.tools, os.path.join(folder, "cluster"))
        self.no_perf = "not asked for" if options.no_perf else counters.has_perf()

    def start(self):
        o = self.options
        books = sum(op == "book" for op, _, _ in self.works())
        most = int(books * (o.seconds + 1) * BOOKS_A_SECOND_MAX)
        self.cluster.start(*cluster.shape(o.shards, o.router), "--hotels", str(o.hotels * 2),
                           "--types", str(o.hotels * TYPES * 2), "--nights", "400",
                           "--reservations", str(most + 100_000))
        cluster.ask(self.cluster.bench("load", "--hotels", o.hotels, "--types-min", TYPES,
                                       "--nights", NIGHTS, "--physical", ROOMS))

    def works(self):
        names = self.options.works.split(",") if self.options.works else None
        return [w for w in SHAPES if names is None or "{}-{}x{}".format(*w) in names]

    def sample(self, pids):
        """All counters at one time, nearly."""
        stats = self.cluster.stats()["shards"]
        names = stats[0]["stats"]
        router = json.loads(self.cluster.keyrack("router", "status", "--json"))["stats"]
        return {"at": time.monotonic(),
                "process": {role: counters.read(pid) for role, pid in pids.items()},
                "shards": {name: sum(shard["stats"][name] for shard in stats) for name in names},
                "router": router}

    def measure(self, op, connections, depth):
        o = self.options
        words = self.cluster.bench("run", "--op", op, "--connections", connections, "--depth",
                                   depth, "--seconds", o.seconds, "--warmup", 0.5, "--json")
        series = os.path.join(self.folder, "series")
        driver = subprocess.Popen(words + ["--series", series], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            while not os.path.exists(series) and driver.poll() is None:
                time.sleep(0.005)
            row = self.watch(op, dict(self.cluster.pids(), driver=driver.pid))
            out, complaint = driver.communicate(timeout=o.seconds + 300)
        finally:
            if driver.poll() is None:
                driver.kill()
                driver.wait()
        if driver.returncode != 0:
            raise RuntimeError(f"status {driver.returncode}: {complaint.strip()[-300:]}")
        os.remove(series)
        return dict(row, work=f"{op}-{connections}x{depth}", result=json.loads(out))

    def watch(self, op, pids):
        """Parts of the run one after the other, so that counting does not cost what is timed."""
        seconds = self.options.seconds
        time.sleep(seconds * 0.05)
        before = self.sample(pids)
        time.sleep(seconds * (0.75 if self.no_perf else 0.3))
        after = self.sample(pids)
        row = {"processes": sums({role: counters.less(after["process"][role],
                                                      before["process"][role]) for role in pids}),
               "shards": counters.less(after["shards"], before["shards"]),
               "router": counters.less(after["router"], before["router"]),
               "seconds": after["at"] - before["at"]}
        row["operations"] = row["shards"][COUNTED[op]]
        if not self.no_perf:
            row["calls"] = sums_of(counters.system_calls(pids, seconds * 0.15))
            spent, other = parts.record(self.folder, seconds * 0.25)
            row["parts"] = {f"{command}: {part}": s for (command, part), s in spent.items()}
            row["others_cpu"] = other
        return row


def role_of(role):
    return "shard" if role.startswith("shard") else role


def sums(found):
    """Shards together."""
    total = {}
    for role, values in found.items():
        there = total.setdefault(role_of(role), dict.fromkeys(values, 0))
        for name, value in values.items():
            there[name] += value
    return total


def sums_of(found):
    total = {}
    for role, value in found.items():
        total[role_of(role)] = total.get(role_of(role), 0) + value
    return total


# ---- the tables ----

ROLES = ("driver", "router", "shard")


def number(value):
    return "-" if value is None else f"{value:,.0f}" if value >= 99.95 else f"{value:.2f}"


def ratio(a, b):
    return number(a / b) if b else "-"


def by_process(rows):
    lines = []
    for row in rows:
        n, whole = row["operations"], 0
        rate = n / row["seconds"]
        for role in (role for role in ROLES if role in row["processes"]):
            p = row["processes"][role]
            ticks = max(p["user"] + p["kernel"], 1)
            cpu = p["cpu_ns"] / n / 1000
            whole += cpu
            calls = row.get("calls", {}).get(role)
            lines.append([row["work"] if role == "driver" else "", role, number(cpu),
                          number(cpu * p["user"] / ticks), number(cpu * p["kernel"] / ticks),
                          number(calls / rate if calls is not None else None),
                          number(p["slept"] / n), number(p["preempted"] / n),
                          number(p["queued_ns"] / n / 1000), number(p["written_bytes"] / n)])
        lines.append(["", f"all, {rate:,.0f}/s", f"**{whole:.2f}**"] + [""] * 7)
    return markdown.table(["Work", "Process", "CPU us each", "user", "kernel", "system calls",
                           "sleeps", "preempted", "us queued", "bytes to disk"], lines)


def batching(rows):
    lines = []
    for row in rows:
        s, r, n = row["shards"], row["router"], row["operations"]
        lines.append([
            row["work"], ratio(r["frames_in"], r["receives"]), ratio(r["frames_out"], r["sends"]),
            ratio(s["requests"], s["receives"]), ratio(s["answers"], s["sends"]),
            ratio(n, r["turns"]), ratio(n, s["turns"]),
            number(s["appends"] / row["seconds"]), ratio(s["effects"], s["appends"]),
            ratio(s["append_bytes"], s["effects"]), ratio(s["append_time"], s["appends"]),
            ratio(r["bytes_in"] + r["bytes_out"], n),
            ratio(s["received_bytes"] + s["sent_bytes"], n)])
    return markdown.table(
        ["Work", "router: frames a read", "a send", "shard: requests a read", "answers a send",
         "operations a turn of the router", "of a shard", "appends a second", "records an append",
         "log bytes a record", "us an append", "bytes in and out of the router, each",
         "of the shard"], lines)


def folded(rows):
    names = sorted({name for row in rows for name in row.get("parts", {})},
                   key=lambda name: (parts.PROGRAMS.index(name.split(":")[0]), name))
    lines = []
    for name in names:
        values = [row.get("parts", {}).get(name, 0) * 1e6 * row["seconds"] / row["operations"]
                  for row in rows]
        if max(values) >= 0.1:
            lines.append([name] + [number(value) for value in values])
    lines.append(["everybody else on the machine, cores"]
                 + [number(row.get("others_cpu", 0)) for row in rows])
    return markdown.table(["us of CPU each, by perf"] + [row["work"] for row in rows], lines)


def main():
    options = arguments()
    processes.watch_signals()
    folder = tempfile.mkdtemp(prefix="keyrack-budget-", dir=options.dir)
    processes.own_folder(folder)
    budget = Budget(options, folder)
    budget.start()
    rows = []
    for work in budget.works():
        rows.append(budget.measure(*work))
        result = rows[-1]["result"]
        say(f"{rows[-1]['work']:18} {result['rate']:10,.0f}/s  p50 {result['p50_us']} us")
    budget.cluster.end()
    shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        print(json.dumps({"stamp": machine.stamp(options.dir), "rows": rows}))
        return 0
    print("\n".join([", ".join(f"{k}: {v}" for k, v in machine.stamp(options.dir).items()), ""]
                    + by_process(rows) + batching(rows)))
    if budget.no_perf:
        print(f"No parts and no system calls: {budget.no_perf}.")
    else:
        print("\n".join(folded(rows)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
