"""A keyrack-shard process for tests, and a hotel to sell."""
import os
import signal
import subprocess
import threading
import time

import wire

CLUSTER = 7
HOTEL = 4711
SIZES = ["--hotels", "50", "--reservations", "20000", "--refusals", "1024", "--segment-size", "8"]


class Shard:
    """A running process; its lines on standard error are kept."""

    def __init__(self, program, pb, folder, *more, wait=True, env=None):
        self.pb = pb
        self.socket = os.path.join(folder, "s")
        self.lines = []
        self.process = subprocess.Popen(
            [program, "--dir", os.path.join(folder, "d"), "--cluster", str(CLUSTER), "--listen",
             "unix:" + self.socket, *SIZES, *more], stderr=subprocess.PIPE, text=True, env=env)
        self.is_ready = threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        if wait and not (self.is_ready.wait(60) and "ready\n" in self.lines):
            self.end(signal.SIGKILL)
            raise RuntimeError("not ready: " + "".join(self.lines))

    def read(self):
        for line in self.process.stderr:
            self.lines.append(line)
            if line == "ready\n":
                self.is_ready.set()
        self.is_ready.set()

    def connect(self):
        return wire.Connection(self.socket, CLUSTER, self.pb)

    def end(self, number):
        """Sends the signal (0: none), waits, gives the status."""
        if number and self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(60)
        self.reader.join(10)
        self.process.stderr.close()
        if status == -signal.SIGABRT:
            print("".join(self.lines))
        return status


def load(connection, pb, rooms=5, nights=60):
    """One hotel with one type, priced from tomorrow on. Returns today."""
    today = int(time.time() // 86400)
    code, _ = connection.call("HOTEL_PUT", wire.HOTEL, HOTEL, pb.HotelPutRequest(
        hotel_id=HOTEL, mask=6, settings=pb.HotelSettings(zone="Europe/Paris", currency="EUR")))
    assert code == wire.DONE, code
    code, _ = connection.call("TYPE_PUT", wire.HOTEL, HOTEL, pb.TypePutRequest(
        hotel_id=HOTEL, type=1, mask=5, settings=pb.TypeSettings(code="DBL", physical=rooms)))
    assert code == wire.DONE, code
    code, _ = connection.call("INVENTORY_SET", wire.HOTEL, HOTEL, pb.InventorySetRequest(
        hotel_id=HOTEL, types=[1], first_day=today + 1, last_day=today + nights, weekday_mask=127,
        set_mask=1 << 7, price_minor=9900))
    assert code == wire.DONE, code
    return today


def sale(pb, today, ident, offset=10, nights=3):
    return pb.ReserveRequest(hotel_id=HOTEL, id_hi=ident[0], id_lo=ident[1], source=1, lines=[pb.Line(
        type=1, check_in=today + offset, check_out=today + offset + nights, rooms=1, guests=2)])
