"""What a client was told, against what is on disk. Pure functions; the driver is crash.py.

The journal says, in the order of the answers, what was acknowledged. From it follows, for each
reservation id, the set of states it may be in: one state after an acknowledged operation, two
while the outcome of one is unknown. Everything else on disk is a violation:

    lost          acknowledged, and not there, or not in that state
    undone        refused, and there all the same
    altered       there, with another stay than the one that was acknowledged
    stranger      there, and in no journal at all
    twice         the same id more than once
    recount       a cell whose held or booked is not the sum of the reservations
    oversold      a cell with held + booked over its limit
    contradiction an answer that no order of events explains
    refused       a directory that `verify` does not accept (found by the driver)
"""

import collections
import dataclasses
import json

ABSENT = "ABSENT"
HELD = "HELD"
CONFIRMED = "CONFIRMED"
RELEASED = "RELEASED"
EXPIRED = "EXPIRED"
CANCELLED = "CANCELLED"

SALES = ("BOOK", "HOLD")
DONE = "DONE"
UNKNOWN_CODES = ("UNKNOWN", "OUTCOME_UNKNOWN")

# state before -> state after, where the answer is DONE. Repeating an operation is DONE as well; a
# repeated sale answers with its first outcome whatever has become of it since.
DONE_MOVES = {
    "BOOK": {ABSENT: CONFIRMED, CONFIRMED: CONFIRMED, CANCELLED: CANCELLED},
    "HOLD": {ABSENT: HELD, HELD: HELD, CONFIRMED: CONFIRMED, RELEASED: RELEASED,
             EXPIRED: EXPIRED, CANCELLED: CANCELLED},
    "CONFIRM": {HELD: CONFIRMED, CONFIRMED: CONFIRMED},
    "RELEASE": {HELD: RELEASED, RELEASED: RELEASED},
    # `cancel --any` gives a hold back as well.
    "CANCEL": {CONFIRMED: CANCELLED, CANCELLED: CANCELLED, HELD: RELEASED, RELEASED: RELEASED},
}

# A hold whose expiry was answered may still stand in the log as HELD, due; it is never confirmed.
SHOWN_AS = {EXPIRED: (EXPIRED, HELD)}


@dataclasses.dataclass(frozen=True)
class Line:
    """Rooms of one type over the nights [check_in, check_out)."""
    type: int
    check_in: int
    check_out: int
    rooms: int


@dataclasses.dataclass(frozen=True)
class Entry:
    """One line of the journal."""
    id: str
    op: str
    code: str
    hotel: int
    line: Line


@dataclasses.dataclass(frozen=True)
class Reservation:
    """One reservation as the dump shows it."""
    id: str
    state: str
    hotel: int
    lines: tuple


@dataclasses.dataclass(frozen=True)
class Cell:
    """One (hotel, type, night) as the dump shows it."""
    hotel: int
    type: int
    night: int
    limit: int
    held: int
    booked: int


@dataclasses.dataclass(frozen=True)
class Violation:
    """Something that must never be."""
    kind: str
    id: str
    text: str

    def __str__(self):
        return f"{self.kind}: {self.id}: {self.text}"


class JournalError(Exception):
    """The journal itself cannot be read."""


def entry_parse(text):
    data = json.loads(text)
    if data["op"] not in DONE_MOVES:
        raise ValueError(f"unknown op {data['op']!r}")
    line = Line(int(data["type"]), int(data["check_in"]), int(data["check_out"]),
                int(data["rooms"]))
    return Entry(str(data["id"]).lower(), data["op"], str(data["code"]), int(data["hotel"]), line)


def journal_parse(text):
    """Entries in order. A last line without its end is no acknowledgement; any other bad line is
    an error, since skipping it would hide a loss."""
    entries = []
    lines = text.split("\n")
    for number, raw in enumerate(lines[:-1], 1):
        try:
            entries.append(entry_parse(raw))
        except (ValueError, KeyError, TypeError) as error:
            raise JournalError(f"journal line {number}: {error}") from error
    return entries


class Track:
    """The states one id may be in, and the operations whose outcome is unknown."""

    __slots__ = ("states", "pending", "sale", "hotel")

    def __init__(self):
        self.states = frozenset((ABSENT,))
        self.pending = ()
        self.sale = None   # the Line of its HOLD or BOOK
        self.hotel = None

    def closure(self, holds_may_expire):
        """Adds what a pending operation or the clock may have done by now."""
        states = set(self.states)
        grown = True
        while grown:
            before = len(states)
            for op in self.pending:
                states |= {DONE_MOVES[op][s] for s in states if s in DONE_MOVES[op]}
            if holds_may_expire and HELD in states:
                states.add(EXPIRED)
            grown = len(states) > before
        return frozenset(states)


def states_after(states, entry):
    """The states possible after a known answer. Empty: no order of events explains it."""
    moves = DONE_MOVES[entry.op]
    if entry.code == DONE:
        return frozenset(moves[s] for s in states if s in moves)
    if entry.op in SALES:
        return states & {ABSENT}
    if entry.code == "NOT_FOUND":
        return states & {ABSENT}
    if entry.code == "HOLD_EXPIRED":
        return states & {EXPIRED}
    return states


# The same id cannot be refused as known and be unknown: these answers to a sale say nothing of it.
SALE_CODES_WITHOUT_VERDICT = ("KEY_REUSED", "KEY_EXPIRED", "BAD_STATE", "OVERLOADED",
                              "LIMIT_REACHED", "READ_ONLY", "UNAVAILABLE", "MOVED", "RATE_LIMITED")


class History:
    """All journals of one cluster, fed in order."""

    def __init__(self, holds_may_expire=True):
        self.holds_may_expire = holds_may_expire
        self.tracks = {}
        self.violations = []

    def feed(self, entries):
        for entry in entries:
            self._feed_one(entry)

    def _feed_one(self, entry):
        track = self.tracks.setdefault(entry.id, Track())
        if entry.op in SALES:
            track.sale = entry.line
            track.hotel = entry.hotel
        if entry.code in UNKNOWN_CODES:
            track.pending += (entry.op,)
            return
        if entry.op in SALES and entry.code in SALE_CODES_WITHOUT_VERDICT:
            return
        before = track.closure(self.holds_may_expire)
        after = states_after(before, entry)
        if not after:
            self.violations.append(Violation(
                "contradiction", entry.id,
                f"{entry.op} answered {entry.code}, but it was {'/'.join(sorted(before))}"))
            after = frozenset(DONE_MOVES[entry.op].values()) if entry.code == DONE else before
        track.states = after

    def allowed(self, reservation_id):
        """The states in which the id may be shown now; ABSENT among them if it may be missing."""
        states = self.tracks[reservation_id].closure(self.holds_may_expire)
        shown = set()
        for state in states:
            shown.update(SHOWN_AS.get(state, (state,)))
        return shown

    def accepted_ids(self):
        """Ids of sales that must be known: the ones a repeated request must recognise."""
        return [i for i, t in self.tracks.items() if ABSENT not in t.closure(True)]


def known_check(history, found, reservation_id):
    """One journaled id against the reservation found under it (None: nothing)."""
    allowed = history.allowed(reservation_id)
    state = found.state if found is not None else ABSENT
    if state not in allowed:
        kind = "undone" if allowed == {ABSENT} else "lost"
        return Violation(kind, reservation_id,
                         f"may be {'/'.join(sorted(allowed))}, is {state}")
    track = history.tracks[reservation_id]
    if found is None or track.sale is None:
        return None
    if found.hotel != track.hotel or found.lines != (track.sale,):
        return Violation("altered", reservation_id,
                         f"acknowledged hotel {track.hotel} {track.sale}, "
                         f"found hotel {found.hotel} {found.lines}")
    return None


def reservations_check(history, reservations, allow_strangers=False):
    violations = list(history.violations)
    found = {}
    for reservation in reservations:
        if reservation.id in found:
            violations.append(Violation("twice", reservation.id, "dumped more than once"))
        found[reservation.id] = reservation
    for reservation_id in history.tracks:
        violation = known_check(history, found.get(reservation_id), reservation_id)
        if violation is not None:
            violations.append(violation)
    if not allow_strangers:
        violations += [Violation("stranger", i, f"{r.state}, in no journal")
                       for i, r in found.items()
                       if i not in history.tracks and r.state != ABSENT]
    return violations


def counts_of(reservations):
    """(hotel, type, night) -> [held, booked], as the live reservations demand."""
    counts = collections.defaultdict(lambda: [0, 0])
    column = {HELD: 0, CONFIRMED: 1}
    for reservation in reservations:
        if reservation.state not in column:
            continue
        for line in reservation.lines:
            for night in range(line.check_in, line.check_out):
                counts[reservation.hotel, line.type, night][column[reservation.state]] += \
                    line.rooms
    return counts


def cells_check(reservations, cells):
    """Every cell is the sum of its reservations, and within its limit. All or nothing over all
    nights follows: a reservation counted on some of its nights leaves a difference on the rest."""
    violations = []
    counts = counts_of(reservations)
    for cell in cells:
        place = f"hotel {cell.hotel} type {cell.type} night {cell.night}"
        held, booked = counts.pop((cell.hotel, cell.type, cell.night), (0, 0))
        if (cell.held, cell.booked) != (held, booked):
            violations.append(Violation(
                "recount", place, f"held {cell.held} booked {cell.booked}, reservations say "
                f"held {held} booked {booked}"))
        if cell.held + cell.booked > cell.limit:
            violations.append(Violation(
                "oversold", place, f"held {cell.held} + booked {cell.booked} > {cell.limit}"))
    for (hotel, room_type, night), (held, booked) in counts.items():
        violations.append(Violation(
            "recount", f"hotel {hotel} type {room_type} night {night}",
            f"reservations say held {held} booked {booked}, and there is no such cell"))
    return violations


def answer_check(history, reservation_id, state):
    """What RESOLVE or `reservation get` says after the restart (state ABSENT: not found)."""
    allowed = history.allowed(reservation_id)
    if state in allowed:
        return None
    return Violation("lost", reservation_id,
                     f"answered {state} after the restart, may be {'/'.join(sorted(allowed))}")
