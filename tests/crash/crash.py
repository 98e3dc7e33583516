"""Real processes under load, killed or robbed of their power, and what is left of their promises.

    crash.py --kills N        SIGKILL of a random shard or router at a random moment, N times
    crash.py --power-cuts N   the data directory lies on a rig (powercut.py); its power is cut

One round: the cluster runs, keyrack-bench sells against it and journals every answer, the accident
happens at a random moment, the cluster is started again while the bench still asks, the bench
ends; then the same ids are asked again, the cluster ends (cleanly or by SIGKILL, in turn), and
`keyrack-recover` has to agree with all journals so far (crash_check.py says what that means).

Exit codes: 0 nothing lost; 1 something lost; 2 usage; 3 the programs failed in another way;
77 cannot run here. With --expect-loss (a build with a planted bug) 0 and 1 change places.
"""

import argparse
import collections
import glob
import json
import os
import random
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import crash_check as check  # noqa: E402
import powercut  # noqa: E402

# ---- The contract with the programs under test: everything that may change stands here ----------

# {keyrack}, {bench} and {recover} are the programs, with their leading arguments if they have any.
COMMANDS = {
    "start": "{keyrack} cluster start --dir {dir} --shards {shards} --listen {router} --hotels 40"
             " --types 200 --nights 120 --reservations 400000 --allow-tmpfs",
    "restart": "{keyrack} cluster start --dir {dir} --shards {shards} --listen {router}",
    "stop": "{keyrack} cluster stop --dir {dir}",
    "status": "{keyrack} cluster status --dir {dir} --json",
    "ping": "{keyrack} --router {router} ping",
    # Run once after the first start; None if keyrack-bench creates what it sells.
    "prepare": "{bench} load --router {router} --hotels 40 --types-min 2 --types-max 4"
               " --nights 120 --quiet",
    "bench": "{bench} run --router {router} --journal {journal} --seconds {seconds} --seed {seed}"
             " --mix book=4,hold+confirm=3,cancel=2 --connections 8 --depth 16 --window 110"
             " --warmup 0 --deadline 60 {load}",
    "resolve": "{keyrack} --router {router} --json resolve {id}",
    "get": "{keyrack} --router {router} --json reservation get {id}",
    "list": "{keyrack} --router {router} --json reservation list --limit=1000000",
    "verify": "{recover} verify {shard_dir}",
    "dump_reservations": "{recover} dump --reservations --json {shard_dir}",
    "dump_cells": "{recover} dump --cells --json {shard_dir}",
}

# Where the directories of the shards are, below {dir}; the slash keeps files out.
SHARD_DIRS = "shard-*/"

# Exit codes of `verify`: after a clean stop or a kill (a segment was being prepared: 11), and right
# after a power cut, when files may be unfinished or short (11 to 14) and a torn, never acknowledged
# tail may be waiting to be cut by the start (20 to 22).
VERIFY_CLEAN = (0, 11)
VERIFY_AFTER_CUT = (0, 11, 12, 13, 14, 20, 21, 22)

# Exit codes of `resolve` and `get`: done, refused (NOT_FOUND is an answer too).
ASK_ACCEPT = (0, 1)

# Exit codes of `status`: all run, some do not.
STATUS_ACCEPT = (0, 3)

# The bench may end badly when its cluster was away; its journal is what counts.
BENCH_ACCEPT = None

# Fields of the JSON outputs. A list is an array or one object a line.
LIST = "reservations"
STATUS = {"list": "processes", "role": "role", "index": "index", "pid": "pid"}
STATUS_ROLES = ("shard", "router")
RESERVATION = {"id": "id", "state": "state", "hotel": "hotel", "lines": "lines",
               "type": "type", "check_in": "check_in", "check_out": "check_out",
               "rooms": "rooms"}
CELL = {"hotel": "hotel", "type": "type", "night": "night", "limit": "limit", "held": "held",
        "booked": "booked"}
ANSWER = {"code": "code", "state": "state"}
NOT_FOUND = "NOT_FOUND"
# A VOID record is what RESOLVE leaves under an id that nobody sold: no reservation.
ABSENT_STATES = ("VOID", "ABSENT")

# --------------------------------------------------------------------------------------------------

LONG_VARIABLE = "KEYRACK_LONG"
COMMAND_TIMEOUT_S = 120
READY_TIMEOUT_S = 60
BENCH_GRACE_S = 90
GONE_TIMEOUT_S = 45
VIOLATIONS_SHOWN = 20
RIG_MIB = 2048
PORTS = (20000, 32000)
PORTS_USED = 16
PORT_TRIES = 100
ACCIDENTS_MAX = 3
# When the accident comes, in shares of the load's time.
MOMENT = (0.05, 0.8)
MOMENT_FRESH = (0.0, 0.1)
ACCIDENT_AGAIN = 0.25


class DriverError(Exception):
    """A program did not do what the contract says, in a way that is not a loss."""


class Refused(Exception):
    """`verify` does not accept the directory, though nothing but an accident befell it."""


def json_list(text, key=None):
    """An array, an object that holds one under `key`, or one object a line."""
    stripped = text.strip()
    if stripped == "":
        return []
    try:
        data = json.loads(stripped)
    except ValueError:
        return [json.loads(line) for line in stripped.split("\n")]
    if isinstance(data, dict) and key is not None and key in data:
        data = data[key]
    return data if isinstance(data, list) else [data]


def line_of(data):
    return check.Line(int(data[RESERVATION["type"]]), int(data[RESERVATION["check_in"]]),
                      int(data[RESERVATION["check_out"]]), int(data[RESERVATION["rooms"]]))


def state_of(name):
    return check.ABSENT if name in ABSENT_STATES else name


def reservation_of(data):
    lines = tuple(line_of(line) for line in data.get(RESERVATION["lines"], ()))
    return check.Reservation(str(data[RESERVATION["id"]]).lower(),
                             state_of(data[RESERVATION["state"]]),
                             int(data[RESERVATION["hotel"]]), lines)


def cell_of(data):
    return check.Cell(*(int(data[CELL[name]]) for name in
                        ("hotel", "type", "night", "limit", "held", "booked")))


def answer_state_of(text):
    """The state an answer of `resolve` or `get` tells, ABSENT for NOT_FOUND."""
    data = json.loads(text)
    if data.get(ANSWER["code"]) == NOT_FOUND:
        return check.ABSENT
    return state_of(data[ANSWER["state"]])


def process_gone(pid):
    """True once the process has ended; a child of ours is reaped on the way."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] in ("Z", "X")
    except OSError:
        return True


def port_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_address():
    """Below the range of ports the kernel gives to clients: one of those would keep a restarted
    program from its port. The ports after it are left to the shards."""
    for _ in range(PORT_TRIES):
        port = random.randrange(*PORTS)
        if all(port_free(port + i) for i in range(PORTS_USED)):
            return f"127.0.0.1:{port}"
    raise DriverError("no free port")


class Cluster:
    """The programs under test, through the commands above and nothing else."""

    def __init__(self, options, directory):
        self.values = {"keyrack": options.keyrack, "bench": options.bench,
                       "recover": options.recover, "dir": shlex.quote(directory),
                       "shards": options.shards, "router": free_address(),
                       "load": options.load}
        self.directory = directory
        self.environment = dict(os.environ, **dict(options.environment))
        self.pids = set()

    def words(self, name, **values):
        return shlex.split(COMMANDS[name].format(**self.values, **values))

    def run(self, name, accept=(0,), **values):
        words = self.words(name, **values)
        # A file, not a pipe: a daemon that keeps its output open must not hold us up.
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            try:
                done = subprocess.run(words, stdout=out, stderr=err, stdin=subprocess.DEVNULL,
                                      env=self.environment, timeout=COMMAND_TIMEOUT_S,
                                      check=False)
            except subprocess.TimeoutExpired as error:
                raise DriverError(f"{name}: no end after {COMMAND_TIMEOUT_S} s") from error
            out.seek(0)
            err.seek(0)
            text, problem = out.read(), err.read()
        if done.returncode not in accept:
            raise DriverError(f"{' '.join(words)}: exit {done.returncode}: "
                              f"{(problem or text).strip()[-2000:]}")
        return text

    def start(self, name="start"):
        self.run(name)
        deadline = time.monotonic() + READY_TIMEOUT_S
        while True:
            try:
                self.run("ping")
                break
            except DriverError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        self.members()

    def members(self):
        """[(role, index, pid)] of what runs now."""
        members = []
        for data in json_list(self.run("status", STATUS_ACCEPT), STATUS["list"]):
            role, pid = data[STATUS["role"]], data.get(STATUS["pid"])
            if role in STATUS_ROLES and pid:
                members.append((role, data.get(STATUS["index"], 0), int(pid)))
                self.pids.add(int(pid))
        return members

    def kill(self, pids):
        """SIGKILL, and wait until they are gone: their last writes may take a while."""
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        deadline = time.monotonic() + GONE_TIMEOUT_S
        for pid in pids:
            while not process_gone(pid):
                if time.monotonic() > deadline:
                    raise DriverError(f"process {pid} does not end")
                time.sleep(0.005)
            self.pids.discard(pid)

    def kill_all(self):
        self.kill(sorted(self.pids))

    def stop(self):
        self.run("stop")
        deadline = time.monotonic() + GONE_TIMEOUT_S
        while not all(process_gone(pid) for pid in self.pids):
            if time.monotonic() > deadline:
                raise DriverError("cluster stop left processes behind")
            time.sleep(0.02)
        self.pids.clear()

    def shard_dirs(self):
        found = sorted(glob.glob(os.path.join(glob.escape(self.directory), SHARD_DIRS)))
        if len(found) != self.values["shards"]:
            raise Refused(f"{len(found)} shard directories for {self.values['shards']} shards")
        return found

    def verify(self, accept):
        for shard_dir in self.shard_dirs():
            try:
                self.run("verify", accept, shard_dir=shlex.quote(shard_dir))
            except DriverError as error:
                raise Refused(str(error)) from error

    def dump(self):
        reservations, cells = [], []
        for shard_dir in self.shard_dirs():
            where = shlex.quote(shard_dir)
            reservations += map(reservation_of,
                                json_list(self.run("dump_reservations", shard_dir=where)))
            cells += map(cell_of, json_list(self.run("dump_cells", shard_dir=where)))
        return reservations, cells


class Bench:
    """One run of the load, with its journal, outside of any rig."""

    def __init__(self, cluster, directory, number, options):
        self.journal = os.path.join(directory, f"journal-{number}.jsonl")
        self.log_path = os.path.join(directory, f"bench-{number}.log")
        self.read_offset = 0
        self.timeout_s = options.seconds + BENCH_GRACE_S
        words = cluster.words("bench", journal=shlex.quote(self.journal),
                              seconds=options.seconds, seed=options.seed * 1000 + number)
        with open(self.log_path, "wb") as log:
            # pylint: disable=consider-using-with
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env=cluster.environment)

    def log_tail(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()[-2000:].strip()

    def finish(self):
        """Waits for the end and returns the journal's entries."""
        try:
            code = self.process.wait(self.timeout_s)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise DriverError(f"the bench does not end: {self.log_tail()}") from error
        if BENCH_ACCEPT is not None and code not in BENCH_ACCEPT:
            raise DriverError(f"the bench ended with {code}: {self.log_tail()}")
        try:
            with open(self.journal, encoding="utf-8") as file:
                entries = check.journal_parse(file.read())
        except OSError as error:
            raise DriverError(f"no journal: {error}: {self.log_tail()}") from error
        if not entries:
            raise DriverError(f"the journal is empty: {self.log_tail()}")
        return entries

    def kill(self):
        self.process.kill()
        self.process.wait()


class Driver:
    """The rounds. What differs between the two accidents is in accident_*()."""

    def __init__(self, options, work, rig):
        self.options = options
        self.work = work
        self.rig = rig
        self.random = random.Random(options.seed)
        self.violations = []
        self.tally = collections.Counter()
        self.cluster = None
        self.history = None
        self.renew(0)

    def renew(self, number):
        """A new cluster in an empty directory. The directory is ours and synced before it is used:
        what the programs make in it they have to sync themselves."""
        data = self.rig.mountpoint if self.rig is not None else self.work
        if self.cluster is not None:
            shutil.rmtree(self.cluster.directory)
        directory = os.path.join(data, f"cluster-{number}")
        os.mkdir(directory)
        fd = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(fd)
        os.close(fd)
        self.cluster = Cluster(self.options, directory)
        self.history = check.History()

    def moment(self):
        """Somewhere in the load, not at its very end; of a fresh cluster at its beginning, before
        a later sync makes durable what an earlier one was owed for (README.md, section 2)."""
        first, last = MOMENT_FRESH if self.options.fresh else MOMENT
        return self.random.uniform(first, last) * self.options.seconds

    def accidents(self):
        """Mostly one; at times the next comes while the first is being recovered from."""
        accident = self.accident_cut if self.rig is not None else self.accident_kill
        told = [accident()]
        while len(told) < ACCIDENTS_MAX and self.random.random() < ACCIDENT_AGAIN:
            time.sleep(self.random.uniform(0.0, 0.2))
            told.append(accident())
        return ", ".join(told)

    def accident_kill(self):
        members = self.cluster.members()
        role, index, pid = self.random.choice(members)
        self.cluster.kill([pid])
        self.tally[f"{role}s killed"] += 1
        time.sleep(self.random.uniform(0.0, 0.3))
        self.cluster.start("restart")
        return f"killed {role} {index}"

    def accident_cut(self):
        plan = powercut.Cut(self.random.getrandbits(32),
                            self.random.choice((0, 0, 100, 500, 900, 1000)),
                            self.random.choice((512, 4096)))
        counts = self.rig.cut(plan)
        self.tally["power cuts"] += 1
        self.cluster.kill_all()
        self.rig.remount()
        self.cluster.verify(VERIFY_AFTER_CUT)
        self.cluster.start("restart")
        kept = "".join(f" {name} {count}" for name, count in counts.items())
        return f"cut keeping {plan.keep_permille}/1000 by {plan.unit_bytes}{kept}"

    def ask_again(self):
        """The same ids, asked of the running cluster: all of them in one list, and a sample each
        by a process of its own, resolved (which must recognise it) or got."""
        ids = self.history.accepted_ids()
        found = {str(data[RESERVATION["id"]]).lower(): state_of(data[RESERVATION["state"]])
                 for data in json_list(self.cluster.run("list"), LIST)}
        for reservation_id in ids:
            violation = check.answer_check(self.history, reservation_id,
                                           found.get(reservation_id, check.ABSENT))
            if violation is not None:
                self.violations.append(violation)
        self.tally["ids listed again"] += len(ids)
        for reservation_id in self.random.sample(ids, min(len(ids), self.options.ask)):
            name = self.random.choice(("resolve", "get"))
            text = self.cluster.run(name, ASK_ACCEPT, id=reservation_id)
            violation = check.answer_check(self.history, reservation_id, answer_state_of(text))
            if violation is not None:
                self.violations.append(violation)
            self.tally["ids asked again"] += 1

    def end_cluster(self, number):
        if number % 2 == 0:
            self.cluster.stop()
        else:
            self.cluster.kill_all()

    def check_disk(self):
        self.cluster.verify(VERIFY_CLEAN)
        reservations, cells = self.cluster.dump()
        self.violations += check.reservations_check(self.history, reservations,
                                                    self.options.allow_strangers)
        self.violations += check.cells_check(reservations, cells)

    def round(self, number):
        if number > 0 and self.options.fresh:
            self.renew(number)
        first = number == 0 or self.options.fresh
        self.cluster.start("start" if first else "restart")
        if first and COMMANDS["prepare"] is not None:
            self.cluster.run("prepare")
        bench = Bench(self.cluster, self.work, number, self.options)
        try:
            time.sleep(self.moment())
            what = self.accidents()
            entries = bench.finish()
            self.history.feed(entries)
        finally:
            bench.kill()
        self.ask_again()
        self.end_cluster(number)
        self.check_disk()
        self.tally["answers"] += len(entries)
        self.tally["answers of DONE"] += sum(e.code == check.DONE for e in entries)
        print(f"round {number + 1}: {what}: {len(entries)} answers, "
              f"{len(self.violations)} violations", flush=True)

    def run(self):
        rounds = self.options.power_cuts if self.rig is not None else self.options.kills
        for number in range(rounds):
            try:
                self.round(number)
            except Refused as refusal:
                self.violations.append(check.Violation("refused", f"round {number + 1}",
                                                       str(refusal)))
            if self.violations:
                break

    def close(self):
        """Nothing of ours stays behind, whatever happened; a process may not be known yet."""
        try:
            self.cluster.members()
        except (DriverError, OSError, ValueError):
            pass
        self.cluster.kill_all()


def environment_word(text):
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def arguments_parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--kills", type=int, default=0, metavar="N")
    parser.add_argument("--power-cuts", type=int, default=0, metavar="N")
    parser.add_argument("--long", type=int, metavar="N",
                        help=f"so many rounds instead where {LONG_VARIABLE} is set")
    parser.add_argument("--shards", type=int, default=2)
    parser.add_argument("--seed", type=int, default=int(time.time()) & 0xffffff)
    parser.add_argument("--seconds", type=float, default=3.0, help="of load in a round")
    parser.add_argument("--ask", type=int, default=40, help="ids asked again in a round")
    parser.add_argument("--keyrack", default="keyrack")
    parser.add_argument("--bench", default="keyrack-bench")
    parser.add_argument("--recover", default="keyrack-recover")
    parser.add_argument("--environment", type=environment_word, action="append", default=[],
                        metavar="NAME=VALUE", help="for the programs under test")
    parser.add_argument("--allow-strangers", action="store_true",
                        help="reservations that no journal names are no violation")
    parser.add_argument("--fresh", action="store_true",
                        help="an empty directory in every round, not one that grows older")
    parser.add_argument("--expect-loss", action="store_true",
                        help="the build is broken on purpose: 0 if a loss was seen, 1 if not")
    parser.add_argument("--load", default="", metavar="WORDS", help="more words for the bench")
    parser.add_argument("--work", help="directory to work in, kept; default: temporary")
    options = parser.parse_args()
    if (options.kills > 0) == (options.power_cuts > 0):
        parser.error("give either --kills N or --power-cuts N")
    if options.long is not None and os.environ.get(LONG_VARIABLE):
        options.kills = options.long if options.kills else 0
        options.power_cuts = options.long if options.power_cuts else 0
    return options


def mode_run(options, work):
    """Returns the driver after its rounds, with nothing left running."""
    rig = powercut.make_rig(work, RIG_MIB) if options.power_cuts else None
    driver = None
    try:
        driver = Driver(options, work, rig)
        driver.run()
    finally:
        if driver is not None:
            driver.close()
        if rig is not None:
            rig.teardown()
    return driver


def report(driver, options):
    for violation in driver.violations[:VIOLATIONS_SHOWN]:
        print(f"  {violation}")
    if len(driver.violations) > VIOLATIONS_SHOWN:
        print(f"  and {len(driver.violations) - VIOLATIONS_SHOWN} more")
    facts = ", ".join(f"{count} {what}" for what, count in sorted(driver.tally.items()))
    backend = f" ({driver.rig.backend})" if driver.rig is not None else ""
    print(f"seed {options.seed}{backend}: {facts}, {len(driver.violations)} violations")
    lost = bool(driver.violations)
    if options.expect_loss:
        print("the planted bug was caught" if lost else "THE PLANTED BUG WAS NOT CAUGHT")
        return 0 if lost else 1
    return 1 if lost else 0


def main():
    options = arguments_parse()
    powercut.isolate(required=options.power_cuts > 0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
    try:
        if options.work is not None:
            os.makedirs(options.work, exist_ok=True)
            return report(mode_run(options, options.work), options)
        with tempfile.TemporaryDirectory(prefix="keyrack-crash-") as work:
            return report(mode_run(options, work), options)
    except powercut.RigMissing as missing:
        powercut.skip(str(missing))
    except (DriverError, powercut.RigError, check.JournalError, KeyError, ValueError) as error:
        print(f"crash.py: seed {options.seed}: {type(error).__name__}: {error}", file=sys.stderr)
        return 3
    return 3


if __name__ == "__main__":
    sys.exit(main())
