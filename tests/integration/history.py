"""A shard's directory with a history, for tests of the recovery tool."""
import os
import random
import signal
import tempfile

import shard_process
import wire

HOTEL = shard_process.HOTEL


class History:
    """A shard's life in runs that end well, and a last one that is killed: with three of them two
    snapshots, and the second run's log over a segment's end."""

    def __init__(self, program, pb, runs=(60, 2100, 60)):
        self.program, self.pb = program, pb
        self.folder = tempfile.mkdtemp(prefix="keyrack-past-")
        self.directory = os.path.join(self.folder, "d")
        self.random = random.Random(3)
        self.held, self.booked, self.today = [], [], None
        for count in runs:
            self.run(count)
        self.run(40, signal.SIGKILL)

    def run(self, count, number=signal.SIGTERM):
        shard = shard_process.Shard(self.program, self.pb, self.folder)
        connection = shard.connect()
        if self.today is None:
            self.today = shard_process.load(connection, self.pb, rooms=5000)
        try:
            for _ in range(count):
                self.work(connection)
        except BaseException:
            shard.end(signal.SIGKILL)
            raise
        connection.close()
        shard.end(number)

    def work(self, connection):
        draw = self.random.random()
        if draw < 0.5 or not self.held or not self.booked:
            kind, ident = self.random.choice(("HOLD", "BOOK")), self.mint()
            code, _ = connection.call(kind, wire.HOTEL, HOTEL, shard_process.sale(
                self.pb, self.today, ident, 1 + self.random.randrange(9),
                1 + self.random.randrange(4)))
            (self.held if kind == "HOLD" else self.booked).append(ident)
        elif draw < 0.9:
            kind = self.random.choice(("CONFIRM", "RELEASE", "CANCEL"))
            ids = self.booked if kind == "CANCEL" else self.held
            ident = ids.pop(self.random.randrange(len(ids)))
            code, _ = connection.call(
                kind, wire.SLOT, wire.slot_of(HOTEL), self.pb.TransitionRequest(
                    id_hi=ident[0], id_lo=ident[1], source=2, reason="asked \"so\""))
            if kind == "CONFIRM":
                self.booked.append(ident)
        else:
            code, _ = connection.call(
                "INVENTORY_SET", wire.HOTEL, HOTEL, self.pb.InventorySetRequest(
                    hotel_id=HOTEL, types=[1], first_day=self.today + 2, last_day=self.today + 6,
                    weekday_mask=127, set_mask=1 << 7,
                    price_minor=self.random.randrange(5000, 9999)))
        assert code == wire.DONE, (kind if draw < 0.9 else "UPDATE", code)

    def mint(self):
        return wire.mint(HOTEL, self.random.getrandbits(60))
