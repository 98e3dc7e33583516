"""A disk whose power can be cut, with an ext4 file system on it, for tests that run as root.

    powercut.isolate()                      # first thing in main(): own mounts, own processes
    with powercut.Rig(directory) as rig:    # rig.mountpoint is there and empty
        ...
        rig.cut(powercut.Cut(seed=7, keep_permille=500))
        rig.remount()                       # journal replayed, e2fsck clean, or RigError

Backends: `fuse` (cutfs below a loop device: an honest volatile cache) and, where FUSE is missing,
`shutdown` (FS_IOC_SHUTDOWN without flush on a plain loop mount: only the page cache is lost).

Nothing leaks: isolate() puts the program into mount and process namespaces of its own, so its
mounts and children end with it however it ends, and the loop device clears itself when its last
user is gone.
"""

import dataclasses
import errno
import fcntl
import os
import shutil
import signal
import struct
import subprocess
import sys
import time

SKIP_EXIT = 77
BLOCK = 4096
BACKENDS = ("fuse", "shutdown")
ISOLATED_VARIABLE = "KEYRACK_CRASH_ISOLATED"
BACKEND_VARIABLE = "KEYRACK_CRASH_BACKEND"
CUTFS_VARIABLE = "KEYRACK_CUTFS"

JOURNAL_MIB = 16
REPLY_TIMEOUT_S = 60
UNMOUNT_TIMEOUT_S = 40
CLEAR_TIMEOUT_S = 20

# linux/loop.h
LOOP_CTL_GET_FREE = 0x4C82
LOOP_CONFIGURE = 0x4C0A
LOOP_CLR_FD = 0x4C01
LO_FLAGS_AUTOCLEAR = 4
LO_FLAGS_DIRECT_IO = 16
LOOP_ATTACH_TRIES = 20

# linux/fiemap.h: _IOWR('f', 11, struct fiemap), and the flags of an extent that lies nowhere yet.
FS_IOC_FIEMAP = 0xC020660B
FIEMAP_EXTENT_NOWHERE = 0x2 | 0x4 | 0x800

# linux/fs.h: _IOR('X', 125, __u32), and the flag that leaves the journal unflushed.
FS_IOC_SHUTDOWN = 0x8004587D
FS_SHUTDOWN_NOLOGFLUSH = 2

# commit=300: ext4 would otherwise flush the disk every 5 s by itself and so cover up a program
# that never asks for it. lazy_*=0 (mkfs) and noinit_itable: no background thread that flushes.
MOUNT_OPTIONS = "noatime,commit=300,noinit_itable,nodiscard,errors=remount-ro"
MKFS_OPTIONS = ["-q", "-F", "-b", "4096", "-J", f"size={JOURNAL_MIB}", "-m", "0",
                "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard"]


class RigError(Exception):
    """The rig itself failed, or the file system was not clean after a cut."""


class RigMissing(Exception):
    """This machine cannot carry a rig; the text says what is missing."""


@dataclasses.dataclass(frozen=True)
class Cut:
    """What the cut keeps of the unsynced sectors (backend fuse; shutdown keeps none)."""
    seed: int = 0
    keep_permille: int = 0
    unit_bytes: int = 512


def skip(reason):
    """Says in one line why nothing can be proved here, and leaves with meson's skip code."""
    print(f"SKIP: power cuts cannot be tested here: {reason}", flush=True)
    sys.exit(SKIP_EXIT)


def isolate(required=True):
    """Runs the program again in mount and process namespaces of its own. Where that cannot be
    done: skips, or goes on as it is if it is not required."""
    if os.environ.get(ISOLATED_VARIABLE) == "1" and os.getpid() == 1:
        return
    command, problem = isolation_command()
    if problem is not None:
        if required:
            skip(problem)
        return
    environment = dict(os.environ, **{ISOLATED_VARIABLE: "1"})
    sys.stdout.flush()
    os.execve(command[0], command + [sys.executable] + sys.argv, environment)


def isolation_command():
    """(command, None) or (None, what is missing)."""
    if os.geteuid() != 0:
        return None, "needs root (mounts, loop devices)"
    unshare = shutil.which("unshare", path=tool_path())
    if unshare is None:
        return None, "unshare (util-linux) is not installed"
    command = [unshare, "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
               "--propagation", "private"]
    probe = subprocess.run(command + ["true"], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        return None, f"no namespaces: {probe.stderr.strip()}"
    return command, None


def tool_path():
    """mkfs and losetup live in sbin, which a user's PATH may lack."""
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin"


def tool_run(arguments, accept=(0,)):
    environment = dict(os.environ, PATH=tool_path(), LC_ALL="C")
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, env=environment,
                          stdin=subprocess.DEVNULL)
    if done.returncode not in accept:
        if "permission denied" in done.stderr.lower():
            raise RigMissing(f"{arguments[0]}: {done.stderr.strip()}")
        raise RigError(f"{' '.join(arguments)}: exit {done.returncode}: "
                       f"{(done.stdout + done.stderr).strip()}")
    return done.stdout


def probe_open(path):
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        return f"{path}: {error.strerror}"
    return None


def backend_choose(cutfs=None):
    """Returns (backend, cutfs path or None), or raises RigMissing with the reason."""
    for tool in ("mkfs.ext4", "e2fsck", "mount", "umount"):
        if shutil.which(tool, path=tool_path()) is None:
            raise RigMissing(f"{tool} is not installed")
    loop_missing = probe_open("/dev/loop-control")
    if loop_missing is not None:
        raise RigMissing(loop_missing)
    cutfs = cutfs or os.environ.get(CUTFS_VARIABLE)
    fuse_missing = probe_open("/dev/fuse")
    if cutfs is None or not os.access(cutfs, os.X_OK):
        fuse_missing = "cutfs is not built (libfuse3-dev was missing)"
    wanted = os.environ.get(BACKEND_VARIABLE)
    if wanted not in (None, "") + BACKENDS:
        raise RigMissing(f"{BACKEND_VARIABLE}={wanted} is not one of {BACKENDS}")
    if wanted == "fuse" and fuse_missing is not None:
        raise RigMissing(fuse_missing)
    if wanted == "shutdown" or fuse_missing is not None:
        return "shutdown", None
    return "fuse", cutfs


class Loop:
    """A loop device with direct I/O that clears itself once nobody holds it."""

    def __init__(self, path):
        backing = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self.number, self.fd = self._attach(backing)
        finally:
            os.close(backing)
        self.device = f"/dev/loop{self.number}"

    @staticmethod
    def _attach(backing):
        flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO
        info = struct.pack("=5Q4I64s64s32s2Q", 0, 0, 0, 0, 0, 0, 0, 0, flags,
                           b"cutfs", b"", b"", 0, 0)
        config = struct.pack("=2I", backing, 0) + info + bytes(64)
        for _ in range(LOOP_ATTACH_TRIES):
            with open("/dev/loop-control", "rb", buffering=0) as control:
                number = fcntl.ioctl(control, LOOP_CTL_GET_FREE)
            fd = os.open(f"/dev/loop{number}", os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.ioctl(fd, LOOP_CONFIGURE, config)
                return number, fd
            except OSError as error:
                os.close(fd)
                if error.errno in (errno.EPERM, errno.EACCES):
                    raise RigMissing(f"loop device: {error.strerror}") from error
                # Another program may have taken the free device in between.
                if error.errno != errno.EBUSY:
                    raise RigError(f"loop device: {error}") from error
        raise RigError("no free loop device")

    def bound(self):
        return os.path.exists(f"/sys/block/loop{self.number}/loop/backing_file")

    def direct_io(self):
        with open(f"/sys/block/loop{self.number}/loop/dio", encoding="ascii") as file:
            return file.read().strip() == "1"

    def close(self):
        os.close(self.fd)

    def wait_cleared(self):
        deadline = time.monotonic() + CLEAR_TIMEOUT_S
        while self.bound():
            if time.monotonic() > deadline:
                raise RigError(f"{self.device} is still in use")
            time.sleep(0.02)


class Cutfs:
    """The process behind the image; commands are lines, see cutfs.c."""

    def __init__(self, program, image, mountpoint):
        # pylint: disable=consider-using-with
        self.mountpoint = mountpoint
        self.process = subprocess.Popen([program, image, mountpoint], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)
        if self.process.stdout.readline() != "ready\n":
            code = self.process.wait()
            if code == SKIP_EXIT:
                raise RigMissing(f"FUSE cannot be mounted; {BACKEND_VARIABLE}=shutdown may do")
            raise RigError(f"cutfs did not mount {mountpoint}: exit {code}")

    def command(self, line):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            reply = self.process.stdout.readline()
        except OSError as error:
            raise RigError(f"cutfs is gone: {error}") from error
        if not reply.startswith("ok"):
            raise RigError(f"cutfs: {line!r}: {reply.strip()!r}")
        return {name: int(value) for name, value in
                (word.split("=") for word in reply.split()[1:])}

    def quit(self):
        try:
            self.command("quit")
            self.process.wait(REPLY_TIMEOUT_S)
        except (RigError, subprocess.TimeoutExpired):
            self.process.kill()
        self.process.stdin.close()
        self.process.stdout.close()
        # cutfs took down the mount of its own namespace; this is the one of ours.
        tool_run(["umount", "-n", "-l", self.mountpoint])
        # A sanitizer's report, a failed assertion: the disk itself was not in order.
        if self.process.wait() != 0:
            raise RigError(f"cutfs ended with {self.process.returncode}")


def place_on_disk(fd, offset):
    """Where on the disk a block of a file lies."""
    answer = fcntl.ioctl(fd, FS_IOC_FIEMAP,
                         struct.pack("=QQIIII", offset, BLOCK, 0, 0, 1, 0) + bytes(56))
    _, _, _, count, _, _ = struct.unpack_from("=QQIIII", answer)
    if count != 1:
        raise RigError(f"no block lies at byte {offset} of the file")
    logical, physical, length = struct.unpack_from("=QQQ", answer, 32)
    flags, = struct.unpack_from("=I", answer, 72)
    if flags & FIEMAP_EXTENT_NOWHERE or not logical <= offset < logical + length:
        raise RigError(f"byte {offset} of the file lies nowhere yet")
    return physical + offset - logical


def process_ids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def process_touches(pid, device):
    """True if the process has a file, a mapping or a directory of that file system."""
    base = f"/proc/{pid}"
    paths = [f"{base}/cwd", f"{base}/root", f"{base}/exe"]
    for folder in (f"{base}/fd", f"{base}/map_files"):
        try:
            paths += [f"{folder}/{name}" for name in os.listdir(folder)]
        except OSError:
            pass
    for path in paths:
        try:
            if os.stat(path).st_dev == device:
                return True
        except OSError:
            pass
    return False


def kill_users(device):
    """The power is off for programs as well. Only this namespace's processes are visible."""
    if os.getpid() != 1:
        raise RigError("isolate() was not called")
    for pid in process_ids():
        if pid != 1 and process_touches(pid, device):
            os.kill(pid, signal.SIGKILL)


def fill(path):
    """A file that leaves nothing free."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC)
    try:
        size, piece = 0, 1 << 30
        while piece >= BLOCK:
            try:
                os.posix_fallocate(fd, size, piece)
                size += piece
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                piece //= 2
    finally:
        os.close(fd)


class Rig:
    """One disk and its ext4. Use as a context manager, or call power_on() and teardown()."""

    def __init__(self, directory, size_mib=512, cutfs=None):
        self.backend, self.cutfs_program = backend_choose(cutfs)
        self.image = os.path.join(directory, "disk.image")
        self.below = os.path.join(directory, "fuse")
        self.mountpoint = os.path.join(directory, "mnt")
        self.cutfs = None
        self.loop = None
        self.device = None  # st_dev while mounted
        os.makedirs(self.below, exist_ok=True)
        os.makedirs(self.mountpoint, exist_ok=True)
        with open(self.image, "wb") as file:
            file.truncate(size_mib << 20)
        tool_run(["mkfs.ext4"] + MKFS_OPTIONS + [self.image])

    def __enter__(self):
        try:
            self.power_on()
        except BaseException:
            self.teardown()
            raise
        return self

    def __exit__(self, *_):
        self.teardown()

    def _mount(self):
        tool_run(["mount", "-n", "-t", "ext4", "-o", MOUNT_OPTIONS, self.loop.device,
                  self.mountpoint])
        self.device = os.stat(self.mountpoint).st_dev

    def _unmount(self):
        """Kills what still uses the mount; writes of a killed process may hold it for a while."""
        if self.device is None:
            return
        deadline = time.monotonic() + UNMOUNT_TIMEOUT_S
        while True:
            try:
                tool_run(["umount", "-n", self.mountpoint])
                break
            except RigError:
                if time.monotonic() > deadline:
                    tool_run(["umount", "-n", "-l", self.mountpoint])
                    self.device = None
                    raise
            kill_users(self.device)
            time.sleep(0.05)
        self.device = None

    def power_on(self):
        """Attaches the disk; mounting replays the journal; e2fsck must then find nothing."""
        below = self.image
        if self.backend == "fuse":
            self.cutfs = Cutfs(self.cutfs_program, self.image, self.below)
            below = os.path.join(self.below, "image")
        self.loop = Loop(below)
        if self.backend == "fuse" and not self.loop.direct_io():
            raise RigError("the loop device refused direct I/O")
        self._mount()
        self._unmount()
        tool_run(["e2fsck", "-f", "-n", self.loop.device])
        self._mount()

    def stat(self):
        """Counters of the disk (backend fuse), to tell a real loss from a cache that was full."""
        return self.cutfs.command("stat") if self.backend == "fuse" else {}

    def cut(self, plan=Cut()):
        """The power goes. From the return on, nothing written reaches the disk."""
        if self.backend == "fuse":
            return self.cutfs.command(f"cut {plan.seed} {plan.keep_permille} {plan.unit_bytes}")
        fd = os.open(self.mountpoint, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.ioctl(fd, FS_IOC_SHUTDOWN, struct.pack("=I", FS_SHUTDOWN_NOLOGFLUSH))
        finally:
            os.close(fd)
        return {}

    def fail(self, kind, count=0):
        """The next writes ("write") or syncs ("sync") of the disk answer EIO and do nothing; 0:
        all of them until the power is off (fuse only)."""
        counts = {kind: count or -1}
        self.cutfs.command(f"fail {counts.get('write', 0)} {counts.get('sync', 0)}")

    def turn_read_only(self):
        """The file system meets an error of its own and mounts itself read-only."""
        with open(self.trigger(), "w", encoding="ascii") as file:
            file.write("1")

    def trigger(self):
        return f"/sys/fs/ext4/{os.path.basename(self.loop.device)}/trigger_fs_error"

    def can_turn_read_only(self):
        return os.access(self.trigger(), os.W_OK)

    def spoil(self, path, offset, size):
        """These blocks of a file on the disk cannot be read until they are written (fuse only)."""
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            # Written once more in place, so that they lie somewhere: files may have holes.
            os.pwrite(fd, os.pread(fd, size, offset), offset)
            os.fsync(fd)
            for at in range(offset, offset + size, BLOCK):
                self.cutfs.command(f"spoil {place_on_disk(fd, at)} {BLOCK}")
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(fd)

    def power_off(self):
        """Ends every program on the disk and takes the disk away; what was synced stays."""
        if self.device is not None:
            kill_users(self.device)
        try:
            self._unmount()
        finally:
            self._detach()

    def _detach(self):
        loop, self.loop = self.loop, None
        cutfs, self.cutfs = self.cutfs, None
        if loop is not None:
            loop.close()
        try:
            if cutfs is not None:
                cutfs.quit()
        finally:
            if loop is not None:
                loop.wait_cleared()

    def remount(self):
        self.power_off()
        self.power_on()

    def teardown(self):
        """Leaves no mount, no loop device and no process; the image is removed."""
        try:
            self.power_off()
        finally:
            if os.path.exists(self.image):
                os.unlink(self.image)


def make_rig(directory, size_mib=512, cutfs=None):
    """A rig that is switched on. The caller calls teardown()."""
    rig = Rig(directory, size_mib, cutfs)
    return rig.__enter__()
