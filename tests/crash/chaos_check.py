"""What clients asked and heard, against the order of effects in the log. Pure; the driver is chaos.py.

A history is one Attempt for each request that was sent: when it was sent, when an answer came (or
that none did) and what it said. An Effect is a line of `keyrack-recover dump --log`. A hotel counts
its effects from 1 (event_seq), and that count is the order which has to explain every answer, or it
is a violation:

    order      something that had ended before another began stands behind it
    session    requests of one connection for one hotel took effect, or were answered, out of order
    lost       answered as done, and no such effect
    twice      one id sold by two effects, or one effect told as new to two requests
    undone     an effect that nobody asked for, or that everybody was told had not happened
    unlawful   an effect that its reservation's state does not allow, or before or behind a deadline
    oversold   more rooms than there are, at any position
    gap        numbers of effects that are missing, double, or not in the order of the log
    read       figures, states or refusals that were true at no position they may be of
    final      the end, as it is listed, is not what the effects lead to
"""

import bisect
import collections
import dataclasses
import math

ABSENT, VOID = "ABSENT", "VOID"
HELD, CONFIRMED, RELEASED = "HELD", "CONFIRMED", "RELEASED"
EXPIRED, CANCELLED = "EXPIRED", "CANCELLED"

SALES = ("HOLD", "BOOK", "IMPORT")
MOVES = {
    "HOLD": {ABSENT: HELD}, "BOOK": {ABSENT: CONFIRMED}, "IMPORT": {ABSENT: CONFIRMED},
    "CONFIRM": {HELD: CONFIRMED}, "RELEASE": {HELD: RELEASED}, "CANCEL": {CONFIRMED: CANCELLED},
    "MODIFY": {HELD: HELD, CONFIRMED: CONFIRMED}, "EXTEND": {HELD: HELD},
    "EXPIRE": {HELD: EXPIRED}, "GRACE": {HELD: HELD}, "VOID": {ABSENT: VOID},
}
# They name the revision they are for, and a number of their own.
CHANGES = ("MODIFY", "EXTEND")
# Nobody asks for these: they come by the clock.
OWN = ("EXPIRE", "GRACE", "WINDOW")
# The catalogue is made before the history begins.
CATALOGUE = ("HOTEL", "TYPE", "PLAN", "UPDATE")
UNKNOWN = (None, "OUTCOME_UNKNOWN")
TRANSIENT = ("OVERLOADED", "LIMIT_REACHED", "READ_ONLY", "UNAVAILABLE", "MOVED", "RATE_LIMITED")
# States in which a transition gets that answer. A hold that is due is EXPIRED to whoever asks.
REFUSES = {
    ("CONFIRM", "HOLD_EXPIRED"): (HELD, EXPIRED), ("CONFIRM", "BAD_STATE"): (RELEASED, CANCELLED, VOID),
    ("RELEASE", "HOLD_EXPIRED"): (HELD,),
    ("RELEASE", "BAD_STATE"): (CONFIRMED, EXPIRED, CANCELLED, VOID),
    ("CANCEL", "BAD_STATE"): (HELD, RELEASED, EXPIRED, VOID),
    ("MODIFY", "HOLD_EXPIRED"): (HELD, EXPIRED), ("MODIFY", "BAD_STATE"): (RELEASED, CANCELLED, VOID),
    ("EXTEND", "HOLD_EXPIRED"): (HELD, EXPIRED),
    ("EXTEND", "BAD_STATE"): (CONFIRMED, RELEASED, CANCELLED, VOID),
}
NEVER = math.inf


@dataclasses.dataclass
class Line:
    """Rooms of one type over the nights [check_in, check_out)."""
    type: int
    check_in: int
    check_out: int
    rooms: int

    def nights(self):
        return [(self.type, night) for night in range(self.check_in, self.check_out)]


@dataclasses.dataclass
class Attempt:
    """One request as it was sent once. `ended` and `code` are None where no answer came."""
    connection: int
    sent: int            # its number on that connection
    kind: str
    hotel: int
    id: str = ""
    line: Line = None
    change: str = ""     # of CHANGES: their number
    revision: int = None
    begun: float = 0
    ended: float = None
    heard: int = None    # the answer's number on that connection
    code: str = None
    state: str = None
    seq: int = None
    repeated: bool = False
    nights: list = None  # NIGHT_LIST: [type, night, held, booked]

    def is_new(self):
        """The answer says that this very request did it."""
        return self.code == "DONE" and self.kind in MOVES and not self.repeated


@dataclasses.dataclass
class Effect:
    """One line of the log."""
    hotel: int
    seq: int
    lsn: int
    kind: str
    id: str = ""
    line: Line = None
    t: str = ""
    deadline: str = ""
    shard: int = 0
    change: str = ""
    revision: int = 0


@dataclasses.dataclass(frozen=True)
class Violation:
    """Something that must never be."""
    kind: str
    what: str
    text: str

    def __str__(self):
        return f"{self.kind}: {self.what}: {self.text}"


class Order:
    """Points of one hotel: (position, begun, ended). An effect stands at its number, a read of
    the state behind effect n at n + 0.5."""

    def __init__(self, points):
        self.points = sorted(points)
        ends = sorted((ended, position) for position, _, ended in self.points)
        starts = sorted((begun, position) for position, begun, _ in self.points)
        self.ends = [ended for ended, _ in ends]
        self.starts = [begun for begun, _ in starts]
        self.highest, self.lowest = [], [NEVER] * len(starts)
        for _, position in ends:
            self.highest.append(max(position, self.highest[-1] if self.highest else 0))
        least = NEVER
        for at in range(len(starts) - 1, -1, -1):
            least = min(least, starts[at][1])
            self.lowest[at] = least

    def first(self, begun):
        """The least position that something which begins then may be of."""
        at = bisect.bisect_left(self.ends, begun)
        return math.floor(self.highest[at - 1]) if at else 0

    def last(self, ended, end):
        at = bisect.bisect_right(self.starts, ended)
        return min(end, math.ceil(self.lowest[at]) - 1) if at < len(self.starts) else end

    def contradictions(self):
        """Pairs (earlier, later) by position, of which the later had ended before the earlier began."""
        found, soonest, waiting = [], (NEVER, None), []
        for point in reversed(self.points):
            # Points at one position are no order of one another.
            while waiting and waiting[0][0] > point[0]:
                other = waiting.pop(0)
                soonest = min(soonest, (other[2], other[0]))
            if soonest[0] < point[1]:
                found.append((point[0], soonest[1]))
            waiting.append(point)
        return found


class Hotel:
    """The effects of one hotel, applied in their order."""

    def __init__(self, number, effects, limits):
        self.number = number
        self.effects = sorted(effects, key=lambda e: e.seq)
        self.limits = limits
        self.violations = []
        self.timelines = {}                              # id: [(seq, state, kind)]
        self.cells = collections.defaultdict(list)       # (type, night): [(seq, held, booked)]
        self.lines, self.deadlines = {}, {}
        self.sold = {}                                   # id: its first line
        self.revisions = collections.defaultdict(list)   # id: [(seq, revision, line)]
        self.end = self.effects[-1].seq if self.effects else 0
        self.check_numbers()
        for effect in self.effects:
            self.apply(effect)

    def complain(self, kind, what, text):
        self.violations.append(Violation(kind, f"hotel {self.number} {what}", text))

    def check_numbers(self):
        for at, effect in enumerate(self.effects, 1):
            if effect.seq != at:
                self.complain("gap", f"effect {at}", f"the log has {effect.seq} {effect.kind}")
                break
        lsns = [effect.lsn for effect in self.effects]
        if any(a >= b for a, b in zip(lsns, lsns[1:])):
            self.complain("gap", "effects", "are not in the order of the log")

    def state(self, ident):
        return self.timelines[ident][-1][1] if ident in self.timelines else ABSENT

    def apply(self, effect):
        if effect.kind in CATALOGUE or effect.kind == "WINDOW":
            return
        before = self.state(effect.id)
        after = MOVES.get(effect.kind, {}).get(before)
        if after is None:
            twice = effect.kind in SALES and before != ABSENT
            self.complain("twice" if twice else "unlawful", effect.id,
                          f"effect {effect.seq} {effect.kind}, but it is {before}")
            return
        self.check_deadline(effect)
        old = self.lines.get(effect.id)
        if effect.kind in SALES or effect.kind == "MODIFY":
            self.lines[effect.id] = effect.line
            self.sold.setdefault(effect.id, effect.line)
        self.timelines.setdefault(effect.id, []).append((effect.seq, after, effect.kind))
        new = self.lines.get(effect.id)
        self.revisions[effect.id].append((effect.seq, effect.revision, new))
        self.count(effect.seq, (before, old), (after, new))

    def check_deadline(self, effect):
        """Instants are text of one form, so that they compare as text."""
        deadline = self.deadlines.get(effect.id, "")
        is_hold = self.state(effect.id) == HELD
        if effect.kind in ("CONFIRM", "RELEASE", *CHANGES) and is_hold and effect.t >= deadline \
                or effect.kind == "EXPIRE" and effect.t < deadline:
            self.complain("unlawful", effect.id,
                          f"{effect.kind} at {effect.t}, deadline {deadline}")
        if effect.kind in ("HOLD", "GRACE", "EXTEND"):
            self.deadlines[effect.id] = effect.deadline

    def count(self, seq, before, after):
        """(state, line) before and after: one sum for each night, however both touch it."""
        sums = collections.defaultdict(lambda: [0, 0])
        for (state, line), sign in ((before, -1), (after, 1)):
            if state in (HELD, CONFIRMED):
                for cell in line.nights():
                    sums[cell][state == CONFIRMED] += sign * line.rooms
        for cell, (held, booked) in sums.items():
            now = self.counts(cell, seq)
            held, booked = now[0] + held, now[1] + booked
            self.cells[cell].append((seq, held, booked))
            if held + booked > self.limits[cell[0]]:
                self.complain("oversold", f"type {cell[0]} night {cell[1]}",
                              f"held {held} + booked {booked} by effect {seq}")

    def counts(self, cell, position):
        """(held, booked) behind the effect of that number."""
        changes = self.cells.get(cell, ())
        at = bisect.bisect_right(changes, (position, NEVER, NEVER))
        return changes[at - 1][1:] if at else (0, 0)

    def was_full(self, line, first, last, ident=None):
        """Was there no room for it at any position of [first, last]? The rooms of that id count
        as given back."""
        for cell in line.nights():
            positions = {first} | {seq for seq, _, _ in self.cells.get(cell, ())
                                   if first < seq <= last}
            if any(sum(self.counts(cell, position)) + line.rooms - self.credit(ident, cell, position)
                   > self.limits[cell[0]] for position in positions):
                return True
        return False

    def credit(self, ident, cell, position):
        steps = [step for step in self.revisions.get(ident, ()) if step[0] <= position]
        live = any(start <= position <= end for start, end in self.spans(ident, (HELD, CONFIRMED)))
        return steps[-1][2].rooms if live and cell in steps[-1][2].nights() else 0

    def had_another_revision(self, ident, revision, first, last):
        steps = [(0, 0, None)] + self.revisions.get(ident, [])
        ends = [step[0] - 1 for step in steps[1:]] + [self.end]
        return any(step[1] != revision and step[0] <= last and end >= first
                   for step, end in zip(steps, ends))

    def spans(self, ident, states):
        """[(first, last)]: positions at which the id was in one of the states."""
        steps = [(0, ABSENT, "")] + self.timelines.get(ident, [])
        ends = [seq - 1 for seq, _, _ in steps[1:]] + [self.end]
        return [(step[0], last) for step, last in zip(steps, ends) if step[1] in states]


class History:
    """Everything that was asked and heard of one cluster, and its log."""

    def __init__(self, attempts, effects, limits):
        self.attempts = attempts
        self.violations = []
        self.tally = collections.Counter()
        self.starts = collections.defaultdict(list)  # shard: positions in its log
        for effect in effects:
            if effect.kind == "START":
                self.starts[effect.shard].append(effect.lsn)
        self.voids = {effect.id for effect in effects if effect.kind == "VOID"}
        by_hotel = collections.defaultdict(list)
        for effect in effects:
            if effect.hotel:
                by_hotel[effect.hotel].append(effect)
        self.hotels = {number: Hotel(number, by_hotel[number], limits)
                       for number in sorted({a.hotel for a in attempts} | set(by_hotel))}
        self.find_idle_extensions(effects)
        self.asked = collections.defaultdict(list)  # (kind, id, change): attempts
        for attempt in attempts:
            self.asked[attempt.kind, attempt.id, attempt.change].append(attempt)
        self.orders = {}

    def find_idle_extensions(self, effects):
        """A hold that lives so long already is told as it is, by the effect that made it so: that
        says as much as a repetition."""
        made = {(e.hotel, e.seq): e for e in effects if HELD in MOVES.get(e.kind, {}).values()}
        for a in self.attempts:
            effect = made.get((a.hotel, a.seq))
            if a.kind == "EXTEND" and a.is_new() and effect is not None and \
                    effect.id == a.id and effect.change != a.change:
                a.repeated = True

    def complain(self, kind, what, text):
        self.violations.append(Violation(kind, what, text))

    def check(self):
        for number, hotel in self.hotels.items():
            self.violations += hotel.violations
            self.orders[number] = Order(self.points(hotel))
            for earlier, later in self.orders[number].contradictions():
                self.complain("order", f"hotel {number}",
                              f"{later} had ended before {earlier} began")
        self.check_sessions()
        for attempt in self.attempts:
            self.tally["attempts"] += 1
            if attempt.code in UNKNOWN:
                self.tally["without an outcome"] += 1
            elif attempt.code in TRANSIENT:
                self.tally[f"told {attempt.code}"] += 1
            else:
                self.check_answer(attempt)
        return self.violations

    # ---- points: when an effect may have happened

    def points(self, hotel):
        points = []
        for effect in hotel.effects:
            if effect.kind not in CATALOGUE and effect.kind not in OWN:
                points.append((effect.seq, *self.interval(hotel, effect)))
        points += [(a.seq + 0.5, a.begun, a.ended) for a in self.attempts
                   if a.hotel == hotel.number and a.kind == "NIGHT_LIST" and a.code == "DONE"]
        return points

    def interval(self, hotel, effect):
        if effect.kind == "VOID":
            return self.interval_of_void(effect)
        asked = self.asked.get((effect.kind, effect.id, effect.change), ())
        new = [a for a in asked if a.is_new()]
        if len(new) > 1:
            self.complain("twice", effect.id, f"{effect.kind}: told as new {len(new)} times")
        if new:
            return new[0].begun, new[0].ended
        able = [a for a in asked if a.code in UNKNOWN]
        if not able:
            self.complain("undone", effect.id, f"{effect.kind} is effect {effect.seq} of hotel "
                          f"{hotel.number}, and was {sorted({str(a.code) for a in asked})}")
            return -NEVER, NEVER
        self.tally["outcomes found in the log"] += 1
        # Who is told that it had been done before has seen it.
        return min(a.begun for a in able), min((a.ended for a in asked if a.code == "DONE"),
                                               default=NEVER)

    def interval_of_void(self, effect):
        asked = [a for a in self.asked.get(("RESOLVE", effect.id, ""), ())
                 if a.code in UNKNOWN or a.code == "NOT_FOUND"]
        if not asked:
            self.complain("undone", effect.id, "void, and nobody asked to resolve it")
        return min((a.begun for a in asked), default=-NEVER), min(
            (a.ended for a in asked if a.code == "NOT_FOUND"), default=NEVER)

    # ---- one connection, one hotel

    def check_sessions(self):
        sessions = collections.defaultdict(list)
        for attempt in self.attempts:
            if attempt.code not in UNKNOWN and attempt.code not in TRANSIENT:
                sessions[attempt.connection, attempt.hotel].append(attempt)
        for (connection, hotel), attempts in sessions.items():
            attempts.sort(key=lambda a: a.sent)
            position, heard = (0, None), -1
            for a in attempts:
                what = f"connection {connection} hotel {hotel} request {a.sent} {a.kind}"
                if a.heard < heard:
                    self.complain("session", what, "answered before one that was sent earlier")
                heard = a.heard
                mine = a.seq if a.is_new() else a.seq + 0.5 if a.kind == "NIGHT_LIST" else None
                if mine is None:
                    continue
                if mine < position[0]:
                    self.complain("session", what, f"is {mine}, request {position[1]} before it "
                                  f"is {position[0]}")
                position = (mine, a.sent)

    # ---- answers

    def window(self, attempt, since=None):
        order = self.orders[attempt.hotel]
        return (order.first(attempt.begun if since is None else since),
                order.last(attempt.ended, self.hotels[attempt.hotel].end))

    def check_answer(self, a):
        if a.kind == "NIGHT_LIST":
            self.check_nights(a)
        elif a.code == "DONE":
            self.check_done(a)
        elif a.kind in SALES:
            self.check_refused_sale(a)
        else:
            self.check_refused_move(a)

    def told(self, a):
        return f"{a.kind} {a.id}", f"answered {a.code} {a.state or ''} {a.seq or ''}"

    def check_nights(self, a):
        self.tally["reads of nights"] += 1
        if a.code != "DONE":
            self.complain("read", *self.told(a))
            return
        hotel = self.hotels[a.hotel]
        if a.seq > hotel.end:
            self.complain("lost", f"hotel {a.hotel}", f"effect {a.seq} was shown, the log has "
                          f"{hotel.end}")
        told = {(row[0], row[1]): tuple(row[2:]) for row in a.nights}
        for cell in set(told) | set(hotel.cells):
            now = hotel.counts(cell, a.seq)
            if told.get(cell, (0, 0)) != now:
                self.complain("read", f"hotel {a.hotel} type, night {cell}", "held, booked "
                              f"{told.get(cell)} at {a.seq}, it was {now}")

    def check_done(self, a):
        self.tally["told as repeated" if a.repeated else "done"] += a.kind in MOVES
        hotel = self.hotels[a.hotel]
        timeline = hotel.timelines.get(a.id, [])
        at = next((i for i, step in enumerate(timeline) if step[0] == a.seq), None)
        if at is None or timeline[at][1] != a.state or a.is_new() and timeline[at][2] != a.kind:
            self.complain("lost", *self.told(a))
            return
        if a.kind in SALES and a.line != hotel.sold[a.id]:
            self.complain("read", a.id, f"asked {a.line}, sold {hotel.sold[a.id]}")
        if a.kind == "MODIFY" and a.is_new() and a.line != dict(
                (step[0], step[2]) for step in hotel.revisions[a.id])[a.seq]:
            self.complain("read", a.id, f"asked {a.line}, changed to another by {a.seq}")
        first, last = self.window(a)
        until = timeline[at + 1][0] - 1 if at + 1 < len(timeline) else hotel.end
        if until < first or a.seq > last:
            self.complain("read", *self.told(a)[:1], f"{a.state} at {a.seq} to {until}, asked "
                          f"between {first} and {last}")

    def check_refused_sale(self, a):
        self.tally["refused"] += 1
        hotel = self.hotels[a.hotel]
        if a.code == "SOLD_OUT":
            # What was refused is remembered: it may have been judged for an earlier request.
            since = min(b.begun for b in self.asked[a.kind, a.id, a.change])
            if not hotel.was_full(a.line, *self.window(a, since)):
                self.complain("read", *self.told(a))
            self.check_judged_again(a, hotel)
        elif a.code != "BAD_STATE" or a.id not in self.voids:
            self.complain("read", *self.told(a))

    def check_judged_again(self, a, hotel):
        """Refusals are remembered until the shard starts again; then the id is judged anew. Those
        of IMPORT are not remembered."""
        sold = next((e for e in hotel.effects if e.id == a.id and e.kind == a.kind), None)
        if sold is None or a.kind == "IMPORT":
            return
        self.tally["refused, and sold when asked again after a restart"] += 1
        first, _ = self.window(a)
        after = hotel.effects[first - 1].lsn if first else 0
        if not any(after < lsn < sold.lsn for lsn in self.starts[sold.shard]):
            self.complain("twice", a.id, f"refused, and sold all the same by effect {sold.seq}")

    def check_refused_move(self, a):
        self.tally["refused"] += 1
        hotel = self.hotels[a.hotel]
        if a.kind == "RESOLVE":
            if a.code != "NOT_FOUND" or a.id not in self.voids:
                self.complain("lost", *self.told(a))
            return
        if a.code == "VERSION_MISMATCH" and a.kind in CHANGES:
            explained = hotel.had_another_revision(a.id, a.revision, *self.window(a))
        elif a.code == "SOLD_OUT" and a.kind == "MODIFY":
            explained = hotel.was_full(a.line, *self.window(a), a.id)
        else:
            explained = self.was_in_a_state_for(a, hotel)
        if not explained:
            self.complain("read", *self.told(a))

    def was_in_a_state_for(self, a, hotel):
        states = (ABSENT, VOID) if a.code == "NOT_FOUND" else REFUSES.get((a.kind, a.code), ())
        first, last = self.window(a)
        return any(start <= last and end >= first for start, end in hotel.spans(a.id, states))

    # ---- the end

    def check_final(self, listed):
        """listed: {hotel: (event_seq, {id: state}, [[type, night, held, booked]])}, which was true
        at one instant behind everything. The figures are held against the list, not the log."""
        for number, (seq, states, nights) in listed.items():
            hotel = self.hotels[number]
            sums = collections.defaultdict(lambda: [0, 0])
            for ident in set(hotel.timelines) | set(states):
                was = [state for at, state, _ in hotel.timelines.get(ident, ()) if at <= seq]
                was = was[-1] if was else ABSENT
                state = states.get(ident, ABSENT)
                if state != was and (state, was) != (ABSENT, VOID):
                    self.complain("final", ident, f"{state}, by its effects {was}")
                elif state in (HELD, CONFIRMED):
                    for cell in hotel.lines[ident].nights():
                        sums[cell][state == CONFIRMED] += hotel.lines[ident].rooms
            told = {(row[0], row[1]): row[2:] for row in nights}
            for cell in set(sums) | set(told):
                if list(told.get(cell, (0, 0))) != list(sums.get(cell, (0, 0))):
                    self.complain("final", f"hotel {number} type, night {cell}", "held, booked "
                                  f"{told.get(cell)}, the reservations say {sums.get(cell)}")
        return self.violations
