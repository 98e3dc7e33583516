#!/usr/bin/python3
"""The unit files under a living systemd: this system's own, in namespaces, over a copy of its root.

usage: test_systemd.py SOURCE_ROOT KEYRACK_SHARD KEYRACK_ROUTER

Skipped where there is no systemd, or namespaces and mounts are not allowed.
"""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import journal
import shard_process
import wire

ROOT, SHARD, ROUTER = sys.argv[1:4]
TIMEOUT_S = 120
TARGET = "keyrack-test.target"
UNITS = ("keyrack-shard@0", "keyrack-shard@1", "keyrack-router")

# What a container manager does. Whatever belongs to the whole machine is read-only: /sys, so that
# no device is touched, and /proc/sys.
BOX = r"""
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$TOP"
mkdir "$TOP/upper" "$TOP/work" "$TOP/root" "$TOP/cgroup"
mount -t overlay overlay -o "lowerdir=/,upperdir=$TOP/upper,workdir=$TOP/work" "$TOP/root"
cp -r "$FILES/." "$TOP/root/"
mount -t "$CGROUP" cgroup "$TOP/cgroup" $CGROUP_OPTIONS
mkdir "$TOP/cgroup/$NAME"
echo 0 > "$TOP/cgroup/$NAME/cgroup.procs"
cd "$TOP/root"
exec unshare --cgroup sh -ec '
umount "$TOP/cgroup"
for where in run tmp; do mount -t tmpfs tmpfs $where -o mode=755; done
chmod 1777 tmp
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs sysfs sys
mount -t tmpfs tmpfs dev -o mode=755
for name in null zero full random urandom tty; do
	touch dev/$name
	mount --bind /dev/$name dev/$name
done
mkdir dev/shm dev/pts
mount -t tmpfs tmpfs dev/shm
mount -t devpts devpts dev/pts -o newinstance,ptmxmode=0666
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
if [ "$CGROUP" = cgroup2 ]; then
	mount -t cgroup2 cgroup sys/fs/cgroup
else
	mount -t tmpfs tmpfs sys/fs/cgroup -o mode=755
	mkdir sys/fs/cgroup/systemd
	mount -t cgroup cgroup sys/fs/cgroup/systemd $CGROUP_OPTIONS
fi
mount -o remount,bind,ro sys
ip link set lo up
mkdir .old
pivot_root . .old
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c "umount -l /.old &&
	exec /lib/systemd/systemd --system --log-target=journal --unit=keyrack-test.target"
'
"""
SWEEP = r"""
mount --make-rprivate /
mount -t "$CGROUP" cgroup "$TOP" $CGROUP_OPTIONS
for i in 1 2 3 4 5 6 7 8 9 10; do
	find "$TOP/$NAME" -depth -type d -exec rmdir {} + 2>/dev/null && break
	sleep 0.2
done
"""


def eventually(check):
    until = time.monotonic() + TIMEOUT_S
    while not check():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.05)


def is_sanitized(program):
    with open(program, "rb") as file:
        return b"__asan_init" in file.read()


class Box:
    """A systemd as the first process of its own namespaces. `pid` is None where there is none."""

    def __init__(self, folder, files):
        is_second = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
        self.pid = None
        self.env = {**os.environ, "FILES": files, "TOP": os.path.join(folder, "top"),
                    "NAME": f"keyrack-test-{os.getpid()}",
                    "CGROUP": "cgroup2" if is_second else "cgroup",
                    "CGROUP_OPTIONS": "" if is_second else "-o none,name=systemd"}
        os.mkdir(self.env["TOP"])
        self.told = open(os.path.join(folder, "told"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--uts", "--ipc", "--net", "--fork", "--kill-child",
             "sh", "-c", BOX], env=self.env, stdin=subprocess.DEVNULL, stdout=self.told,
            stderr=subprocess.STDOUT)
        until = time.monotonic() + TIMEOUT_S
        while self.process.poll() is None and time.monotonic() < until:
            if self.is_up():
                return
            time.sleep(0.05)
        self.pid = None

    def is_up(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children",
                  encoding="ascii") as file:
            children = file.read().split()
        if not children:
            return False
        self.pid = int(children[0])
        try:
            with open(f"/proc/{self.pid}/comm", encoding="utf-8") as file:
                if file.read() != "systemd\n":
                    return False
        except FileNotFoundError:
            return False
        return self.run("systemctl", "is-active", TARGET).stdout == "active\n"

    def run(self, *words):
        return subprocess.run(
            ["nsenter", "-t", str(self.pid), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "env",
             "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *map(str, words)], capture_output=True,
            text=True, timeout=TIMEOUT_S, check=False, stdin=subprocess.DEVNULL)

    def path(self, inside):
        return f"/proc/{self.pid}/root{inside}"

    def why(self):
        self.told.seek(0)
        return self.told.read().strip()[-500:] or "it does not come up"

    def end(self):
        self.process.kill()
        self.process.wait(TIMEOUT_S)
        self.told.close()
        subprocess.run(["unshare", "--mount", "sh", "-c", SWEEP], env=self.env, check=False,
                       timeout=TIMEOUT_S)


@unittest.skipUnless(os.geteuid() == 0 and os.path.exists("/lib/systemd/systemd"),
                     "there is no systemd, or no right to run one")
@unittest.skipIf(is_sanitized(SHARD), "a sanitizer makes calls of its own")
class SystemdTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="keyrack-systemd-")
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.pb = wire.messages(ROOT)
        cls.table = journal.table(ROOT)
        files = os.path.join(folder, "files")
        cls.lay(files)
        cls.box = Box(folder, files)
        cls.addClassCleanup(cls.box.end)
        if cls.box.pid is None:
            raise unittest.SkipTest("no systemd can be run here: " + cls.box.why())
        # What no unit can have here is no matter of ours.
        tried = cls.box.run("systemd-run", "--wait", "--quiet", "-p", "DynamicUser=yes",
                            "-p", "PrivateUsers=yes", "-p", "PrivateDevices=yes",
                            "-p", "ProtectSystem=strict", "-p", "ProtectKernelTunables=yes",
                            "-p", "StateDirectory=tried", "-p", "SystemCallFilter=@system-service",
                            "/bin/true")
        if tried.returncode != 0:
            raise unittest.SkipTest("no unit can be isolated here: " + tried.stderr.strip()[-500:])

    @classmethod
    def lay(cls, files):
        def put(path, text):
            path = os.path.join(files, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        put("etc/systemd/system/" + TARGET,
            "[Unit]\nRequires=basic.target\nAfter=basic.target\nAllowIsolate=yes\n")
        for path, program in (("engine/server/keyrack-shard@.service", SHARD),
                              ("router/keyrack-router.service", ROUTER)):
            inside = "/usr/local/bin/" + os.path.basename(program)
            with open(os.path.join(ROOT, path + ".in"), encoding="utf-8") as file:
                put("etc/systemd/system/" + os.path.basename(path),
                    file.read().replace("@PROGRAM@", inside))
            os.makedirs(files + "/usr/local/bin", exist_ok=True)
            shutil.copy(program, files + inside)
        sizes = "".join(f"{name[2:]}: {value}\n" for name, value in
                        zip(shard_process.SIZES[::2], shard_process.SIZES[1::2]))
        for shard in range(3):
            put(f"etc/keyrack/shard-{shard}.yaml",
                f"cluster: {shard_process.CLUSTER}\nshards: 2\nallow-tmpfs: yes\n{sizes}"
                f"listen: unix:/run/keyrack/shard-{shard}/s\n")
        put("etc/keyrack/router.yaml",
            f"cluster: {shard_process.CLUSTER}\nlisten: unix:/run/keyrack/router/s\n"
            "shard: [unix:/run/keyrack/shard-0/s, unix:/run/keyrack/shard-1/s]\n")

    def ok(self, *words):
        done = self.box.run(*words)
        self.assertEqual(done.returncode, 0, f"{words}\n{done.stdout}{done.stderr}\n" +
                         self.box.run("journalctl", "--no-pager", "-n", 40).stdout)
        return done.stdout

    def show(self, unit, name):
        return self.ok("systemctl", "show", "--value", "-p", name, unit).strip()

    def entries(self, *matches):
        self.ok("journalctl", "--sync")
        told = [json.loads(line) for line in
                self.box.run("journalctl", "-o", "json", "--no-pager", *matches).stdout.splitlines()]
        for entry in told:
            priority, number, _, _ = self.table[entry["KEYRACK_EVENT"]]
            self.assertEqual((entry["PRIORITY"], entry["MESSAGE_ID"]), (priority, number))
        return told

    def wait_for(self, unit, event, text=""):
        """The unit's newest entry of a kind, as soon as it has the text."""
        def newest():
            told = self.entries("KEYRACK_EVENT=" + event, f"_SYSTEMD_UNIT={unit}.service")
            return told and text in told[-1]["MESSAGE"] and told[-1]
        eventually(newest)
        return newest()

    def connect(self):
        return wire.Connection(self.box.path("/run/keyrack/router/s"), shard_process.CLUSTER,
                               self.pb, timeout=TIMEOUT_S)

    def append(self, name, line):
        with open(self.box.path("/etc/keyrack/" + name), "a", encoding="utf-8") as file:
            file.write(line)

    def check_processes(self):
        """They run as nobody in particular, and may do little."""
        for unit in UNITS:
            self.assertEqual(self.show(unit, "ActiveState"), "active")
            told = dict(line.split(":\t", 1) for line in self.ok(
                "cat", f"/proc/{self.show(unit, 'MainPID')}/status").splitlines() if ":\t" in line)
            self.assertNotIn("0", told["Uid"].split())
            self.assertEqual((told["NoNewPrivs"], told["Seccomp"], int(told["CapBnd"], 16)),
                             ("1", "2", 0), unit)

    def check_journal(self):
        ready = [self.wait_for(unit, "READY") for unit in UNITS]
        self.assertEqual({entry.get("KEYRACK_SHARD") for entry in ready}, {"0", "1", None})
        self.assertEqual({entry["KEYRACK_DIRECTORY"] for entry in self.entries("KEYRACK_SHARD=1")
                          if entry["SYSLOG_IDENTIFIER"] == "keyrack-shard"},
                         {"/var/lib/keyrack/shard-1"})
        eventually(lambda: {entry["KEYRACK_SHARD"] for entry in
                            self.entries("KEYRACK_EVENT=LINK_UP")} == {"0", "1"})

    def check_reload(self):
        for unit, name in ("keyrack-router", "router.yaml"), ("keyrack-shard@0", "shard-0.yaml"):
            self.append(name, "idle-timeout: 77\n")
            self.ok("systemctl", "reload", unit)
            self.wait_for(unit, "RELOAD", "idle-timeout: 77 instead of")
            self.append(name, "idel-timeout: 1\n")
            self.assertNotEqual(self.box.run("systemctl", "reload", unit).returncode, 0)
            self.wait_for(unit, "MISCONFIGURED", "idel-timeout")
            self.assertEqual(self.show(unit, "ActiveState"), "active")
            self.ok("sed", "-i", "/^idel/d", "/etc/keyrack/" + name)

    def check_kill(self, connection, ident):
        """What was sold is there after a kill, which systemd mends."""
        unit = f"keyrack-shard@{wire.slot_of(shard_process.HOTEL) // 8192}"
        before = self.show(unit, "MainPID")
        self.ok("systemctl", "kill", "-s", "KILL", unit)
        eventually(lambda: self.show(unit, "ActiveState") == "active" and
                   self.show(unit, "MainPID") not in ("0", before))
        self.assertEqual(self.show(unit, "NRestarts"), "1")
        code, answer = connection.call(
            "RESERVATION_GET", wire.HOTEL, shard_process.HOTEL, self.pb.ReservationGetRequest(
                has_hotel=True, hotel_id=shard_process.HOTEL, id_hi=ident[0], id_lo=ident[1]),
            remaining_us=TIMEOUT_S * 1000000)
        self.assertEqual((code, answer.reservation.id_lo), (wire.DONE, ident[1]))

    def check_refusal(self):
        """The third shard of two, which no restart would mend; then one of another layout."""
        for line, status in ("\n", "2"), ("shards: 3\n", "0"), ("shards: 4\n", "43"):
            self.ok("sed", "-i", "/^shards/d", "/etc/keyrack/shard-2.yaml")
            self.append("shard-2.yaml", "shards: 2\n" if status == "2" else line)
            done = self.box.run("systemctl", "restart", "keyrack-shard@2")
            self.assertEqual(done.returncode == 0, status == "0")
            if status == "0":
                self.ok("systemctl", "stop", "keyrack-shard@2")
            self.assertEqual(self.show("keyrack-shard@2", "ExecMainStatus"), status)
            self.assertEqual(self.show("keyrack-shard@2", "NRestarts"), "0")
        self.assertEqual(self.wait_for("keyrack-shard@2", "REFUSED")["KEYRACK_CODE"],
                         "OTHER_LAYOUT")

    def check_no_journal(self, connection):
        """A journal that is stopped holds nobody up; the next one hears how much was lost."""
        parts = ["systemd-journald" + more for more in (".socket", "-dev-log.socket", ".service")]
        self.ok("systemctl", "stop", *parts)
        for seconds in range(100, 140):
            self.ok("sed", "-i", f"s/^idle-timeout.*/idle-timeout: {seconds}/",
                    "/etc/keyrack/router.yaml")
            self.ok("systemctl", "kill", "-s", "HUP", "--kill-whom=main", "keyrack-router")
            code, _ = connection.call("PING", wire.ROUTER, 0, self.pb.PingRequest(payload=b"x"))
            self.assertEqual(code, wire.DONE)
        self.ok("systemctl", "start", *parts)
        self.ok("systemctl", "kill", "-s", "HUP", "--kill-whom=main", "keyrack-router")
        eventually(lambda: any("KEYRACK_LOST" in entry for entry in
                               self.entries("KEYRACK_EVENT=RELOAD")))

    def test_a_cluster_of_units(self):
        self.ok("systemctl", "start", *UNITS)
        self.check_processes()
        self.check_journal()
        connection = self.connect()
        today = shard_process.load(connection, self.pb)
        ident = wire.mint(shard_process.HOTEL, random.Random(1).getrandbits(60))
        code, _ = connection.call("BOOK", wire.HOTEL, shard_process.HOTEL,
                                  shard_process.sale(self.pb, today, ident))
        self.assertEqual(code, wire.DONE)
        self.check_reload()
        self.check_kill(connection, ident)
        self.check_refusal()
        self.check_no_journal(connection)
        connection.close()
        self.ok("systemctl", "stop", *UNITS)
        for unit in UNITS:
            self.assertEqual(self.show(unit, "Result"), "success", unit)
            self.wait_for(unit, "STOPPED")


unittest.main(argv=sys.argv[:1], verbosity=1)
