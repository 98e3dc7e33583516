"""A stand-in for the system's journal: takes the entries of processes that it starts."""
import os
import re
import socket

TIMEOUT_S = 120


def entry(datagram):
    """{name: value} of the native protocol; strict."""
    fields = {}
    while datagram:
        end = datagram.index(b"\n")
        line = datagram[:end]
        if b"=" in line:
            name, value = line.split(b"=", 1)
            datagram = datagram[end + 1:]
        else:
            name, size = line, int.from_bytes(datagram[end + 1:end + 9], "little")
            value = datagram[end + 9:end + 9 + size]
            assert b"\n" in value, "the short form would have done"
            assert datagram[end + 9 + size:end + 10 + size] == b"\n", datagram
            datagram = datagram[end + 10 + size:]
        assert re.fullmatch(rb"[A-Z][A-Z0-9_]{0,63}", name), name
        assert name.decode() not in fields, "said twice"
        fields[name.decode()] = value.decode()
    return fields


def table(root):
    """{name: (priority, MESSAGE_ID, of, meaning)} of base/event.h."""
    with open(os.path.join(root, "base/event.h"), encoding="utf-8") as file:
        rows = re.findall(r'X\((\w+), (\w+), "(\w+)", "(\w+)",\s*\\\s*"([^"]+)"\)', file.read())
    assert len(rows) > 10
    priority = {"ERR": "3", "WARNING": "4", "NOTICE": "5", "INFO": "6"}
    return {name: (priority[word], *rest) for name, word, *rest in rows}


def is_quiet(end):
    """Nothing has come that was not read. What waits for more waits as long as before."""
    before = end.gettimeout()
    end.setblocking(False)
    try:
        end.recv(1, socket.MSG_PEEK)
        return False
    except BlockingIOError:
        return True
    finally:
        end.settimeout(before)


class Journal:
    def __init__(self, folder, root):
        self.path = os.path.join(folder, "journal")
        self.folder = folder
        self.table = table(root)
        self.env = {**os.environ, "KEYRACK_JOURNAL_SOCKET": self.path}
        self.listen()

    def listen(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(TIMEOUT_S)
        self.socket.bind(self.path)

    def close(self):
        self.socket.close()
        os.unlink(self.path)

    def wrap(self, program, before=""):
        """The program as a service manager starts it: standard error is named."""
        path = os.path.join(self.folder, "journalled-" + os.path.basename(program))
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nJOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2)\n"
                       f'export JOURNAL_STREAM\nexec {before} {os.path.abspath(program)} "$@"\n')
        os.chmod(path, 0o755)
        return path

    def next(self):
        """The next entry, which says of its kind what the table says."""
        told = entry(self.socket.recv(1 << 16))
        priority, number, _, _ = self.table[told["KEYRACK_EVENT"]]
        assert (told["PRIORITY"], told["MESSAGE_ID"]) == (priority, number), told
        assert told["SYSLOG_IDENTIFIER"] in ("keyrack-shard", "keyrack-router"), told
        assert told["MESSAGE"], told
        return told

    def until(self, event):
        """All entries up to the first of that kind."""
        entries = [self.next()]
        while entries[-1]["KEYRACK_EVENT"] != event:
            entries.append(self.next())
        return entries

    def is_quiet(self):
        return is_quiet(self.socket)
