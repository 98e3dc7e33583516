#!/usr/bin/python3
"""Clients that sell, ask and repeat through trouble, and write down every request they sent.

    chaos_load.py PROTOCOL_MD OPTIONS_JSON

One process, one thread, several connections with several requests under way on each. Lines on
standard input: `stop` ends new work; `settle ADDRESS` goes on over that address alone until every
id has an outcome (by RESOLVE where none is known), then reads everything there is. The history is
one JSON line an attempt: the fields of chaos_check.Attempt. Instants are this process's own
monotonic clock, before the first byte is sent and after the last one of the answer has come.
"""
import heapq
import json
import os
import random
import selectors
import socket
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))
import pykeyrack  # noqa: E402

STATES = ("ABSENT", "HELD", "CONFIRMED", "RELEASED", "EXPIRED", "CANCELLED", "CHECKED_IN",
          "NO_SHOW", "COMPLETED", "VOID")
SALES = ("HOLD", "BOOK", "IMPORT")
MIX = {"HOLD": 30, "BOOK": 20, "IMPORT": 3, "CONFIRM": 14, "RELEASE": 5, "CANCEL": 22,
       "MODIFY": 8, "EXTEND": 3, "NIGHT_LIST": 8, "RESERVATION_GET": 8, "RESOLVE": 2, "again": 5}
# What a request is tried again after.
REPEAT = ("OVERLOADED", "LIMIT_REACHED", "READ_ONLY", "UNAVAILABLE", "OUTCOME_UNKNOWN")
TRIES_MAX = 12
GIVE_UP = 0.15            # of unknown outcomes: left to be resolved at the end
WAIT_S = (0.2, 3.0)       # how long a request may take
PATIENCE_S = 1.0          # a connection that says nothing for so long after that is given up
PAUSE_S = (0.002, 0.4)
DIAL_PAUSE_S = (0.01, 0.3)
SHORT_HOLD_US = (300000, 4000000)
LONGER_US = 20 * 60 * 1000000
SETTLE_S = 240


class Task:
    """Something that is to be done, with as many requests as it takes."""

    def __init__(self, kind, hotel, ident=None, line=None, ttl_us=0):
        self.kind, self.hotel, self.id, self.line, self.ttl_us = kind, hotel, ident, line, ttl_us
        self.made_us = int(time.time() * 1e6)
        self.change, self.revision = 0, 0
        self.tries = 0


class Flight:
    """A request on its way."""

    def __init__(self, task, sent, begun, until):
        self.task, self.sent, self.begun, self.until = task, sent, begun, until
        self.is_late = False


class Connection:
    """One connection to one of the routers; a new number each time it is made."""

    def __init__(self, load, slot):
        self.load, self.slot = load, slot
        self.socket = None
        self.dial_at = 0.0
        self.number, self.sent, self.heard = -1, 0, 0
        self.flights, self.out, self.received = {}, b"", b""
        self.is_greeted = False

    def dial(self, now):
        self.dial_at = now + self.load.random.uniform(*DIAL_PAUSE_S)
        host, port = self.load.random.choice(self.load.addresses).rsplit(":", 1)
        self.socket = socket.socket()
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(1)
        self.number = self.load.connections_made
        self.load.connections_made += 1
        self.sent, self.heard, self.out, self.received = 0, 0, b"", b""
        self.is_greeted = False
        try:
            self.socket.connect((host, int(port)))
        except OSError:
            self.close()
            return
        self.socket.setblocking(False)
        self.load.selector.register(self.socket, selectors.EVENT_READ, self)
        hello = self.load.document.messages["HelloRequest"](version=1, agent="chaos/1")
        self.put("HELLO", pykeyrack.ROUTER, 0, hello, 5.0)
        self.flights[self.sent] = Flight(None, self.sent, now, now + 5.0)
        self.flush()

    def put(self, name, route, key, message, wait_s):
        self.sent += 1
        self.out += pykeyrack.seal(self.load.document.types[name].number, route, key, self.sent,
                                   message.SerializeToString(), self.load.cluster,
                                   max(int(wait_s * 1e6), 1))

    def send(self, task, now):
        wait_s = self.load.random.uniform(*WAIT_S)
        message = self.load.message(task)
        _, key = None, task.hotel
        self.put(task.kind, pykeyrack.HOTEL, key, message, wait_s)
        task.tries += 1
        self.flights[self.sent] = Flight(task, self.sent, time.monotonic(), now + wait_s)
        self.flush()

    def flush(self):
        try:
            while self.out:
                self.out = self.out[self.socket.send(self.out):]
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        if self.socket is not None:
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.out else 0)
            self.load.selector.modify(self.socket, wanted, self)

    def close(self):
        """What was under way has no outcome."""
        if self.socket is None:
            return
        try:
            self.load.selector.unregister(self.socket)
        except (KeyError, ValueError):
            pass
        self.socket.close()
        self.socket = None
        flights, self.flights = self.flights, {}
        for flight in flights.values():
            self.load.lost(self, flight)

    def read(self):
        try:
            data = self.socket.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self.received += data
        while self.socket is not None and len(self.received) >= 64:
            size = 64 + int.from_bytes(self.received[8:12], "little")
            if len(self.received) < size:
                return
            frame = pykeyrack.Frame(self.received[:64], lambda _, s=size: self.received[64:s])
            self.received = self.received[size:]
            self.hear(frame)

    def hear(self, frame):
        if frame.status >= 128:
            raise RuntimeError(f"rejected: {frame.status}")
        flight = self.flights.pop(frame.request_id)
        if flight.task is None:
            self.load.cluster = frame.cluster
            self.is_greeted = True
            return
        self.heard += 1
        self.load.answered(self, flight, frame)

    def tick(self, now):
        """Late requests are asked again elsewhere; a connection that stays silent is given up."""
        if self.socket is None:
            if now >= self.dial_at:
                self.dial(now)
            return
        oldest = min((f.until for f in self.flights.values()), default=now)
        if oldest < now - PATIENCE_S:
            self.close()
            return
        for flight in self.flights.values():
            if flight.until < now and not flight.is_late and flight.task is not None:
                flight.is_late = True
                self.load.again(flight.task, now)

    def is_free(self):
        return self.is_greeted and self.socket is not None and not self.out and \
            len(self.flights) < self.load.options["depth"]


class Load:
    def __init__(self, document, options):
        self.document, self.options = document, options
        self.random = random.Random(options["seed"])
        self.addresses = options["addresses"]
        self.hotels, self.today = options["hotels"], options["today"]
        self.cluster = 0
        self.selector = selectors.DefaultSelector()
        self.connections_made = 0
        self.history = open(options["history"], "w", encoding="utf-8")
        self.waiting = []                      # heap of (when, number, task)
        self.number = 0
        self.sales, self.open = {}, set()      # id: Task of the sale; ids without an outcome
        self.revisions = {}                    # id: the newest that was told
        self.held = {h: [] for h in self.hotels}
        self.booked = {h: [] for h in self.hotels}
        self.recent = {h: [] for h in self.hotels}
        self.begun_us = int(time.time() * 1e6)
        self.is_stopped = self.is_settling = False
        self.input = b""
        self.connections = [Connection(self, i) for i in range(options["connections"])]
        self.not_before = 0.0

    # ---- what to ask

    def message(self, task):
        m = self.document.messages
        if task.kind == "NIGHT_LIST":
            return m["NightListRequest"](hotel_id=task.hotel, first_day=self.today + 2,
                                         last_day=self.today + 1 + self.options["nights"])
        high, low = task.id
        if task.kind == "IMPORT":
            return m["ImportRequest"](reservation=m["Reservation"](
                id_hi=high, id_lo=low, hotel_id=task.hotel, state=2, revision=1,
                created_at_us=task.made_us, changed_at_us=task.made_us,
                lines=[self.line(task)], source=1))
        if task.kind in SALES:
            return m["ReserveRequest"](hotel_id=task.hotel, id_hi=high, id_lo=low, source=1,
                                       ttl_us=task.ttl_us, lines=[self.line(task)])
        if task.change:
            until_us = task.made_us + task.ttl_us if task.kind == "EXTEND" else 0
            return m["TransitionRequest"](
                id_hi=high, id_lo=low, has_hotel=True, hotel_id=task.hotel, source=1,
                has_expected_revision=True, expected_revision=task.revision,
                change_id=task.change, expires_at_us=until_us,
                lines=[self.line(task)] if task.kind == "MODIFY" else [])
        name = "ReservationGetRequest" if task.kind == "RESERVATION_GET" else "TransitionRequest"
        return m[name](id_hi=high, id_lo=low, has_hotel=True, hotel_id=task.hotel)

    def line(self, task):
        room_type, check_in, check_out, rooms = task.line
        return self.document.messages["Line"](type=room_type, check_in=check_in,
                                              check_out=check_out, rooms=rooms, guests=1, pricing=2)

    def pick(self, pool, take):
        """One of the pool, at times one that another request is about already."""
        if not pool:
            return None
        at = self.random.randrange(len(pool))
        if take and self.random.random() < 0.9:
            pool[at], pool[-1] = pool[-1], pool[at]
            return pool.pop()
        return pool[at]

    def draw(self):
        """The next task. Hotels are not equal: the first is asked most."""
        draw = self.random.random
        hotel = self.hotels[int(len(self.hotels) * draw() * draw())]
        kind = self.random.choices(list(MIX), MIX.values())[0]
        if kind in ("MODIFY", "EXTEND"):
            pool = self.random.choice((self.held, self.booked)) if kind == "MODIFY" else self.held
            ident = self.pick(pool[hotel], False)
            if ident is not None:
                return self.change(kind, hotel, ident)
            kind = "HOLD"
        if kind in ("CONFIRM", "RELEASE", "CANCEL", "RESERVATION_GET", "RESOLVE", "again"):
            pool = {"CONFIRM": self.held, "RELEASE": self.held, "CANCEL": self.booked}.get(
                kind, self.recent)[hotel]
            ident = self.pick(pool, kind in ("CONFIRM", "RELEASE", "CANCEL"))
            if ident is not None:
                return self.sales[ident] if kind == "again" else Task(kind, hotel, ident)
            kind = "BOOK"
        if kind == "NIGHT_LIST":
            return Task(kind, hotel)
        return self.sale(kind, hotel)

    def stay(self):
        check_in = self.today + 2 + self.random.randrange(self.options["nights"] - 3)
        return (self.random.randrange(self.options["types"]), check_in,
                check_in + self.random.randint(1, 3), self.random.choice((1, 1, 1, 2)))

    def change(self, kind, hotel, ident):
        """A hold is only ever told to live longer: otherwise nothing happens to it."""
        task = Task(kind, hotel, ident, self.stay() if kind == "MODIFY" else None)
        task.ttl_us = LONGER_US + 3 * (task.made_us - self.begun_us)
        task.change = self.random.getrandbits(63) + 1
        task.revision = self.revisions.get(ident, 1)
        return task

    def sale(self, kind, hotel):
        ident = pykeyrack.mint(hotel, random=self.random.getrandbits(60))
        line = self.stay()
        ttl_us = 0
        if kind == "HOLD" and self.random.random() < 0.4:
            ttl_us = self.random.randint(*SHORT_HOLD_US)
        task = Task(kind, hotel, ident, line, ttl_us)
        self.sales[ident] = task
        self.open.add(ident)
        self.recent[hotel].append(ident)
        del self.recent[hotel][:-40]
        return task

    # ---- what came of it

    def write(self, connection, flight, **more):
        task = flight.task
        row = {"connection": connection.number, "sent": flight.sent, "kind": task.kind,
               "hotel": task.hotel, "begun": flight.begun}
        if task.id is not None:
            row["id"] = "%016x%016x" % task.id
        if task.line is not None:
            row["line"] = task.line
        if task.change:
            row.update(change=f"{task.change:016x}", revision=task.revision)
        self.history.write(json.dumps({**row, **more}) + "\n")

    def lost(self, connection, flight):
        if flight.task is None:
            return
        self.write(connection, flight)
        if not flight.is_late:
            self.again(flight.task, time.monotonic())

    def again(self, task, now):
        """Perhaps later, with the same id."""
        if self.is_settling or task.tries >= TRIES_MAX or self.random.random() < GIVE_UP or \
                task.id is None:
            return
        self.number += 1
        heapq.heappush(self.waiting, (now + self.random.uniform(*PAUSE_S), self.number, task))

    def answered(self, connection, flight, frame):
        now, task = time.monotonic(), flight.task
        answer = self.document.types[task.kind].answer
        code = self.document.codes[frame.status]
        more = {"ended": now, "heard": connection.heard, "code": code}
        if frame.body or code == "DONE":
            message = self.document.messages[answer].FromString(frame.body)
            more.update(self.told(task, message))
            if task.kind in (*SALES, "CONFIRM", "MODIFY", "EXTEND"):
                self.revisions[task.id] = message.revision
        self.write(connection, flight, **more)
        if code in REPEAT:
            self.again(task, now)
            return
        if task.id is None:
            return
        if task.kind in SALES or task.kind == "RESOLVE":
            self.open.discard(task.id)
        state = more.get("state")
        if state == "HELD" and task.kind in SALES:
            self.held[task.hotel].append(task.id)
        elif state == "CONFIRMED" and task.kind in (*SALES, "CONFIRM"):
            self.booked[task.hotel].append(task.id)

    @staticmethod
    def told(task, message):
        if task.kind == "NIGHT_LIST":
            return {"seq": message.event_seq, "more": bool(message.next_cursor),
                    "nights": [[n.type, n.day, n.held, n.booked] for n in message.nights
                               if n.held or n.booked]}
        if task.kind == "RESERVATION_GET":
            message = message.reservation
        more = {"state": STATES[message.state], "seq": message.event_seq}
        if task.kind != "RESERVATION_GET":
            more["repeated"] = message.repeated_op
        return more

    # ---- the loop

    def commands(self):
        data = os.read(0, 4096)
        if not data:
            raise SystemExit(3)
        *lines, self.input = (self.input + data).split(b"\n")
        for line in lines:
            words = line.decode().split()
            if words[0] == "stop":
                self.is_stopped = True
            elif words[0] == "settle":
                self.is_stopped = self.is_settling = True
                self.addresses = [words[1]]

    def turn(self):
        for key, events in self.selector.select(0.002):
            if key.data is None:
                self.commands()
                continue
            if events & selectors.EVENT_WRITE and key.data.socket is not None:
                key.data.flush()
            if events & selectors.EVENT_READ and key.data.socket is not None:
                key.data.read()
        now = time.monotonic()
        for connection in self.connections:
            connection.tick(now)
        free = [c for c in self.connections if c.is_free()]
        self.random.shuffle(free)
        while self.waiting and self.waiting[0][0] <= now and free:
            connection = free.pop()
            connection.send(heapq.heappop(self.waiting)[2], now)
        if self.is_stopped:
            return
        pause = 1.0 / self.options["rate"]
        self.not_before = max(self.not_before, now - 20 * pause)
        while free and self.not_before <= now:
            # Several in a row on one connection: what they do has an order.
            connection = free.pop()
            for _ in range(self.random.choice((1, 1, 2, 6))):
                if connection.is_free():
                    connection.send(self.draw(), now)
                    self.not_before += pause

    def run(self):
        self.selector.register(0, selectors.EVENT_READ, None)
        print("ready", flush=True)
        while not self.is_settling:
            self.turn()
        for connection in self.connections:
            connection.close()
        self.waiting.clear()
        unknown = len(self.open)
        self.settle()
        self.history.close()
        print(json.dumps({"resolved": unknown, "sales": len(self.sales),
                          "connections": self.connections_made}), flush=True)

    # ---- the end, over one good connection

    def settle(self):
        client = pykeyrack.Client(self.document, self.addresses, deadline=SETTLE_S)
        numbers = iter(range(1, 1 << 62))
        number = self.connections_made
        for ident in sorted(self.open):
            self.ask(client, number, next(numbers), Task("RESOLVE", self.sales[ident].hotel, ident))
        # A sale that was resolved and comes again is told so.
        for ident in sorted(self.open)[:50]:
            self.ask(client, number, next(numbers), self.sales[ident])
        listed = {}
        while len(listed) < len(self.hotels):
            hotel = self.hotels[len(listed)]
            before = self.ask(client, number, next(numbers), Task("NIGHT_LIST", hotel))
            states = self.list(client, hotel)
            told = self.ask(client, number, next(numbers), Task("NIGHT_LIST", hotel))
            if told["seq"] == before["seq"]:  # no hold has expired in between
                listed[hotel] = (told["seq"], states, told["nights"])
        client.close()
        self.history.write(json.dumps({"listed": listed}) + "\n")

    @staticmethod
    def list(client, hotel):
        states, cursor = {}, 0
        while True:
            answer = client.call("RESERVATION_LIST", hotel_id=hotel, cursor=cursor)
            assert answer.code == 1, answer
            for r in answer.message.reservations:
                ident = "%016x%016x" % (r.id_hi, r.id_lo)
                assert ident not in states, "listed twice"
                states[ident] = STATES[r.state]
            cursor = answer.message.next_cursor
            if not cursor:
                return states

    def ask(self, client, connection, number, task):
        """Until it is answered: repeats are attempts like any other."""
        until = time.monotonic() + SETTLE_S
        while True:
            begun = time.monotonic()
            flight = Flight(task, number, begun, until)
            row = type("Row", (), {"number": connection})
            try:
                request = self.message(task)
                fields = {f.name: v for f, v in request.ListFields()}
                answer = client.call(task.kind, retry=False, **fields)
            except (pykeyrack.Unknown, ConnectionError):
                self.write(row, flight)
            else:
                code = self.document.codes[answer.code]
                told = self.told(task, answer.message)
                self.write(row, flight, ended=time.monotonic(), heard=number, code=code, **told)
                if code not in REPEAT:
                    return told
            if time.monotonic() > until:
                raise SystemExit("an id stays without an outcome")
            time.sleep(0.02)


if __name__ == "__main__":
    Load(pykeyrack.Document(sys.argv[1]), json.loads(sys.argv[2])).run()
