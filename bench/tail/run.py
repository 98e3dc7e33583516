#!/usr/bin/python3
"""The tail: BOOK and CANCEL 1:1 at fixed shares of the maximum measured just before, with retirement
running, a turn of the business day and a snapshot inside; every slow answer with what was seen of
its cause.  usage: run.py [--seconds S | --hour]   (see README.md)
"""
import argparse
import datetime
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "bench/common"))
sys.dont_write_bytecode = True
import build  # noqa: E402
import cluster  # noqa: E402
import machine  # noqa: E402
import processes  # noqa: E402
import report  # noqa: E402
import watch  # noqa: E402

TYPES, NIGHTS, ROOMS = 4, 365, 1000
RETENTION_S = 7200  # what is due within an hour ended before it is imported
BYTES_EACH = 300  # of a reservation with its index, for what an hour may come to
WARMUP_S = 1.0
PRELOAD = 20_000
IMPORTED_A_SECOND = 25_000  # at least, to know when the run can begin
SNAPSHOT_AT, ROLL_AT = 0.3, 0.6  # of a run


def say(text):
    print(time.strftime("%H:%M:%S ") + text, file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("  usage", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=120, help="of each level (120)")
    parser.add_argument("--hour", action="store_true", help="an hour each, at most at the rate for "
                        "which half of the memory keeps all that is sold")
    parser.add_argument("--levels", default="20,50,80", help="per cent of the maximum (20,50,80)")
    parser.add_argument("--maximum", type=float, default=0,
                        help="operations a second, instead of measuring them")
    parser.add_argument("--max-seconds", type=float, default=5, help="to measure the maximum (5)")
    parser.add_argument("--retire", type=float, default=20_000,
                        help="retirements a second at most; else as many as are cancelled (20000)")
    parser.add_argument("--no-day-roll", action="store_true", help="the business day stays")
    parser.add_argument("--hotels", type=int, default=1000, help="(1000)")
    cluster.shape_options(parser, os.cpu_count())
    parser.add_argument("--dir", default="/var/tmp", help="where the data lies (/var/tmp)")
    parser.add_argument("--out", default=os.path.join(HERE, "report"), help="the report's folder")
    parser.add_argument("--no-curves", action="store_true", help="without gnuplot")
    parser.add_argument("--add", action="store_true", help="to the report that is there")
    parser.add_argument("--report-only", action="store_true", help="the report anew")
    parser.add_argument("--build", default=os.path.join(ROOT, "build-peers"),
                        help="a build folder; made where it is missing")
    parser.add_argument("--no-build", action="store_true", help="its programs as they are")
    parser.add_argument("--cache", help="where Debian's packages are kept (BUILD/debian)")
    options = parser.parse_args()
    if options.hour:
        options.seconds = 3600
    options.out = os.path.abspath(options.out)
    options.cache = os.path.abspath(options.cache or os.path.join(options.build, "debian"))
    return options


class Level:
    """One run on a cluster of its own."""

    def __init__(self, options, tools, folder, name):
        self.options, self.tools, self.name = options, tools, name
        self.folder = folder
        os.makedirs(folder)
        self.cluster = cluster.Cluster(tools, os.path.join(folder, "cluster"))
        self.roll_at = None  # time.time()
        self.retired_a_second = 0

    def start(self, reservations):
        o = self.options
        # Its first touch of memory is the host's tail on a virtual machine, not the program's.
        os.environ["KEYRACK_SHARD_PREFAULT"] = "1"
        self.cluster.start(*cluster.shape(o.shards, o.router), "--hotels", str(o.hotels * 2),
                           "--types", str(o.hotels * TYPES * 2), "--nights", "400", "--retention",
                           str(RETENTION_S // 3600), "--reservations", str(int(reservations)))

    def load(self):
        o = self.options
        cluster.ask(self.cluster.bench("load", "--hotels", o.hotels, "--types-min", TYPES,
                                       "--nights", NIGHTS + 5, "--physical", ROOMS))

    def words(self, *more):
        return self.cluster.bench("run", "--mix", "book=1,cancel=1", "--first-night", 1,
                                  "--warmup", WARMUP_S, "--json", *more)

    def maximum(self):
        seconds = self.options.max_seconds
        self.start(100_000 + seconds * 600_000)
        self.load()
        result = json.loads(cluster.ask(self.words("--seconds", seconds)))
        self.end()
        return result["rate"]

    def end(self):
        self.cluster.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- what will be due ----

    def plan(self, rate):
        """When the run begins, and the minute in which every hotel's business day turns."""
        seconds = self.options.seconds
        self.retired_a_second = min(rate / 2, self.options.retire)
        count = int(self.retired_a_second * seconds)
        begin = time.time() + count / IMPORTED_A_SECOND + self.options.hotels / 500 + 8
        if not self.options.no_day_roll:
            self.roll_at = -(-(begin + seconds * ROLL_AT) // 60) * 60
            begin = max(begin, self.roll_at - seconds * ROLL_AT)
        return begin, count

    def put_hotels(self):
        """The driver's `load` leaves the hour of a hotel that is there as it is."""
        at = datetime.datetime.fromtimestamp(self.roll_at, datetime.timezone.utc)
        lines = "".join(f"hotel put {hotel} --zone Etc/UTC --currency EUR --day-roll {at:%H:%M}\n"
                        for hotel in range(1, self.options.hotels + 1))
        cluster.ask([self.tools["keyrack"], "shell", "--router",
                     self.cluster.router], input=lines)

    def import_ended(self, begin, count):
        """Cancelled reservations whose retention ends evenly over the run."""
        path = os.path.join(self.folder, "ended.csv")
        day = datetime.date.fromtimestamp(begin) + datetime.timedelta(30)
        stay = f"{day},{day + datetime.timedelta(3)}"
        with open(path, "w", encoding="ascii") as file:
            file.write("hotel,id,state,type,check_in,check_out,rooms,pricing,created_at_us,"
                       "changed_at_us\n")
            first = int((begin - RETENTION_S) * 1e6)
            for i in range(count):
                at = first + int(i / self.retired_a_second * 1e6)
                file.write(f"{i % self.options.hotels + 1},{uuid.uuid4()},CANCELLED,"
                           f"{i // self.options.hotels % TYPES},{stay},1,count_only,{at - 1},{at}\n")
        self.cluster.keyrack("import", "reservations", path)
        os.remove(path)

    # ---- the run ----

    def run(self, share, rate):
        o = self.options
        begin, count = self.plan(rate)
        self.start(rate / 2 * (o.seconds + WARMUP_S) * 1.1 + count + PRELOAD + 200_000)
        if self.roll_at:
            self.put_hotels()
        self.load()
        if count:
            self.import_ended(begin, count)
        late = time.time() - (begin - WARMUP_S - 2)
        if late > 2:
            say(f"the run begins {late:.0f} s late: what was to retire by then has retired")
        time.sleep(max(0, -late))
        series = os.path.join(o.out, "series", f"{self.name}.csv")
        driver = subprocess.Popen(
            self.words("--seconds", o.seconds, "--rate", rate, "--preload", PRELOAD, "--series",
                       series, "--data-dir", self.folder),
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            while not os.path.exists(series) and driver.poll() is None:
                time.sleep(0.002)
            row = self.watch(driver)
            out, complaint = driver.communicate(timeout=600)
        finally:
            if driver.poll() is None:
                driver.kill()
                driver.wait()
        if driver.returncode != 0:
            raise RuntimeError(f"status {driver.returncode}: {complaint.strip()[-500:]}")
        return dict(row, level=self.name, share=share, rate=rate, result=json.loads(out),
                    retired_a_second=self.retired_a_second)

    def snapshot(self, row, origin):
        row["snapshot_at_s"] = time.monotonic() - origin
        try:
            self.cluster.keyrack("snapshot")
        except RuntimeError as error:
            row["snapshot_error"] = str(error)

    def watch(self, driver):
        seconds = self.options.seconds
        origin, origin_wall = time.monotonic(), time.time()
        row = {}
        seen = watch.Watch(self.cluster)
        seen.start(dict(self.cluster.pids(), driver=driver.pid))
        timer = threading.Timer(seconds * SNAPSHOT_AT, self.snapshot, (row, origin))
        timer.start()
        try:
            driver.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        timer.join()
        seen.stop()
        if self.roll_at:
            row["roll_at_s"] = self.roll_at - origin_wall
        at = [(t - origin, *rest) for t, *rest in seen.scheduler]
        with open(os.path.join(self.options.out, "series", f"{self.name}.seen.json"), "w",
                  encoding="ascii") as file:
            json.dump({"scheduler": at,
                       "counters": [(t - origin, found) for t, found in seen.counters]}, file)
        return row


def rate_of(options, share, maximum):
    """An hour keeps all that it sells: memory bounds its rate."""
    rate = maximum * share / 100
    if options.hour:
        rate = min(rate, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2
                   / BYTES_EACH / options.seconds * 2)
    return round(rate)


def measure(options, work, raw):
    tools = (build.there(options.build, build.PROGRAMS) if options.no_build else
             build.programs(options.build, build.PROGRAMS, say))
    maximum = options.maximum
    if not maximum:
        maximum = Level(options, tools, os.path.join(work, "maximum"), "maximum").maximum()
    say(f"the maximum is {maximum:,.0f} operations a second")
    for share in map(int, options.levels.split(",")):
        rate = rate_of(options, share, maximum)
        level = Level(options, tools, os.path.join(work, str(share)),
                      f"{share}-{options.seconds:g}s")
        say(f"{share} %: {rate:,} operations a second for {options.seconds:g} s")
        row = level.run(share, rate)
        level.end()
        row["maximum"] = maximum
        raw.write(json.dumps(row) + "\n")
        raw.flush()
        r = row["result"]
        say(f"{share} %: p50 {r['p50_us']} p99 {r['p99_us']} p99.99 {r['p99.99_us']} "
            f"longest {r['max_us']} us, {r['differences']} differences")


def main():
    options = arguments()
    raw = os.path.join(options.out, "raw.jsonl")
    if not options.report_only:
        processes.watch_signals()
        if not options.add:
            shutil.rmtree(options.out, ignore_errors=True)
        os.makedirs(os.path.join(options.out, "series"), exist_ok=True)
        work = tempfile.mkdtemp(prefix="keyrack-tail-", dir=options.dir)
        processes.own_folder(work)
        with open(raw, "a", encoding="utf-8") as file:
            file.write(json.dumps({"stamp": machine.stamp(work),
                                   "command": " ".join(sys.argv[1:])}) + "\n")
            file.flush()
            measure(options, work, file)
    print(report.write(options.out, None if options.no_curves else options.cache))
    return 0


if __name__ == "__main__":
    sys.exit(main())
