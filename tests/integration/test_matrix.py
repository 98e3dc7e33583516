#!/usr/bin/python3
"""The failure matrix of engine/log: each of its 20 rows on the files of a real keyrack-shard,
judged by keyrack-recover and by the start of another keyrack-shard, which must agree.
Row 18 needs root and FUSE (KEYRACK_CUTFS names tests/crash's cutfs), and is skipped without.

usage: test_matrix.py SOURCE_ROOT KEYRACK_SHARD KEYRACK_RECOVER [unittest's arguments]
"""
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import unittest

import log_files
import matrix_rig
import shard_process
from log_files import BLOCK, DIGEST
from matrix_rig import HOTEL, LAST_PRICE, Programs, paragraph, recover

sys.path.insert(0, os.path.join(sys.argv[1], "tests", "crash"))
import powercut  # pylint: disable=wrong-import-position

SECTOR = 512


def end_of(batch):
    return batch.segment, batch.offset + batch.size


class Row(matrix_rig.Case):
    """What the rows share."""

    @classmethod
    def setUpClass(cls):
        cls.random = random.Random(20)
        cls.bases = matrix_rig.Bases(tempfile.mkdtemp(prefix="keyrack-matrix-"), cls.random)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.bases.folder)

    def base(self, name):
        return self.bases.get(name)

    def middle(self, files):
        """A batch of several blocks that others follow in its segment."""
        batches = files.batches()
        found = [batch for batch in batches[5:-5] if batch.size > 2 * BLOCK
                 and batch.segment == batches[0].segment]
        return found[0]

    def hole(self, batch, following=None):
        """How a verdict names a damaged batch and where the log goes on."""
        words = [f"from {batch.name} byte {batch.offset} (", f"), batch {batch.batch_seq}, "]
        if following is not None:
            words.append(f"batch {batch.batch_seq}, LSN {batch.first_lsn} to "
                         f"{following.first_lsn - 1}\n")
            words.append(f"to {following.name} byte {following.offset}, "
                         f"where batch {following.batch_seq} is whole")
        return words

    def refused_as_damage(self, files, batch, following, verdict="DAMAGED"):
        self.refused(files, verdict, *self.hole(batch, following), "is recorded as durable",
                     "next: keyrack-recover dump --log DIR")

    def before_last(self, base):
        """The end of the log before its last batch, and the cells as they were then."""
        last = base.files.batches()[-1]
        files = self.copy(base)
        files.zero(last)
        return last, matrix_rig.dump_cells(files.path, base.today)


class Matrix(Row):  # pylint: disable=too-many-public-methods
    # ---- 1 to 3: ends ----

    def test_row_01_a_clean_end_starts(self):
        for name in ("stopped", "sealed", "lone", "long"):
            with self.subTest(name):
                self.starts(self.copy(self.base(name)), self.base(name), "CLEAN")

    def test_row_02_a_torn_last_batch_is_cut(self):
        base = self.base("lone")
        last, cells = self.before_last(base)
        self.assertGreater(last.size, 4 * BLOCK)
        self.assertTrue(any(f" {LAST_PRICE}" in line for line in base.cells))
        self.assertFalse(any(f" {LAST_PRICE}" in line for line in cells))
        whole = last.pack()
        half = last.size // 2
        older = self.middle(base.files).pack()[:BLOCK]
        torn = {
            "zeroes": whole[:SECTOR] + bytes(last.size - SECTOR),
            "garbage": self.random.randbytes(last.size),
            "half new, half never written": whole[:half] + bytes(last.size - half),
            "half never written, half new": bytes(half) + whole[half:],
            "half new, half of an older batch": whole[:half] + older * ((last.size - half) // BLOCK),
        }
        sectors = range(0, last.size, SECTOR)
        for number in range(6):
            torn[f"subset {number}"] = b"".join(
                self.random.choice((whole[at:at + SECTOR], bytes(SECTOR))) for at in sectors)
        for what, data in torn.items():
            with self.subTest(what):
                self.assertNotEqual(data, whole)
                files = self.copy(base)
                files.patch(last.name, last.offset, data)
                self.cut(files, base, "TORN_TAIL", (last.segment, last.offset),
                         f"from {last.name} byte {last.offset} (", f"batch {last.batch_seq}, ",
                         "next: start the shard, or: keyrack-recover repair-tail DIR", cells=cells)

    def test_row_02_of_bookings_exactly_those_of_the_torn_batch_are_gone(self):
        base = self.base("burst")
        last = base.files.batches()[-1]
        _, out, _ = recover("dump", "--log", "--json", base.files.path)
        torn = {row["id"] for row in map(json.loads, out.splitlines())
                if last.first_lsn <= row["lsn"] <= last.last_lsn}
        self.assertEqual(len(torn), last.count)
        rows = [row for row in base.rows if json.loads(row)["id"] not in torn]
        files = self.copy(base)
        files.patch(last.name, last.offset + last.size - BLOCK, bytes(BLOCK // 2))
        _, cells = self.before_last(base)
        self.cut(files, base, "TORN_TAIL", (last.segment, last.offset), rows=rows, cells=cells)

    def test_row_03_beyond_a_hole_an_unacknowledged_batch_is_cut(self):
        base = self.base("sealed")
        end = end_of(base.files.batches()[-1])
        skipped = base.files.next()
        beyond = base.files.next(batch_seq=skipped.batch_seq + 1, first_lsn=skipped.last_lsn + 1,
                                 prev_chain=skipped.chain)
        places = {
            "same segment": beyond.but(block_index=skipped.block_index + skipped.size // BLOCK),
            "next segment": beyond.but(segment=skipped.segment + 1, block_index=0),
        }
        for what, batch in places.items():
            with self.subTest(what):
                files = self.copy(base)
                files.put(batch)
                self.cut(files, base, "HOLE", end, *self.hole(skipped, batch))
        with self.subTest("and all else that only warns"):
            files = self.copy(base)
            files.put(places["next segment"])
            files.patch(skipped.name, skipped.offset + 9 * BLOCK, b"rest")
            files.remove("MARK")
            files.make("log-000000000003.new", b"half")
            files.make("snap-00000000000000000007", bytes(100000))
            files.resize("log-000000000002", 1 << 20)
            self.cut(files, base, "HOLE", end, "segments 2 to 2 set aside",
                     "also: every snapshot is bad", "also: the MARK file is missing",
                     "also: a segment has not its full size", "also: unfinished or empty files")

    # ---- 4 to 9: acknowledged batches ----

    def test_row_04_a_bad_batch_that_a_later_one_covers_is_refused(self):
        base = self.base("sealed")
        batches = base.files.batches()
        batch = self.middle(base.files)
        following = batches[batches.index(batch) + 1]
        offsets = {"magic": 0, "header": 60, "reserved": 150, "body": 5000,
                   "padding": batch.size - 1}
        self.assertLess(log_files.HEADER.size + len(batch.body), batch.size - 1)
        for what, offset in offsets.items():
            with self.subTest(what):
                files = self.copy(base)
                files.flip(batch.name, batch.offset + offset)
                self.refused_as_damage(files, batch, following)
        with self.subTest("all zero"):
            files = self.copy(base)
            files.zero(batch)
            self.refused_as_damage(files, batch, following)

    def test_row_04_one_at_the_end_of_a_segment_is_refused(self):
        base = self.base("long")
        batches = base.files.batches()
        index = next(i for i, batch in enumerate(batches) if batch.segment == 2) - 1
        for what in ("rotten", "zero"):
            with self.subTest(what):
                files = self.copy(base)
                if what == "zero":
                    files.zero(batches[index])
                else:
                    files.flip(batches[index].name, batches[index].offset + 300)
                self.refused_as_damage(files, batches[index], batches[index + 1])

    def test_row_05_the_last_batch_rotted_under_a_seal_or_mark_is_refused(self):
        base = self.base("sealed")
        last, seal = base.files.batches()[-2:]
        with self.subTest("seal"):
            files = self.copy(base)
            files.remove("MARK")
            files.flip(last.name, last.offset + 5000)
            self.refused_as_damage(files, last, seal)
        files = self.copy(base)
        files.zero(seal)
        for what, offset in {"body": 5000, "header": 9}.items():
            with self.subTest("mark, " + what):
                damaged = self.copy(files)
                damaged.flip(last.name, last.offset + offset)
                self.refused(damaged, "LAST_DAMAGED", *self.hole(last),
                             "the MARK file says", "to the end of the log",
                             f"batch {seal.batch_seq} is recorded as durable")
        with self.subTest("mark, all zero"):
            files.zero(last)
            self.refused(files, "LAST_DAMAGED", *self.hole(last))

    def test_row_06_a_length_is_not_trusted(self):
        base = self.base("sealed")
        batches = base.files.batches()
        batch = self.middle(base.files)
        following = batches[batches.index(batch) + 1]
        lengths = {"huge": 0xfffffff8, "the whole segment": 8 << 20, "a block more": len(batch.body)
                   + BLOCK, "tiny": 1, "zero": 0}
        for what, length in lengths.items():
            for is_sealed in (False, True):
                with self.subTest(what, is_sealed=is_sealed):
                    files = self.copy(base)
                    files.patch(batch.name, batch.offset + 120, length.to_bytes(4, "little"))
                    if is_sealed:
                        header = files.read(batch.name, batch.offset, log_files.HEADER.size)
                        files.patch(batch.name, batch.offset, log_files.sealed(header))
                    self.refused_as_damage(files, batch, following)

    def test_row_07_a_stale_batch_is_not_ours(self):
        base = self.base("sealed")
        following = base.files.next()
        end = end_of(base.files.batches()[-1])
        old = self.middle(base.files)
        strangers = {
            "another shard": following.but(shard=1).pack(),
            "another cluster": following.but(cluster=8).pack(),
            "a recycled segment": following.but(segment=following.segment + 7).pack(),
            "another place": old.pack(),
        }
        for what, data in strangers.items():
            with self.subTest(what):
                files = self.copy(base)
                files.patch(following.name, end[1], data)
                self.cut(files, base, "STALE_TAIL", end, f"batch {following.batch_seq}, ")

    def test_row_07_a_batch_of_an_earlier_life_is_not_ours(self):
        base = self.base("later")
        following = base.files.next()
        self.assertEqual(following.epoch, 2)
        files = self.copy(base)
        files.put(following.but(epoch=1))
        self.cut(files, base, "STALE_TAIL", end_of(base.files.batches()[-1]))

    def test_row_07_a_stale_batch_over_an_acknowledged_one_is_refused(self):
        base = self.base("sealed")
        batches = base.files.batches()
        batch = self.middle(base.files)
        for what, stranger in {"shard": batch.but(shard=1), "cluster": batch.but(cluster=8),
                               "segment": batch.but(segment=batch.segment + 1)}.items():
            with self.subTest(what):
                files = self.copy(base)
                files.patch(batch.name, batch.offset, stranger.pack())
                self.refused_as_damage(files, batch, batches[batches.index(batch) + 1])

    def test_row_08_whole_batches_that_do_not_continue_are_refused(self):
        base = self.base("sealed")
        batches = base.files.batches()
        last = batches[-1]
        batch = self.middle(base.files)
        following = base.files.next()
        wrong = {
            "gap": following.but(batch_seq=following.batch_seq + 1),
            "gap of LSNs": following.but(first_lsn=following.first_lsn + 1),
            "duplicate": last.but(block_index=following.block_index),
            "chain": following.but(prev_chain=following.prev_chain ^ 1),
            "next segment": following.but(segment=2, block_index=0, prev_chain=1),
            "chain in the middle": batch.but(prev_chain=batch.prev_chain ^ 1),
            "gap in the middle": batch.but(batch_seq=batch.batch_seq + 1),
        }
        for what, forged in wrong.items():
            with self.subTest(what):
                files = self.copy(base)
                files.put(forged)
                place = batch if "middle" in what else following
                where = [f"to {forged.name} byte {forged.offset}, "
                         f"where batch {forged.batch_seq} is whole"]
                self.refused(files, "CHAIN", f"batch {place.batch_seq}, ", *where)
        with self.subTest("MARK knows another chain"):
            files = self.copy(base)
            files.put_mark(files.mark() | {"chain": 4711})
            self.refused(files, "CHAIN", f"where batch {last.batch_seq} is whole")

    def test_row_09_a_missing_segment_is_refused(self):
        base = self.base("long")
        self.assertEqual(base.files.segments(), [1, 2, 3, 4, 5])
        self.assertEqual(base.files.mark()["segment"], 4)
        for what, (gone, named) in {"in the middle": ([2], 2), "two of them": ([2, 3], 2),
                                    "the last, a mark beyond": ([4, 5], 4),
                                    "the last but its reserve": ([4], 4),
                                    "all, a mark beyond": ([1, 2, 3, 4, 5], 4)}.items():
            with self.subTest(what):
                files = self.copy(base)
                for number in gone:
                    files.remove(log_files.segment_name(number))
                self.refused(files, "SEGMENT_MISSING", f"which: {log_files.segment_name(named)}")
        with self.subTest("only the reserve"):
            files = self.copy(base)
            files.remove(log_files.segment_name(5))
            self.starts(files, base, "CLEAN")

    # ---- 10 to 13: snapshots ----

    def rot(self, files, names):
        for name in names:
            files.flip(name, files.size(name) // 2)

    def test_row_10_a_bad_newest_snapshot_is_passed_over(self):
        base = self.base("two_snaps")
        newest, _ = base.files.snapshots()
        size = base.files.size(newest)
        places = {"header": 60, "chunk": 140, "body": 300, "footer": base.files.read(newest).index(
            b"KYRGSEND") + 40, "padding": size - 1}
        for what, offset in places.items():
            with self.subTest(what):
                files = self.copy(base)
                files.flip(newest, offset)
                self.starts(files, base, "OLDER_SNAPSHOT", newest, "bad snapshots: 1")
        with self.subTest("cut short"):
            files = self.copy(base)
            files.resize(newest, size // 2)
            self.starts(files, base, "OLDER_SNAPSHOT", newest)
        with self.subTest("the log goes back to the older one only"):
            base = self.base("pruned")
            newest, _ = base.files.snapshots()
            files = self.copy(base)
            self.rot(files, [newest])
            self.starts(files, base, "OLDER_SNAPSHOT", newest, "bad snapshots: 1")

    def test_row_11_without_a_good_snapshot_the_log_from_its_beginning_serves(self):
        for name, count in (("stopped", 1), ("two_snaps", 2)):
            with self.subTest(name):
                base = self.base(name)
                files = self.copy(base)
                self.assertEqual(len(files.snapshots()), count)
                self.rot(files, files.snapshots())
                self.starts(files, base, "FULL_REPLAY", f"bad snapshots: {count}",
                            files.snapshots()[0])

    def test_row_11_without_a_good_snapshot_a_pruned_log_is_refused(self):
        base = self.base("pruned")
        self.assertEqual(base.files.segments()[0], 2)
        with self.subTest("all bad"):
            files = self.copy(base)
            self.rot(files, files.snapshots())
            self.refused(files, "SNAPSHOTS_BAD", files.snapshots()[0], "bad snapshots: 2",
                         "the log begins with log-000000000002")
        with self.subTest("none there"):
            files = self.copy(base)
            for name in files.snapshots():
                files.remove(name)
            self.refused(files, "SNAPSHOTS_BAD", "the log begins with log-000000000002")

    def test_row_12_a_snapshot_newer_than_the_log_is_refused(self):
        files = self.copy(self.base("lone"))
        later = self.base("later").files
        name, = later.snapshots()
        files.make(name, later.read(name))
        lsn = int(name[5:])
        self.refused(files, "SNAPSHOT_AHEAD", f"snapshot of LSN {lsn} to {lsn}\n")

    def test_row_13_a_snapshot_older_than_the_log_is_refused(self):
        base = self.base("pruned")
        newest, older = base.files.snapshots()
        files = self.copy(base)
        files.remove("log-000000000002")
        with self.subTest("the newest serves"):
            self.starts(files, base, "CLEAN")
        files.remove(newest)
        lsn = int(older[5:])
        self.refused(files, "SNAPSHOT_TOO_OLD", f"snapshot of LSN {lsn} to {lsn}\n")

    # ---- 14 to 17 ----

    def test_row_14_what_was_not_finished_is_removed(self):
        base = self.base("two_snaps")
        snapshot = base.files.snapshots()[0]
        data = base.files.read(snapshot)
        unfinished = {
            "temporary snapshot": ("snap-00000000000000009999.new", data[:3000]),
            "whole snapshot, not renamed": (snapshot[:-1] + "x.new", data),
            "half-renamed segment": ("log-000000000003.new", self.random.randbytes(70000)),
            "layout": ("SHARD.new", bytes(BLOCK)),
            "empty segment": ("log-000000000003", b""),
            "empty snapshot": ("snap-00000000000000009999", b""),
        }
        for what, (name, data) in unfinished.items():
            with self.subTest(what):
                files = self.copy(base)
                files.make(name, data)
                started = self.starts(files, base, "LEFTOVERS")
                self.assertNotIn(name, started.names())
        with self.subTest("all"):
            files = self.copy(base)
            for name, data in unfinished.values():
                files.make(name, data)
            started = self.starts(files, base, "LEFTOVERS")
            self.assertEqual(set(started.names()), set(base.files.names()) | {"LOCK"})

    def test_row_15_an_unknown_version_is_refused_and_named(self):
        base = self.base("two_snaps")
        batch = base.files.batches()[9]
        last = base.files.batches()[-1]
        places = {"batch": (batch.name, batch.offset), "last batch": (last.name, last.offset),
                  "SHARD": ("SHARD", 0), "MARK": ("MARK", base.files.mark_offset()),
                  "snapshot": (base.files.snapshots()[0], 0)}
        for what, (name, offset) in places.items():
            with self.subTest(what):
                files = self.copy(base)
                version = files.bump_version(name, offset)
                self.refused(files, "VERSION", f"version {version} in {name}",
                             "this program knows 1",
                             "next: run a version of Keyrack that knows this format")

    def log_row(self, files, **wanted):
        """The first effect that is so, and the batch that holds it."""
        _, out, _ = recover("dump", "--log", "--json", files.path)
        row = next(row for row in map(json.loads, out.splitlines())
                   if all(row.get(key) == value for key, value in wanted.items()))
        return row, next(batch for batch in files.batches()
                         if batch.first_lsn <= row["lsn"] <= batch.last_lsn)

    def contradictions(self, files):
        """LSN, words of the refusal, and the batch as it must not be."""
        states = self.base("stopped").states
        released = [ident for ident, state in states.items() if state == "RELEASED"]
        raw = [bytes.fromhex(f"{high:016x}{low:016x}") for high, low in released]
        text = [matrix_rig.text_of(ident) for ident in released]
        row, batch = self.log_row(files, kind="RESERVE", event_seq=13)
        wrong = batch.body[:-1] + bytes([batch.body[-1] + 1])
        yield row["lsn"], "booked rooms are not what the effect found", batch.but(body=wrong)
        row, batch = self.log_row(files, kind="RELEASE", id=text[1])
        self.assertIn(raw[1], batch.body)
        wrong = batch.body.replace(raw[1], raw[1][:-1] + bytes([raw[1][-1] ^ 1]))
        yield row["lsn"], "the reservation is unknown", batch.but(body=wrong)
        wrong = batch.body.replace(raw[1], raw[0])
        yield row["lsn"], "the reservation's state does not allow that", batch.but(body=wrong)

    def test_row_16_a_record_that_contradicts_the_state_is_refused_where_it_stands(self):
        base = self.base("stopped")
        for lsn, words, batch in self.contradictions(base.files):
            files = self.copy(base)
            files.replace(batch)
            with self.subTest(words, snapshot=True):
                # Below the stamp of its hotel's chunk nobody asks it.
                self.starts(files, base, "CLEAN")
            with self.subTest(words, snapshot=False):
                for name in files.snapshots():
                    files.remove(name)
                self.refused(files, "CONTRADICTION", f"at LSN {lsn}: {words}: expected ",
                             f", hotel {HOTEL}, reservation ")
                status, out, _ = recover("dump", "--log", "--json", files.path)
                shown = [json.loads(line)["lsn"] for line in out.splitlines()]
                self.assertIn(lsn, shown)

    def test_row_17_another_digest_than_the_recorded_one_is_refused(self):
        base = self.base("stopped")
        row, batch = self.log_row(base.files, kind="DIGEST")
        with self.subTest("record"):
            files = self.copy(base)
            files.replace(batch.but(body=batch.body[:-1] + bytes([batch.body[-1] ^ 1])))
            self.refused(files, "DIGEST", f"at LSN {row['lsn']}: the state's digest differs: ")
        seal = base.files.batches()[-1]
        _, out, _ = recover("verify", base.files.path)
        right = int(re.search("digest ([0-9a-f]{16})", out).group(1), 16)
        for what, digest in {"right": right, "wrong": right ^ 1}.items():
            with self.subTest("seal", digest=what):
                files = self.copy(base)
                files.replace(seal.but(flags=seal.flags | DIGEST, state_digest=digest))
                if what == "right":
                    self.starts(files, base, "CLEAN")
                else:
                    self.refused(files, "DIGEST", f"at LSN {seal.first_lsn - 1}: the state's "
                                 f"digest differs: expected {digest}, found {right}\n")

    # ---- 19 and 20 ----

    def test_row_19_a_directory_in_use_is_refused(self):
        base = self.base("sealed")
        files = self.copy(base)
        folder = os.path.dirname(files.path)
        seller = matrix_rig.Seller(folder, self.random)
        for words in (["verify"], ["repair-tail"], ["dump", "--cells"]):
            status, out, err = recover(*words, "--lock-wait", "0", files.path)
            self.assertEqual((status, out), (Programs.exits["IN_USE"], ""), err)
            self.assertIn("REFUSE IN_USE: ", err)
        other = shard_process.Shard(Programs.shard, Programs.pb, folder, "--lock-wait", "0",
                                    wait=False)
        self.assertEqual(other.end(0), Programs.exits["IN_USE"])
        self.assertEqual(paragraph("".join(other.lines)), paragraph(err))
        sold = seller.reserve("BOOK", base.today, matrix_rig.SALE_NIGHT, 2)
        seller.end(signal.SIGKILL)
        rows = matrix_rig.dump_reservations(files.path)
        self.assertEqual(len(rows), len(base.rows) + 1)
        self.assertTrue(any(matrix_rig.text_of(sold) in row for row in rows))

    def test_row_20_a_file_shorter_or_longer_is_refused_under_a_mark_and_extended_else(self):
        base = self.base("sealed")
        full = base.files.size("log-000000000001")
        end = end_of(base.files.batches()[-1])[1]
        last = base.files.batches()[-2]
        for what, size in {"shorter": full - 5 * BLOCK, "not a whole block": end + 700,
                           "up to the end": end}.items():
            with self.subTest(what):
                files = self.copy(base)
                files.resize("log-000000000001", size)
                started = self.starts(files, base, "FILE_SIZE")
                self.assertEqual(started.size("log-000000000001"), full)
        with self.subTest("longer"):
            files = self.copy(base)
            files.make("more", b"")
            files.patch("log-000000000001", full, self.random.randbytes(3 * BLOCK + 100))
            self.starts(files, base, "FILE_SIZE")
        for size in (last.offset, last.offset + BLOCK, last.offset + BLOCK + 512, 100):
            with self.subTest("a mark beyond", size=size):
                files = self.copy(base)
                files.resize("log-000000000001", size)
                self.refused(files, "FILE_SHORT", "which: log-000000000001")

    def test_row_20_a_file_without_any_bytes_is_a_missing_one(self):
        base = self.base("sealed")
        files = self.copy(base)
        files.resize("log-000000000001", 0)
        self.refused(files, "SNAPSHOTS_BAD", "the log begins with log-000000000002")
        files.remove("log-000000000002")
        self.refused(files, "SEGMENT_MISSING", "which: log-000000000001")

    def test_row_20_an_older_segment_cut_short_is_refused(self):
        base = self.base("long")
        files = self.copy(base)
        files.resize("log-000000000002", 5 << 20)
        self.refused(files, "FILE_SHORT", "which: log-000000000002", "from log-000000000002 byte ")


class Unreadable(Row):
    """Row 18, on a disk of which some blocks really cannot be read."""
    rig = None
    bad = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            if os.getpid() != 1:
                raise powercut.RigMissing("no root, or no namespaces of its own")
            if powercut.backend_choose()[0] != "fuse":
                raise powercut.RigMissing("FUSE or cutfs is missing")
            cls.rig = powercut.make_rig(cls.bases.folder, size_mib=256)
        except powercut.RigMissing as missing:
            super().tearDownClass()
            print(f"SKIP: row 18 cannot be tested here: {missing}", flush=True)
            raise unittest.SkipTest(str(missing)) from missing

    @classmethod
    def tearDownClass(cls):
        cls.rig.teardown()
        super().tearDownClass()

    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=self.rig.mountpoint)
        self.bad = ()

    def copy(self, base):
        """Copies are as unreadable as what they are copies of."""
        files = super().copy(base)
        for name, offset in self.bad:
            self.rig.spoil(files.at(name), offset, BLOCK)
        return files

    def spoilt(self, base, *places):
        self.bad = places
        return self.copy(base)

    def test_row_18_an_acknowledged_batch_that_cannot_be_read_is_refused(self):
        base = self.base("sealed")
        batches = base.files.batches()
        batch = self.middle(base.files)
        for what, offset in {"header": batch.offset, "body": batch.offset + BLOCK}.items():
            with self.subTest(what):
                files = self.spoilt(base, (batch.name, offset))
                self.refused_as_damage(files, batch, batches[batches.index(batch) + 1])
                said = paragraph(recover("verify", files.path)[1])
                self.assertIn(f"byte {batch.offset} (cannot be read)", said)

    def test_row_18_behind_the_end_it_is_a_torn_tail(self):
        base = self.base("sealed")
        end = end_of(base.files.batches()[-1])
        name = log_files.segment_name(end[0])
        for blocks in (0, 1, 700):
            with self.subTest(blocks=blocks):
                files = self.spoilt(base, (name, end[1] + blocks * BLOCK))
                self.cut(files, base, "TORN_TAIL", end)

    def test_row_18_a_last_batch_that_nothing_speaks_for_is_cut(self):
        base = self.base("lone")
        last, cells = self.before_last(base)
        files = self.spoilt(base, (last.name, last.offset + 2 * BLOCK))
        self.cut(files, base, "TORN_TAIL", (last.segment, last.offset), "(cannot be read)",
                 cells=cells)

    def test_row_18_a_snapshot_that_cannot_be_read_is_a_bad_one(self):
        base = self.base("two_snaps")
        newest, older = base.files.snapshots()
        with self.subTest("the newest"):
            files = self.spoilt(base, (newest, 0))
            self.starts(files, base, "OLDER_SNAPSHOT", newest)
        with self.subTest("both"):
            files = self.spoilt(base, (newest, 0), (older, 0))
            self.starts(files, base, "FULL_REPLAY", newest)

    def test_row_18_the_small_files(self):
        base = self.base("sealed")
        with self.subTest("SHARD"):
            self.refused(self.spoilt(base, ("SHARD", 0)), "NOT_A_SHARD")
        with self.subTest("MARK"):
            self.starts(self.spoilt(base, ("MARK", 0), ("MARK", BLOCK)), base, "MARK_LOST")


if __name__ == "__main__":
    powercut.isolate(required=False)
    Programs.take(*sys.argv[1:4])
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=1)
