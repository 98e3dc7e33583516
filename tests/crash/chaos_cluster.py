"""Shards and routers as processes of their own, every connection through chaos_proxy.py, a clock
of its own for each, and a hotel or several to sell. For chaos.py and test_disk.py."""
import datetime
import json
import os
import select
import signal
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))
import chaos_check as check  # noqa: E402
import pykeyrack  # noqa: E402
from ports import free_port  # noqa: E402

PROTOCOL = os.path.join(os.path.dirname(os.path.dirname(HERE)), "proto", "PROTOCOL.md")
CLUSTER = 77
TIMEOUT_S = 120
HOTELS = tuple(range(100, 106))
TYPES = 2
ROOMS = 4
NIGHTS = 20
SIZES = ["--hotels", "50", "--types", "100", "--nights", "60", "--reservations", "300000",
         "--nodes", "20000", "--refusals", "65536", "--segment-size", "8", "--snapshot-log", "24",
         "--allow-tmpfs", "--lock-wait", str(TIMEOUT_S)]
FAILED, CLOCK, IN_USE = 3, 4, 44


class ChaosError(Exception):
    """A program did not do what it promises, in a way that is no matter of the history."""


class Process:
    """One program that may be killed, stopped and started again."""

    def __init__(self, name, argv, folder, preload):
        self.name, self.argv = name, argv
        self.log = os.path.join(folder, name + ".log")
        self.clock = os.path.join(folder, name + ".clock")
        self.popen = None
        self.is_stopped = False
        self.environment = dict(os.environ)
        self.step(0)
        if preload:
            self.environment.update(LD_PRELOAD=preload, KEYRACK_CLOCK_FILE=self.clock)

    def step(self, seconds):
        """Sets how far its wall clock is off."""
        mode = "r+b" if os.path.exists(self.clock) else "wb"
        with open(self.clock, mode, buffering=0) as file:
            file.write(struct.pack("=q", int(seconds * 1e6)))

    def spawn(self, *more):
        """Returns the end of a pipe that tells when it is ready."""
        read, write = os.pipe()
        with open(self.log, "ab") as log:
            # pylint: disable=consider-using-with
            self.popen = subprocess.Popen(
                [*self.argv, *more, "--ready-fd", str(write)], pass_fds=[write], stdout=log,
                stderr=log, stdin=subprocess.DEVNULL, env=self.environment)
        os.close(write)
        return read

    def start(self):
        self.expect_ready(self.spawn())

    def expect_ready(self, ready):
        try:
            if not select.select([ready], [], [], TIMEOUT_S)[0] or not os.read(ready, 64):
                raise ChaosError(f"{self.name} does not start: {self.tail()}")
        finally:
            os.close(ready)

    def start_refused(self, status):
        """A start that has to end with that status."""
        os.close(self.spawn())
        found = self.wait()
        if found != status:
            raise ChaosError(f"{self.name}: a start ended with {found}, not {status}: {self.tail()}")

    def tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()[-2000:].strip()

    def is_up(self):
        return self.popen is not None and self.popen.poll() is None

    def send(self, number):
        self.popen.send_signal(number)
        if number in (signal.SIGSTOP, signal.SIGCONT):
            self.is_stopped = number == signal.SIGSTOP

    def wait(self):
        try:
            return self.popen.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise ChaosError(f"{self.name} does not end: {self.tail()}") from error

    def kill(self):
        if self.popen is not None:
            self.popen.kill()
            self.wait()
        self.is_stopped = False

    def end(self):
        """As an operator ends it: with everything answered, and status 0."""
        self.popen.send_signal(signal.SIGTERM)
        status = self.wait()
        if status != 0:
            raise ChaosError(f"{self.name} was asked to end and ended with {status}: {self.tail()}")


class Helper:
    """A program of the test that takes commands on its input and answers each with a line."""

    def __init__(self, *argv):
        # pylint: disable=consider-using-with
        self.popen = subprocess.Popen([sys.executable, *argv], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True, bufsize=1)

    def say(self, line):
        self.popen.stdin.write(line + "\n")
        self.popen.stdin.flush()

    def hear(self, timeout_s=TIMEOUT_S):
        if not select.select([self.popen.stdout], [], [], timeout_s)[0]:
            raise ChaosError(f"{self.popen.args[1]} says nothing")
        return self.popen.stdout.readline().strip()

    def ask(self, line):
        self.say(line)
        answer = self.hear()
        if not answer.startswith("ok"):
            raise ChaosError(f"{line!r}: {answer!r}")
        return answer[2:].split()

    def close(self):
        self.popen.kill()
        self.popen.wait()
        self.popen.stdin.close()
        self.popen.stdout.close()


class Cluster:
    """`data` holds the shards' directories, `work` everything else."""

    def __init__(self, options, data, work, seed):
        self.options, self.data, self.work = options, data, work
        self.proxy = Helper(os.path.join(HERE, "chaos_proxy.py"), str(seed))
        self.links = []
        self.processes = {}
        shards = [f"127.0.0.1:{free_port()}" for _ in range(options.shards)]
        self.routers = [f"127.0.0.1:{free_port()}" for _ in range(options.routers)]
        for number, address in enumerate(shards):
            self.add(f"shard-{number}", [
                options.shard, "--dir", self.directory(number), "--shard-index", str(number),
                "--shards", str(options.shards), "--listen", address, *SIZES, "--log-archive",
                self.archive(number)])
        for number, address in enumerate(self.routers):
            behind = ",".join(self.link(f"router-{number}:shard-{i}", shard)
                              for i, shard in enumerate(shards))
            if number == 0 and options.embedded:
                self.processes["shard-0"].argv += ["--router-listen", address, "--router-shard",
                                                   behind]
            else:
                self.add(f"router-{number}", [options.router, "--listen", address, "--shard",
                                              behind])
        self.addresses = [self.link(f"client:router-{number}", address)
                          for number, address in enumerate(self.routers)]

    def directory(self, number):
        return os.path.join(self.data, f"shard-{number}")

    def archive(self, number):
        path = os.path.join(self.work, f"archive-{number}")
        os.makedirs(path, exist_ok=True)
        return path

    def link(self, name, address):
        self.links.append(name)
        return "127.0.0.1:" + self.proxy.ask(f"link {name} {address}")[0]

    def add(self, name, argv):
        self.processes[name] = Process(name, [*argv, "--cluster", str(CLUSTER)], self.work,
                                       self.options.clockstep)

    def named(self, role):
        return [p for name, p in self.processes.items() if name.startswith(role)]

    def heal(self):
        """No trouble is left, and everything runs."""
        self.proxy.ask("calm *")
        for process in self.processes.values():
            process.step(0)
            if process.is_stopped:
                process.send(signal.SIGCONT)
            if not process.is_up():
                process.start()

    def begin(self):
        """Starts everything and makes hotels. Returns today."""
        self.heal()
        document = pykeyrack.Document(PROTOCOL)
        client = pykeyrack.Client(document, self.routers[:1], deadline=TIMEOUT_S)
        messages, today = document.messages, 0
        for hotel in HOTELS:
            answer = client.call("HOTEL_PUT", hotel_id=hotel, mask=6, settings=messages[
                "HotelSettings"](zone="UTC", currency="EUR"))
            assert answer.code == 1, answer
            today = answer.message.hotel.business_day
            for room_type in range(TYPES):
                answer = client.call("TYPE_PUT", hotel_id=hotel, type=room_type, mask=5,
                                     settings=messages["TypeSettings"](
                                         code=f"T{room_type}", physical=ROOMS))
                assert answer.code == 1, answer
        client.close()
        return today

    def snapshot(self, shard):
        """Asks for one, past all trouble."""
        document = pykeyrack.Document(PROTOCOL)
        client = pykeyrack.Client(document, self.routers[:1], deadline=1)
        try:
            client.call("SNAPSHOT", shard=shard, retry=False)
        except pykeyrack.Unknown:
            pass
        client.close()

    def is_read_only(self):
        """Does any shard say so?"""
        client = pykeyrack.Client(pykeyrack.Document(PROTOCOL), self.routers[:1], deadline=5)
        try:
            return "read_only" in [client.call("STATS", shard=number).message.state
                                   for number in range(self.options.shards)]
        except pykeyrack.Unknown:
            return False
        finally:
            client.close()

    def load(self, today, seed, rate):
        history = os.path.join(self.work, "history.jsonl")
        load = Helper(os.path.join(HERE, "chaos_load.py"), PROTOCOL, json.dumps({
            "addresses": self.addresses, "seed": seed, "hotels": HOTELS, "types": TYPES,
            "nights": NIGHTS, "today": today, "history": history, "connections": 6, "depth": 8,
            "rate": rate}))
        if load.hear() != "ready":
            raise ChaosError("the load does not begin")
        return load

    def close(self):
        for process in self.processes.values():
            process.kill()
        self.proxy.close()

    # ---- what is left

    def recover(self, *words, accept=(0,)):
        done = subprocess.run([self.options.recover, *words, "--allow-tmpfs"], text=True,
                              capture_output=True, timeout=600, check=False)
        if done.returncode not in accept:
            raise ChaosError(f"keyrack-recover {words}: exit {done.returncode}: {done.stdout}"
                             f"{done.stderr}")
        return done.stdout

    def verify(self, accept):
        for number in range(self.options.shards):
            self.recover("verify", self.directory(number), accept=accept)

    def effects(self):
        effects = []
        for number in range(self.options.shards):
            lines = self.recover("dump", "--log", "--json", "--archive", self.archive(number),
                                 self.directory(number)).splitlines()
            effects += [effect_of(line, number) for line in lines]
        return effects

    def history(self):
        """(attempts, listed) as the load wrote them down; see History.check_final."""
        attempts, listed = [], None
        with open(os.path.join(self.work, "history.jsonl"), encoding="utf-8") as file:
            for text in file:
                row = json.loads(text)
                if "listed" in row:
                    listed = {int(hotel): told for hotel, told in row["listed"].items()}
                    continue
                if row.pop("more", False):
                    raise ChaosError("nights did not fit into one page")
                if "line" in row:
                    row["line"] = check.Line(*row["line"])
                attempts.append(check.Attempt(**row))
        return attempts, listed


def day_of(text):
    return (datetime.date.fromisoformat(text) - datetime.date(1970, 1, 1)).days


def effect_of(text, shard):
    row = json.loads(text)
    kind = row["kind"]
    if kind == "RESERVE":
        kind = "BOOK" if row["book"] else "HOLD"
    line = None
    if row.get("lines"):
        first = row["lines"][0]
        line = check.Line(first["type"], day_of(first["check_in"]), day_of(first["check_out"]),
                          first["rooms"])
    return check.Effect(int(row.get("hotel", 0)), row.get("event_seq", 0), row["lsn"], kind,
                        row.get("id", "").replace("-", ""), line, row["t"],
                        row.get("expires_at", ""), shard, row.get("change_id", ""),
                        row.get("revision", 0))
