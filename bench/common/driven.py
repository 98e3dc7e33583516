"""A run of keyrack-bench at a cluster: its result, and what each process used meanwhile."""
import csv
import json
import os
import subprocess
import tempfile
import time

import processes


def _cpu(pids):
    return {role: processes.usage([pid])[0] for role, pid in pids.items()}


def _await_begin(driver, series, timeout_s):
    """A driver makes the file of its series when the measured time begins."""
    until = time.monotonic() + timeout_s
    while not os.path.exists(series) and driver.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    return time.monotonic()


def read_series(path):
    """[(second, count, p50, p99, max)], latencies in us, None where nothing ended."""
    rows = []
    with open(path, encoding="ascii") as file:
        for row in csv.DictReader(file):
            count = int(row["count"])
            rows.append((float(row["t_s"]), count, *(
                int(row[key]) if count else None for key in ("p50_us", "p99_us", "max_us"))))
    return rows


def run(cluster, words, seconds, middle=None, timeout_s=900):
    """{"result", "series", "cpu_us_each": {role: us, "all": us}, "command"}; CPU is of the eight
    tenths in the middle of the run. `middle(second)` is called once, after a third of it."""
    with tempfile.TemporaryDirectory(prefix="run-", dir=os.path.dirname(cluster.folder)) as folder:
        return _run(cluster, words, seconds, middle, timeout_s, folder)


def _run(cluster, words, seconds, middle, timeout_s, folder):
    series = os.path.join(folder, "series.csv")
    command = cluster.bench("run", "--json", "--seconds", seconds, "--series", series, *words)
    with open(os.path.join(folder, "out"), "w+", encoding="utf-8") as out:
        driver = processes.start(command, os.path.join(folder, "complaint"), own_out=out)
        try:
            begin = _await_begin(driver, series, timeout_s)
            pids = dict(cluster.pids(), driver=driver.pid)
            _sleep(driver, begin + seconds * 0.1)
            t1, cpu1 = time.monotonic(), _cpu(pids)
            _sleep(driver, begin + seconds / 3)
            if middle is not None and driver.poll() is None:
                middle(time.monotonic() - begin)
            _sleep(driver, begin + seconds * 0.9)
            t2, cpu2 = time.monotonic(), _cpu(pids)
            driver.wait(timeout_s)
        finally:
            processes.stop(driver)
        with open(os.path.join(folder, "complaint"), encoding="utf-8") as file:
            complaint = file.read().strip()[-500:]
        if driver.returncode != 0:
            raise RuntimeError(f"keyrack-bench run: status {driver.returncode}: {complaint}")
        out.seek(0)
        result = json.load(out)
    return _row(command, result, series, t2 - t1, {r: cpu2[r] - cpu1[r] for r in pids})


def _sleep(driver, until):
    left = until - time.monotonic()
    if left > 0:
        try:
            driver.wait(left)
        except subprocess.TimeoutExpired:
            pass


def _row(command, result, series, seconds, used):
    each = {role: cpu / seconds / max(result["rate"], 1) * 1e6 for role, cpu in used.items()}
    each["shards"] = sum(us for role, us in each.items() if role.startswith("shard-"))
    each["all"] = sum(us for role, us in each.items() if role != "shards")
    return {"command": command, "result": result, "series": read_series(series),
            "cpu_us_each": each, "cpu_s_per_s": sum(used.values()) / seconds,
            "load": os.getloadavg()[0]}


def problems(result):
    """What a run of sales should not have had; an empty text is well."""
    told = [f"{result[key]:,} {key}" for key in ("refused", "transient", "unknown", "differences")
            if result.get(key)]
    return ", ".join(told)
