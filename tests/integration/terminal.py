"""A program on a terminal of its own, for tests."""
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

TIMEOUT_S = 120


class Terminal:
    def __init__(self, *words, rows=24, columns=120, **more):
        self.master, slave = pty.openpty()
        self.slave = slave
        self.resize(rows, columns)
        self.before = termios.tcgetattr(slave)
        self.bytes = b""
        self.child = subprocess.Popen(
            list(map(str, words)), stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            **more)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read_until(self, done):
        """Reads until done(bytes so far)."""
        deadline = time.monotonic() + TIMEOUT_S
        while not done(self.bytes):
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self.master], [], [], max(left, 0))
            if not ready:
                raise AssertionError(f"never came: {self.bytes[-2000:]}")
            self.bytes += os.read(self.master, 65536)

    def wait_for_keys(self):
        """A line editor shows its prompt before it takes the terminal over."""
        deadline = time.monotonic() + TIMEOUT_S
        while termios.tcgetattr(self.slave)[3] & termios.ICANON:
            assert time.monotonic() < deadline, "the terminal is never taken over"
            time.sleep(0.001)

    def type(self, keys):
        os.write(self.master, keys)

    def end(self, key, last):
        """Types the key and reads until `last`; the exit code, and what the terminal is then."""
        self.type(key)
        self.read_until(lambda seen: last in seen)
        code = self.child.wait(TIMEOUT_S)
        after = termios.tcgetattr(self.slave)
        os.close(self.slave)
        os.close(self.master)
        return code, after
