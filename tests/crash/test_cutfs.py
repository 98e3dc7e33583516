"""Proves that the rig loses what was not synced and nothing else (README.md, section 2).

The correct modes of cutwriter must keep every acknowledged block through every cut; the broken
ones must be seen losing one within CANARY_TRIES. A rig that cannot see them lose proves nothing
about the engine either.
"""

import fcntl
import os
import random
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import powercut  # noqa: E402

CUTWRITER = os.environ.get("KEYRACK_CUTWRITER", "")
SEED = int(os.environ.get("KEYRACK_CRASH_SEED", "1"))
BLOCKS = 3000
BLOCK_MAGIC = 0x4B65797261636B21
BLOCK_SIZE = 4096
ROUNDS = 6
CANARY_TRIES = 20
FIRST_ACK_TIMEOUT_S = 30
RIG_MIB = 128
HOLD_ARGUMENT = "--hold-a-rig"
CLEAR_TIMEOUT_S = 20


def block_content(number):
    return struct.pack("<QQ", number, BLOCK_MAGIC) * (BLOCK_SIZE // 16)


def bytes_waiting(pipe):
    return struct.unpack("=i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]


class Writer:
    """One run of cutwriter; its acknowledgements wait in the pipe, which holds them all."""

    def __init__(self, mode, directory):
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen([CUTWRITER, mode, directory, str(BLOCKS)],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def wait_first(self):
        ready, _, _ = select.select([self.process.stdout], [], [], FIRST_ACK_TIMEOUT_S)
        if not ready or bytes_waiting(self.process.stdout) == 0:
            self.process.kill()
            raise AssertionError(f"no acknowledgement in {FIRST_ACK_TIMEOUT_S} s")

    def finish(self):
        """All numbers ever acknowledged. A line cut short by the kill is none."""
        self.process.kill()
        text = self.process.stdout.read().decode()
        self.process.stdout.close()
        self.process.wait()
        return [int(line) for line in text.split("\n")[:-1]]


def survivors_blocks(directory):
    with open(os.path.join(directory, "blocks"), "rb") as file:
        return {n for n in range(BLOCKS) if file.read(BLOCK_SIZE) == block_content(n)}


def survivors_names(directory):
    return {int(name[5:]) for name in os.listdir(directory) if name.startswith("file-")}


SURVIVORS = {
    "dsync": survivors_blocks,
    "nosync": survivors_blocks,
    "buffered": survivors_blocks,
    "dirsync": survivors_names,
    "nodirsync": survivors_names,
}


class Cutting(unittest.TestCase):
    """One fresh disk a test."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="keyrack-cut-")
        self.addCleanup(folder.cleanup)
        self.rig = powercut.make_rig(folder.name, RIG_MIB)
        self.addCleanup(self.rig.teardown)
        self.random = random.Random(f"{SEED}/{self.id()}")
        self.serial = 0

    def cut_once(self, mode, keep_permille=0, unit_bytes=512):
        """Prepare, write, cut, come back. Returns (acknowledged, survived), both sets."""
        directory = os.path.join(self.rig.mountpoint, f"{mode}-{self.serial}")
        self.serial += 1
        os.mkdir(directory)
        subprocess.run([CUTWRITER, "prepare", directory, str(BLOCKS)], check=True)
        root = os.open(self.rig.mountpoint, os.O_RDONLY)
        os.fsync(root)
        os.close(root)
        writer = Writer(mode, directory)
        writer.wait_first()
        time.sleep(self.random.uniform(0.0, 0.15))
        self.rig.cut(powercut.Cut(self.random.getrandbits(32), keep_permille, unit_bytes))
        acknowledged = writer.finish()
        self.assertEqual(acknowledged, list(range(len(acknowledged))))
        self.assertGreater(len(acknowledged), 0)
        self.rig.remount()
        survived = SURVIVORS[mode](directory)
        print(f"  {self.rig.backend} {mode} keep={keep_permille}/{unit_bytes}: "
              f"{len(acknowledged)} acknowledged, {len(set(acknowledged) - survived)} lost",
              flush=True)
        return set(acknowledged), survived

    def assert_keeps_everything(self, mode):
        for turn in range(ROUNDS):
            keep_permille = (0, 500, 950)[turn % 3]
            unit_bytes = (512, 4096)[turn // 3 % 2]
            acknowledged, survived = self.cut_once(mode, keep_permille, unit_bytes)
            self.assertEqual(acknowledged - survived, set(), "acknowledged and lost")

    def assert_caught(self, mode):
        for _ in range(CANARY_TRIES):
            acknowledged, survived = self.cut_once(mode)
            if acknowledged - survived:
                return
        self.fail(f"{mode} lost nothing in {CANARY_TRIES} cuts: this rig cannot show a loss")

    def require_fuse(self):
        if self.rig.backend != "fuse":
            self.skipTest("a plain loop device keeps what O_DIRECT wrote")


class CorrectWriters(Cutting):
    def test_direct_and_dsync_survives_every_cut(self):
        self.assert_keeps_everything("dsync")

    def test_rename_with_directory_sync_survives_every_cut(self):
        self.assert_keeps_everything("dirsync")


class BrokenWriters(Cutting):
    def test_direct_without_sync_is_caught(self):
        self.require_fuse()
        self.assert_caught("nosync")

    def test_page_cache_alone_is_caught(self):
        self.assert_caught("buffered")

    def test_rename_without_directory_sync_is_caught(self):
        self.assert_caught("nodirsync")

    def test_a_kept_half_of_the_sectors_tears_blocks(self):
        self.require_fuse()
        acknowledged, survived = self.cut_once("nosync", 500, 4096)
        kept = len(acknowledged & survived)
        self.assertGreater(kept, 0)
        self.assertLess(kept, len(acknowledged))


class TheDisk(Cutting):
    def test_nothing_is_answered_after_the_cut(self):
        self.require_fuse()
        path = os.path.join(self.rig.mountpoint, "file")
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC)
        os.write(fd, b"before")
        self.rig.cut()
        with self.assertRaises(OSError):
            os.fsync(fd)
        os.close(fd)
        with self.assertRaises(powercut.RigError):
            self.rig.cut()

    def test_clean_power_off_keeps_everything(self):
        path = os.path.join(self.rig.mountpoint, "file")
        with open(path, "wb") as file:
            file.write(b"unsynced, but unmounted properly")
        self.rig.remount()
        with open(path, "rb") as file:
            self.assertEqual(file.read(), b"unsynced, but unmounted properly")

    def test_teardown_leaves_nothing_though_a_program_still_writes(self):
        directory = os.path.join(self.rig.mountpoint, "busy")
        os.mkdir(directory)
        subprocess.run([CUTWRITER, "prepare", directory, str(BLOCKS)], check=True)
        writer = Writer("dsync", directory)
        writer.wait_first()
        loop = self.rig.loop
        folder = os.path.dirname(self.rig.mountpoint)
        self.rig.teardown()
        writer.finish()
        self.assertFalse(loop.bound())
        with open("/proc/mounts", encoding="utf-8") as mounts:
            self.assertNotIn(folder, mounts.read())

    def test_a_killed_test_leaves_nothing(self):
        environment = {k: v for k, v in os.environ.items() if k != powercut.ISOLATED_VARIABLE}
        # Root of namespaces of its own, as every test program is: its process is unshare's.
        with subprocess.Popen([sys.executable, os.path.abspath(__file__), HOLD_ARGUMENT],
                              env=environment, stdout=subprocess.PIPE, text=True) as child:
            device, folder = child.stdout.readline().split()
            bound = f"/sys/block/{os.path.basename(device)}/loop/backing_file"
            self.assertTrue(os.path.exists(bound))
            child.kill()
        deadline = time.monotonic() + CLEAR_TIMEOUT_S
        while os.path.exists(bound) and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertFalse(os.path.exists(bound))
        with open("/proc/mounts", encoding="utf-8") as mounts:
            self.assertNotIn(folder, mounts.read())
        shutil.rmtree(folder)


def hold_rig():
    """For the test above: a rig in use by a program, until somebody kills us."""
    folder = tempfile.mkdtemp(prefix="keyrack-cut-")
    rig = powercut.make_rig(folder, RIG_MIB)
    directory = os.path.join(rig.mountpoint, "busy")
    os.mkdir(directory)
    subprocess.run([CUTWRITER, "prepare", directory, str(BLOCKS)], check=True)
    writer = Writer("dsync", directory)
    writer.wait_first()
    print(rig.loop.device, folder, flush=True)
    writer.process.wait()


def main():
    powercut.isolate()
    if sys.argv[1:] == [HOLD_ARGUMENT]:
        hold_rig()
        return
    try:
        powercut.backend_choose()
        with tempfile.TemporaryDirectory(prefix="keyrack-cut-") as folder:
            powercut.make_rig(folder, RIG_MIB).teardown()
    except powercut.RigMissing as missing:
        powercut.skip(str(missing))
    unittest.main(verbosity=2)


if __name__ == "__main__":
    main()
