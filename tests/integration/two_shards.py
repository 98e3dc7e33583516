"""Two shards and routers in a folder, for clients that speak the wire themselves."""
import os
import select
import signal
import subprocess

READY_S = 120


class TwoShards:
    """`environment` is added to the processes'; `names` are the routers' sockets."""

    def __init__(self, folder, router, shard, cluster, sizes, environment=None, routers=2):
        self.folder = folder
        self.programs = router, shard
        self.cluster = cluster
        self.sizes = sizes
        self.environment = dict(os.environ, **(environment or {}))
        self.processes = {}
        self.addresses = [f"unix:{folder}/r{n}" for n in range(routers)]
        for n in range(2):
            self.start_shard(n)
        for n in range(routers):
            self.start_router(n)

    def start(self, name, argv):
        read, write = os.pipe()
        os.set_inheritable(write, True)
        log = open(os.path.join(self.folder, name + ".log"), "ab")
        self.processes[name] = subprocess.Popen(
            argv + ["--cluster", str(self.cluster), "--ready-fd", str(write)], pass_fds=[write],
            stdout=log, stderr=log, env=self.environment)
        log.close()
        os.close(write)
        if not select.select([read], [], [], READY_S)[0] or not os.read(read, 64):
            raise RuntimeError(f"{name} is not ready: {self.said(name)}")
        os.close(read)

    def said(self, name):
        with open(os.path.join(self.folder, name + ".log"), encoding="utf-8") as file:
            return file.read()

    def start_shard(self, n):
        self.start(f"shard{n}", [self.programs[1], "--dir", f"{self.folder}/d{n}", "--shard-index",
                                 str(n), "--shards", "2", "--listen", f"unix:{self.folder}/s{n}",
                                 *self.sizes])

    def start_router(self, n):
        self.start(f"router{n}", [self.programs[0], "--listen", self.addresses[n],
                                  "--shard", f"unix:{self.folder}/s0",
                                  "--shard", f"unix:{self.folder}/s1"])

    def kill(self, name, number=signal.SIGKILL):
        process = self.processes.pop(name)
        process.send_signal(number)
        return process.wait(READY_S)

    def is_whole(self):
        """Every process that was started and not killed still runs."""
        return all(process.poll() is None for process in self.processes.values())

    def stop(self):
        for name in sorted(self.processes):
            self.kill(name, signal.SIGTERM)
