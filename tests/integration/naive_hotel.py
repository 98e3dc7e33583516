"""One hotel as its rules say it is, written from the words of the domain and of PROTOCOL.md alone.

Nothing is counted while something happens: the rooms of a night are the sum over reservations each
time they are asked for. It knows no server and no clock but the business date it is given.
"""
import collections

HELD, CONFIRMED, RELEASED, EXPIRED, CANCELLED, CHECKED_IN, NO_SHOW, COMPLETED, VOID = range(1, 10)
COUNTED = (HELD, CONFIRMED, CHECKED_IN, NO_SHOW, COMPLETED)
AGAIN = "again"
MOVES = {
    "CONFIRM": {HELD: CONFIRMED, CONFIRMED: AGAIN},
    "RELEASE": {HELD: RELEASED, RELEASED: AGAIN},
    "CANCEL": {CONFIRMED: CANCELLED, CANCELLED: AGAIN},
    "CANCEL any": {HELD: RELEASED, CONFIRMED: CANCELLED, RELEASED: AGAIN, CANCELLED: AGAIN},
    "CHECK_IN": {CONFIRMED: CHECKED_IN, CHECKED_IN: AGAIN},
    "COMPLETE": {CONFIRMED: COMPLETED, CHECKED_IN: COMPLETED, COMPLETED: AGAIN},
    "NO_SHOW": {CONFIRMED: NO_SHOW, NO_SHOW: AGAIN},
}
CHANGEABLE = {"EXTEND": (HELD,), "ATTACH_PAYMENT": (HELD,),
              "MODIFY": (HELD, CONFIRMED, CHECKED_IN)}
ACTIVE, CLOSED = 1, 2
CALENDAR, GIVEN, COUNT_ONLY = 0, 1, 2

Line = collections.namedtuple("Line", "type plan check_in check_out rooms guests pricing")
No = collections.namedtuple("No", "code rule line day", defaults=(None, 0, None))


def nights(line):
    return range(line.check_in, line.check_out)


def chains(lines):
    """For each line the (first, last) index of the stay it is part of."""
    begin, found = 0, []
    for at, line in enumerate(lines):
        before = lines[at - 1] if at else None
        if before and (before.check_out, before.rooms) != (line.check_in, line.rooms):
            begin = at
        found.append(begin)
    return [(first, max(i for i, other in enumerate(found) if other == first)) for first in found]


class Reservation:
    def __init__(self, lines, prices, state, was_held, seq):
        self.lines = lines
        self.prices = prices  # of each line by night, None where it is count only
        self.state = state
        self.was_held = was_held
        self.seq = seq
        self.revision = 1
        self.payment = ""
        self.change = 0
        self.counted_until = max((line.check_out for line in lines), default=0)
        self.is_import = False

    def total(self):
        """None where a line is count only, and of what was never sold."""
        if not self.lines or any(price is None for price in self.prices):
            return None
        return sum(line.rooms * sum(price) for line, price in zip(self.lines, self.prices))

    def rooms(self, kind, day):
        """What is counted of it."""
        if self.state not in COUNTED or day >= self.counted_until:
            return 0
        return sum(line.rooms for line in self.lines if line.type == kind and day in nights(line))


class Hotel:
    def __init__(self, today, window):
        self.today = today
        self.window = window
        self.version = self.seq = 1  # it was made
        self.status = ACTIVE
        self.types = {}       # number: settings
        self.plans = {}       # (type, plan): status
        self.nights = {}      # (type, day): what is set by date
        self.rates = {}       # (type, plan, day): likewise
        self.reservations = {}
        self.refused = {}     # id: (payload, No), as long as the shard lives
        self.sources = {}

    # ---- catalogue and calendar

    def effect(self, on_calendar=False):
        self.seq += 1
        self.version += on_calendar
        return self.seq

    def put_type(self, number, **settings):
        if number not in self.types:
            self.types[number] = {"status": ACTIVE, "physical": None, "out_of_order": None,
                                  "allowance": None, "cap": None, "guests_max": 0}
            self.plans[number, 0] = ACTIVE
        self.types[number].update(settings)
        self.effect(True)

    def put_plan(self, kind, plan, status):
        self.plans[kind, plan] = status
        self.effect(True)

    def night(self, kind, day):
        return self.nights.setdefault((kind, day), {})

    def rate(self, kind, plan, day):
        return self.rates.setdefault((kind, plan, day), {})

    def stock(self, kind, day, name):
        """What is set by date, else by type."""
        value = self.night(kind, day).get(name)
        return self.types[kind][name] if value is None else value

    def limit(self, kind, day):
        """None where the night was never loaded."""
        cap, physical = self.stock(kind, day, "cap"), self.stock(kind, day, "physical")
        if cap is not None or physical is None:
            return cap
        return (physical - (self.stock(kind, day, "out_of_order") or 0)
                + (self.stock(kind, day, "allowance") or 0))

    def update(self, kinds, plan, days, name, value, how, source_seq=None):
        """(cells, repeated): one field over types x nights; True where nothing happened."""
        if source_seq is not None:
            source, seq = source_seq
            if seq <= self.sources.get(source, 0):
                return 0, True
            self.sources[source] = seq
        for kind in kinds:
            for day in days:
                self.update_night(kind, plan, day, name, value, how)
        self.effect(True)
        return len(kinds) * len(days), False

    def update_night(self, kind, plan, day, name, value, how):
        if name == "available":
            self.night(kind, day)["cap"] = sum(self.counts(kind, day)) + value
            return
        is_stock = name in ("physical", "cap", "closed", "cta", "ctd")
        cell = self.night(kind, day) if is_stock else self.rate(kind, plan, day)
        if how == "clear":
            cell.pop(name, None)
        elif how == "adjust":
            cell[name] = value + (self.stock(kind, day, name) if name == "physical"
                                  else cell[name])
        else:
            cell[name] = value

    # ---- counting

    def counts(self, kind, day, but=()):
        """(held, booked) as sums over reservations."""
        held = booked = 0
        for ident, reservation in self.reservations.items():
            rooms = 0 if ident in but else reservation.rooms(kind, day)
            held += rooms if reservation.state == HELD else 0
            booked += rooms if reservation.state != HELD else 0
        return held, booked

    def over_limit(self):
        """{(type, day): rooms} of nights in the window."""
        found = {}
        for kind in self.types:
            for day in range(self.today, self.today + self.window):
                over = sum(self.counts(kind, day)) - (self.limit(kind, day) or 0)
                if over > 0:
                    found[kind, day] = over
        return found

    # ---- admission

    def judge(self, lines, but=(), expected=None):
        """None, or why not: the first step that fails, then the lowest line, the earliest night."""
        steps = (self.unknown, self.misdated, self.crowded, self.stopped, self.edges, self.lengths,
                 self.unpriced, lambda some: self.dear(some, expected),
                 lambda some: self.full(some, but))
        for step in steps:
            for found in step(lines):
                return found
        return None

    def unknown(self, lines):
        for at, line in enumerate(lines):
            if self.status != ACTIVE:
                yield No("CLOSED", 2, at)
            if line.type not in self.types:
                yield No("NOT_FOUND", 3, at)
            elif self.types[line.type]["status"] != ACTIVE:
                yield No("CLOSED", 3, at)
            if (line.type, line.plan) not in self.plans:
                yield No("NOT_FOUND", 4, at)
            elif self.plans[line.type, line.plan] != ACTIVE:
                yield No("RATE_CLOSED", 4, at)

    def misdated(self, lines):
        for at, line in enumerate(lines):
            if line.check_in < self.today:
                yield No("PAST_DATE", 5, at, line.check_in)
            if line.check_out > self.today + self.window:
                yield No("OUT_OF_WINDOW", 5, at)

    def crowded(self, lines):
        for at, line in enumerate(lines):
            most = self.types[line.type]["guests_max"]
            if most and line.guests > line.rooms * most:
                yield No("OVER_OCCUPANCY", 8, at)

    def stopped(self, lines):
        for at, line in enumerate(lines):
            for day in nights(line):
                if self.night(line.type, day).get("closed"):
                    yield No("CLOSED", 9, at, day)
                if self.rate(line.type, line.plan, day).get("plan_closed"):
                    yield No("RATE_CLOSED", 10, at, day)

    def edges(self, lines):
        for at, (line, (first, last)) in enumerate(zip(lines, chains(lines))):
            day = line.check_in
            if at == first and self.night(line.type, day).get("cta"):
                yield No("CLOSED_TO_ARRIVAL", 11, at, day)
            if at == first and self.rate(line.type, line.plan, day).get("plan_cta"):
                yield No("CLOSED_TO_ARRIVAL", 12, at, day)
            day = line.check_out
            if at != last or day >= self.today + self.window:
                continue
            if self.night(line.type, day).get("ctd"):
                yield No("CLOSED_TO_DEPARTURE", 13, at, day)
            if self.rate(line.type, line.plan, day).get("plan_ctd"):
                yield No("CLOSED_TO_DEPARTURE", 14, at, day)

    def lengths(self, lines):
        for at, (line, (first, last)) in enumerate(zip(lines, chains(lines))):
            stay = lines[last].check_out - lines[first].check_in
            rules = [("arrival", 15, [line.check_in] if at == first else []),
                     ("through", 17, nights(line))]
            for name, rule, days in rules:
                for day in days:
                    rate = self.rate(line.type, line.plan, day)
                    if stay < rate.get("min_" + name, 0):
                        yield No("MIN_LOS", rule, at, day)
                    if 0 < rate.get("max_" + name, 0) < stay:
                        yield No("MAX_LOS", rule + 1, at, day)

    def unpriced(self, lines):
        for at, line in enumerate(lines):
            for day in nights(line) if line.pricing == CALENDAR else ():
                if "price" not in self.rate(line.type, line.plan, day):
                    yield No("NO_RATE", 19, at, day)

    def prices(self, lines, kept=()):
        """By line and night; `kept` are {night: price} that each line keeps."""
        kept = kept or [{} for _ in lines]
        return [None if line.pricing == COUNT_ONLY else
                [keep.get(day, self.rate(line.type, line.plan, day).get("price"))
                 for day in nights(line)]
                for line, keep in zip(lines, kept)]

    def dear(self, lines, expected):
        prices = self.prices(lines)
        if expected is None:
            return
        total = sum(line.rooms * sum(price) for line, price in zip(lines, prices))
        if total != expected:
            yield No("PRICE_CHANGED", 19)

    def full(self, lines, but):
        for at, line in enumerate(lines):
            for day in nights(line):
                limit = self.limit(line.type, day)
                drawn = sum(other.rooms for other in lines[:at + 1]
                            if other.type == line.type and day in nights(other))
                if limit is None:
                    yield No("NOT_LOADED", 20, at, day)
                elif sum(self.counts(line.type, day, but)) + drawn > limit:
                    yield No("SOLD_OUT", 21, at, day)

    # ---- sales

    def sell(self, ident, payload, lines, is_hold, expected=None, replaces=None):
        """(None or No, reservation or None, repeated)"""
        known = self.reservations.get(ident)
        if known:
            if known.state == VOID:
                return No("BAD_STATE", 23), known, False
            if known.is_import or known.payload != payload:
                return No("KEY_REUSED", 1), known, False
            return None, known, True
        if ident in self.refused:
            before, why = self.refused[ident]
            return (why, None, True) if before == payload else (No("KEY_REUSED", 1), None, False)
        why = self.judge_replaced(replaces) or self.judge(
            lines, () if replaces is None else (replaces,), expected)
        if why:
            self.refused[ident] = payload, why
            return why, None, False
        made = Reservation(lines, self.prices(lines), HELD if is_hold else CONFIRMED, is_hold,
                           self.effect())
        made.payload = payload
        if replaces is not None:
            self.end(self.reservations[replaces], RELEASED, self.seq)
        self.reservations[ident] = made
        return None, made, False

    def judge_replaced(self, replaces):
        if replaces is None:
            return None
        old = self.reservations.get(replaces)
        if not old or old.state == VOID:
            return No("NOT_FOUND", 1)
        return None if old.state == HELD else No("BAD_STATE", 23)

    def end(self, reservation, state, seq):
        reservation.state = state
        reservation.revision += 1
        reservation.seq = seq
        first = min(line.check_in for line in reservation.lines)
        if state in (RELEASED, CANCELLED):
            reservation.counted_until = first
        elif state in (NO_SHOW, COMPLETED):
            reservation.counted_until = min(reservation.counted_until, self.today)

    def move(self, name, ident, payment=""):
        """(None or No, reservation, repeated)"""
        known = self.reservations.get(ident)
        if not known:
            return No("NOT_FOUND", 1), None, False
        to = MOVES[name].get(known.state)
        if to is None:
            return No("BAD_STATE", 23), known, False
        if payment and known.payment != payment and (known.payment or to is AGAIN):
            return No("BAD_STATE", 28), known, False
        if to is AGAIN:
            return None, known, True
        first = min(line.check_in for line in known.lines)
        if name in ("CHECK_IN", "COMPLETE", "NO_SHOW") and first > self.today:
            return No("TOO_EARLY", 32), known, False
        self.end(known, to, self.effect())
        known.payment = known.payment or payment
        return None, known, False

    def resolve(self, ident):
        known = self.reservations.get(ident)
        if known and known.state != VOID:
            return None, known
        if not known:
            # It names a slot and no hotel: none counts an effect.
            self.reservations[ident] = Reservation([], [], VOID, False, 0)
            self.refused.pop(ident, None)
        return No("NOT_FOUND", 1), self.reservations[ident]

    # ---- changes

    def change(self, name, ident, change, revision, payment=""):
        """(None or No, reservation, repeated): whether a change may be made now."""
        known = self.reservations.get(ident)
        if not known:
            return No("NOT_FOUND", 1), None, False
        if known.change == change:
            return None, known, True
        if known.state not in CHANGEABLE[name]:
            return No("BAD_STATE", 23), known, False
        if payment and known.payment:
            same = known.payment == payment
            return None if same else No("BAD_STATE", 28), known, same
        if known.revision != revision:
            return No("VERSION_MISMATCH", 24), known, False
        return None, known, False

    def changed(self, known, change):
        known.revision += 1
        known.change = change
        known.seq = self.effect()

    def attach(self, ident, change, revision, payment):
        why, known, repeated = self.change("ATTACH_PAYMENT", ident, change, revision, payment)
        if why or repeated:
            return why, known, repeated
        known.payment = payment
        self.changed(known, change)
        return None, known, False

    def modify(self, ident, change, revision, line):
        """Of a reservation of one line that becomes another one."""
        why, known, repeated = self.change("MODIFY", ident, change, revision)
        if why or repeated:
            return why, known, repeated
        old, new = known.lines[0], line
        why = self.judge_change(known, ident, old, new)
        if why:
            return why, known, False
        keep = self.kept_prices(known, old, new)
        known.prices = self.prices([new], [keep])
        known.lines = [new]
        known.counted_until = new.check_out
        self.changed(known, change)
        return None, known, False

    @staticmethod
    def kept_prices(known, old, new):
        if (old.type, old.plan) != (new.type, new.plan) or new.rooms > old.rooms \
                or known.prices[0] is None:
            return {}
        return dict(zip(nights(old), known.prices[0]))

    def judge_change(self, known, ident, old, new):
        """The steps of a sale, with what section 8 says of MODIFY."""
        same = (old.type, old.plan) == (new.type, new.plan) and new.rooms <= old.rooms
        fresh = [day for day in nights(new) if not (same and day in nights(old))]
        gone = [day for day in nights(old)
                if day not in nights(new) or old.type != new.type or new.rooms < old.rooms]
        if fresh:
            for found in self.unknown([new]):
                return found
        if new.check_out > self.today + self.window:
            return No("OUT_OF_WINDOW", 5)
        if any(day < self.today for day in fresh + gone):
            return No("PAST_DATE", 5)
        why = self.judge_terms(old, new, fresh) if fresh else None
        if why:
            return why
        keep = self.kept_prices(known, old, new)
        for day in nights(new) if new.pricing == CALENDAR else ():
            if day not in keep and "price" not in self.rate(new.type, new.plan, day):
                return No("NO_RATE", 19, 0, day)
        for day in nights(new):
            had = old.rooms if old.type == new.type and day in nights(old) else 0
            if new.rooms <= had:
                continue
            for found in self.full([new._replace(check_in=day, check_out=day + 1)], (ident,)):
                return found
        return None

    def judge_terms(self, old, new, fresh):
        """Steps 5 to 8, where some night is not kept."""
        if (old.type, old.rooms, old.guests) != (new.type, new.rooms, new.guests):
            for found in self.crowded([new]):
                return found
        for found in self.stopped([new]):
            if found.day in fresh:
                return found
        arrives = (old.type, old.plan, old.check_in) != (new.type, new.plan, new.check_in)
        leaves = (old.type, old.plan, old.check_out) != (new.type, new.plan, new.check_out)
        for found in self.edges([new]):
            if arrives if found.rule in (11, 12) else leaves:
                return found
        is_longer = len(nights(old)) != len(nights(new))
        for found in self.lengths([new]):
            if found.day in fresh or is_longer or (found.day == new.check_in and arrives):
                return found
        return None

    # ---- imports

    def bring(self, ident, payload, line, state):
        """A reservation that was made elsewhere, count only."""
        known = self.reservations.get(ident)
        if known:
            if known.state == VOID:
                return No("BAD_STATE", 23), known, False
            if not known.is_import or known.payload != payload:
                return No("KEY_REUSED", 1), known, False
            return None, known, True
        if line.type not in self.types:
            return No("NOT_FOUND", 3), None, False
        if (line.type, line.plan) not in self.plans:
            return No("NOT_FOUND", 4), None, False
        if state in (CONFIRMED, CHECKED_IN):
            for found in self.full([line], ()):
                return found, None, False
        if state == CHECKED_IN and line.check_in > self.today:
            return No("TOO_EARLY", 32), None, False
        made = Reservation([line], [None], state, False, self.effect())
        made.payload, made.is_import = payload, True
        if state == CANCELLED:
            made.counted_until = line.check_in
        self.reservations[ident] = made
        self.refused.pop(ident, None)
        return None, made, False
