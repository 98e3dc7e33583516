"""Directories that a real keyrack-shard wrote, and what the tool and a start make of them."""
import datetime
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import log_files
import shard_process
import wire

HOTEL = shard_process.HOTEL
NIGHTS = 700
COMPARED = 60  # nights whose cells are compared: today's may leave the window meanwhile
SALE_NIGHT = 300  # of the booking after a start, outside of these
PRICE = 1 << 7
LAST_PRICE = 12345
TRIES = 20


class Programs:
    """What the test was called with; set once."""
    root = shard = recover = pb = None
    exits = {}

    @classmethod
    def take(cls, root, shard, recover):
        cls.root, cls.shard, cls.recover = root, shard, recover
        cls.pb = wire.messages(root)
        with open(os.path.join(root, "tools", "keyrack-recover.8"), encoding="utf-8") as file:
            manual = file.read()
        found = re.findall(r"^\.It (\d+)\n([A-Z_]+):", manual, re.M)
        cls.exits = {name: int(number) for number, name in found} | {"CLEAN": 0}


def recover(*words):
    run = subprocess.run([Programs.recover, *words], capture_output=True, text=True, check=False)
    return run.returncode, run.stdout, run.stderr


def paragraph(text):
    """The verdict, from its first word to the next command."""
    match = re.search(r"(START|CUT|REFUSE) [A-Z_]+: .*?^  next: [^\n]+\n", text, re.S | re.M)
    return match.group(0) if match else None


def dump_reservations(path, is_clean=False):
    status, out, err = recover("dump", "--reservations", "--json", path)
    assert status == 0 and not (is_clean and err), (status, err)
    return sorted(out.splitlines())


def dump_cells(path, today):
    status, out, err = recover("dump", "--cells", path)
    assert status == 0, (status, err)
    epoch = datetime.date(1970, 1, 1)
    dates = {str(epoch + datetime.timedelta(today + 1 + n)) for n in range(COMPARED)}
    return [line for line in out.splitlines() if line.split(" ")[2] in dates]


class Seller:
    """A shard under its own directory, and a client of it."""

    running = []

    def __init__(self, folder, random, *more):
        self.random = random
        self.process = shard_process.Shard(Programs.shard, Programs.pb, folder, *more)
        self.running.append(self.process)
        self.connection = self.process.connect()
        self.files = log_files.Files(os.path.join(folder, "d"))

    def done(self, kind, body):
        code, answer = self.connection.call(kind, wire.HOTEL, HOTEL, body)
        assert code == wire.DONE, (kind, code)
        return answer

    def load(self, types):
        pb = Programs.pb
        today = shard_process.load(self.connection, pb, rooms=100, nights=NIGHTS)
        for number in range(2, types + 1):
            self.done("TYPE_PUT", pb.TypePutRequest(
                hotel_id=HOTEL, type=number, mask=5,
                settings=pb.TypeSettings(code=f"T{number}", physical=3)))
        return today

    def price(self, today, price, weekdays=127):
        pb = Programs.pb
        self.done("INVENTORY_SET", pb.InventorySetRequest(
            hotel_id=HOTEL, first_day=today + 1, last_day=today + NIGHTS, weekday_mask=weekdays,
            set_mask=PRICE, price_minor=price))

    def uneven(self, today):
        """After this, whoever prices all nights has to say what each of them cost before."""
        self.price(today, 9900, 0x55)
        self.price(today, 10000, 0x2a)

    def fill(self, today, segment):
        """Until the log has reached that segment."""
        for index in range(1000):
            if self.files.mark()["segment"] >= segment:
                return
            self.uneven(today)
            self.price(today, 11000 + index)
        raise AssertionError("the log does not grow")

    def reserve(self, kind, today, offset=10, nights=3):
        ident = wire.mint(HOTEL, self.random.getrandbits(60))
        self.done(kind, shard_process.sale(Programs.pb, today, ident, offset, nights))
        return ident

    def move(self, kind, ident):
        code, _ = self.connection.call(
            kind, wire.SLOT, wire.slot_of(HOTEL),
            Programs.pb.TransitionRequest(id_hi=ident[0], id_lo=ident[1]))
        assert code == wire.DONE, (kind, code)

    def reservation(self, ident):
        code, answer = self.connection.call(
            "RESERVATION_GET", wire.SLOT, wire.slot_of(HOTEL),
            Programs.pb.ReservationGetRequest(id_hi=ident[0], id_lo=ident[1]))
        return code, answer

    def snapshot(self):
        count = len(self.files.snapshots())
        before = self.files.snapshots()[:1]
        code, _ = self.connection.call("SNAPSHOT", wire.SHARD, 0, Programs.pb.SnapshotRequest())
        assert code == wire.DONE, code
        wait_for(lambda: len(self.files.snapshots()) >= max(count, 1)
                 and self.files.snapshots()[:1] != before)

    def wait_for_reserve(self):
        """A segment behind the last one: then nothing is under way in the directory."""
        wait_for(lambda: self.files.mark()["segment"] < self.files.segments()[-1]
                 and not [name for name in self.files.names() if name.endswith(".new")])

    def wait_for_seal(self):
        wait_for(lambda: self.files.batches()[-1].flags & log_files.SEAL
                 and self.files.mark()["durable_seq"] == self.files.batches()[-1].batch_seq)

    def end(self, number):
        self.connection.close()
        self.running.remove(self.process)
        status = self.process.end(number)
        assert status == (0 if number == signal.SIGTERM else -number), status


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def text_of(ident):
    whole = f"{ident[0]:016x}{ident[1]:016x}"
    return "-".join((whole[:8], whole[8:12], whole[12:16], whole[16:20], whole[20:]))


class Base:
    """A directory to damage copies of, and the truth about it."""

    def __init__(self, files, today, states):
        self.files = files.copy_to(files.path + "-base")
        self.today = today
        self.states = states  # id: state, as the client was told
        self.note()

    def note(self):
        path = self.files.path
        self.rows = dump_reservations(path)
        self.cells = dump_cells(path, self.today)
        found = dict(re.search(r'"id":"([^"]+)".*?"state":"([A-Z]+)"', row).groups()
                     for row in self.rows)
        assert found == {text_of(ident): state for ident, state in self.states.items()}, found


class Bases:
    """Each is made when a row first asks for it."""

    def __init__(self, folder, random):
        self.folder = folder
        self.random = random
        self.made = {}

    def get(self, name):
        if name not in self.made:
            self.made[name] = getattr(self, "make_" + name)()
        return self.made[name]

    def fresh(self):
        return tempfile.mkdtemp(dir=self.folder)

    def sell(self, seller, today, count, states):
        for index in range(count):
            states[seller.reserve("BOOK", today, 10 + index % 5)] = "CONFIRMED"

    def begin(self):
        """One segment: bookings, holds in every state, batches of many blocks between them."""
        seller = Seller(self.fresh(), self.random)
        today = seller.load(10)
        states = {}
        self.sell(seller, today, 6, states)
        seller.uneven(today)
        seller.price(today, 9000)
        a, b, c, d = (seller.reserve("HOLD", today, 20) for _ in range(4))
        seller.move("RELEASE", a)
        seller.move("RELEASE", b)
        seller.move("CONFIRM", c)
        states.update({a: "RELEASED", b: "RELEASED", c: "CONFIRMED", d: "HELD"})
        self.sell(seller, today, 6, states)
        seller.uneven(today)
        seller.wait_for_reserve()
        return seller, today, states

    def lone(self, last):
        """Killed at once, so that nothing on disk speaks for the last batch. The seal comes after
        50 ms: on a busy machine it may take several tries."""
        for _ in range(TRIES):
            seller, today, states = self.begin()
            last(seller, today, states)
            seller.end(signal.SIGKILL)
            batch = seller.files.batches()[-1]
            if batch.count > 0 and seller.files.mark()["durable_seq"] < batch.batch_seq:
                return Base(seller.files, today, states)
        raise AssertionError("the last batch was sealed each time")

    def make_lone(self):
        """The last batch prices all nights of ten types: nine blocks."""
        return self.lone(lambda seller, today, _: seller.price(today, LAST_PRICE))

    def make_burst(self):
        """The last batches are bookings sent in one piece."""
        def last(seller, today, states):
            frames = b""
            for _ in range(90):
                ident = wire.mint(HOTEL, self.random.getrandbits(60))
                sale = shard_process.sale(Programs.pb, today, ident, 30)
                frames += seller.connection.frame("BOOK", wire.HOTEL, HOTEL, sale)
                states[ident] = "CONFIRMED"
            seller.connection.socket.sendall(frames)
            for _ in range(90):
                assert seller.connection.receive()[1] == wire.DONE
        return self.lone(last)

    def make_sealed(self):
        """Killed after a while of idleness: a seal and MARK speak for the last batch."""
        seller, today, states = self.begin()
        seller.price(today, LAST_PRICE)
        seller.wait_for_seal()
        seller.end(signal.SIGKILL)
        return Base(seller.files, today, states)

    def make_stopped(self):
        """A clean stop: one snapshot, and the log from its beginning."""
        seller, today, states = self.begin()
        seller.wait_for_seal()
        seller.end(signal.SIGTERM)
        return Base(seller.files, today, states)

    def make_later(self):
        """The directory `lone` after another life and a clean stop."""
        base = self.get("lone")
        folder = self.fresh()
        base.files.copy_to(os.path.join(folder, "d"))
        seller = Seller(folder, self.random)
        states = dict(base.states)
        self.sell(seller, base.today, 5, states)
        seller.wait_for_reserve()
        seller.end(signal.SIGTERM)
        return Base(seller.files, base.today, states)

    def make_long(self):
        """Three segments full, a fourth begun, sealed; no snapshot."""
        seller, today, states = self.begin_long()
        for segment in (2, 3, 4):
            seller.fill(today, segment)
            self.sell(seller, today, 4, states)
        return self.end_long(seller, today, states)

    def make_two_snaps(self):
        """Two snapshots, and the log from its beginning."""
        seller, today, states = self.begin()
        for _ in range(2):
            seller.snapshot()
            self.sell(seller, today, 3, states)
        return self.end_long(seller, today, states)

    def make_pruned(self):
        """Two snapshots; the log goes back to the older one, no further."""
        seller, today, states = self.begin_long()
        for segment in (2, 3, 4):
            seller.fill(today, segment)
            self.sell(seller, today, 4, states)
            if segment < 4:
                seller.snapshot()
        wait_for(lambda: seller.files.segments()[0] == 2)
        return self.end_long(seller, today, states)

    def begin_long(self):
        seller = Seller(self.fresh(), self.random)
        today = seller.load(40)
        states = {}
        self.sell(seller, today, 4, states)
        seller.wait_for_reserve()
        return seller, today, states

    def end_long(self, seller, today, states):
        seller.wait_for_reserve()
        seller.wait_for_seal()
        seller.end(signal.SIGKILL)
        return Base(seller.files, today, states)


class Case(unittest.TestCase):
    """Copies of a directory, and the three verdicts about them."""
    tried = set()
    bases = None
    random = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=self.bases.folder)

    def tearDown(self):
        while Seller.running:
            Seller.running.pop().end(signal.SIGKILL)
        shutil.rmtree(self.folder)

    def copy(self, base):
        """Of a base, or of a copy."""
        files = base.files if isinstance(base, Base) else base
        return files.copy_to(os.path.join(tempfile.mkdtemp(dir=self.folder), "d"))

    def judged(self, files, kind, verdict, needles):
        """By `verify`, which writes nothing. Gives its words."""
        before = files.fingerprint()
        status, out, err = recover("verify", files.path)
        said = paragraph(out)
        self.assertIsNotNone(said, out + err)
        self.assertEqual(said.split(":")[0], f"{kind} {verdict}", out)
        self.assertEqual(status, Programs.exits[verdict], out)
        for needle in needles:
            self.assertIn(needle, said)
        self.assertEqual(files.fingerprint(), before)
        if verdict not in self.tried:
            self.tried.add(verdict)
            self.check_next(files, said)
            self.check_others(files, kind, Programs.exits[verdict], said)
            self.assertEqual(files.fingerprint(), before)
        return said

    def check_others(self, files, kind, number, said):
        """Whatever else the tool is asked to do: it refuses in the same words, and without a tail
        there is nothing to repair."""
        if kind == "CUT":
            return
        status, out, _ = recover("repair-tail", files.path)
        self.assertEqual((status, paragraph(out)), (number if kind == "REFUSE" else 0, said))
        self.assertEqual("nothing was written" in out, kind == "START")
        if kind == "REFUSE":
            status, out, err = recover("dump", "--reservations", files.path)
            self.assertEqual((status, out, paragraph(err)), (number, "", said))

    def check_next(self, files, said):
        """Commands that a verdict names exist, and do something other than complain of usage."""
        following = re.search(r"^  next: (.+)$", said, re.M).group(1)
        commands = re.findall(r"keyrack-recover ([a-z][a-z -]*) DIR", following)
        self.assertEqual(len(commands), following.count("keyrack-recover"), following)
        for words in commands:
            status, _, err = recover(*words.split(), self.copy(files).path)
            self.assertNotIn(status, (2, 3), (words, err))

    def refused(self, files, verdict, *needles):
        """By the tool and by a start in the same words; nothing is written."""
        before = files.fingerprint()
        said = self.judged(files, "REFUSE", verdict, needles)
        shard = shard_process.Shard(Programs.shard, Programs.pb, os.path.dirname(files.path),
                                    wait=False)
        self.assertEqual(shard.end(0), Programs.exits[verdict], shard.lines)
        self.assertEqual(paragraph("".join(shard.lines)), said)
        self.assertNotIn("ready\n", shard.lines)
        self.assertEqual(files.fingerprint(), before)

    def same_state(self, files, rows, cells, base, is_clean=False):
        self.assertEqual(dump_reservations(files.path, is_clean), rows)
        self.assertEqual(dump_cells(files.path, base.today), cells)

    def served(self, files, base, said, rows):
        """A start says the same, has the same state and sells one more stay."""
        seller = Seller(os.path.dirname(files.path), self.random)
        if said is not None and not said.startswith("START CLEAN"):
            self.assertEqual(paragraph("".join(seller.process.lines)), said)
        for ident, state in base.states.items():
            code, answer = seller.reservation(ident)
            expected = any(text_of(ident) in row for row in rows)
            self.assertEqual(code, wire.DONE if expected else wire.NOT_FOUND)
            if expected:
                number = answer.reservation.state
                self.assertEqual(number, {"HELD": 1, "CONFIRMED": 2, "RELEASED": 3}.get(state))
        sold = seller.reserve("BOOK", base.today, SALE_NIGHT, 2)
        seller.end(signal.SIGKILL)
        return sold

    def check_served(self, files, base, said, rows):
        sold = text_of(self.served(files, base, said, rows))
        found = dump_reservations(files.path)
        self.assertEqual([row for row in found if sold not in row], rows)
        self.assertEqual(len(found), len(rows) + 1)

    def starts(self, files, base, verdict, *needles):
        """With the state of `base`. Gives the directory after the start."""
        said = self.judged(files, "START", verdict, needles)
        self.same_state(files, base.rows, base.cells, base)
        started = self.copy(files)
        self.check_served(started, base, said, base.rows)
        return started

    def cut(self, files, base, verdict, end, *needles, rows=None, cells=None):
        """At `end` = (segment, offset), by the tool and by a start alike, each keeping what it
        takes away."""
        rows = base.rows if rows is None else rows
        cells = base.cells if cells is None else cells
        name = log_files.segment_name(end[0])
        place = f"cut: {name} at byte {end[1]}, "
        said = self.judged(files, "CUT", verdict, (place, *needles))
        repaired = self.copy(files)
        status, out, _ = recover("repair-tail", repaired.path)
        self.assertEqual((status, paragraph(out)), (0, said), out)
        self.check_kept(files, repaired, said, end)
        self.same_state(repaired, rows, cells, base, is_clean="also: " not in said)
        self.check_served(repaired, base, None, rows)
        started = self.copy(files)
        self.check_served(started, base, said, rows)
        self.check_kept(files, started, said, end, is_started=True)

    def check_kept(self, before, after, said, end, is_started=False):
        name = log_files.segment_name(end[0])
        whole = before.read(name)
        size, kept = re.search(r"(\d+) bytes kept in (\S+?)(;|\n)", said).group(1, 2)
        tail = whole[end[1]:end[1] + int(size)]
        self.assertEqual(whole[end[1] + int(size):].strip(b"\0"), b"")
        if tail:
            self.assertEqual(after.read(kept), tail)
        aside = re.search(r"segments (\d+) to (\d+) set aside", said)
        for number in range(*(int(aside[1]), int(aside[2]) + 1) if aside else (0,)):
            other = log_files.segment_name(number)
            suffix = kept[kept.index(".torn-"):]
            self.assertEqual(after.read(other + suffix), before.read(other))
        self.assertEqual(after.read(name, 0, end[1]), whole[:end[1]])
        if not is_started:
            self.assertEqual(after.read(name, end[1]).strip(b"\0"), b"")
