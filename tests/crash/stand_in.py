"""The smallest cluster that crash.py can drive, so that the driver itself is tested.

    stand_in.py keyrack|bench|recover ...      the three programs, as crash.py calls them

A shard appends one padded JSON record an operation to a zero-filled log with O_DIRECT|O_DSYNC and
answers afterwards; a router passes lines on; the bench sells, cancels and journals. STAND_IN_BUG
in the environment plants what the driver must catch:
    early      answers before the write, which waits in memory for the next operation
    nosync     O_DIRECT without O_DSYNC
    buffered   neither of the two
    nodirsync  renames the new log into place and never syncs the directory
    half       counts the first night only
It shares no code with the checker.
"""

import argparse
import glob
import json
import mmap
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid

BLOCK = 4096
LOG_BLOCKS = 4096
HOTELS = 8
TYPES = 2
NIGHTS = 30
FIRST_DAY = 20000
LIMIT = 3
BENCH_THREADS = 4
ANSWER_TIMEOUT_S = 5
RETRY_S = 20
BUG = os.environ.get("STAND_IN_BUG", "")
MOVES = {"CONFIRM": ("HELD", "CONFIRMED"), "RELEASE": ("HELD", "RELEASED"),
         "CANCEL": ("CONFIRMED", "CANCELLED")}
SALES = {"HOLD": "HELD", "BOOK": "CONFIRMED"}
LIVE = ("HELD", "CONFIRMED")


class State:
    """Reservations by id, and rooms taken by (hotel, type, night, state)."""

    def __init__(self):
        self.reservations = {}
        self.taken = {}

    def count(self, record, state, sign):
        last = record["check_in"] + 1 if BUG == "half" else record["check_out"]
        for night in range(record["check_in"], last):
            key = (record["hotel"], record["type"], night, state)
            self.taken[key] = self.taken.get(key, 0) + sign * record["rooms"]

    def apply(self, record):
        old = self.reservations.get(record["id"])
        if old is not None and old["state"] in LIVE:
            self.count(old, old["state"], -1)
        if record["state"] in LIVE:
            self.count(record, record["state"], 1)
        self.reservations[record["id"]] = record

    def free(self, ask):
        return all(sum(self.taken.get((ask["hotel"], ask["type"], night, s), 0) for s in LIVE) +
                   ask["rooms"] <= LIMIT for night in range(ask["check_in"], ask["check_out"]))

    def judge(self, ask):
        """(code, record to log or None)."""
        known = self.reservations.get(ask["id"])
        op = ask["op"]
        if op in SALES:
            if known is not None:
                return "DONE", None
            if not self.free(ask):
                return "SOLD_OUT", None
            names = ("id", "hotel", "type", "check_in", "check_out", "rooms")
            return "DONE", {**{n: ask[n] for n in names}, "state": SALES[op]}
        if known is None:
            return "NOT_FOUND", None
        if op in ("RESOLVE", "GET") or known["state"] == MOVES[op][1]:
            return "DONE", None
        if known["state"] != MOVES[op][0]:
            return "BAD_STATE", None
        return "DONE", {**known, "state": MOVES[op][1]}


def log_read(path):
    with open(path, "rb") as file:
        for _ in range(LOG_BLOCKS):
            text = file.read(BLOCK).rstrip(b"\0")
            if not text:
                return
            yield json.loads(text)


class Shard:
    def __init__(self, directory):
        self.state = State()
        self.path = os.path.join(directory, "log")
        self.lock = threading.Lock()
        self.blocks = 0
        self.waiting = []
        if not os.path.exists(self.path):
            log_create(directory, self.path)
        for record in log_read(self.path):
            self.state.apply(record)
            self.blocks += 1
        flags = {"nosync": os.O_DIRECT, "buffered": 0}.get(BUG, os.O_DIRECT | os.O_DSYNC)
        self.fd = os.open(self.path, os.O_WRONLY | flags)
        self.buffer = mmap.mmap(-1, BLOCK)

    def append(self, record):
        self.buffer[:] = json.dumps(record).encode().ljust(BLOCK, b"\0")
        if os.pwrite(self.fd, self.buffer, self.blocks * BLOCK) != BLOCK:
            raise OSError("short write")
        self.blocks += 1

    def answer(self, ask):
        if ask["op"] == "LIST":
            with self.lock:
                return {"code": "DONE", "reservations": [
                    {"id": record["id"], "state": record["state"]}
                    for record in self.state.reservations.values()]}
        with self.lock:
            code, record = self.state.judge(ask)
            if record is not None and self.blocks + len(self.waiting) == LOG_BLOCKS - 1:
                code, record = "LIMIT_REACHED", None
            if record is not None:
                self.waiting.append(record)
                self.state.apply(record)
            if BUG != "early" or len(self.waiting) > 20:
                for waiting in self.waiting:
                    self.append(waiting)
                self.waiting.clear()
            known = self.state.reservations.get(ask["id"])
        return {"code": code, "state": known["state"] if known else None}


def log_create(directory, path):
    with open(path + ".new", "wb") as file:
        file.write(bytes(BLOCK * LOG_BLOCKS))
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".new", path)
    if BUG == "nodirsync":
        return
    sync_folder(directory)


def sync_folder(folder):
    fd = os.open(folder, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def serve(port, handle):
    """One thread a connection, one JSON line in, one out. An error ends the process."""
    server = socket.create_server(("127.0.0.1", port), backlog=64)

    def talk(connection):
        try:
            with connection, connection.makefile("rw") as file:
                for line in file:
                    file.write(json.dumps(handle(json.loads(line))) + "\n")
                    file.flush()
        except ConnectionError:
            pass
        except BaseException:  # pylint: disable=broad-except
            os._exit(1)

    while True:
        connection, _ = server.accept()
        threading.Thread(target=talk, args=(connection,), daemon=True).start()


def ask_port(port, ask):
    with socket.create_connection(("127.0.0.1", port), ANSWER_TIMEOUT_S) as connection:
        with connection.makefile("rw") as file:
            file.write(json.dumps(ask) + "\n")
            file.flush()
            line = file.readline()
    if not line.endswith("\n"):
        raise ConnectionError("no answer")
    return json.loads(line)


def route(port, shards, ask):
    if ask["op"] == "PING":
        for shard in range(shards):
            ask_port(port + 1 + shard, {"op": "GET", "id": ""})
        return {"code": "DONE"}
    if ask["op"] == "LIST":
        answers = [ask_port(port + 1 + shard, ask) for shard in range(shards)]
        return {"code": "DONE", "reservations": sum((a["reservations"] for a in answers), [])}
    targets = [ask["hotel"] % shards] if "hotel" in ask else range(shards)
    answer = {"code": "UNAVAILABLE"}
    for shard in targets:
        try:
            answer = ask_port(port + 1 + shard, ask)
        except OSError:
            return {"code": "OUTCOME_UNKNOWN"}
        if answer["code"] != "NOT_FOUND":
            return answer
    return answer


def members(directory):
    for path in sorted(glob.glob(os.path.join(glob.escape(directory), "*.json"))):
        try:
            # Nobody synced this file: after a power cut it may be empty.
            with open(path, encoding="ascii") as file:
                data = json.load(file)
            with open(f"/proc/{data['pid']}/stat", encoding="ascii") as file:
                if file.read().split()[2] != "Z":
                    yield data
        except (OSError, ValueError):
            pass


def spawn(directory, role, index, *arguments):
    command = [sys.executable, os.path.abspath(__file__), "process", role, *arguments]
    with subprocess.Popen(["setsid", "--fork", "sh", "-c", 'echo $$; exec "$@"', "sh", *command],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as launcher:
        pid = int(launcher.stdout.readline())
    with open(os.path.join(directory, f"{role}-{index}.json"), "w", encoding="ascii") as file:
        json.dump({"role": role, "index": index, "pid": pid}, file)


def cluster_start(options):
    port = int(options.listen.split(":")[1])
    os.makedirs(options.dir, exist_ok=True)
    running = {(m["role"], m["index"]) for m in members(options.dir)}
    for index in range(options.shards):
        folder = os.path.join(options.dir, f"shard-{index}")
        os.makedirs(folder, exist_ok=True)
        sync_folder(options.dir)
        if ("shard", index) not in running:
            spawn(options.dir, "shard", index, folder, str(port + 1 + index))
    if ("router", 0) not in running:
        spawn(options.dir, "router", 0, str(port), str(options.shards))


def keyrack(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("--router")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("words", nargs="+")
    parser.add_argument("--dir")
    parser.add_argument("--shards", type=int)
    parser.add_argument("--listen")
    # Sizes and the like mean nothing here.
    options, _ = parser.parse_known_args(arguments)
    words = options.words
    if words == ["cluster", "start"]:
        cluster_start(options)
    elif words == ["cluster", "stop"]:
        for member in members(options.dir):
            os.kill(member["pid"], signal.SIGTERM)
    elif words == ["cluster", "status"]:
        print(json.dumps({"processes": list(members(options.dir))}))
    else:
        op = {"ping": "PING", "resolve": "RESOLVE", "reservation": "GET"}[words[0]]
        if words == ["reservation", "list"]:
            op = "LIST"
        try:
            answer = ask_port(int(options.router.split(":")[1]), {"op": op, "id": words[-1]})
        except OSError:
            return 3
        print(json.dumps(answer))
        return 0 if answer["code"] == "DONE" else 1
    return 0


class Seller(threading.Thread):
    def __init__(self, options, number, journal):
        super().__init__()
        self.port = int(options.router.split(":")[1])
        self.random = random.Random(f"{options.seed}/{number}")
        self.end = time.monotonic() + options.seconds
        self.journal = journal

    def ask(self, ask):
        """Asks until there is an answer, with the same id; then journals it."""
        code = "OUTCOME_UNKNOWN"
        until = time.monotonic() + RETRY_S
        while code == "OUTCOME_UNKNOWN" and time.monotonic() < until:
            try:
                code = ask_port(self.port, ask)["code"]
            except OSError:
                pass
            if code == "OUTCOME_UNKNOWN":
                time.sleep(0.05)
        code = "UNKNOWN" if code == "OUTCOME_UNKNOWN" else code
        line = json.dumps({**ask, "code": code, "t_us": time.time_ns() // 1000}) + "\n"
        os.write(self.journal, line.encode())
        return code

    def run(self):
        while time.monotonic() < self.end:
            check_in = FIRST_DAY + self.random.randrange(NIGHTS - 4)
            stay = {"id": str(uuid.UUID(int=self.random.getrandbits(128))),
                    "hotel": self.random.randrange(HOTELS),
                    "type": self.random.randrange(TYPES), "check_in": check_in,
                    "check_out": check_in + self.random.randrange(1, 5), "rooms": 1}
            sale = self.random.choice(("HOLD", "BOOK"))
            if self.ask({**stay, "op": sale}) != "DONE":
                continue
            if sale == "HOLD":
                sale = self.random.choice(("CONFIRM", "RELEASE"))
                self.ask({**stay, "op": sale})
            if sale != "RELEASE" and self.random.random() < 0.8:
                self.ask({**stay, "op": "CANCEL"})


def bench(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("words", nargs="+")
    parser.add_argument("--router")
    parser.add_argument("--journal")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed")
    options, _ = parser.parse_known_args(arguments)
    if arguments[0] == "load":
        return 0
    journal = os.open(options.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    sellers = [Seller(options, number, journal) for number in range(BENCH_THREADS)]
    for seller in sellers:
        seller.start()
    for seller in sellers:
        seller.join()
    return 0


def dump_cells(state, shard):
    for hotel in range(HOTELS):
        for room_type in range(TYPES):
            for night in range(FIRST_DAY, FIRST_DAY + NIGHTS):
                held, booked = (state.taken.get((hotel, room_type, night, s), 0) for s in LIVE)
                if held or booked or shard == 0:
                    yield {"hotel": hotel, "type": room_type, "night": night, "limit": LIMIT,
                           "held": held, "booked": booked}


def recover(arguments):
    directory = arguments[-1]
    state = State()
    try:
        for record in log_read(os.path.join(directory, "log")):
            state.apply(record)
    except (OSError, ValueError, KeyError) as error:
        print(error, file=sys.stderr)
        return 4
    if "--reservations" in arguments:
        for r in state.reservations.values():
            line = {n: r[n] for n in ("type", "check_in", "check_out", "rooms")}
            print(json.dumps({"id": r["id"], "state": r["state"], "hotel": r["hotel"],
                              "lines": [line]}))
    if "--cells" in arguments:
        owned = {r["hotel"] for r in state.reservations.values()}
        print(json.dumps([c for c in dump_cells(state, 0) if c["hotel"] in owned]))
    return 0


def process(arguments):
    if arguments[0] == "shard":
        serve(int(arguments[2]), Shard(arguments[1]).answer)
    port, shards = int(arguments[1]), int(arguments[2])
    serve(port, lambda ask: route(port, shards, ask))


if __name__ == "__main__":
    sys.exit({"keyrack": keyrack, "bench": bench, "recover": recover,
              "process": process}[sys.argv[1]](sys.argv[2:]))
