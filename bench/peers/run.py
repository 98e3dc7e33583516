#!/usr/bin/python3
"""Keyrack beside Redis, PostgreSQL and Tarantool: installs them, loads each in turn with the same
work, and writes a report with the machine's own limits.  usage: run.py [--quick]   (see README.md)
"""
import argparse
import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "common"))
import build  # noqa: E402
import cluster  # noqa: E402
import debian  # noqa: E402
import endpoint  # noqa: E402
import limits  # noqa: E402
import processes  # noqa: E402
import report  # noqa: E402
import systems  # noqa: E402
import works  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = {**build.PROGRAMS,
         "peer-load": "bench/peers/peer-load", "null-peer": "bench/peers/null-peer",
         "disk-append": "bench/limits/disk-append", "forward": "bench/limits/forward",
         "wake-up": "bench/limits/wake-up", "null-shard": "bench/limits/null-shard",
         "frame-load": "bench/limits/frame-load"}


def say(text):
    print(time.strftime("%H:%M:%S ") + text, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true",
                        help="one round of 2 s a work, one directory for several works")
    parser.add_argument("--rounds", type=int, help="of all works (5; quick: 1)")
    parser.add_argument("--seconds", type=float, help="measured, of each work (30; quick: 2)")
    parser.add_argument("--warmup", type=float, help="before that (2; quick: 0.5)")
    parser.add_argument("--preload", type=int, help="bookings there are before (1000000; "
                        "quick: 100000)")
    parser.add_argument("--works", help="only these, by name or its beginning: book,mixed-100")
    parser.add_argument("--systems", help="only these, by the beginning of the name")
    parser.add_argument("--no-relaxed", action="store_true",
                        help="without those that answer before the disk has it")
    parser.add_argument("--no-limits", action="store_true", help="without the machine's limits")
    parser.add_argument("--no-snapshots", action="store_true",
                        help="none in the middle of a run, but in the work `snapshot`")
    parser.add_argument("--shared", action="store_true",
                        help="one directory for several works, as quick does")
    parser.add_argument("--transport", choices=endpoint.TRANSPORTS, default="tcp",
                        help="loopback, or unix sockets, which cost every system less; the limits "
                        "of frames are of the loopback (tcp)")
    parser.add_argument("--apart", action="store_true", help="the driver has the first core, "
                        "each system's processes the others")
    parser.add_argument("--shards", type=int, default=cluster.shards_default(os.cpu_count()),
                        help="of Keyrack (1 where there are 2 cores or fewer, else 2)")
    parser.add_argument("--dir", default="/var/tmp", help="where the data lies (/var/tmp): a "
                        "folder below it is made and removed")
    parser.add_argument("--out", default=os.path.join(HERE, "report"), help="the report's folder")
    parser.add_argument("--build", default=os.path.join(build.ROOT, "build-peers"),
                        help="a build folder; made where it is missing")
    parser.add_argument("--cache", help="where Debian's packages are kept "
                        "(BUILD/debian)")
    parser.add_argument("--report-only", action="store_true",
                        help="write the report anew from OUT/raw.jsonl")
    parser.add_argument("--list", action="store_true", help="names of works and systems")
    options = parser.parse_args()
    for name, full, quick in (("rounds", 5, 1), ("seconds", 30, 2), ("warmup", 2, 0.5),
                              ("preload", 1_000_000, 100_000)):
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else full)
    if options.apart and len(os.sched_getaffinity(0)) < 2:
        parser.error("--apart needs two cores")
    options.shared |= options.quick
    options.cache = os.path.abspath(options.cache or os.path.join(options.build, "debian"))
    options.out = os.path.abspath(options.out)
    return options


def chosen(options):
    """The works, and the systems that are there; what is missing is said and left out."""
    names = options.works.split(",") if options.works else [""]
    picked = [w for w in works.ALL if any(w.name.startswith(n) for n in names)
              and (w.quick or options.works or not options.quick)]
    names = options.systems.split(",") if options.systems else [""]
    there, absent = [], []
    for system in systems.every(options):
        if not any(system.name.startswith(n) for n in names):
            continue
        if is_relaxed(system) and options.no_relaxed:
            continue
        try:
            system.prepare()
            there.append(system)
            say(f"{system.name}: {system.version}, {system.durability}")
        except (debian.Missing, RuntimeError, OSError) as error:
            absent.append({"name": system.name, "why": str(error)})
            say(f"{system.name} is missing and left out: {error}")
    return picked, there, absent


@contextlib.contextmanager
def placed(options, is_driver):
    """What is started meanwhile stays on its cores, with `--apart`."""
    cores = os.sched_getaffinity(0)
    first = {min(cores)}
    if options.apart:
        os.sched_setaffinity(0, first if is_driver else cores - first)
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def is_relaxed(system):
    return system.name in report.systems_relaxed()


class Session:
    """Some works of one system on one fresh directory."""

    def __init__(self, options, system, group, number, known):
        self.options, self.system, self.group, self.round = options, system, group, number
        self.known = known  # rates of closed loops that were measured before
        self.folder = tempfile.mkdtemp(prefix=system.name + "-", dir=options.work)
        os.chmod(self.folder, 0o755)

    def run(self):
        o = self.options
        reservations = o.preload + 100_000 + sum(
            work.reservations(o.seconds + o.warmup) for work in self.group)
        try:
            with placed(o, is_driver=False):
                self.system.start(self.folder, works.ROOMS, self.group[0].hot_rooms, o.preload,
                                  reservations)
            for work in self.group:
                yield self.measure(work)
        except (RuntimeError, OSError, subprocess.SubprocessError, KeyError, ValueError) as error:
            yield {"system": self.system.name, "round": self.round, "error": str(error),
                   "work": "start of " + ", ".join(w.name for w in self.group)}
        finally:
            try:
                self.system.stop()
            finally:
                shutil.rmtree(self.folder, ignore_errors=True)

    def paced(self, work):
        """The work at a rate that the system can keep up with, or None."""
        reached = self.known.get((self.system.name, "book-64x16"))
        if not work.rate or reached is None or reached > work.rate:
            return work
        return dataclasses.replace(work, rate=works.SLOW_RATE) if work.snapshot else None

    def measure(self, work):
        o, system = self.options, self.system
        row = {"system": system.name, "round": self.round, "work": work.name}
        paced = self.paced(work)
        if paced is None:
            return dict(row, skipped=f"does not reach {work.rate} a second")
        seconds = o.seconds * work.length
        series = os.path.join(o.out, "series", f"{work.name}.{system.name}.{self.round}.csv")
        words = system.command(paced, seconds, o.warmup, 1000 + self.round, series)
        row.update(command=words, load_before=os.getloadavg()[0], offered_rate=paced.rate)
        with placed(o, is_driver=True):
            driver = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      text=True)
        try:
            # A driver makes the file of its series when the measured time begins.
            until = time.monotonic() + o.warmup + 300
            while (not os.path.exists(series) and driver.poll() is None
                   and time.monotonic() < until):
                time.sleep(0.005)
            used = self.watch(driver, time.monotonic(), seconds, work)
            out, complaint = driver.communicate(timeout=seconds + 300)
        finally:
            if driver.poll() is None:
                driver.kill()
                driver.wait()
        if driver.returncode != 0:
            return dict(row, error=f"status {driver.returncode}: {complaint.strip()[-500:]}")
        result = systems.result_of(out)
        row.update(result=result, **used)
        if used.get("cpu_seconds_a_second") and result["rate"]:
            row["cpu_us_each"] = used["cpu_seconds_a_second"] / result["rate"] * 1e6
        row["driver_cpu_share"] = result["cpu_seconds"] / result["seconds"]
        if complaint.strip():
            row["complaint"] = complaint.strip()[-500:]
        if work.name == "book-64x16":
            self.known[(system.name, work.name)] = result["rate"]
        return row

    def ask_snapshot(self, used):
        """Some answer when it is done, so this waits beside the run."""
        try:
            self.system.snapshot()
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            used["snapshot_error"] = str(error)

    def watch(self, driver, begin, seconds, work):
        """Waits through the run: CPU of the servers in its middle, a snapshot, sizes."""
        o = self.options
        pids = self.system.pids()

        def sleep_until(part):
            left = begin + seconds * part - time.monotonic()
            if left > 0 and driver.poll() is None:
                try:
                    driver.wait(left)
                except subprocess.TimeoutExpired:
                    pass
            return time.monotonic(), processes.usage(pids)
        wants = work.snapshot or (work.books and not o.no_snapshots and not o.quick)
        t1, (cpu1, _) = sleep_until(0.1)
        used = {}
        asking = threading.Thread(target=self.ask_snapshot, args=(used,))
        if wants:
            sleep_until(0.5)
            used["snapshot_at_s"] = time.monotonic() - begin
            asking.start()
        t2, (cpu2, _) = sleep_until(0.9)
        sleep_until(1.0)
        if wants:
            asking.join()
        _, resident = processes.usage(pids, with_memory=True)
        return dict(used, cpu_seconds_a_second=(cpu2 - cpu1) / max(t2 - t1, 0.001),
                    resident_bytes=resident, disk_bytes=processes.folder_bytes(self.folder))


def line_of(row):
    if "error" in row:
        return "FAILED: " + row["error"]
    if "skipped" in row:
        return row["skipped"]
    r = row["result"]
    return (f"{r['rate']:12,.0f}/s  p50 {r['p50_us'] / 1e3:8.3f}  p99 {r['p99_us'] / 1e3:8.3f}  "
            f"p99.9 {r['p99.9_us'] / 1e3:8.3f} ms  {row.get('cpu_us_each', 0):6.2f} us CPU each")


def compare(options, picked, there, raw):
    known = {}
    groups = works.sessions(picked, options.shared)
    cost = sum(w.length * options.seconds + options.warmup + (5 if options.shared else 12)
               for w in picked for system in there if w.relaxed or not is_relaxed(system))
    say(f"about {cost * options.rounds / 60:.0f} minutes at most")
    for number in range(1, options.rounds + 1):
        for index, group in enumerate(groups):
            turn = (number + index) % len(there)  # who begins changes
            for system in there[turn:] + there[:turn]:
                mine = [w for w in group if w.relaxed or not is_relaxed(system)]
                if not mine:
                    continue
                for row in Session(options, system, mine, number, known).run():
                    raw.write(json.dumps(row) + "\n")
                    raw.flush()
                    say(f"round {number}  {row['work']:12} {system.name:16} {line_of(row)}")


def main():
    options = arguments()
    if options.list:
        print("works:  ", " ".join(w.name for w in works.ALL))
        print("systems:", " ".join(s.name for s in systems.every(
            argparse.Namespace(tools={}, cache=""))))
        return 0
    if options.report_only:
        report.write(options.out, options.cache)
        return 0
    processes.watch_signals()
    options.tools = build.programs(options.build, TOOLS, say)
    options.peer_load = options.tools["peer-load"]
    options.work = tempfile.mkdtemp(prefix="keyrack-peers-", dir=options.dir)
    os.chmod(options.work, 0o755)
    processes.own_folder(options.work)
    picked, there, absent = chosen(options)
    if not there:
        say("nothing to compare")
        return 1
    shutil.rmtree(options.out, ignore_errors=True)
    os.makedirs(os.path.join(options.out, "series"))
    with open(os.path.join(options.out, "raw.jsonl"), "w", encoding="utf-8") as raw:
        raw.write(json.dumps(report.stamp(options, there, absent, sys.argv)) + "\n")
        if not options.no_limits:
            for row in limits.measure(options, say):
                raw.write(json.dumps(row) + "\n")
                raw.flush()
        compare(options, picked, there, raw)
    report.write(options.out, options.cache)
    say(f"the report is {os.path.join(options.out, 'README.md')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
