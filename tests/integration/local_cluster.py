"""A local cluster as `keyrack cluster start` makes it, for the tests that need whole ones."""
import json
import os
import shutil
import subprocess
import tempfile

from ports import free_port

DONE, REFUSED, USAGE, UNREACHABLE, UNKNOWN = range(5)
TIMEOUT_S = 120
SMALL = ("--hotels", 50, "--types", 100, "--nights", 60, "--reservations", 2000)


def run(program, *words, code=DONE, text="", **more):
    """A program that has to end with `code`."""
    done = subprocess.run([program, *map(str, words)], input=text, capture_output=True, text=True,
                          timeout=TIMEOUT_S, check=False, **more)
    assert done.returncode == code, f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


class LocalCluster:
    """One folder; `run` types a command at it."""

    def __init__(self, program, folder, shards=2, sizes=()):
        self.program = program
        self.folder = folder
        self.router = f"127.0.0.1:{free_port()}"
        self.shards = shards
        self.sizes = [*map(str, sizes)]

    @classmethod
    def lent(cls, program, clean_up, sizes=SMALL):
        """A running one in a folder of its own, gone when the clean-ups of a test are called."""
        top = tempfile.mkdtemp(prefix="keyrack-test-")
        clean_up(shutil.rmtree, top)
        cluster = cls(program, os.path.join(top, "c"), sizes=sizes)
        clean_up(cluster.stop)
        return cluster.start()

    def pid(self, role):
        with open(os.path.join(self.folder, role + ".pid"), encoding="ascii") as file:
            return int(file.read().split()[0])

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
