"""Where a server listens: a port of the loopback, or a unix socket."""
import os
import socket
import time

import processes

TRANSPORTS = ("tcp", "unix")


class Endpoint:
    """A free port (somebody else may take it first), or a name below a folder."""

    def __init__(self, transport, folder, name="socket"):
        self.port = processes.free_port() if transport == "tcp" else None
        self.path = None if self.port else os.path.join(folder, name)

    @property
    def address(self):
        """As Keyrack's programs take it."""
        return f"127.0.0.1:{self.port}" if self.port else "unix:" + self.path

    def connect(self, timeout_s=60):
        if self.port:
            return socket.create_connection(("127.0.0.1", self.port), timeout_s)
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(timeout_s)
        try:
            sock.connect(self.path)
        except OSError:
            sock.close()
            raise
        return sock

    def wait(self, child, timeout_s=60):
        """Until something listens there, or the process has ended."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            if child is not None and child.poll() is not None:
                raise RuntimeError(f"ended with status {child.returncode} before it listened")
            try:
                with self.connect(5):
                    return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"nothing listens at {self.address} after {timeout_s} s")
