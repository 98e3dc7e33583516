"""A port for a test's cluster."""
import random
import socket

PORTS = (20000, 32000)


def free_port():
    """Below the ports the kernel gives to clients, so that a restarted router gets it again."""
    for _ in range(100):
        port = random.randrange(*PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")
