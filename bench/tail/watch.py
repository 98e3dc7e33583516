"""What every process waited for and did while a run went on, with times: the scheduler's queue out
of /proc, the counters of shards and router over one connection of `keyrack shell`."""
import json
import os
import subprocess
import threading
import time

SCHEDULER_S = 0.02
COUNTERS_S = 0.1
KEPT = ("appends", "appends_slow", "append_time", "append_max_us", "turns_slow", "turn_time",
        "turn_max_us", "segments", "snapshots", "snapshot_running", "slices", "clock", "drained",
        "effects", "reservations")
ROUTER_KEPT = ("turns_slow", "turn_time", "turn_max_us", "overloaded")


class Watch:
    """Samples from start() to stop(); times are time.monotonic()."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.pids = {}
        self.scheduler = []  # (t, {role: us queued}, ticks stolen, ticks of all but idle)
        self.counters = []  # (t, {role: {name: value}})
        self.done = threading.Event()
        self.threads = []

    def start(self, pids):
        self.pids = pids
        self.threads = [threading.Thread(target=self._watch_scheduler),
                        threading.Thread(target=self._watch_counters)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.done.set()
        for thread in self.threads:
            thread.join()

    def _watch_scheduler(self):
        files = {role: os.open(f"/proc/{pid}/schedstat", os.O_RDONLY)
                 for role, pid in self.pids.items()}
        files["machine"] = os.open("/proc/stat", os.O_RDONLY)
        while not self.done.is_set():
            queued = {}
            for role, file in files.items():
                try:
                    text = os.pread(file, 256, 0).split()
                except OSError:  # it has ended
                    continue
                if role == "machine":
                    stolen = int(text[8])
                    busy = sum(map(int, text[1:4])) + sum(map(int, text[6:8]))
                elif len(text) > 1:
                    queued[role] = int(text[1]) // 1000
            self.scheduler.append((time.monotonic(), queued, stolen, busy))
            self.done.wait(SCHEDULER_S)
        for file in files.values():
            os.close(file)

    def _watch_counters(self):
        shell = subprocess.Popen(
            [self.cluster.tools["keyrack"], "shell", "--json", "--keep-going", "--router",
             self.cluster.router], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            while not self.done.is_set():
                at = time.monotonic()
                shell.stdin.write("stats\nrouter status\n")
                shell.stdin.flush()
                shards, router = (json.loads(shell.stdout.readline() or "{}") for _ in range(2))
                found = {f"shard-{row['shard']}": {name: row["stats"][name] for name in KEPT}
                         for row in shards.get("shards", []) if row.get("stats")}
                if router.get("stats"):
                    found["router"] = {name: router["stats"][name] for name in ROUTER_KEPT}
                self.counters.append(((at + time.monotonic()) / 2, found))
                self.done.wait(COUNTERS_S)
        except (OSError, ValueError):
            pass  # what was not seen is not there
        finally:
            shell.kill()
            shell.communicate()
