"""A local cluster as `keyrack cluster start` makes it, for the tests that need whole ones."""
import json
import os
import subprocess

from ports import free_port

DONE, REFUSED, USAGE, UNREACHABLE, UNKNOWN = range(5)
TIMEOUT_S = 120


class LocalCluster:
    """One folder; `run` types a command at it."""

    def __init__(self, program, folder, shards=2, sizes=()):
        self.program = program
        self.folder = folder
        self.router = f"127.0.0.1:{free_port()}"
        self.shards = shards
        self.sizes = list(sizes)

    def command(self, *words):
        environment = dict(os.environ, KEYRACK_ROUTER=self.router)
        return [self.program, *map(str, words)], environment

    def run(self, *words, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL):
        command, environment = self.command(*words)
        return subprocess.run(command, env=environment, stdin=stdin, capture_output=True,
                              text=True, timeout=timeout, check=False)

    def ok(self, *words, timeout=TIMEOUT_S):
        done = self.run(*words, timeout=timeout)
        assert done.returncode == DONE, f"{words}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self):
        """Creates it, or starts what is missing of it."""
        words = ["--listen", self.router, "--allow-tmpfs", "--shards", self.shards, *self.sizes]
        self.ok("cluster", "start", "--dir", self.folder, *words)
        return self

    def stop(self):
        return self.run("cluster", "stop", "--dir", self.folder, "--kill", "--timeout", "30s")

    def processes(self):
        """{"shard 0": pid, "router": pid}, None for those that do not run."""
        done = self.run("cluster", "status", "--dir", self.folder, "--json")
        return {f"shard {p['index']}" if p["role"] == "shard" else "router": p.get("pid")
                for p in json.loads(done.stdout)["processes"]}
