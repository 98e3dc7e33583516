"""Processes that end with us, whatever ends us; what they used; free ports."""
import atexit
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time

_children = []
_folders = []
TICKS = os.sysconf("SC_CLK_TCK")


def start(words, log, own_out=None, own_in=subprocess.DEVNULL, **more):
    """A process in a session of its own; what it says goes to the file `log`, or its output to
    `own_out`."""
    with open(log, "ab") as out:
        child = subprocess.Popen(words, stdin=own_in, stdout=own_out or out, stderr=out,
                                 start_new_session=True, **more)
    _children.append(child)
    return child


def stop(child, number=signal.SIGTERM, timeout_s=60):
    if child in _children:
        _children.remove(child)
    if child.poll() is None:
        child.send_signal(number)
    try:
        child.wait(timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def own_folder(path):
    """Will be removed at the end."""
    _folders.append(path)


def on_end(action):
    atexit.register(action)


def _clean():
    for child in list(_children):
        try:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            pass
    for folder in _folders:
        shutil.rmtree(folder, ignore_errors=True)


atexit.register(_clean)


def watch_signals():
    def end(number, _frame):
        sys.exit(128 + number)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)


def free_port():
    """Below the ports the kernel gives to clients."""
    for _ in range(200):
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")


def await_port(port, child, timeout_s=60):
    """Until something listens there, or the process has ended."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        if child is not None and child.poll() is not None:
            raise RuntimeError(f"ended with status {child.returncode} before it listened")
        try:
            with socket.create_connection(("127.0.0.1", port), 5):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port} after {timeout_s} s")


def _stat(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return None


def is_running(pid):
    """False also for who has ended and was not waited for."""
    fields = _stat(pid)
    return fields is not None and fields[0] not in "ZX"


def family(pids):
    """These and all below them."""
    parents = {}
    for name in os.listdir("/proc"):
        fields = _stat(name) if name.isdigit() else None
        if fields:
            parents[int(name)] = int(fields[1])
    found = set(pids)
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return found


def _resident(pid, pages):
    """Memory that several share counts once, by parts, where the kernel tells."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return pages * os.sysconf("SC_PAGE_SIZE")


def usage(pids, with_memory=False):
    """(CPU seconds, resident bytes) of these and all below them, ended children included."""
    ticks = resident = 0
    for pid in family(pids):
        fields = _stat(pid)
        if fields:
            ticks += sum(int(fields[i]) for i in (11, 12, 13, 14))
            resident += _resident(pid, int(fields[21])) if with_memory else 0
    return ticks / TICKS, resident


def folder_bytes(path):
    total = 0
    for at, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(at, name)).st_blocks * 512
            except OSError:
                pass
    return total
