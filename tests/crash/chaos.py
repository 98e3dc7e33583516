#!/usr/bin/python3
"""Real processes under everything at once, and whether one order of events explains it.

    chaos.py --cycles N [--disk]     N troubles, drawn from the seed, while clients sell

Two shards and two routers, a TCP proxy between every pair, six clients with eight requests each
under way. A cycle is one trouble: SIGKILL, SIGTERM or SIGSTOP of a shard or a router, a kill while
a snapshot or a backup is written, a second process on a shard's directory, a step of one process's
wall clock, or trouble on the wire (chaos_proxy.py). With --disk the shards' directories lie on a
disk of ours (powercut.py), and its power is cut, it answers EIO, or its file system turns read-only.

At the end all is healed, every id without an outcome is resolved, and chaos_check.py holds the
history against the log.

Exit codes: 0 all of it is explained; 1 it is not; 2 usage; 3 the programs failed in another way;
77 cannot run here. With --expect-violation (a build with a planted bug) 0 and 1 change places.
The seed decides the troubles and their moments, not the scheduling, so a failure need not repeat.
"""
import argparse
import collections
import heapq
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chaos_check as check  # noqa: E402
import chaos_cluster as cluster_  # noqa: E402
import chaos_proxy  # noqa: E402
import powercut  # noqa: E402

LONG_VARIABLE = "KEYRACK_LONG"
RIG_MIB = 2048
SHOWN = 20
SETTLE_S = 300
PAUSE_S = (0.05, 0.6)
WIRE_S = (0.3, 4.0)
DOWN_S = (0.0, 0.8)
# Most stops are short; a long run has some beyond the 15 s after which a router gives a link up.
STOP_S = (0.2, 2.5)
STOP_LONG_S = (2.5, 20.0)
STEP_S = 25 * 60          # either way, so that two of them are less than the hour a start allows
TOO_FAR_S = (-2 * 3600, -20 * 86400, 9 * 86400)
SNAPSHOT_S = 0.08
BACKUP_S = 0.4
DISK_DEAD_S = 20
FULL_S = 25
AFTER_CUT = (0, 11, 12, 13, 14, 20, 21, 22)
WHOLE = (0, 11)

# Which troubles, and how often.
TROUBLES = {"kill": 6, "term": 3, "stop": 4, "two": 2, "snapshot": 3, "backup": 2, "clock": 3,
            "clock_too_far": 1, "wire": 14}
DISK_TROUBLES = {"power_cut": 6, "disk_error": 4, "disk_read_only": 2, "disk_full": 1}


class Nemesis:
    def __init__(self, options, cluster, rig):
        self.options, self.cluster, self.rig = options, cluster, rig
        self.random = random.Random(options.seed)
        self.tally = collections.Counter()
        self.heals = []           # heap of (when, number, function)
        self.busy = set()         # names of processes whose trouble has not ended
        self.number = 0
        self.weights = self.troubles()

    def troubles(self):
        """What can be done here, or of that what was asked for."""
        weights = dict(TROUBLES)
        if not self.options.clockstep:
            del weights["clock"], weights["clock_too_far"]
        if self.rig is not None:
            weights.update(DISK_TROUBLES)
            if self.rig.backend != "fuse":
                del weights["disk_error"]
            if not self.rig.can_turn_read_only():
                del weights["disk_read_only"]
        only = self.options.only.split(",") if self.options.only else list(weights)
        return {kind: weights[kind] for kind in only}

    def later(self, seconds, heal):
        self.number += 1
        heapq.heappush(self.heals, (time.monotonic() + seconds, self.number, heal))

    def wait(self, seconds):
        """Sleeps, and ends troubles whose time has come."""
        until = time.monotonic() + seconds
        while True:
            now = time.monotonic()
            while self.heals and self.heals[0][0] <= now:
                heapq.heappop(self.heals)[2]()
            if now >= until:
                return
            time.sleep(min(0.01, until - now))

    def cycle(self, number):
        kind = self.random.choices(list(self.weights), self.weights.values())[0]
        told = getattr(self, "do_" + kind)()
        self.tally["cycles"] += 1
        if self.options.verbose:
            print(f"{number}: {kind}: {told}", flush=True)
        for process in self.cluster.processes.values():
            if not process.is_up() and process.name not in self.busy:
                raise cluster_.ChaosError(f"{process.name} has ended: {process.tail()}")
        self.wait(self.random.uniform(*PAUSE_S))

    def end(self):
        while self.heals:
            self.wait(0.05)
        self.cluster.heal()

    def victim(self, role=None):
        names = [name for name in sorted(self.cluster.processes) if name not in self.busy and
                 (role is None or name.startswith(role))]
        return self.cluster.processes[self.random.choice(names)] if names else None

    def down(self, process):
        """It is to be started again after a while, by whatever happens in between."""
        self.busy.add(process.name)

        def heal():
            process.start()
            self.busy.discard(process.name)
        self.later(self.random.uniform(*DOWN_S), heal)

    # ---- processes

    def do_kill(self):
        process = self.victim()
        if process is None:
            return "nobody"
        process.kill()
        self.down(process)
        self.tally["killed"] += 1
        return process.name

    def do_term(self):
        process = self.victim()
        if process is None:
            return "nobody"
        process.end()
        self.down(process)
        self.tally["ended by SIGTERM"] += 1
        return process.name

    def do_stop(self):
        process = self.victim()
        if process is None:
            return "nobody"
        process.send(signal.SIGSTOP)
        self.busy.add(process.name)
        is_long = self.options.is_long and self.random.random() < 0.15
        seconds = self.random.uniform(*(STOP_LONG_S if is_long else STOP_S))
        dies = self.random.random() < 0.2

        def heal():
            if dies:
                process.kill()
                process.start()
            else:
                process.send(signal.SIGCONT)
            self.busy.discard(process.name)
        self.later(seconds, heal)
        self.tally["stopped"] += 1
        return f"{process.name} for {seconds:.1f} s{', then killed' if dies else ''}"

    def other(self, process):
        """A second process on a shard's directory, with an address of its own."""
        argv = list(process.argv)
        argv[argv.index("--listen") + 1] = f"127.0.0.1:{cluster_.free_port()}"
        argv[argv.index("--lock-wait") + 1] = "0"
        return cluster_.Process(process.name + "-second", argv, self.cluster.work, None)

    def do_two(self):
        """The first serves, or is stopped; or it is killed while the second waits for it."""
        process = self.victim("shard")
        if process is None:
            return "nobody"
        what = self.random.choice(("serves", "is stopped", "is killed"))
        if what == "is killed":
            self.take_over(process)
            return f"{process.name} {what}"
        if what == "is stopped":
            process.send(signal.SIGSTOP)
        self.other(process).start_refused(cluster_.IN_USE)
        process.send(signal.SIGCONT)
        self.tally["second processes refused"] += 1
        return f"{process.name} {what}"

    def take_over(self, process):
        second = self.other(process)
        second.argv[second.argv.index("--lock-wait") + 1] = str(cluster_.TIMEOUT_S)
        ready = second.spawn()
        self.wait(self.random.uniform(0, 0.5))
        process.kill()
        second.expect_ready(ready)
        if self.random.random() < 0.5:
            second.end()
        else:
            second.kill()
        self.down(process)
        self.tally["directories taken over"] += 1

    def do_snapshot(self):
        process = self.victim("shard")
        if process is None:
            return "nobody"
        self.cluster.snapshot(int(process.name.rsplit("-")[-1]))
        time.sleep(self.random.uniform(0, SNAPSHOT_S))
        process.kill()
        self.down(process)
        self.tally["killed in a snapshot"] += 1
        return process.name

    def do_backup(self):
        """Of one shard's directory, and one of both is killed; a whole copy has to start."""
        process = self.victim("shard")
        if process is None:
            return "nobody"
        number = int(process.name.rsplit("-")[-1])
        copy = os.path.join(self.cluster.work, f"backup-{self.tally['backups']}")
        self.tally["backups"] += 1
        backup = subprocess.Popen([  # pylint: disable=consider-using-with
            self.options.recover, "backup", "--allow-tmpfs", f"--out={copy}",
            self.cluster.directory(number)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(self.random.uniform(0, BACKUP_S))
        draw = self.random.random()
        if draw < 0.4:
            backup.kill()
        elif draw < 0.8:
            process.kill()
            self.down(process)
        status = backup.wait(cluster_.TIMEOUT_S)
        if status == 0:
            self.cluster.recover("verify", copy, accept=AFTER_CUT)
            self.tally["backups that were whole"] += 1
        return f"{process.name}: {status}"

    # ---- clocks

    def do_clock(self):
        process = self.victim()
        if process is None:
            return "nobody"
        seconds = self.random.uniform(-STEP_S, STEP_S)
        process.step(seconds)
        self.tally["clock steps"] += 1
        if self.random.random() < 0.4:
            process.kill()
            self.down(process)
        self.later(self.random.uniform(0.5, 5), lambda: process.step(0))
        return f"{process.name} by {seconds:.0f} s"

    def do_clock_too_far(self):
        process = self.victim("shard")
        if process is None:
            return "nobody"
        process.kill()
        process.step(self.random.choice(TOO_FAR_S))
        process.start_refused(cluster_.CLOCK)
        process.step(0)
        process.start()
        self.tally["starts refused for the clock"] += 1
        return process.name

    # ---- the wire

    def do_wire(self):
        link = self.random.choice(self.cluster.links)
        kind = self.random.choice(chaos_proxy.KINDS)
        seconds = self.random.uniform(*WIRE_S)
        self.cluster.proxy.ask(f"trouble {link} {kind} {seconds:.2f}")
        self.tally["troubles of the wire"] += 1
        return f"{link} {kind} {seconds:.1f} s"

    # ---- the disk

    def shards(self):
        return self.cluster.named("shard")

    def shards_die(self):
        """After an error nothing may go on: a shard that meets it ends by itself, with status 3."""
        until = time.monotonic() + DISK_DEAD_S
        for shard in self.shards():
            if shard.is_stopped:
                shard.kill()
        while any(shard.is_up() for shard in self.shards()) and time.monotonic() < until:
            time.sleep(0.01)
        for shard in self.shards():
            status = shard.popen.poll()
            if status is None or status == -signal.SIGKILL:
                continue
            if status != cluster_.FAILED:
                raise cluster_.ChaosError(f"{shard.name} ended with {status}, not "
                                          f"{cluster_.FAILED}: {shard.tail()}")
            self.tally["shards that ended at a disk error"] += 1

    def disk_again(self):
        """A disk that is well, the files on it as it kept them, and the shards started on it."""
        for shard in self.shards():
            shard.kill()
        self.rig.remount()
        self.cluster.verify(AFTER_CUT)
        for shard in self.shards():
            shard.start()

    def settled(self):
        """No start or continuation is under way while the disk is away."""
        while self.heals:
            self.wait(0.02)

    def do_power_cut(self):
        self.settled()
        counts = self.rig.cut(powercut.Cut(self.random.getrandbits(32),
                                           self.random.choice((0, 0, 100, 500, 900, 1000)),
                                           self.random.choice((512, 4096))))
        self.disk_again()
        self.tally["power cuts"] += 1
        return json.dumps(counts)

    def do_disk_error(self):
        self.settled()
        kind = self.random.choice(("write", "sync"))
        count = self.random.choice((1, 1, 3, 0))
        self.rig.fail(kind, count)
        self.shards_die()
        self.disk_again()
        self.tally["disk errors"] += 1
        return f"{kind} {count or 'for ever'}"

    def do_disk_full(self):
        """The shards take no new work then, and take it again when there is room; at times one of
        them is killed meanwhile and has to start on the full disk."""
        self.settled()
        filler = os.path.join(self.rig.mountpoint, "filler")
        powercut.fill(filler)
        until = time.monotonic() + FULL_S
        while time.monotonic() < until and not self.cluster.is_read_only():
            self.wait(0.2)
        told = "no shard was read-only yet"
        if time.monotonic() < until:
            self.tally["disks so full that a shard turned read-only"] += 1
            told = "read-only"
            if self.random.random() < 0.5:
                shard = self.victim("shard")
                shard.kill()
                shard.start()
                told += f", {shard.name} killed"
        os.unlink(filler)
        until = time.monotonic() + cluster_.TIMEOUT_S
        while self.cluster.is_read_only():
            if time.monotonic() > until:
                raise cluster_.ChaosError("there is room again, and a shard stays read-only")
            self.wait(0.2)
        return told

    def do_disk_read_only(self):
        self.settled()
        self.rig.turn_read_only()
        self.shards_die()
        self.disk_again()
        self.tally["file systems turned read-only"] += 1
        return ""


def arguments_parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--cycles", type=int, required=True)
    parser.add_argument("--long", type=int, metavar="N",
                        help=f"so many cycles instead where {LONG_VARIABLE} is set")
    parser.add_argument("--disk", action="store_true", help="on a disk of ours (root)")
    parser.add_argument("--only", metavar="TROUBLE[,TROUBLE]", help="no others than these")
    parser.add_argument("--seed", type=int, default=int(time.time()) & 0xffffff)
    parser.add_argument("--rate", type=float, default=500, help="requests a second")
    parser.add_argument("--shards", type=int, default=2)
    parser.add_argument("--routers", type=int, default=2)
    parser.add_argument("--embedded", action="store_true",
                        help="the first router is inside the first shard")
    parser.add_argument("--shard", required=True, help="the program")
    parser.add_argument("--router", required=True, help="the program")
    parser.add_argument("--recover", required=True, help="the program")
    parser.add_argument("--clockstep", help="the library; without it clocks are not stepped")
    parser.add_argument("--work", help="a directory to work in, which is kept")
    parser.add_argument("--expect-violation", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    options.is_long = bool(os.environ.get(LONG_VARIABLE))
    if options.long and options.is_long:
        options.cycles = options.long
    return options


def judge(cluster, tally):
    attempts, listed = cluster.history()
    if listed is None:
        raise cluster_.ChaosError("the history has no end")
    history = check.History(attempts, cluster.effects(), [cluster_.ROOMS] * cluster_.TYPES)
    history.check()
    history.check_final(listed)
    tally.update(history.tally)
    return history.violations


def run(options, work, rig):
    data = rig.mountpoint if rig is not None else work
    cluster = cluster_.Cluster(options, data, work, options.seed)
    load = None
    try:
        nemesis = Nemesis(options, cluster, rig)
        today = cluster.begin()
        load = cluster.load(today, options.seed, options.rate)
        nemesis.wait(0.5)
        for number in range(1, options.cycles + 1):
            nemesis.cycle(number)
            if load.popen.poll() is not None:
                raise cluster_.ChaosError("the load has ended")
        load.say("stop")
        nemesis.end()
        load.say(f"settle {cluster.routers[0]}")
        told = json.loads(load.hear(SETTLE_S) or "null")
        if told is None:
            raise cluster_.ChaosError("the load came to no end")
        nemesis.tally["ids resolved at the end"] = told["resolved"]
        for shard in nemesis.shards():
            shard.end()
        cluster.verify(WHOLE)
        return judge(cluster, nemesis.tally), nemesis.tally
    finally:
        if load is not None:
            load.close()
        cluster.close()


def report(violations, tally, options):
    for violation in violations[:SHOWN]:
        print(f"  {violation}")
    facts = ", ".join(f"{count} {what}" for what, count in tally.items() if count)
    print(f"seed {options.seed}: {facts}; {len(violations)} violations")
    found = bool(violations)
    if options.expect_violation:
        print("the planted bug was caught" if found else "THE PLANTED BUG WAS NOT CAUGHT")
        return 0 if found else 1
    return 1 if found else 0


def main():
    options = arguments_parse()
    powercut.isolate(required=options.disk)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
    rig = None
    with tempfile.TemporaryDirectory(prefix="keyrack-chaos-") as temporary:
        work = options.work or temporary
        os.makedirs(work, exist_ok=True)
        try:
            if options.disk:
                rig = powercut.make_rig(temporary, RIG_MIB)
            return report(*run(options, work, rig), options)
        except powercut.RigMissing as missing:
            powercut.skip(str(missing))
        except (cluster_.ChaosError, powercut.RigError, KeyError, ValueError) as error:
            print(f"chaos.py: seed {options.seed}: {type(error).__name__}: {error}",
                  file=sys.stderr)
            return 3
        finally:
            if rig is not None:
                rig.teardown()
    return 3


if __name__ == "__main__":
    sys.exit(main())
