"""What the kernel counts of a process: CPU, context switches, bytes of disk; system calls by perf."""
import os
import subprocess

EVENT = "raw_syscalls:sys_enter"


def _lines(path):
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []


def _fields(path):
    found = {}
    for line in _lines(path):
        name, _, value = line.partition(":")
        if value.split() and value.split()[0].isdigit():
            found[name] = int(value.split()[0])
    return found


def read(pid):
    """{name: number} of all threads of a process, helpers of io_uring included."""
    total = {"cpu_ns": 0, "queued_ns": 0, "user": 0, "kernel": 0, "slept": 0, "preempted": 0}
    tasks = f"/proc/{pid}/task"
    for task in os.listdir(tasks) if os.path.isdir(tasks) else []:
        run, queued = (_lines(f"{tasks}/{task}/schedstat") or ["0 0 0"])[0].split()[:2]
        total["cpu_ns"] += int(run)
        total["queued_ns"] += int(queued)
        status = _fields(f"{tasks}/{task}/status")
        total["slept"] += status.get("voluntary_ctxt_switches", 0)
        total["preempted"] += status.get("nonvoluntary_ctxt_switches", 0)
        stat = (_lines(f"{tasks}/{task}/stat") or [""])[0].rsplit(")", 1)[-1].split()
        if len(stat) > 12:
            total["user"] += int(stat[11])
            total["kernel"] += int(stat[12])
    total["written_bytes"] = _fields(f"/proc/{pid}/io").get("write_bytes", 0)
    return total


def less(after, before):
    return {name: after[name] - before[name] for name in after}


def has_perf():
    """Whether system calls can be counted, else why not."""
    try:
        done = subprocess.run(["perf", "stat", "-x", ",", "-e", EVENT, "true"], text=True,
                              capture_output=True, check=False, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    if done.returncode != 0 or EVENT not in done.stderr or "<not" in done.stderr:
        return "perf does not count " + EVENT + " here"
    return ""


def system_calls(pids, seconds):
    """{role: calls a second}"""
    running = {role: subprocess.Popen(
        ["perf", "stat", "-x", ",", "-e", EVENT, "-p", str(pid), "sleep", str(seconds)],
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        for role, pid in pids.items()}
    found = {}
    for role, child in running.items():
        for line in child.communicate(timeout=60)[1].splitlines():
            words = line.split(",")
            if len(words) > 2 and words[2] == EVENT and words[0].isdigit():
                found[role] = int(words[0]) / seconds
    return found
