"""What a figure belongs to: date, system, kernel, processor, memory, file system, commit."""
import os
import platform
import subprocess
import time


def _first(path, word):
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.startswith(word):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return "not stated"


def _file_system(path):
    best = ("", "not stated")
    with open("/proc/self/mounts", encoding="utf-8") as file:
        for line in file:
            device, point, kind, options = line.split()[:4]
            if os.path.realpath(path).startswith(point) and len(point) >= len(best[0]):
                best = (point, f"{kind} on {device} ({options.split(',')[0]})")
    return best[1]


def _commit(root):
    try:
        return subprocess.run(["git", "-C", root, "describe", "--always", "--dirty"], text=True,
                              capture_output=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "not stated"


def _system():
    with open("/etc/os-release", encoding="utf-8") as file:
        for line in file:
            if line.startswith("PRETTY_NAME"):
                return line.split("=", 1)[1].strip().strip('"')
    return "not stated"


def stamp(folder):
    """Of the machine as it is now, and the file system of `folder`."""
    return {
        "date": time.strftime("%Y-%m-%d %H:%M %Z"), "system": _system(),
        "kernel": platform.release(), "cpu": _first("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(), "memory": _first("/proc/meminfo", "MemTotal"),
        "file system": _file_system(folder),
        "commit": _commit(os.path.dirname(os.path.abspath(__file__))),
        "load before": os.getloadavg()[0],
    }
