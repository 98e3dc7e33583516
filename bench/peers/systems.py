"""The systems that are compared: how each is installed, started, filled, asked for a snapshot and
stopped. README.md says why each is configured as it is."""
import hashlib
import json
import os
import pwd
import shutil
import signal
import socket
import time

import cluster
import debian
import endpoint
import processes
from cluster import ask as _ask

HERE = os.path.dirname(os.path.abspath(__file__))
HOTELS, TYPES, NIGHTS = 1000, 4, 365
ROWS = HOTELS * TYPES
OVERBOOKED = 1.1  # sold at most, of the rooms there are
SOCKET = 5432  # PostgreSQL names its socket by a port
PRELOAD_SHAPE = ["--connections", "64", "--depth", "128"]


class System:
    """One system with one durability. A directory of its own for every start."""
    name = label = durability = version = ""
    direct = True  # the driver talks to it without a hop

    def __init__(self, settings):
        self.settings = settings
        self.child = None
        self.place = None  # where it listens
        self.folder = None
        self.tools = settings.tools

    def prepare(self):
        """Finds the programs; debian.Missing where they are not to be had."""

    def start(self, folder, rooms, hot_rooms, preload, reservations):
        """Starts on an empty folder with `rooms` of each type, and the bookings of `preload`."""
        raise NotImplementedError

    def command(self, work, seconds, warmup, seed, series):
        raise NotImplementedError

    def pids(self):
        return [self.child.pid]

    def snapshot(self):
        raise NotImplementedError

    def stop(self):
        if self.child is not None:
            processes.stop(self.child, signal.SIGKILL)
            self.child = None

    def environment(self):
        return debian.environment(self.settings.cache)


class Peer(System):
    """What the C driver loads."""
    protocol = ""

    def driver_words(self):
        return []

    def load(self):
        """The driver, and where the peer listens."""
        where = ["--port", str(self.place.port)] if self.place.port else [
            "--socket", self.place.path]
        return [self.settings.peer_load, "--protocol", self.protocol, *where]

    def command(self, work, seconds, warmup, seed, series):
        words = [*self.load(), "--seconds", str(seconds), "--warmup", str(warmup),
                 "--seed", str(seed), "--books", str(work.books), "--reads", str(work.reads),
                 "--rows", str(TYPES if work.hot else ROWS),
                 "--connections", str(work.connections), "--depth", str(work.depth)]
        if work.rate:
            words += ["--rate", str(work.rate)]
        if series:
            words += ["--series", series]
        return words + self.driver_words()

    def preload(self, count):
        if count:
            _ask([*self.load(), "--preload", str(count), "--seconds", "0.1", "--warmup", "0",
                  "--seed", "4711", "--rows", str(ROWS)] + PRELOAD_SHAPE + self.driver_words())


class Redis(Peer):
    name = protocol = "redis"
    label = "Redis"

    def __init__(self, settings, fsync):
        super().__init__(settings)
        self.fsync = fsync
        self.name = f"redis-{fsync}"
        self.durability = {"always": "fsync before the answer", "everysec": "fsync every second"}[
            fsync]
        self.sha = None

    def prepare(self):
        self.server = debian.find("redis-server", ["usr/bin/redis-server"], self.settings.cache)
        text = _ask([self.server, "--version"], env=self.environment())
        self.version = "Redis " + text.split("v=")[1].split()[0]

    def ask(self, *words):
        """One command; the answer as it came."""
        with self.place.connect() as sock:
            self.send(sock, words)
            return sock.recv(65536)

    @staticmethod
    def send(sock, words):
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        sock.sendall(b"*%d\r\n" % len(parts)
                     + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))

    def start(self, folder, rooms, hot_rooms, preload, reservations):
        self.place = endpoint.Endpoint(self.settings.transport, folder)
        self.folder = folder
        where = ["--bind", "127.0.0.1", "--port", str(self.place.port)] if self.place.port else [
            "--port", "0", "--unixsocket", self.place.path]
        self.child = processes.start(
            [self.server, *where, "--dir", folder, "--save", "", "--appendonly", "yes", "--appendfsync", self.fsync,
             "--auto-aof-rewrite-percentage", "0", "--no-appendfsync-on-rewrite", "no",
             "--tcp-backlog", "511", "--loglevel", "warning"],
            os.path.join(folder, "log"), env=self.environment())
        self.place.wait(self.child)
        with self.place.connect() as sock:
            for row in range(ROWS):
                limit = hot_rooms if row < TYPES else rooms
                self.send(sock, ("SET", f"r{row}",
                                 (b"\0\0" + int(limit).to_bytes(2, "big")) * NIGHTS))
            heard = b""
            while len(heard) < ROWS * 5:
                more = sock.recv(65536)
                heard += more
                if not more or heard.replace(b"+OK\r\n", b"")[:1] not in b"+":
                    raise RuntimeError(f"Redis took no rows: {heard[-100:]}")
        with open(os.path.join(HERE, "redis.lua"), "rb") as file:
            script = file.read()
        self.sha = hashlib.sha1(script).hexdigest()
        if self.sha.encode() not in self.ask("SCRIPT", "LOAD", script):
            raise RuntimeError("Redis took no script")
        self.preload(preload)

    def driver_words(self):
        return ["--script", self.sha]

    def snapshot(self):
        if not self.ask("BGREWRITEAOF").startswith(b"+"):
            raise RuntimeError("Redis rewrites no log")


class Tarantool(Peer):
    name = protocol = "tarantool"
    label = "Tarantool"

    def __init__(self, settings, wal_mode):
        super().__init__(settings)
        self.wal_mode = wal_mode
        self.name = f"tarantool-{wal_mode}"
        self.durability = {"fsync": "fsync before the answer", "write": "written, no fsync"}[
            wal_mode]

    def prepare(self):
        self.server = debian.find("tarantool", ["usr/bin/tarantool"], self.settings.cache)
        self.version = _ask([self.server, "--version"],
                            env=self.environment()).splitlines()[0].split("-")[0]

    def start(self, folder, rooms, hot_rooms, preload, reservations):
        self.place = endpoint.Endpoint(self.settings.transport, folder)
        self.folder = folder
        where = f"127.0.0.1:{self.place.port}" if self.place.port else "unix/:" + self.place.path
        self.child = processes.start(
            [self.server, os.path.join(HERE, "tarantool.lua"), where, self.wal_mode,
             str(rooms), str(hot_rooms)],
            os.path.join(folder, "log"), cwd=folder, env=self.environment())
        self.place.wait(self.child)
        self.console("return ready")  # the script has run to its end
        self.preload(preload)

    def console(self, words):
        """A line on the console's socket; waits until it answers."""
        path = os.path.join(self.folder, "console")
        for _ in range(600):
            if os.path.exists(path):
                break
            time.sleep(0.1)
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(120)
            sock.connect(path)
            heard = sock.recv(4096)
            sock.sendall(words.encode() + b"\n")
            while not heard.rstrip().endswith(b"..."):
                more = sock.recv(4096)
                if not more:
                    break
                heard += more
            if b"error" in heard:
                raise RuntimeError(heard.decode(errors="replace"))

    def snapshot(self):
        self.console("box.snapshot()")


class Postgres(Peer):
    label = "PostgreSQL"
    bin = None

    def __init__(self, settings, protocol):
        super().__init__(settings)
        self.name = self.protocol = protocol
        self.durability = "fsync before the answer"
        self.user = self.host = self.number = None

    def prepare(self):
        names = [f"usr/lib/postgresql/{v}/bin/postgres" for v in (15, 16, 17, 14)]
        server = debian.find("postgresql-15", names, self.settings.cache)
        self.bin = os.path.dirname(server)
        self.version = _ask([server, "--version"], env=self.environment()).split("(")
        self.version = "PostgreSQL " + self.version[1].split()[-1]
        if os.geteuid() == 0:  # it refuses to run as root
            for name in ("postgres", "nobody"):
                try:
                    self.user = pwd.getpwnam(name)
                    break
                except KeyError:
                    continue
            else:
                raise debian.Missing("root may not run PostgreSQL and there is no other user")

    def as_user(self):
        if self.user is None:
            return {"env": self.environment()}
        return {"env": self.environment(), "user": self.user.pw_uid, "group": self.user.pw_gid,
                "extra_groups": []}

    def psql(self, *words):
        return _ask([os.path.join(self.bin, "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1",
                     "-h", self.host, "-p", str(self.number), "-U", "keyrack", *words],
                    env=self.environment())

    def run_server(self, data):
        folder = os.path.dirname(data)
        self.place = endpoint.Endpoint(self.settings.transport, folder, f".s.PGSQL.{SOCKET}")
        self.host, self.number, where = "127.0.0.1", self.place.port, []
        if self.place.path:  # its number is a part of the socket's name
            self.host, self.number = folder, SOCKET
            where = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}"]
        self.child = processes.start(
            [os.path.join(self.bin, "postgres"), "-D", data, "-p", str(self.number), *where],
            os.path.join(folder, "log"), cwd=data, **self.as_user())
        self.place.wait(self.child)
        for _ in range(600):
            try:
                self.psql("-d", "postgres", "-c", "select 1")
                return
            except RuntimeError:
                time.sleep(0.1)
        raise RuntimeError("PostgreSQL does not begin to serve")

    def end_server(self):
        processes.stop(self.child, signal.SIGINT)
        self.child = None

    def template(self, rooms, preload):
        """A filled data directory, made once: a million bookings take it a while."""
        home = os.path.join(self.settings.work, f"postgres-{preload}")
        data = os.path.join(home, "data")
        if os.path.exists(data):
            return data
        os.makedirs(data)
        if self.user:
            for path in (home, data):
                os.chown(path, self.user.pw_uid, self.user.pw_gid)
        os.chmod(data, 0o700)
        try:
            _ask([os.path.join(self.bin, "initdb"), "-D", data, "-A", "trust", "-U", "keyrack",
                  "-E", "UTF8", "--locale", "C", "--no-instructions"], cwd=data, **self.as_user())
            shutil.copy(os.path.join(HERE, "postgres.conf"), os.path.join(data, "conf"))
            with open(os.path.join(data, "postgresql.conf"), "a", encoding="ascii") as file:
                file.write("include 'conf'\n")
            os.chmod(os.path.join(data, "conf"), 0o644)
            self.run_server(data)
            self.psql("-d", "postgres", "-c", "create database keyrack")
            self.psql("-d", "keyrack", "-v", f"limit={rooms}", "-v", f"hot_limit={rooms}",
                      "-v", f"preload={preload}", "-f", os.path.join(HERE, "postgres.sql"))
            self.end_server()
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise
        return data

    def start(self, folder, rooms, hot_rooms, preload, reservations):
        source = self.template(rooms, preload)
        self.folder = folder
        if self.user:
            os.chown(folder, self.user.pw_uid, self.user.pw_gid)
        _ask(["cp", "-a", "--reflink=auto", source, folder])
        self.run_server(os.path.join(folder, "data"))
        if hot_rooms != rooms:
            self.psql("-d", "keyrack", "-c",
                      f"update cell set rooms = {hot_rooms} where row_id < {TYPES}")
        self.psql("-d", "keyrack", "-c", "checkpoint")

    def snapshot(self):
        self.psql("-d", "keyrack", "-c", "checkpoint")

    def stop(self):
        if self.child is not None:
            processes.stop(self.child, signal.SIGQUIT)
            self.child = None


class Keyrack(System):
    name = "keyrack"
    label = "Keyrack"
    direct = False

    def __init__(self, settings, durability, has_router=False):
        super().__init__(settings)
        self.mode = durability
        self.has_router = has_router  # as a process
        self.cluster = None
        if has_router:
            self.name, self.label = "keyrack-router", "Keyrack, a router process"
        elif durability != "sync":
            self.name = f"keyrack-{durability}"
        self.durability = {"sync": "on disk before the answer",
                           "async": "on disk within 100 ms"}[durability]

    def prepare(self):
        self.version = "Keyrack " + _ask([self.tools["keyrack"], "--version"]).split()[-1]

    def start(self, folder, rooms, hot_rooms, preload, reservations):
        self.cluster = cluster.Cluster(self.tools, os.path.join(folder, "cluster"),
                                       self.settings.transport)
        self.folder = folder
        # Snapshots are measured where they are named, as rewrites are of Redis: see README.md.
        os.environ.update(KEYRACK_SHARD_SNAPSHOT_EFFECTS="0", KEYRACK_SHARD_SNAPSHOT_LOG="0",
                          KEYRACK_SHARD_PREFAULT="1")
        self.cluster.start("--shards", self.settings.shards, "--durability", self.mode,
                           "--embedded-router", "no" if self.has_router else "yes",
                           "--hotels", HOTELS * 2, "--types", ROWS * 2, "--nights", 400,
                           "--reservations", reservations)
        for first, count, sold in ((1, HOTELS, rooms), (1, 1, hot_rooms)):
            # The driver's hotels have 10 % overbooking, as the limits of the peers include.
            _ask(self.cluster.bench(
                "load", "--first-hotel", first, "--hotels", count, "--types-min", TYPES,
                "--nights", NIGHTS, "--physical", max(1, round(sold / OVERBOOKED))))
        if preload:
            _ask(self.cluster.bench(
                "run", "--preload", preload, "--seconds", 0.1, "--warmup", 0, "--op",
                "availability", "--seed", 4711, *PRELOAD_SHAPE))

    def command(self, work, seconds, warmup, seed, series):
        mix = ",".join(f"{name}={n}" for name, n in
                       (("availability", work.reads), ("book", work.books)) if n)
        words = ["--seconds", str(seconds), "--warmup", str(warmup), "--seed", str(seed), "--mix",
                 mix, "--connections", str(work.connections), "--depth", str(work.depth), "--json",
                 "--data-dir", self.folder]
        if work.rate:
            words += ["--rate", str(work.rate)]
        if work.hot:
            words += ["--hot"]
        if series:
            words += ["--series", series]
        return self.cluster.bench("run", *words)

    def pids(self):
        return list(self.cluster.pids().values())

    def snapshot(self):
        self.cluster.keyrack("snapshot")

    def stop(self):
        if self.cluster is not None:
            self.cluster.end()
            self.cluster = None


def every(settings):
    """All that there are; the first one is the yardstick's other side."""
    return [Keyrack(settings, "sync"), Redis(settings, "always"), Tarantool(settings, "fsync"),
            Postgres(settings, "postgres"), Postgres(settings, "postgres-update"),
            Keyrack(settings, "sync", has_router=True), Keyrack(settings, "async"), Redis(settings, "everysec"), Tarantool(settings, "write")]


def describe(system):
    return {"name": system.name, "label": system.label, "version": system.version,
            "durability": system.durability}


def result_of(text):
    """The last line, or all, of what a driver printed."""
    text = text.strip()
    return json.loads(text if text.startswith("{\n") else text.splitlines()[-1])
