#!/usr/bin/python3
"""keyrack-recover truncate and diff on the history of a real shard.

usage: test_recover_cut.py SOURCE_ROOT KEYRACK_SHARD KEYRACK_RECOVER
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import unittest

import shard_process
import wire
from history import History

ROOT, SHARD, RECOVER = sys.argv[1:4]
PB = wire.messages(ROOT)
HOTEL = shard_process.HOTEL
BLOCK = 4096
NOT_FORCED, OUT_OF_REACH, DIFFERS = 52, 50, 53


def recover(*words):
    run = subprocess.run([RECOVER, *map(str, words)], capture_output=True, text=True, check=False)
    return run.returncode, run.stdout, run.stderr


def contents(directory):
    found = {}
    for name in os.listdir(directory):
        if name != "LOCK":
            with open(os.path.join(directory, name), "rb") as file:
                found[name] = file.read()
    return found


class CutTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.history = History(SHARD, PB)
        cls.directory = cls.history.directory
        _, out, _ = recover("dump", "--log", "--json", cls.directory)
        cls.effects = [json.loads(line) for line in out.splitlines()]
        cls.last = cls.effects[-1]["lsn"]
        cls.snapshots = sorted(int(name[5:]) for name in os.listdir(cls.directory)
                               if name.startswith("snap-"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.history.folder)

    def copy(self, name):
        """A folder with a copy of the directory, as a shard of its own wants it."""
        folder = os.path.join(self.history.folder, name)
        shutil.copytree(self.directory, os.path.join(folder, "d"))
        self.addCleanup(shutil.rmtree, folder)
        return folder, os.path.join(folder, "d")

    def states(self, directory, lsn):
        return [recover("dump", what, "--to-lsn", lsn, directory)[1]
                for what in ("--cells", "--reservations")]

    def check_serves(self, folder, directory):
        """It starts, sells, stops, and is whole."""
        shard = shard_process.Shard(SHARD, PB, folder)
        connection = shard.connect()
        for index in range(5):
            ident = wire.mint(HOTEL, 1000 + index)
            code, _ = connection.call("BOOK", wire.HOTEL, HOTEL, shard_process.sale(
                PB, self.history.today, ident, 20))
            self.assertEqual(code, wire.DONE)
        connection.close()
        self.assertEqual(shard.end(signal.SIGTERM), 0)
        status, out, _ = recover("verify", directory)
        self.assertEqual(status, 0, out)

    def check_cut(self, lsn):
        folder, directory = self.copy(f"cut-{lsn}")
        before = contents(directory)
        status, said, _ = recover("truncate", "--to-lsn", lsn, directory)
        self.assertEqual(status, NOT_FORCED)
        self.assertEqual(contents(directory), before)
        gone = [row for row in self.effects if row["lsn"] > lsn]
        self.assertIn(f"lost: {len(gone)} effects, LSN {lsn + 1} to {self.last}, "
                      f"{gone[0]['t']} to {gone[-1]['t']}", said)
        kinds = [f"{kind} {[row['kind'] for row in gone].count(kind)}"
                 for kind in {row["kind"] for row in gone}]
        line = [text for text in said.splitlines() if text.startswith("  effects: ")][0]
        self.assertEqual(sorted(line[11:].split()), sorted(" ".join(kinds).split()))
        ids = {row["id"] for row in gone if "id" in row}
        self.assertIn(f"  reservations: {len(ids)}", said)
        listed = [text.split()[0] for text in said.splitlines() if text.startswith("    ")]
        self.assertEqual(listed, sorted(ids)[:100])
        status, out, err = recover("truncate", "--to-lsn", lsn, "--force", directory)
        self.assertEqual(status, 0, err)
        self.assertIn(f"state: LSN {lsn}, ", out)
        self.assertEqual(recover("verify", directory)[0], 0)
        self.assertEqual(self.states(directory, lsn), self.states(self.directory, lsn))
        self.check_kept(before, contents(directory))
        self.check_serves(folder, directory)

    def check_kept(self, before, after):
        """Every byte that was removed is there under another name."""
        for name, data in before.items():
            if name.startswith("snap-") and name not in after:
                kept = [other for other in after if other.startswith(name + ".torn-")]
                self.assertEqual([after[other] for other in kept], [data])
            if not name.startswith("log-") or after.get(name) == data:
                continue
            kept = [after[other] for other in after if other.startswith(name + ".torn-")]
            self.assertEqual(len(kept), 1, name)
            if name not in after:
                self.assertEqual(kept[0], data)
                continue
            end = len(after[name].rstrip(b"\0"))
            end = (end + BLOCK - 1) // BLOCK * BLOCK
            self.assertEqual(after[name][:end], data[:end])
            self.assertEqual((kept[0] + bytes(len(data)))[:len(data) - end], data[end:])

    def test_the_log_ends_where_it_is_told_to_and_goes_on_from_there(self):
        for lsn in (7, self.snapshots[0] - 30, self.snapshots[0] + 2, self.snapshots[1] + 1,
                    self.last - 1):
            self.check_cut(lsn)

    # diff

    def lines(self, lsn, what):
        _, out, _ = recover("dump", what, "--to-lsn", lsn, self.directory)
        return {line for line in out.splitlines() if not line.startswith("#")}

    def check_differ(self, before, after, out):
        """Each line of one state that the other has not, and no other."""
        wanted = set()
        for what, word in (("--cells", "cell"), ("--reservations", "reservation")):
            a, b = self.lines(before, what), self.lines(after, what)
            wanted |= {f"- {word} {line}" for line in a - b}
            wanted |= {f"+ {word} {line}" for line in b - a}
        shown = out.splitlines()
        self.assertEqual(shown[:2], [f"# - LSN {before}", f"# + LSN {after}"])
        self.assertEqual(shown[2].split()[:3], ["!", "hotel", str(HOTEL)])
        self.assertEqual(set(shown[3:-1]), wanted)
        cells = {line.split()[4] for line in wanted if line[2:6] == "cell"}
        ids = {line.split()[2] for line in wanted if line[2:6] == "rese"}
        self.assertEqual(shown[-1], f"{len(cells)} cells, {len(ids)} reservations and 1 hotels "
                                    "differ")

    def test_two_states_of_one_log_are_compared(self):
        for before, after in ((20, 21), (self.snapshots[0] - 3, self.snapshots[1] + 2),
                              (self.last - 30, self.last)):
            status, out, err = recover("diff", "--from-lsn", before, "--to-lsn", after, "--limit",
                                       0, self.directory)
            self.assertEqual(status, DIFFERS, err)
            self.check_differ(before, after, out)
        status, out, _ = recover("diff", "--from-lsn", 20, self.directory)
        self.assertEqual(status, DIFFERS)
        self.assertEqual(len([line for line in out.splitlines() if line.startswith("+")]) > 40,
                         True)
        # The hundred that are shown have two lines each at most.
        self.assertLessEqual(len(out.splitlines()), 203)
        status, out, _ = recover("diff", "--from-lsn", 20, "--to-lsn", 20, self.directory)
        self.assertEqual(status, 0)
        self.assertIn("0 cells, 0 reservations and 0 hotels differ", out)

    def test_two_directories_are_compared(self):
        folder, directory = self.copy("diff")
        self.assertEqual(recover("diff", self.directory, directory)[0], 0)
        lsn = self.last - 20
        self.assertEqual(recover("truncate", "--to-lsn", lsn, "--force", directory)[0], 0)
        status, out, err = recover("diff", "--limit", 0, directory, self.directory)
        self.assertEqual(status, DIFFERS, err)
        self.check_differ(lsn, self.last, out)
        status, out, _ = recover("diff", "--json", "--limit", 0, directory, self.directory)
        self.assertEqual(status, DIFFERS)
        found = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(found[-1]["what"], "counts")
        self.assertEqual({row["side"] for row in found if row["what"] == "reservation"},
                         {"a", "b"})
        self.assertEqual(recover("diff", "--to-lsn", lsn, directory, self.directory)[0], 0)
        self.check_serves(folder, directory)
        for words in (["diff", directory], ["diff", directory, directory, directory],
                      ["diff", "--from-lsn", "3", directory, directory]):
            self.assertEqual(recover(*words)[0], 2)
        self.assertEqual(recover("diff", directory, directory + "x")[0], 3)
        self.assertEqual(recover("diff", "--from-lsn", 1, "--to-lsn", 10 ** 6, directory)[0],
                         OUT_OF_REACH)

    # truncate

    def test_what_stays_is_a_point_that_exists(self):
        _, directory = self.copy("point")
        before = contents(directory)
        status, out, _ = recover("truncate", "--to-lsn", self.last, "--force", directory)
        self.assertEqual((status, out), (0, f"nothing lies behind LSN {self.last}; nothing was "
                                            "written\n"))
        self.assertEqual(recover("truncate", "--to-lsn", self.last + 1, "--force", directory)[0],
                         OUT_OF_REACH)
        self.assertEqual(recover("truncate", "--force", directory)[0], 2)
        self.assertEqual(recover("truncate", "--to-lsn", "4", "--archive", "x", directory)[0], 2)
        self.assertEqual(contents(directory), before)
        os.remove(os.path.join(directory, "log-000000000001"))
        before = contents(directory)
        for lsn in (7, self.snapshots[0] - 1):
            self.assertEqual(recover("truncate", "--to-lsn", lsn, "--force", directory)[0],
                             OUT_OF_REACH)
        self.assertEqual(contents(directory), before)

    def test_a_batch_is_cut_whole_or_not_at_all(self):
        folder, directory = self.copy("batch")
        shard = shard_process.Shard(SHARD, PB, folder)
        connection = shard.connect()
        frames = b"".join(connection.frame("BOOK", wire.HOTEL, HOTEL, shard_process.sale(
            PB, self.history.today, wire.mint(HOTEL, 5000 + index), 20)) for index in range(200))
        connection.socket.sendall(frames)
        for _ in range(200):
            connection.receive()
        connection.close()
        shard.end(signal.SIGKILL)
        said = [recover("truncate", "--to-lsn", lsn, directory)
                for lsn in range(self.last + 10, self.last + 180)]
        inside = [err for status, _, err in said if status == OUT_OF_REACH]
        self.assertTrue(inside)
        word = inside[0].split("give ")[1].split()
        for lsn in (int(word[0]), int(word[2])):
            self.assertIn(recover("truncate", "--to-lsn", lsn, directory)[0], (0, NOT_FORCED))

    def test_damage_is_cut_off_and_the_directory_serves_again(self):
        for number, offset in ((1, 200), (2, 30)):
            folder, directory = self.copy(f"damage-{number}")
            with open(os.path.join(directory, f"log-{number:012}"), "r+b") as file:
                file.seek(offset * BLOCK + 180)
                file.write(b"\xff\xff\xff\xff")
            status, out, _ = recover("verify", directory)
            self.assertEqual(status, 38, out)
            self.assertIn("truncate says what it costs to end the log before the damage", out)
            lsn = int(out.split("LSN ")[1].split()[0]) - 1
            status, out, _ = recover("truncate", "--to-lsn", lsn, directory)
            self.assertEqual(status, NOT_FORCED)
            self.assertIn("whatever lies in the damage and behind it", out)
            before = contents(directory)
            status, out, err = recover("truncate", "--to-lsn", lsn, "--force", directory)
            self.assertEqual(status, 0, out + err)
            self.assertEqual(self.states(directory, lsn), self.states(self.directory, lsn))
            self.check_kept(before, contents(directory))
            self.check_serves(folder, directory)


unittest.main(argv=sys.argv[:1], verbosity=1)
