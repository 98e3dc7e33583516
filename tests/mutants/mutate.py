#!/usr/bin/python3
"""Do the tests notice one small mistake?  usage: mutate.py BUILD [--seed N] [--count N] [ID...]

BUILD is a build folder of this source tree, with everything built and without sanitizers. Source
and build are copied, and in the copy one place of a pure module at a time is changed: a constant by
one, a comparator, && for ||, + for -, a negated condition, a dropped statement, two statements in
the other order. A mutant counts if it compiles (unused names are allowed) and if its object is not
the one it was: what the compiler finds to be the same is the same. Then the tests of its module
run, quick ones first, until one fails.

Places are drawn by the hash of what they are, so that a change of one function does not draw all
others anew. What no test notices has to stand in survivors.txt with the reason why it is no
mistake; then it does not count. Ends with status 1 under --floor percent killed, 2 when that cannot
be told. IDs try just these again.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sites

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SURVIVORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "survivors.txt")
EXIT_SKIPPED = 77

# The archives that stand in tools/meson.build as pure.
ARCHIVES = ("kr_base", "kr_proto", "kr_pb", "kr_record", "log_format", "keyrack_terms",
            "keyrack_inventory", "keyrack_shard_step", "kr_route", "kr_token", "kr_client_core")

# By folder of the mutant: whose unit tests run, in this order. What is named like the file comes
# first, then what else is quick, the naive model with it; the kept seeds of the simulator see much
# and take longest, so they get what those let pass.
TESTS = {
    "base": ("base", "inventory", "log", "proto", "client", "router", "shard"),
    "proto": ("proto", "client", "router", "shard"),
    "engine/inventory": ("inventory", "shard", "log"),
    "engine/log": ("log", "fault", "shard"),
    "engine/shard": ("shard", "server"),
    "router": ("router",),
    "client": ("client",),
}
MODEL = ("property/test_model", "20000")
SEEDS = ("sim/keyrack-sim", "--list", "tests/sim/seeds.txt")

# A mutant that loops is killed by processor time, which is the same on a busy machine: without one
# a test takes 2 s at most, a slow one 9 s, the kept seeds 10 s and more with each seed that is kept.
# One that waits for ever is killed by the clock.
CPU_SECONDS_MAX = 3
CPU_SECONDS_MAX_SLOW = 40
WALL_SECONDS_MAX = 240
FILE_SIZE_MAX = 1 << 30

# What a mistake may leave unused is allowed; any other warning is an error, as it always is.
ALLOWED = "".join(f'#pragma GCC diagnostic ignored "-W{what}"\n' for what in (
    "unused-variable", "unused-but-set-variable", "unused-function", "unused-value",
    "unused-const-variable", "unused-label", "maybe-uninitialized"))


# They drive a whole world.
SLOW = ("keyrack-sim", "server_sim", "log_sim", "crowded", "replay", "test_record", "life", "restart",
        "log_tail", "log_io")


PREFIX = re.compile("test_(inventory_|log_|shard_|router_|client_|proto_)?")


class Command:
    def __init__(self, words):
        self.words = words
        self.target = os.path.join("tests", words[0])
        self.name = " ".join(words)

    def is_slow(self):
        return any(self.target.endswith(word) for word in SLOW)

    def cpu_seconds_max(self):
        return CPU_SECONDS_MAX_SLOW if self.is_slow() else CPU_SECONDS_MAX


def ninja(build, *targets, jobs=1):
    done = subprocess.run(["ninja", "-C", build, f"-j{jobs}", *targets], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode == 0, done.stdout


def limited(seconds):
    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_SIZE_MAX, FILE_SIZE_MAX))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return limit


class Tree:
    """A copy of source and build in which one mutant lives at a time."""

    def __init__(self, folder, build):
        self.source = os.path.join(folder, "source")
        self.build = os.path.join(self.source, build)
        self.scratch = os.path.join(folder, "scratch")
        shutil.copytree(ROOT, self.source, symlinks=True, ignore=self.left_out)
        shutil.copytree(os.path.join(ROOT, build), self.build, symlinks=True,
                        ignore=shutil.ignore_patterns("meson-logs", "bug-*"))
        os.mkdir(self.scratch)
        # To configure it anew would change the build that it was copied from.
        os.utime(os.path.join(self.build, "build.ninja"))

    @staticmethod
    def left_out(folder, names):
        return [name for name in names if name in (".git", "__pycache__") or
                folder == ROOT and name.startswith("build")]

    def ninja(self, *targets):
        return ninja(self.build, *targets)

    def write(self, path, text):
        with open(os.path.join(self.source, path), "w", encoding="utf-8") as file:
            file.write(text)

    def object_bytes(self, name):
        with open(os.path.join(self.build, name), "rb") as file:
            return file.read()

    def run(self, command):
        """(how it failed or None, seconds)"""
        words = [os.path.join(self.build, command.target)]
        words += [os.path.join(self.source, word) if word.endswith(".txt") else word
                  for word in command.words[1:]] or ["-j1", "--fail-fast"]
        env = {name: value for name, value in os.environ.items()
               if name not in ("KEYRACK_LONG", "KEYRACK_BUG")}
        began = time.monotonic()
        with tempfile.TemporaryDirectory(dir=self.scratch, ignore_cleanup_errors=True) as folder:
            child = subprocess.Popen(words, cwd=folder, env=env, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                     start_new_session=True, preexec_fn=limited(command.cpu_seconds_max()))
            status, late = 0, False
            while True:
                pid, status = os.waitpid(child.pid, os.WNOHANG)
                if pid != 0:
                    break
                if time.monotonic() - began > WALL_SECONDS_MAX and not late:
                    late = True
                    os.killpg(child.pid, signal.SIGKILL)
                time.sleep(0.01)
            child.returncode = status
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        seconds = time.monotonic() - began
        why = "time" if late else "fails" if status != 0 else None
        return why, seconds


def introspect(build, what):
    return json.loads(subprocess.check_output(["meson", "introspect", build, what]))


def folder_of(path):
    return max((folder for folder in TESTS if path.startswith(folder + "/")), key=len)


def is_about(command, path):
    """test_log_snap is about snap.c, and about snap_reader.c too."""
    stem = os.path.basename(path)[:-2]
    tested = PREFIX.sub("", os.path.basename(command.target))
    return stem.startswith(tested)


class Plan:
    """What can be changed, and what runs then."""

    def __init__(self, build):
        self.build = os.path.join(ROOT, build)
        self.sources, self.objects = {}, {}
        for target in introspect(self.build, "--targets"):
            if target["name"] in ARCHIVES and target["type"] == "static library":
                self.add_archive(target)
        for name in ARCHIVES:
            if not any(f"lib{name}.a.p" in of for of in self.objects.values()):
                sys.exit(f"{build}: no archive {name}")
        self.commands = {}
        for test in introspect(self.build, "--tests"):
            path = os.path.relpath(test["cmd"][0], os.path.join(self.build, "tests"))
            if path.startswith(("unit/", "fault/")) and len(test["cmd"]) == 1:
                self.commands.setdefault(path.split("/")[-2], []).append(Command([path]))
        self.model, self.seeds = Command(list(MODEL)), Command(list(SEEDS))
        self.kills = {}

    def add_archive(self, target):
        archive = os.path.relpath(target["filename"][0], self.build)
        for path in target["target_sources"][0]["sources"]:
            name = os.path.relpath(path, ROOT)
            if name.startswith((os.path.relpath(self.build, ROOT), "..")):
                continue
            with open(path, encoding="utf-8") as file:
                self.sources[name] = file.read()
            inner = os.path.relpath(path, os.path.join(ROOT, os.path.dirname(archive)))
            self.objects[name] = f"{archive}.p/{inner.replace(os.sep, '_')}.o"

    def all_commands(self):
        return sum(self.commands.values(), []) + [self.model, self.seeds]

    def draw(self, seed):
        """Every site with its text and its name, in the order of their hashes."""
        drawn = []
        for path, text in sorted(self.sources.items()):
            for site in sites.sites_of(path, text):
                name = sites.name_of(text, site)
                rank = hashlib.sha256(f"{seed} {name}".encode()).digest()
                drawn.append((rank, name, site, text))
        return [entry[1:] for entry in sorted(drawn, key=lambda entry: entry[0])]

    def stages(self, path, is_quick):
        """Lists of commands; each is built at once."""
        first, *rest = TESTS[folder_of(path)]

        def by_promise(command):
            known = self.kills.get((path, command.name), 0)
            return -known, not is_about(command, path), command.is_slow()

        own = sorted(self.commands.get(first, []), key=by_promise)
        likely = [command for command in own[:3] if is_about(command, path)
                  or (path, command.name) in self.kills]
        yield likely
        yield [self.model]
        others = [command for command in own if command not in likely]
        yield [command for command in others if not command.is_slow()]
        yield [self.seeds]
        yield [command for command in others if command.is_slow()]
        for folder in [] if is_quick else rest:
            yield sorted(self.commands.get(folder, []), key=by_promise)


class Judge:
    def __init__(self, plan, trees, options):
        self.plan, self.free, self.options = plan, list(trees), options
        self.reasons = explained()
        self.lock = threading.Lock()

    def judge(self, drawn):
        """None when it does not count, else (verdict, command or "", seconds)"""
        with self.lock:
            tree = self.free.pop()
        try:
            return self.judge_in(tree, *drawn)
        finally:
            tree.write(drawn[1].path, drawn[2])
            with self.lock:
                self.free.append(tree)

    def judge_in(self, tree, _, site, text):
        began = time.monotonic()
        name = self.plan.objects[site.path]
        compiled, said = tree.ninja(name)
        if not compiled:
            raise RuntimeError(said)
        before = tree.object_bytes(name)
        changed = text[:site.offset] + site.new + text[site.end:]
        tree.write(site.path, ALLOWED + "#line 1\n" + changed)
        compiled, _ = tree.ninja(name)
        if not compiled:
            return None
        after = tree.object_bytes(name)
        if before == after:
            return None
        verdict, command = "survives", None
        # What is said to be no mistake is not sought for as long.
        is_quick = self.options.quick or reason_of(self.reasons, site, text) is not None
        for stage in [] if self.options.deaf else self.plan.stages(site.path, is_quick):
            verdict, command = self.judge_stage(tree, stage)
            if verdict != "survives":
                with self.lock:
                    key = (site.path, command.name)
                    self.plan.kills[key] = self.plan.kills.get(key, 0) + 1
                break
        return verdict, command.name if verdict != "survives" else "", time.monotonic() - began

    @staticmethod
    def judge_stage(tree, stage):
        if not stage:
            return "survives", None
        built, said = tree.ninja(*[command.target for command in stage])
        if not built:
            raise RuntimeError(said)
        for command in stage:
            why, _ = tree.run(command)
            if why is not None:
                return why, command
        return "survives", None


def explained():
    """{(place, change): reason}"""
    reasons = {}
    with open(SURVIVORS, encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                where, rest = line.split(" | ", 1)
                change, reason = rest.rsplit(" | ", 1)
                reasons[where.strip(), change.strip()] = reason.strip()
    return reasons


def reason_of(reasons, site, text):
    return reasons.get((place_of(site), sites.change_of(text, site)))


def place_of(site):
    return f"{site.path}:{site.function}"


def planted(plan, folder, build, count):
    """Copies of source and build, once the build is brought up to date."""
    built, said = ninja(plan.build, *[command.target for command in plan.all_commands()],
                        jobs=count)
    if not built:
        print(said)
        sys.exit(2)
    return [Tree(os.path.join(folder, str(i)), build) for i in range(count)]


def passing(plan, trees, names):
    """Whether the tests that killed something pass without a mutant; else no kill says anything."""
    commands = [command for command in plan.all_commands() if command.name in names]
    failed = []
    if not commands:
        return True
    built, said = trees[0].ninja(*[command.target for command in commands])
    if not built:
        failed.append(said)
    for command in commands if built else []:
        why, _ = trees[0].run(command)
        if why is not None:
            failed.append(f"{command.name} {why} without a mutant")
    for line in failed:
        print(line)
    return not failed


class Score:
    def __init__(self):
        self.killed, self.survived, self.same, self.stale = 0, [], 0, []
        self.by_kind, self.by_folder = {}, {}

    def add(self, name, site, text, result, reasons):
        verdict, change = result[0], sites.change_of(text, site)
        reason = reason_of(reasons, site, text)
        if verdict == "survives" and reason is not None:
            self.same += 1
            return
        if reason is not None:
            self.stale.append(f"not without a difference: {place_of(site)} | {change}")
        killed = verdict != "survives"
        for table, key in ((self.by_kind, site.kind), (self.by_folder, folder_of(site.path))):
            row = table.setdefault(key, [0, 0])
            row[0] += killed
            row[1] += 1
        if killed:
            self.killed += 1
        else:
            self.survived.append((name, site, change))

    def tell(self, floor):
        total = self.killed + len(self.survived)
        for table in (self.by_folder, self.by_kind):
            for key in sorted(table):
                print(f"| {key} | {table[key][0]} of {table[key][1]} |")
        for name, site, change in self.survived:
            print(f"survived: {name} {site.path}:{site.line}\n{place_of(site)} | {change} |")
        for line in self.stale:
            print(line)
        percent = 100 * self.killed / total if total else 0
        print(f"{self.killed} of {total} killed, {percent:.1f} %; {self.same} more change nothing")
        return percent >= floor and not self.stale


def run(options, plan, judge):
    drawn = plan.draw(options.seed)
    if options.ids:
        drawn = [entry for entry in drawn if entry[0] in options.ids]
        options.count = len(drawn)
    if options.only:
        drawn = [entry for entry in drawn if entry[1].path.startswith(options.only)]
    line = Line(drawn, options.count, judge)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for worker in [pool.submit(line.work) for _ in range(options.jobs)]:
            worker.result()
    score = Score()
    for entry, result in line.counted():
        score.add(*entry, result, judge.reasons)
    return score


class Line:
    """Mutants are begun in their order until enough of them count; which ones those are does not
    depend on how long each takes."""

    def __init__(self, drawn, count, judge):
        self.drawn, self.count, self.judge = drawn, count, judge
        self.lock, self.begun, self.results = threading.Lock(), 0, {}

    def next(self):
        with self.lock:
            if self.begun == len(self.drawn) or \
                    sum(result is not None for result in self.results.values()) >= self.count:
                return None
            self.begun += 1
            return self.begun - 1

    def work(self):
        while (i := self.next()) is not None:
            result = self.judge.judge(self.drawn[i])
            with self.lock:
                self.results[i] = result
            if result is not None:
                self.tell(*self.drawn[i], *result)

    @staticmethod
    def tell(name, site, text, verdict, command, seconds):
        print(f"{name} {verdict:8} {seconds:5.1f} s {site.path}:{site.line} {site.function} "
              f"{site.kind}: {sites.change_of(text, site)} {command and 'by ' + command}", flush=True)

    def counted(self):
        found = [(self.drawn[i], self.results[i]) for i in sorted(self.results)
                 if self.results[i] is not None]
        return found[:self.count]


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build")
    parser.add_argument("ids", nargs="*", metavar="ID", help="try these again")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--only", default="", help="files that begin so")
    parser.add_argument("--floor", type=float, default=90, help="percent killed, less fails")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("--quick", action="store_true",
                        help="only the tests of the mutant's own module, the model and the seeds")
    parser.add_argument("--deaf", action="store_true",
                        help="run no test: every mutant has to survive, and this to fail")
    return parser.parse_intermixed_args()


def main():
    options = parse()
    build = os.path.relpath(os.path.realpath(options.build), os.path.realpath(ROOT))
    if build.startswith(".."):
        print("the build is outside of the source tree: its copy would not build")
        sys.exit(EXIT_SKIPPED)
    began = time.monotonic()
    plan = Plan(build)
    with tempfile.TemporaryDirectory(prefix="keyrack-mutants-") as folder:
        trees = planted(plan, folder, build, options.jobs)
        print(f"{len(plan.sources)} files, copied {options.jobs} times", flush=True)
        score = run(options, plan, Judge(plan, trees, options))
        is_sound = passing(plan, trees, {name for _, name in plan.kills})
    is_enough = score.tell(options.floor)
    print(f"in {time.monotonic() - began:.0f} s")
    sys.exit(2 if not is_sound else 0 if is_enough else 1)


main()
