#!/usr/bin/python3
"""Random lives of hotels on a real cluster, spoken from PROTOCOL.md, against a naive model.

usage: test_stateful.py SOURCE_ROOT KEYRACK_ROUTER KEYRACK_SHARD

Each step's answer must be the model's; after each step every night, every reservation and the
hotel's counters must be as well. The same examples every time; a failing one is made small and
printed. KEYRACK_LONG=1: many more.
"""
import contextlib
import datetime
import os
import shutil
import sys
import tempfile
import time
import unittest

from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import (Bundle, RuleBasedStateMachine, initialize, invariant,
                                 precondition, rule, run_state_machine_as_test)

import naive_hotel as naive
import pykeyrack
import two_shards

ROOT, ROUTER, SHARD = sys.argv[1:4]
DOCUMENT = pykeyrack.Document(os.path.join(ROOT, "proto", "PROTOCOL.md"))
CLUSTER = 0x6b6579
SIZES = ["--hotels", "4000", "--nights", "30", "--reservations", "200000", "--refusals", "65536",
         "--segment-size", "8"]
WINDOW = 30
DAYS = 8  # nights in which everything happens
LONG = os.environ.get("KEYRACK_LONG") == "1"
EXAMPLES = int(os.environ.get("KEYRACK_EXAMPLES", "1500" if LONG else "50"))
STEPS = 60 if LONG else 40
FIELDS = {"physical": 0x0001, "cap": 0x0008, "closed": 0x0010, "cta": 0x0020, "ctd": 0x0040,
          "price": 0x0080, "min_arrival": 0x0100, "max_arrival": 0x0200, "min_through": 0x0400,
          "max_through": 0x0800, "plan_closed": 0x1000, "plan_cta": 0x2000, "plan_ctd": 0x4000,
          "available": 0x8000}
FLAGS = ("closed", "cta", "ctd", "plan_closed", "plan_cta", "plan_ctd")
LENGTHS = ("min_arrival", "max_arrival", "min_through", "max_through")
NOON = datetime.datetime.now(datetime.timezone.utc).hour
# A zone where it is around noon: the business date does not turn while the test runs.
ZONE = "Etc/GMT" + (f"{NOON - 12:+d}" if NOON != 12 else "")

line = st.builds(
    lambda kind, plan, first, length, rooms, guests, pricing: naive.Line(
        kind, plan, first, first + length, rooms, guests, pricing),
    st.sampled_from([1, 1, 1, 2, 2, 3]), st.sampled_from([0, 0, 1]), st.integers(0, DAYS - 3),
    st.integers(1, 4), st.integers(1, 3), st.integers(1, 5), st.sampled_from([0, 0, 2]))
span = st.builds(lambda first, more: (first, min(first + more, DAYS - 1)),
                 st.integers(0, DAYS - 1), st.integers(0, 4))


@st.composite
def stays(draw):
    """One line, two, or two that are one stay."""
    first = draw(line)
    kind = draw(st.sampled_from(["one", "one", "one", "two", "on"]))
    if kind == "one":
        return [first]
    second = draw(line)
    if kind == "on":
        second = second._replace(rooms=first.rooms, check_in=first.check_out,
                                 check_out=first.check_out + len(naive.nights(second)))
    return [first, second]


class Ended(Exception):
    """A process of the cluster is gone."""


class Watchful(pykeyrack.Client):
    """Waits for an answer only as long as there is somebody to give it."""

    def take(self, size, until):
        while True:
            try:
                return super().take(size, min(until, time.monotonic() + 0.5))
            except TimeoutError:
                if not Running.cluster.is_whole():
                    raise Ended from None
                if time.monotonic() >= until:
                    raise


class Running:
    """The cluster that all examples share, each with hotels of its own."""
    cluster = client = None
    hotel = change = requests = 0
    folder = None

    @classmethod
    def start(cls):
        cls.folder = tempfile.mkdtemp(prefix="keyrack-state-")
        cls.cluster = two_shards.TwoShards(cls.folder, ROUTER, SHARD, CLUSTER, SIZES, routers=1)
        cls.client = Watchful(DOCUMENT, cls.cluster.addresses, deadline=120)

    @classmethod
    def stop(cls):
        cls.requests += cls.client.request_id
        cls.client.close()
        cls.cluster.stop()
        shutil.rmtree(cls.folder)

    @classmethod
    def start_anew(cls):
        """After a process has ended by itself: what it said at its end."""
        said = "".join(f"{name}: " + cls.cluster.said(name)[-2000:] for name, process in
                       cls.cluster.processes.items() if process.poll() is not None)
        cls.stop()
        cls.start()
        return said

    @classmethod
    def fresh_hotel(cls, shard):
        cls.hotel += 1
        while pykeyrack.slot_of(cls.hotel) // 8192 != shard:
            cls.hotel += 1
        return cls.hotel

    @classmethod
    def fresh_change(cls):
        cls.change += 1
        return cls.change


class Lives(RuleBasedStateMachine):
    sold = Bundle("sold")

    def __init__(self):
        super().__init__()
        self.hotels = {}
        self.asked = {}     # (hotel, ident): (name, lines, more)
        self.restarts = 0
        self.source_seq = 0
        self.last_update = None

    # ---- asking and comparing

    def call(self, name, **fields):
        with self.watch(name):
            answer = Running.client.call(name, **fields)
        return DOCUMENT.codes[answer.code], answer.message

    @contextlib.contextmanager
    def watch(self, name):
        """A process that ends fails the life, and the next one has a new cluster."""
        try:
            yield
        except Ended:
            said = Running.start_anew()
            self.hotels.clear()
            raise AssertionError(f"{name}: a process has ended\n{said}") from None

    def same(self, told, want, what):
        assert told == want, f"{what}: told {told}, the rules say {want}"

    def done(self, name, **fields):
        code, message = self.call(name, **fields)
        self.same(code, "DONE", f"{name} {message}")
        return message

    def ident(self, halves):
        return {"id_hi": halves[0], "id_lo": halves[1]}

    def verdict(self, what, code, refusal, why):
        if why is None:
            self.same(code, "DONE", f"{what} {refusal}")
            return
        self.same(code, why.code, what)
        told = naive.No(code, refusal.rule or None, refusal.line,
                        refusal.day if refusal.has_day else None)
        if why.code in ("NOT_FOUND", "KEY_REUSED", "BAD_STATE", "VERSION_MISMATCH") \
                or why.day is None:
            self.same((told.code, told.line), (why.code, why.line), what)
        else:
            self.same(told, why, what)

    def known(self, what, message, known, repeated):
        """What an answer says of a reservation whose id is known."""
        self.same((message.state, message.revision, message.event_seq),
                  (known.state, known.revision, known.seq), what)
        self.same((message.total_minor, message.has_total),
                  (known.total() or 0, known.total() is not None), what)
        self.same(message.repeated_op, repeated, what + ", repeated_op")

    def dated(self, hotel, lines):
        """Lines of day numbers, out of lines that count from the business date."""
        today = self.hotels[hotel].today
        return [told._replace(check_in=told.check_in + today, check_out=told.check_out + today)
                for told in lines]

    # ---- the world

    @initialize(roomy=st.integers(2, 4))
    def open_hotels(self, roomy):
        for shard in range(2):
            hotel = Running.fresh_hotel(shard)
            self.done("HOTEL_PUT", hotel_id=hotel, mask=6,
                      settings={"zone": ZONE, "currency": "EUR"})
            told = self.done("HOTEL_GET", hotel_id=hotel).hotel
            self.hotels[hotel] = model = naive.Hotel(told.business_day, told.window_nights)
            self.same((told.event_seq, told.ari_version, told.window_nights), (1, 1, WINDOW),
                      "a new hotel")
            for number, settings_ in ((1, {"physical": roomy}),
                                      (2, {"physical": 2, "guests_max": 2})):
                self.put_type(hotel, number, settings_)
            self.done("PLAN_PUT", hotel_id=hotel, type=1, plan=1, mask=1, settings={"code": "P"})
            model.put_plan(1, 1, naive.ACTIVE)
            for kinds, plan, price in (([1, 2], 0, 100), ([1], 1, 80)):
                self.update(hotel, kinds, plan, (0, DAYS - 1), "price", price, "set")

    def pick(self, which):
        return sorted(self.hotels)[which]

    def put_type(self, hotel, number, given):
        fields = DOCUMENT.messages["TypeSettings"].DESCRIPTOR.fields_by_name
        mask = sum(1 << fields[name].number - 1 for name in given)
        answer = self.done("TYPE_PUT", hotel_id=hotel, type=number, mask=mask, settings=given)
        self.hotels[hotel].put_type(number, **given)
        self.same(answer.ari_version, self.hotels[hotel].version, "TYPE_PUT")

    @rule(which=st.integers(0, 1), number=st.integers(1, 2), what=st.sampled_from(
        [{"physical": 1}, {"physical": 3}, {"cap": 2}, {"status": 2}, {"status": 1}, {"status": 1},
         {"out_of_order": 1}, {"out_of_order": 0}, {"guests_max": 2}, {"guests_max": 0}]))
    def type_is_put(self, which, number, what):
        self.put_type(self.pick(which), number, what)

    @rule(which=st.integers(0, 1), status=st.sampled_from([1, 1, 2]))
    def hotel_is_put(self, which, status):
        hotel = self.pick(which)
        model = self.hotels[hotel]
        told = self.done("HOTEL_PUT", hotel_id=hotel, mask=0x1000, settings={"status": status},
                         has_expected_version=True, expected_ari_version=model.version)
        model.status = status
        model.effect(True)
        self.same((told.hotel.ari_version, told.created), (model.version, False), "HOTEL_PUT")
        code, _ = self.call("HOTEL_PUT", hotel_id=hotel, mask=0x1000, settings={"status": 1},
                            has_expected_version=True, expected_ari_version=model.version - 1)
        self.same(code, "VERSION_MISMATCH", "HOTEL_PUT of a stale version")

    @rule(which=st.integers(0, 1), status=st.sampled_from([1, 1, 2]))
    def plan_is_put(self, which, status):
        hotel = self.pick(which)
        self.done("PLAN_PUT", hotel_id=hotel, type=1, plan=1, mask=2, settings={"status": status})
        self.hotels[hotel].put_plan(1, 1, status)

    def update(self, hotel, kinds, plan, days, name, value, how, deduplicated=False):
        model = self.hotels[hotel]
        stored = {"price": "price_minor"}.get(name, name)
        fields = {"hotel_id": hotel, "types": kinds, "plan": plan, "weekday_mask": 127,
                  "first_day": model.today + days[0], "last_day": model.today + days[1],
                  how + "_mask": FIELDS[name]}
        if how != "clear":
            fields[stored] = bool(value) if name in FLAGS else value
        source_seq = None
        if deduplicated or how == "adjust":
            self.source_seq += 1
            source_seq = (3, self.source_seq)
            fields.update(source=3, source_seq=self.source_seq)
        answer = self.done("INVENTORY_SET", **fields)
        cells, repeated = model.update(kinds, plan, range(fields["first_day"],
                                                          fields["last_day"] + 1),
                                       name, value, how, source_seq)
        self.last_update = fields if source_seq else None
        self.same((answer.ari_version, answer.cells, answer.repeated_seq),
                  (model.version, cells, repeated), "INVENTORY_SET")
        over = sum((kind, day) in model.over_limit() for kind in kinds
                   for day in range(fields["first_day"], fields["last_day"] + 1))
        self.same(answer.cells_over_limit, over, "cells_over_limit")

    @rule(which=st.integers(0, 1), kind=st.sampled_from([[1], [2], [1, 2]]), days=span,
          name=st.sampled_from(["physical", "cap", "available"]), value=st.integers(0, 3),
          how=st.sampled_from(["set", "set", "clear", "adjust"]), again=st.booleans())
    def stock_is_set(self, which, kind, days, name, value, how, again):
        if name == "available" or (name == "cap" and how == "adjust"):
            how = "set"
        self.update(self.pick(which), kind, 0, days, name, value, how, again)

    @rule(which=st.integers(0, 1), place=st.sampled_from([([1], 0), ([2], 0), ([1], 1)]),
          days=span, name=st.sampled_from(FLAGS + LENGTHS), value=st.integers(0, 3),
          how=st.sampled_from(["set", "clear", "clear"]))
    def rule_is_set(self, which, place, days, name, value, how):
        self.update(self.pick(which), *place, days, name, value, how)

    @rule(which=st.integers(0, 1), place=st.sampled_from([([1], 0), ([2], 0), ([1], 1)]),
          days=span, value=st.sampled_from([0, 1, 90, 110]),
          how=st.sampled_from(["set", "set", "set", "clear"]))
    def price_is_set(self, which, place, days, value, how):
        self.update(self.pick(which), *place, days, "price", value, how)

    @precondition(lambda self: self.last_update)
    @rule()
    def an_update_is_repeated(self):
        fields = self.last_update
        answer = self.done("INVENTORY_SET", **fields)
        self.same((answer.repeated_seq, answer.last_source_seq), (True, fields["source_seq"]),
                  "a repeated update")

    # ---- sales

    def ask(self, name, hotel, halves, lines, **more):
        """A HOLD or BOOK, for the first time or again; `more` is the rest of the payload."""
        model = self.hotels[hotel]
        replaces = more.get("replaces")
        fields = {"hotel_id": hotel, **self.ident(halves),
                  "lines": [told._asdict() for told in lines]}
        if more.get("expected") is not None:
            fields.update(has_expected_total=True, expected_total_minor=more["expected"])
        if replaces is not None:
            fields.update(replaces_hi=replaces[0], replaces_lo=replaces[1])
        code, message = self.call(name, **fields)
        payload = (name, tuple(lines), tuple(sorted(more.items())))
        why, known, repeated = model.sell(halves, payload, lines, name == "HOLD",
                                          more.get("expected"), replaces)
        self.verdict(name, code, message.refusal, why)
        if known:
            self.known(name, message, known, repeated)
            self.same(message.hotel_id, 0 if known.state == naive.VOID else hotel, name)
            if why is None:
                self.same(message.outcome, 1, name + ", outcome")

    @rule(target=sold, which=st.integers(0, 1), name=st.sampled_from(["HOLD", "BOOK"]),
          lines=stays(), expected=st.sampled_from([None, None, None, 0, 1]))
    def sale(self, which, name, lines, expected):
        hotel = self.pick(which)
        model = self.hotels[hotel]
        lines = self.dated(hotel, lines)
        if expected is not None:
            try:
                expected += sum(told.rooms * sum(price) for told, price in
                                zip(lines, model.prices(lines)))
            except TypeError:  # a line without a price, or count only
                expected = None
        code, stay = self.call("STAY", hotel_id=hotel, lines=[told._asdict() for told in lines])
        why = model.judge(lines)
        self.verdict("STAY", code, stay.refusals[0] if stay.refusals else None, why)
        halves = pykeyrack.mint(hotel)
        more = {} if expected is None else {"expected": expected}
        self.asked[hotel, halves] = name, lines, more
        self.ask(name, hotel, halves, lines, **more)
        return hotel, halves

    @rule(target=sold, old=sold, lines=stays())
    def hold_that_replaces(self, old, lines):
        hotel, replaces = old
        halves = pykeyrack.mint(hotel)
        lines = self.dated(hotel, lines)
        self.asked[hotel, halves] = "HOLD", lines, {"replaces": replaces}
        self.ask("HOLD", hotel, halves, lines, replaces=replaces)
        return hotel, halves

    @rule(one=sold)
    def sale_again(self, one):
        if one in self.asked:
            name, lines, more = self.asked[one]
            self.ask(name, *one, lines, **more)

    @rule(one=sold, what=st.sampled_from(["name", "guests", "line"]))
    def another_sale_under_the_same_id(self, one, what):
        if one not in self.asked:
            return
        name, lines, more = self.asked[one]
        if what == "name":
            if "replaces" in more:
                return
            name = "HOLD" if name == "BOOK" else "BOOK"
        elif what == "guests":
            lines = [lines[0]._replace(guests=lines[0].guests + 1), *lines[1:]]
        else:
            lines = [*lines, lines[0]._replace(rooms=7)]
        self.ask(name, *one, lines, **more)
        if one[1] in self.hotels[one[0]].refused and \
                self.hotels[one[0]].refused[one[1]][0][:2] == (name, tuple(lines)):
            self.asked[one] = name, lines, more

    @rule(one=sold, name=st.sampled_from(sorted(naive.MOVES)),
          payment=st.sampled_from(["", "", "pay-1", "pay-2"]), given=st.booleans())
    def move(self, one, name, payment, given):
        hotel, halves = one
        model = self.hotels[hotel]
        fields = self.ident(halves)
        if name == "CANCEL any":
            fields["any"] = True
        if name == "CONFIRM":
            fields["payment_ref"] = payment
        if given:
            fields.update(has_hotel=True, hotel_id=hotel)
        code, message = self.call(name.split()[0], **fields)
        why, known, repeated = model.move(name, halves, payment if name == "CONFIRM" else "")
        self.verdict(name, code, message.refusal, why)
        if known:
            self.known(name, message, known, repeated)
            if why and why.code == "BAD_STATE":
                self.same(message.refusal.state, known.state, name)

    @rule(one=sold)
    def resolve(self, one):
        hotel, halves = one
        code, message = self.call("RESOLVE", **self.ident(halves))
        why, known = self.hotels[hotel].resolve(halves)
        self.verdict("RESOLVE", code, message.refusal, why)
        if why is None:
            self.same((message.state, message.revision, message.event_seq),
                      (known.state, known.revision, known.seq), "RESOLVE")

    @rule(target=sold, which=st.integers(0, 1), lines=stays())
    def resolve_before_the_sale(self, which, lines):
        hotel = self.pick(which)
        halves = pykeyrack.mint(hotel)
        lines = self.dated(hotel, lines)
        self.asked[hotel, halves] = "BOOK", lines, {}
        self.resolve((hotel, halves))
        self.ask("BOOK", hotel, halves, lines)
        return hotel, halves

    # ---- changes

    def change(self, name, one, stale, fields):
        hotel, halves = one
        known = self.hotels[hotel].reservations.get(halves)
        revision = (known.revision if known else 1) - stale
        change = Running.fresh_change()
        if known and known.change and stale == 2:
            change = known.change
        code, message = self.call(name, **self.ident(halves), has_expected_revision=True,
                                  expected_revision=max(revision, 0), change_id=change, **fields)
        return code, message, change, max(revision, 0)

    def judged(self, name, code, message, result):
        why, known, repeated = result
        self.verdict(name, code, message.refusal, why)
        if known:
            self.known(name, message, known, repeated)

    @rule(one=sold, stale=st.integers(0, 2), payment=st.sampled_from(["pay-1", "pay-2"]))
    def payment_is_attached(self, one, stale, payment):
        code, message, change, revision = self.change("ATTACH_PAYMENT", one, stale,
                                                      {"payment_ref": payment})
        self.judged("ATTACH_PAYMENT", code, message, self.hotels[one[0]].attach(
            one[1], change, revision, payment))

    @rule(one=sold, stale=st.integers(0, 2))
    def hold_is_extended(self, one, stale):
        until_us = int(time.time() * 1e6) + 1800 * 1000000
        code, message, change, revision = self.change("EXTEND", one, stale,
                                                      {"expires_at_us": until_us})
        model = self.hotels[one[0]]
        why, known, repeated = model.change("EXTEND", one[1], change, revision)
        if not why and not repeated:
            model.changed(known, change)
            self.same(message.expires_at_us, until_us, "EXTEND")
        self.judged("EXTEND", code, message, (why, known, repeated))

    @rule(one=sold, stale=st.sampled_from([0, 0, 0, 1, 2]), to=line)
    def stay_is_modified(self, one, stale, to):
        hotel, halves = one
        known = self.hotels[hotel].reservations.get(halves)
        if known and len(known.lines) > 1:
            return
        to = self.dated(hotel, [to])[0]
        code, message, change, revision = self.change("MODIFY", one, stale,
                                                      {"lines": [to._asdict()]})
        self.judged("MODIFY", code, message, self.hotels[hotel].modify(
            halves, change, revision, to))

    # ---- imports

    @rule(target=sold, which=st.integers(0, 1), to=line, again=st.booleans(),
          state=st.sampled_from([naive.CONFIRMED, naive.CANCELLED, naive.CHECKED_IN]))
    def stay_is_imported(self, which, to, state, again):
        hotel = self.pick(which)
        halves = pykeyrack.mint(hotel)
        to = self.dated(hotel, [to._replace(pricing=naive.COUNT_ONLY)])[0]
        now_us = int(time.time() * 1e6) - 1000000
        fields = {"reservation": {
            **self.ident(halves), "hotel_id": hotel, "state": state, "revision": 1,
            "created_at_us": now_us, "changed_at_us": now_us, "lines": [to._asdict()]}}
        for _ in range(1 + again):
            code, message = self.call("IMPORT", **fields)
            why, known, repeated = self.hotels[hotel].bring(halves, (to, state), to, state)
            self.verdict("IMPORT", code, message.refusal, why)
            if known:
                self.known("IMPORT", message, known, repeated)
        self.asked[hotel, halves] = "BOOK", [to], {}
        return hotel, halves

    # ---- accidents

    @precondition(lambda self: self.restarts < 1)
    @rule(shard=st.integers(0, 1), number=st.sampled_from([9, 15]))
    def shard_restarts(self, shard, number):
        self.restarts += 1
        Running.cluster.kill(f"shard{shard}", number)
        Running.cluster.start_shard(shard)
        for hotel, model in self.hotels.items():
            if pykeyrack.slot_of(hotel) // 8192 == shard:
                model.refused.clear()

    # ---- what must hold after each step

    @invariant()
    def everything_is_as_the_rules_say(self):
        for hotel, model in list(self.hotels.items()):
            self.hotel_is_right(hotel, model)
            for plan, kinds in ((0, [1, 2]), (1, [1])):
                self.nights_are_right(hotel, model, plan, kinds)
            self.reservations_are_right(hotel, model)

    def hotel_is_right(self, hotel, model):
        told = self.done("HOTEL_GET", hotel_id=hotel).hotel
        self.same((told.event_seq, told.ari_version), (model.seq, model.version),
                  "event_seq and ari_version of the hotel")
        states = [one.state for one in model.reservations.values() if one.state != naive.VOID]
        self.same((told.reservation_count, told.hold_count),
                  (len(states), states.count(naive.HELD)), "reservations and holds of the hotel")

    def nights_are_right(self, hotel, model, plan, kinds):
        answer = self.done("AVAILABILITY", hotel_id=hotel, types=kinds, plan=plan,
                           first_day=model.today, night_count=DAYS + 4)
        classes = dict(zip(answer.classes[::2], answer.classes[1::2]))
        for at, (word, rate) in enumerate(zip(answer.counters, answer.rates)):
            kind, day = kinds[at // (DAYS + 4)], model.today + at % (DAYS + 4)
            night, limit = model.night(kind, day), model.limit(kind, day)
            want = (limit or 0, *model.counts(kind, day),
                    *(bool(night.get(name)) for name in ("closed", "cta", "ctd")),
                    limit is not None)
            low = word & 0xFFFF
            told = (low - (low >> 15 << 16), word >> 16 & 0xFFFF, word >> 32 & 0xFFFF,
                    *(bool(word >> bit & 1) for bit in (48, 49, 50, 52)))
            self.same(told, want, f"night {day} of type {kind}")
            self.rate_is_right(model.rate(kind, plan, day), rate, classes,
                               f"rate of night {day}, type {kind}, plan {plan}")

    def rate_is_right(self, set_by_date, word, classes, what):
        limits = classes.get(word >> 40 & 0xFFFF, 0)
        told = (word & (1 << 40) - 1 if word >> 56 & 1 else None,
                *(bool(word >> bit & 1) for bit in (57, 58, 59)),
                *(limits >> 16 * i & 0xFFFF for i in range(4)))
        want = (set_by_date.get("price"),
                *(bool(set_by_date.get(name)) for name in ("plan_closed", "plan_cta", "plan_ctd")),
                *(set_by_date.get(name, 0) for name in LENGTHS))
        self.same(told, want, what)

    def reservations_are_right(self, hotel, model):
        asked = [(halves, known) for halves, known in model.reservations.items()
                 if known.state != naive.VOID]
        with self.watch("RESERVATION_GET"):
            answers = list(Running.client.pipeline(
                [("RESERVATION_GET", self.ident(halves)) for halves, _ in asked], 120))
        for index, code, message in answers:
            self.same(code, 1, "RESERVATION_GET")
            known, told = asked[index][1], message.reservation
            self.same((told.state, told.revision, told.event_seq, told.change_id,
                       told.payment_ref, told.was_held, told.counted_until_day),
                      (known.state, known.revision, known.seq, known.change, known.payment,
                       known.was_held, known.counted_until), "RESERVATION_GET")
            for one, line_, prices in zip(told.lines, known.lines, known.prices):
                self.same(naive.Line(*(getattr(one, name) for name in naive.Line._fields)), line_,
                          "a line")
                runs = [price for length, price in zip(one.run_nights, one.run_price_minor)
                        for _ in range(length)]
                self.same(runs, prices or [], "prices of a line")

    def teardown(self):
        """At the end the lists tell the same as the nights and the reservations did."""
        for hotel, model in self.hotels.items():
            page = self.done("RESERVATION_LIST", hotel_id=hotel)
            self.same({((one.id_hi, one.id_lo), one.state) for one in page.reservations},
                      {(halves, known.state) for halves, known in model.reservations.items()
                       if known.state != naive.VOID}, "RESERVATION_LIST")
            page = self.done("NIGHT_LIST", hotel_id=hotel, first_day=model.today,
                             last_day=model.today + WINDOW - 1, filter=1)
            self.same({(one.type, one.day): one.over_limit for one in page.nights},
                      model.over_limit(), "NIGHT_LIST")


class StatefulTest(unittest.TestCase):
    def setUp(self):
        Running.start()
        self.addCleanup(Running.stop)

    def test_a_cluster_does_what_the_rules_say(self):
        run_state_machine_as_test(Lives, settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, database=None,
            derandomize=True, print_blob=False, report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck), phases=(Phase.generate, Phase.shrink)))
        self.assertTrue(Running.cluster.is_whole())
        print(f"{EXAMPLES} lives of up to {STEPS} steps, {Running.requests + Running.client.request_id} requests",
              file=sys.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
