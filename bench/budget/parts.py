"""Samples of perf folded into the parts of a request. A sample of the kernel goes to the first part
that any function of its stack names; one of a program to the part of the function it was in."""
import os
import re
import subprocess

KERNEL = [
    ("page faults", r"page_fault|handle_mm_fault"),
    ("wake-up, scheduling", r"try_to_wake|ttwu|^_*schedule|pick_next|enqueue_task|dequeue_task|"
     r"finish_task_switch|switch_to|do_nanosleep|hrtimer_wakeup|autoremove_wake|sched_balance"),
    ("disk", r"^(ext4|xfs|btrfs|iomap|blk|bio|submit_bio|virtblk|nvme|jbd2|vfs_fsync|io_write|"
     r"__?iomap|dio_)"),
    ("send path", r"sendmsg|sendto|io_send|tcp_push|tcp_write_xmit|__tcp_transmit"),
    ("receive path", r"recvmsg|recvfrom|io_recv|tcp_v4_rcv|net_rx_action|tcp_rcv|sock_read|"
     r"skb_copy_datagram|__release_sock"),
    ("ring and polling", r"io_uring|^io_|epoll|ep_|sys_poll"),
]
PROGRAM = [
    ("hashing", r"XXH"),
    ("copies", r"mem(cpy|move|set|cmp)"),
    ("clock", r"clock_gettime|clock_us|vdso"),
    ("bodies", r"^hot_|^pb_|protobuf|keyrack__|^message_|^parse|shard_parse|varint|^wire_|packed"),
    ("admission and state", r"^inv_|^judge|^apply|^admit"),
    ("record", r"^record_|^effect"),
    ("log", r"^log_|^shard_batch|^batch"),
    ("answers", r"^shard_answer|^answer|reply"),
    ("the step", r"^shard_|^server_"),
    ("connections and frames", r"^conn_|^frame_|^io_|uring|^on_data|^on_frame|^stream_|^chain_"),
    ("routing", r"^route_|^router_|^link_|^local_"),
]
DRIVER = [("driver", r"^work_|^bench_|^fleet_|^series_|^hist_|^run_|^rng_|^booking|^ari_|^start"),
          ("client library", r".")]
PROGRAMS = ("keyrack-bench", "keyrack-router", "keyrack-shard")
LINE = re.compile(r"^\s+([0-9a-f]+) (.*?) \((.*)\)$")


def _part(rules, symbols, otherwise):
    for name, pattern in rules:
        if any(re.search(pattern, symbol) for symbol in symbols):
            return name
    return otherwise


def part_of(command, stack):
    """`stack`: [(function, object)], the innermost first."""
    symbol, where = stack[0]
    if where.startswith("[kernel") or where == "[unknown]":
        names = [s for s, w in stack if w.startswith("[kernel") or w == "[unknown]"]
        return _part(KERNEL, names, "kernel, other")
    if "vdso" in where:
        return "clock"
    rules = PROGRAM[:3] + DRIVER if command == "keyrack-bench" else PROGRAM
    return _part(rules, [symbol], "program, other")


def fold(text):
    """{(command, part): samples} of what `perf script -F comm,ip,sym,dso` printed, and those that
    were nobody's of ours."""
    found, other = {}, 0
    for block in text.split("\n\n"):
        lines = block.strip("\n").splitlines()
        stack = [match.group(2, 3) for match in map(LINE.match, lines[1:]) if match]
        if not lines or not stack:
            continue
        command = lines[0].strip()
        if command.startswith("swapper"):
            continue
        if command not in PROGRAMS:
            other += 1
            continue
        key = (command, part_of(command, stack))
        found[key] = found.get(key, 0) + 1
    return found, other


def record(folder, seconds):
    """({(command, part): CPU seconds a second}, the same of all others), or RuntimeError."""
    data = os.path.join(folder, "perf.data")
    words = ["perf", "record", "-q", "-a", "-g", "-e", "cpu-clock", "-F", "1999", "-o", data,
             "sleep", str(seconds)]
    for command in (words, ["perf", "script", "-i", data, "-F", "comm,ip,sym,dso"]):
        done = subprocess.run(command, text=True, capture_output=True, check=False, timeout=300,
                              errors="replace")
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip()[-300:])
    os.remove(data)
    found, other = fold(done.stdout)
    return {key: count / 1999 / seconds for key, count in found.items()}, other / 1999 / seconds
