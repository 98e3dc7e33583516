#!/usr/bin/python3
"""A client written from PROTOCOL.md alone, and the examples in C, against real processes.

usage: test_pykeyrack.py SOURCE_ROOT KEYRACK_ROUTER KEYRACK_SHARD BOOK_A_ROOM MANY_IN_FLIGHT
"""
import datetime
import fractions
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import pykeyrack
import two_shards

ROOT, ROUTER, SHARD, BOOK_A_ROOM, MANY_IN_FLIGHT = sys.argv[1:6]
DOCUMENT = pykeyrack.Document(os.path.join(ROOT, "proto", "PROTOCOL.md"))
CODE = DOCUMENT.numbers
CLUSTER = 0x6b6579
# Some zone's business date may be a day ahead of this: nothing is sold before TODAY + 2.
TODAY = (datetime.datetime.now(datetime.timezone.utc).date() - datetime.date(1970, 1, 1)).days
PRICE, BASIC = 0x0080, 0x0004  # bits of INVENTORY_SET and TYPE_PUT: price, physical
SIZES = ["--hotels", "50", "--nights", "120", "--reservations", "20000", "--refusals", "1024",
         "--segment-size", "8"]


def date(day):
    return (datetime.date(1970, 1, 1) + datetime.timedelta(day)).isoformat()


class DocumentTest(unittest.TestCase):
    """What needs no server."""

    def test_the_examples_are_what_this_client_writes(self):
        example = DOCUMENT.example("hello-request")
        hello = DOCUMENT.messages["HelloRequest"](version=1, agent="example/1.0")
        self.assertEqual(pykeyrack.seal(1, pykeyrack.ROUTER, 0, 1, hello.SerializeToString(), 0,
                                        2000000), example)
        example = DOCUMENT.example("book-request")
        high, low = pykeyrack.mint(42, 1772000000000, 0x0123456789abcde)
        self.assertIn(pykeyrack.format_id((high, low)), DOCUMENT.text)
        line = DOCUMENT.messages["Line"](type=3, check_in=20513, check_out=20516, rooms=1, guests=2)
        book = DOCUMENT.messages["ReserveRequest"](
            hotel_id=42, id_hi=high, id_lo=low, lines=[line], has_expected_total=True,
            expected_total_minor=36000, external_ref="OTA-1009", source=5)
        self.assertEqual(pykeyrack.seal(41, pykeyrack.HOTEL, 42, 7, book.SerializeToString(),
                                        0x6b657972, 2000000), example)

    def test_the_examples_of_answers_are_read(self):
        for name, message in (("hello-answer", "HelloAnswer"), ("book-answer", "ReservationAnswer"),
                              ("book-sold-out", "ReservationAnswer"), ("reject", "RejectNotice"),
                              ("availability-answer", "AvailabilityAnswer")):
            data = DOCUMENT.example(name)
            frame = pykeyrack.Frame(data[:64], lambda size, data=data: data[64:64 + size])
            DOCUMENT.messages[message].FromString(frame.body)
            self.assertEqual(len(data), 64 + frame.size)

    def test_a_proof_is_the_documents(self):
        token, nonce, proof = map(bytes.fromhex, re.search(
            r"the token `(\w+)` and the nonce `(\w+)` give the proof `(\w+)`",
            DOCUMENT.text).groups())
        self.assertEqual(pykeyrack.prove(token, nonce), proof)

    def test_a_slot_is_the_documents(self):
        self.assertIn(f"hotel 42 has slot {pykeyrack.slot_of(42)};", DOCUMENT.text)


def cancelling(reservation, at_us):
    """(penalty, refundable) of cancelling it then, as the document says."""
    penalty, total, first = 0, 0, None
    for before, line in zip([None, *reservation.lines], reservation.lines):
        if before is None or (before.check_out, before.rooms) != (line.check_in, line.rooms):
            first = line.check_in
        prices = [price for nights, price in zip(line.run_nights, line.run_price_minor)
                  for _ in range(nights)]
        price = sum(prices) * line.rooms
        total += price
        begun = [tier for tier in line.tiers
                 if at_us >= line.arrival_us - tier.hours * 3600 * 1000000]
        if not begun:
            continue
        nights = begun[-1].nights
        if nights:
            penalty += line.rooms * sum(prices[:max(0, first + nights - line.check_in)])
        else:
            share = fractions.Fraction(price * begun[-1].basis_points, 10000)
            penalty += (share + fractions.Fraction(1, 2)).__floor__()
    return penalty, total - penalty


class ClusterTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="keyrack-py-")
        cls.cluster = two_shards.TwoShards(cls.folder, ROUTER, SHARD, CLUSTER, SIZES)
        cls.hotel = 1000

        cls.changes = 0
        cls.asked = set()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.stop()
        shutil.rmtree(cls.folder)
        # HELLO, AUTH (test_access.py) and REJECT are the connection's own.
        missing = set(DOCUMENT.types) - cls.asked - {"HELLO", "AUTH", "REJECT"}
        if missing:
            raise AssertionError(f"nobody asked {sorted(missing)}")

    def setUp(self):
        ClusterTest.hotel += 1
        self.client = pykeyrack.Client(DOCUMENT, self.cluster.addresses, deadline=20)
        self.call("HOTEL_PUT", hotel_id=self.hotel, mask=6,
                  settings=DOCUMENT.messages["HotelSettings"](zone="Asia/Tokyo", currency="JPY"))
        self.call("TYPE_PUT", hotel_id=self.hotel, type=3, mask=BASIC,
                  settings=DOCUMENT.messages["TypeSettings"](physical=2))
        self.call("INVENTORY_SET", hotel_id=self.hotel, first_day=TODAY + 2, last_day=TODAY + 100,
                  weekday_mask=127, set_mask=PRICE, price_minor=12000, source=1, source_seq=1)

    def tearDown(self):
        self.client.close()

    def call(self, name, code="DONE", **fields):
        answer = self.client.call(name, **fields)
        self.assertEqual(DOCUMENT.codes[answer.code], code, answer.message)
        self.asked.add(name)
        return answer.message

    def line(self, first=10, nights=3, rooms=1):
        return DOCUMENT.messages["Line"](type=3, check_in=TODAY + first, rooms=rooms, guests=1,
                                         check_out=TODAY + first + nights)

    def sale(self, ident=None, **more):
        high, low = ident or pykeyrack.mint(self.hotel)
        return {"hotel_id": self.hotel, "id_hi": high, "id_lo": low, "lines": [self.line()], **more}

    def test_a_stay_is_priced_held_confirmed_shown_and_cancelled(self):
        stay = self.call("STAY", hotel_id=self.hotel, lines=[self.line()])
        self.assertEqual((stay.total_minor, stay.rooms_left), (36000, 2))
        sale = self.sale(has_expected_total=True, expected_total_minor=36000)
        held = self.call("HOLD", **sale)
        self.assertEqual((held.state, held.revision), (1, 1))
        ident = {"id_hi": sale["id_hi"], "id_lo": sale["id_lo"]}
        self.assertEqual(self.call("CONFIRM", **ident).state, 2)
        self.assertTrue(self.call("CONFIRM", **ident).repeated_op)
        shown = self.call("RESERVATION_GET", **ident).reservation
        self.assertEqual(list(shown.lines[0].run_price_minor), [12000])
        self.assertEqual(list(shown.lines[0].run_nights), [3])
        self.assertTrue(shown.was_held)
        nights = self.call("AVAILABILITY", hotel_id=self.hotel, first_day=TODAY + 9, night_count=5)
        self.assertEqual(list(nights.types), [3])
        self.assertEqual([word >> 32 & 0xFFFF for word in nights.counters], [0, 1, 1, 1, 0])
        self.assertEqual([word & 0xFFFF for word in nights.counters], [2] * 5)
        self.assertEqual({word & (1 << 40) - 1 for word in nights.rates}, {12000})
        self.assertEqual(self.call("RELEASE", "BAD_STATE", **ident).state, 2)
        self.assertEqual(self.call("CANCEL", **ident).state, 5)

    def test_the_last_room_is_sold_once_and_the_refusal_says_why(self):
        for _ in range(2):
            self.call("BOOK", **self.sale())
        refused = self.call("BOOK", "SOLD_OUT", **self.sale()).refusal
        self.assertEqual((refused.rule, refused.day, refused.required, refused.left),
                         (21, TODAY + 10, 1, 0))

    def test_one_id_has_one_effect(self):
        sale = self.sale()
        first = self.call("BOOK", **sale)
        again = self.call("BOOK", **sale)
        self.assertTrue(again.repeated_op)
        self.assertEqual(again.event_seq, first.event_seq)
        sale["lines"] = [self.line(nights=4)]
        self.call("BOOK", "KEY_REUSED", **sale)

    def test_resolve_makes_not_found_final(self):
        high, low = pykeyrack.mint(self.hotel)
        self.call("RESOLVE", "NOT_FOUND", id_hi=high, id_lo=low)
        self.call("BOOK", "BAD_STATE", **self.sale((high, low)))

    def test_many_in_flight_are_answered_in_order_for_one_hotel(self):
        sales = [self.sale(lines=[self.line(first=20, nights=1)]) for _ in range(500)]
        answers = list(self.client.pipeline([("BOOK", sale) for sale in sales]))
        self.assertEqual([index for index, _, _ in answers], list(range(500)))
        codes = [DOCUMENT.codes[code] for _, code, _ in answers]
        self.assertEqual(codes, ["DONE"] * 2 + ["SOLD_OUT"] * 498)

    def test_every_shard_tells_its_hotels_and_figures(self):
        found = []
        for shard in range(self.client.hello.shard_count):
            answer = self.call("HOTEL_LIST", shard=shard, from_start=True, limit=1000)
            found += [hotel.hotel_id for hotel in answer.hotels]
            stats = self.call("STATS", shard=shard)
            self.assertEqual((stats.shard, stats.state), (shard, "serving"))
        self.assertIn(self.hotel, found)
        self.assertEqual(self.call("ROUTER_MAP").shard_count, 2)
        self.assertEqual(self.call("PING", payload=b"x").payload, b"x")
        self.assertEqual(self.call("PING", shard=1, payload=b"y").payload, b"y")
        self.assertEqual(len(self.call("ROUTER_STATUS").links), 2)

    def test_a_repeated_update_changes_nothing_and_says_so(self):
        update = {"hotel_id": self.hotel, "first_day": TODAY + 6, "last_day": TODAY + 7,
                  "weekday_mask": 127, "adjust_mask": PRICE, "price_minor": 100, "source": 1,
                  "source_seq": 2}
        self.assertFalse(self.call("INVENTORY_SET", **update).repeated_seq)
        again = self.call("INVENTORY_SET", **update)
        self.assertTrue(again.repeated_seq)
        self.assertEqual(again.last_source_seq, 2)
        nights = self.call("AVAILABILITY", hotel_id=self.hotel, first_day=TODAY + 5, night_count=4)
        self.assertEqual([word & (1 << 40) - 1 for word in nights.rates],
                         [12000, 12100, 12100, 12000])

    def test_stock_by_date_is_told_in_runs_and_pages(self):
        for first, last, physical in ((10, 12, 5), (13, 14, 6), (30, 30, 0)):
            self.call("INVENTORY_SET", hotel_id=self.hotel, first_day=TODAY + first,
                      last_day=TODAY + last, weekday_mask=127, set_mask=1, physical=physical)
        page = self.call("STOCK_LIST", hotel_id=self.hotel, from_day=-32768, limit=2)
        self.assertTrue(page.more)
        end = page.runs[-1]
        rest = self.call("STOCK_LIST", hotel_id=self.hotel, from_type=end.type,
                         from_day=end.last_day + 1)
        self.assertFalse(rest.more)
        self.assertEqual(rest.ari_version, page.ari_version)
        self.assertEqual([(run.type, run.first_day - TODAY, run.last_day - TODAY, run.set_mask,
                           run.physical) for run in [*page.runs, *rest.runs]],
                         [(3, 10, 12, 1, 5), (3, 13, 14, 1, 6), (3, 30, 30, 1, 0)])
        self.call("STOCK_LIST", "INVALID", hotel_id=self.hotel, limit=1025)
        self.call("STOCK_LIST", "NOT_FOUND", hotel_id=self.hotel + 500000)

    def plan(self, number, answer="DONE", mask=None, **settings):
        """PLAN_PUT of the fields given, or of those in the mask."""
        fields = DOCUMENT.messages["PlanSettings"].DESCRIPTOR.fields_by_name
        given = sum(1 << fields[name].number - 1 for name in settings) if mask is None else mask
        return self.call("PLAN_PUT", answer, hotel_id=self.hotel, type=3, plan=number, mask=given,
                         settings=DOCUMENT.messages["PlanSettings"](**settings))

    def price(self, plan, price, first=2, last=100, code="DONE"):
        return self.call("INVENTORY_SET", code, hotel_id=self.hotel, types=[3], plan=plan,
                         first_day=TODAY + first, last_day=TODAY + last, weekday_mask=127,
                         set_mask=PRICE, price_minor=price)

    def rates(self, plan, first=10, nights=3):
        answer = self.call("AVAILABILITY", hotel_id=self.hotel, plan=plan, first_day=TODAY + first,
                           night_count=nights)
        return [word & (1 << 40) - 1 if word >> 56 & 1 else None for word in answer.rates]

    def test_plans_are_products_over_the_same_rooms(self):
        tier = DOCUMENT.messages["Tier"]
        policy = [tier(hours=72, basis_points=5000), tier(hours=24, nights=2)]
        made = self.plan(4, tiers=policy, status=1)
        self.assertTrue(made.created)
        self.assertEqual((made.plan.type, made.plan.plan, list(made.plan.settings.tiers)),
                         (3, 4, policy))
        self.price(4, 15005)
        derived = self.plan(9, parent=4, derivation=2, adjustment=-1000)
        self.assertEqual(derived.ari_version, made.ari_version + 2)
        self.assertEqual([self.rates(plan) for plan in (0, 4, 9)],
                         [[12000] * 3, [15005] * 3, [13505] * 3])
        line = self.line()
        line.plan = 9
        stay = self.call("STAY", hotel_id=self.hotel, lines=[line])
        self.assertEqual((stay.total_minor, list(stay.lines[0].run_price_minor)), (40515, [13505]))
        sale = self.sale(lines=[line])
        self.call("BOOK", **sale)
        shown = self.call("RESERVATION_GET", id_hi=sale["id_hi"], id_lo=sale["id_lo"]).reservation
        self.assertEqual((shown.lines[0].plan, shown.total_minor), (9, 40515))
        self.call("BOOK", **self.sale())
        line.plan = 4
        self.call("BOOK", "SOLD_OUT", **self.sale(lines=[line]))
        line.plan = 5
        self.assertEqual(self.call("BOOK", "NOT_FOUND", **self.sale(lines=[line])).refusal.rule, 4)
        self.assertFalse(self.plan(9, status=2).created)
        line.plan = 9
        self.call("STAY", "RATE_CLOSED", hotel_id=self.hotel, lines=[line])

    def policy(self, dice):
        hours = sorted(dice.sample(range(0, 700), dice.randrange(5)), reverse=True)
        tier = DOCUMENT.messages["Tier"]
        return [tier(hours=n, nights=dice.randrange(1, 5)) if dice.random() < 0.5 else
                tier(hours=n, basis_points=dice.randrange(1, 10001)) for n in hours]

    def test_cancelling_costs_what_the_terms_told_come_to(self):
        dice = random.Random(14)
        self.call("TYPE_PUT", hotel_id=self.hotel, type=3, mask=BASIC,
                  settings=DOCUMENT.messages["TypeSettings"](physical=500))
        self.price(0, 11117, 10, 11)
        self.plan(4, parent=0, derivation=2, adjustment=-333)
        charged = 0
        for _ in range(30):
            policies = {number: self.policy(dice) for number in (0, 4)}
            for number, tiers in policies.items():
                self.plan(number, mask=0x80, tiers=tiers)
            lines = [self.line(2 + dice.randrange(20), dice.randrange(1, 4), 1 + dice.randrange(3))]
            while len(lines) < 4 and dice.random() < 0.6:
                line = self.line(2 + dice.randrange(20), dice.randrange(1, 4), lines[-1].rooms)
                if dice.random() < 0.6:  # the stay goes on
                    line.check_out += lines[-1].check_out - line.check_in
                    line.check_in = lines[-1].check_out
                lines.append(line)
            for line in lines:
                line.plan = dice.choice((0, 4))
            quote = self.call("STAY", hotel_id=self.hotel, lines=lines)
            sale = self.sale(lines=lines)
            self.call("BOOK", **sale)
            ident = {"id_hi": sale["id_hi"], "id_lo": sale["id_lo"]}
            before_us = int(time.time() * 1000000)
            shown = self.call("RESERVATION_GET", **ident).reservation
            after_us = int(time.time() * 1000000)
            self.assertEqual([list(line.tiers) for line in shown.lines],
                             [policies[line.plan] for line in lines])
            for line in shown.lines:
                chain = line.arrival_us // 86400000000
                self.assertEqual(line.arrival_us, chain * 86400000000 + 6 * 3600000000
                                 if line.tiers else 0)
            until = [line.arrival_us - line.tiers[0].hours * 3600000000 for line in shown.lines
                     if line.tiers]
            self.assertEqual(shown.free_cancel_until_us, min(until, default=0))
            self.assertEqual(quote.free_cancel_until_us, shown.free_cancel_until_us)
            self.assertTrue(shown.has_amounts)
            # a tier may begin while it is asked
            self.assertIn((shown.penalty_minor, shown.refundable_minor),
                          [cancelling(shown, us) for us in (before_us, after_us)])
            for again in (False, True):
                answer = self.call("CANCEL", **ident)
                ended = self.call("RESERVATION_GET", **ident).reservation
                cost = cancelling(ended, ended.changed_at_us)
                self.assertEqual(answer.repeated_op, again)
                self.assertTrue(answer.has_amounts and ended.has_amounts)
                self.assertEqual((answer.penalty_minor, answer.refundable_minor), cost)
                self.assertEqual((ended.penalty_minor, ended.refundable_minor), cost)
            charged += cost[0] != 0 and cost[1] != 0
        self.assertGreater(charged, 5)

    def test_plans_are_listed_in_pages_the_base_among_them(self):
        self.call("TYPE_PUT", hotel_id=self.hotel, type=65534, mask=BASIC,
                  settings=DOCUMENT.messages["TypeSettings"](physical=1))
        for number in (7, 65534, 1):
            self.plan(number, code=f"P{number}")
        told, ask = [], {"from_type": 0, "from_plan": 0}
        while True:
            page = self.call("PLAN_LIST", hotel_id=self.hotel, limit=2, **ask)
            told += [(p.type, p.plan, p.settings.code) for p in page.plans]
            if not page.more:
                break
            ask = {"from_type": told[-1][0], "from_plan": told[-1][1] + 1}
        self.assertEqual(told, [(3, 0, "BASE"), (3, 1, "P1"), (3, 7, "P7"), (3, 65534, "P65534"),
                                (65534, 0, "BASE")])
        for place in ({"from_type": 65535}, {"from_type": 65534, "from_plan": 1}):
            page = self.call("PLAN_LIST", hotel_id=self.hotel, **place)
            self.assertEqual((len(page.plans), page.more), (0, False))
        self.call("PLAN_LIST", "INVALID", hotel_id=self.hotel, limit=1025)
        self.call("PLAN_LIST", "INVALID", hotel_id=self.hotel, from_type=65536)
        self.call("PLAN_LIST", "INVALID", hotel_id=self.hotel, from_plan=1 << 31)
        self.call("PLAN_LIST", "NOT_FOUND", hotel_id=self.hotel + 500000)

    def test_what_is_no_plan_is_refused_and_changes_nothing(self):
        tier = DOCUMENT.messages["Tier"]
        self.plan(4, code="FLEX")
        self.plan(9, parent=4, derivation=1, adjustment=5)
        before = self.call("PLAN_LIST", hotel_id=self.hotel)
        wrong = [(5, {"code": "FLEX"}), (5, {"code": "BASE"}), (5, {"code": "x" * 33}),
                 (5, {"status": 4}), (5, {"status": 0}), (5, {"derivation": 3}),
                 (5, {"derivation": 1, "parent": 5}), (5, {"derivation": 1, "parent": 9}),
                 (5, {"derivation": 1, "parent": 77}), (5, {"derivation": 1, "parent": 70000}),
                 (5, {"parent": 4}), (5, {"adjustment": 1}),
                 (5, {"derivation": 1, "adjustment": 1 << 40}),
                 (5, {"derivation": 1, "adjustment": -(1 << 63)}),
                 (5, {"derivation": 2, "adjustment": -10001}),
                 (5, {"derivation": 2, "adjustment": 1000001}),
                 (9, {"parent": 0}), (9, {"derivation": 0}), (9, {"derivation": 2}),
                 (4, {"derivation": 1}), (4, {"adjustment": 1}), (0, {"code": "RACK"}),
                 (0, {"derivation": 1, "parent": 4}), (65535, {"status": 1}),
                 (1 << 31, {"status": 1}),
                 (5, {"tiers": [tier(hours=h, nights=1) for h in range(9, 0, -1)]}),
                 (5, {"tiers": [tier(hours=24)]}),
                 (5, {"tiers": [tier(hours=24, nights=1, basis_points=1)]}),
                 (5, {"tiers": [tier(hours=24, nights=1), tier(hours=24, nights=2)]}),
                 (5, {"tiers": [tier(hours=24, nights=1), tier(hours=48, nights=2)]}),
                 (5, {"tiers": [tier(hours=65536, nights=1)]}),
                 (5, {"tiers": [tier(hours=24, nights=65536)]}),
                 (5, {"tiers": [tier(hours=24, basis_points=10001)]})]
        for number, settings in wrong:
            with self.subTest(plan=number, settings=settings):
                self.assertEqual(self.plan(number, "INVALID", **settings).refusal.rule, 25)
        self.assertEqual(self.plan(5, "INVALID", mask=0x100).refusal.text, "mask")
        for code, more in (("INVALID", {"type": 65535}), ("INVALID", {"type": 1 << 31}),
                           ("NOT_FOUND", {"type": 4}), ("NOT_FOUND", {"hotel_id": 77777}),
                           ("VERSION_MISMATCH", {"has_expected_version": True,
                                                 "expected_ari_version": 1})):
            fields = {"hotel_id": self.hotel, "type": 3, "plan": 5, **more}
            self.call("PLAN_PUT", code, **fields)
        self.price(9, 1, code="INVALID")
        self.assertEqual(self.price(5, 1, code="NOT_FOUND").refusal.rule, 4)
        for plan, code in ((5, "NOT_FOUND"), (65535, "INVALID"), (1 << 31, "INVALID")):
            for types in ([3], []):
                self.call("AVAILABILITY", code, hotel_id=self.hotel, types=types, plan=plan,
                          first_day=TODAY + 2, night_count=1)
        self.assertEqual(self.call("PLAN_LIST", hotel_id=self.hotel), before)

    def test_nights_and_denials_are_listed_in_pages(self):
        self.call("BOOK", **self.sale(lines=[self.line(10, 3, rooms=2)]))
        self.call("HOLD", "SOLD_OUT", **self.sale(lines=[self.line(12, 1)]))
        self.call("INVENTORY_SET", hotel_id=self.hotel, first_day=TODAY + 11, last_day=TODAY + 12,
                  weekday_mask=127, set_mask=2, out_of_order=1)
        ask = {"hotel_id": self.hotel, "types": [3], "first_day": TODAY + 9,
               "last_day": TODAY + 13, "limit": 2}
        nights = list(self.pages("NIGHT_LIST", "nights", **ask))
        self.assertEqual([(n.hotel_id, n.type, n.day - TODAY, n.limit, n.rooms, n.held, n.booked,
                           n.over_limit, n.walks) for n in nights],
                         [(self.hotel, 3, 9 + i, r, r, 0, b, max(b - r, 0), max(b - r, 0))
                          for i, (r, b) in enumerate([(2, 0), (2, 2), (1, 2), (1, 2), (2, 0)])])
        over = {(n.hotel_id, n.day - TODAY, n.walks)
                for n in self.pages("NIGHT_LIST", "nights", first_day=0, last_day=100,
                                    relative=True, filter=2)}
        self.assertLessEqual({(self.hotel, 11, 1), (self.hotel, 12, 1)}, over)
        for where in ({}, {"hotel_id": self.hotel}):
            denials = [d for d in self.pages("DENIAL_LIST", "denials", limit=1, **where)
                       if d.hotel_id == self.hotel]
            self.assertEqual([(d.type, d.day - TODAY, d.count) for d in denials], [(3, 12, 1)])
        self.call("NIGHT_LIST", "INVALID", hotel_id=self.hotel, limit=2049)
        self.call("NIGHT_LIST", "NOT_FOUND", **{**ask, "types": [3, 4]})
        self.call("DENIAL_LIST", "NOT_FOUND", hotel_id=self.hotel + 500000)

    def pages(self, name, field, **ask):
        """All pages of a list, over all shards where no hotel is named."""
        while True:
            page = self.call(name, **ask)
            yield from getattr(page, field)
            if page.next_cursor == 0:
                return
            ask["cursor"] = page.next_cursor
            if name == "NIGHT_LIST":
                ask["from_day"] = page.next_day

    def rejected(self, data):
        """The code of the REJECT that these bytes are answered with after HELLO."""
        client = pykeyrack.Client(DOCUMENT, self.cluster.addresses)
        until = time.monotonic() + 10
        client.connect(until)
        client.socket.sendall(data)
        with self.assertRaises(pykeyrack.Rejected) as caught:
            client.receive(until)
        with self.assertRaises(ConnectionError):
            client.take(1, until)
        client.close()
        return DOCUMENT.codes[caught.exception.code]

    def changed(self, name, ident, revision, code="DONE", **fields):
        """A change: of a revision, under an id of its own."""
        ClusterTest.changes += 1
        return self.call(name, code, **ident, has_expected_revision=True,
                         expected_revision=revision, change_id=ClusterTest.changes, **fields)

    def test_a_hold_lives_longer_keeps_its_payment_and_makes_room_for_another(self):
        sale = self.sale()
        ident = {"id_hi": sale["id_hi"], "id_lo": sale["id_lo"]}
        held = self.call("HOLD", **sale)
        later = held.expires_at_us + 60_000_000
        self.assertEqual(self.changed("EXTEND", ident, 1, expires_at_us=later).expires_at_us, later)
        again = self.call("EXTEND", **ident, has_expected_revision=True, expected_revision=1,
                          change_id=ClusterTest.changes, expires_at_us=later)
        self.assertTrue(again.repeated_op)
        self.changed("ATTACH_PAYMENT", ident, 2, payment_ref="pay-1")
        self.changed("ATTACH_PAYMENT", ident, 1, "BAD_STATE", payment_ref="pay-2")
        other = self.sale(lines=[self.line(rooms=2)])
        self.call("HOLD", "SOLD_OUT", **other)
        other = self.sale(lines=[self.line(rooms=2)], replaces_hi=ident["id_hi"],
                          replaces_lo=ident["id_lo"])
        self.call("HOLD", **other)
        self.assertEqual(self.call("RESERVATION_GET", **ident).reservation.state, 3)
        self.assertEqual(
            self.call("RELEASE", id_hi=other["id_hi"], id_lo=other["id_lo"]).state, 3)

    def test_a_booking_is_changed_at_the_prices_it_was_sold_at(self):
        sale = self.sale()
        ident = {"id_hi": sale["id_hi"], "id_lo": sale["id_lo"]}
        self.call("BOOK", **sale)
        self.call("INVENTORY_SET", hotel_id=self.hotel, first_day=TODAY + 2, last_day=TODAY + 100,
                  weekday_mask=127, set_mask=PRICE, price_minor=15000, source=1, source_seq=2)
        changed = self.changed("MODIFY", ident, 1, lines=[self.line(11, 3)])
        self.assertEqual((changed.revision, changed.total_minor), (2, 12000 * 2 + 15000))
        self.changed("MODIFY", ident, 2, "SOLD_OUT", lines=[self.line(11, 3, rooms=3)])
        self.changed("MODIFY", ident, 1, "VERSION_MISMATCH", lines=[self.line(11, 2)])
        split = [self.line(11, 1), self.line(12, 2)]
        split[1].keeps = 1
        self.assertEqual(self.changed("MODIFY", ident, 2, lines=split).total_minor, 39000)
        self.changed("MODIFY", ident, 3, "PRICE_CHANGED", lines=split[:1],
                     has_expected_total=True, expected_total_minor=1)
        part = self.changed("MODIFY", ident, 3, lines=split[:1], has_expected_total=True,
                            expected_total_minor=12000)
        self.assertEqual(part.state, 2)
        nights = self.call("AVAILABILITY", hotel_id=self.hotel, first_day=TODAY + 10, night_count=5)
        self.assertEqual([word >> 32 & 0xFFFF for word in nights.counters], [0, 1, 0, 0, 0])
        forced = self.changed("MODIFY", ident, 4, lines=[self.line(11, 1, rooms=9)], force=True)
        self.assertEqual(forced.revision, 5)

    def test_guests_come_leave_or_do_not_come(self):
        today = self.call("HOTEL_GET", hotel_id=self.hotel).hotel.business_day
        self.assertEqual(self.call("TYPE_GET", hotel_id=self.hotel).types[0].type, 3)
        line = DOCUMENT.messages["Line"](type=3, check_in=today, check_out=today + 2, rooms=1,
                                         guests=1, pricing=2)
        idents = []
        for _ in range(2):
            sale = self.sale(lines=[line], payment_ref="pay")
            self.call("BOOK", **sale)
            idents.append({"id_hi": sale["id_hi"], "id_lo": sale["id_lo"]})
        self.assertEqual(self.call("CHECK_IN", **idents[0]).state, 6)
        self.assertEqual(self.call("COMPLETE", **idents[0]).state, 8)
        self.assertEqual(self.call("NO_SHOW", **idents[1]).state, 7)
        future = self.sale()
        self.call("BOOK", **future)
        self.call("CHECK_IN", "TOO_EARLY", id_hi=future["id_hi"], id_lo=future["id_lo"])
        paid = list(self.pages("RESERVATION_LIST", "reservations", hotel_id=self.hotel, payment=1,
                               limit=1))
        self.assertEqual({(r.id_hi, r.id_lo) for r in paid},
                         {(i["id_hi"], i["id_lo"]) for i in idents})

    def test_a_reservation_made_elsewhere_comes_in_as_it_is(self):
        today = self.call("HOTEL_GET", hotel_id=self.hotel).hotel.business_day
        now_us = int(time.time() * 1e6)
        line = DOCUMENT.messages["Line"](type=3, check_in=today - 1, check_out=today + 2, rooms=2,
                                         guests=3, pricing=1, run_nights=[1, 2],
                                         run_price_minor=[9000, 8000])
        told = DOCUMENT.messages["Reservation"](
            id_lo=4711, hotel_id=self.hotel, state=6, revision=3, created_at_us=now_us - 10**12,
            changed_at_us=now_us - 10**9, lines=[line], external_ref="PMS-4711", source=8,
            was_held=True, guest_lo=5)
        come = self.call("IMPORT", reservation=told)
        self.assertEqual((come.state, come.total_minor, come.nights_over_limit), (6, 50000, 0))
        self.assertTrue(self.call("IMPORT", reservation=told, reason="again").repeated_op)
        ident = {"id_lo": 4711, "has_hotel": True, "hotel_id": self.hotel}
        shown = self.call("RESERVATION_GET", **ident).reservation
        self.assertEqual((shown.revision, shown.created_at_us, shown.source, shown.external_ref),
                         (3, now_us - 10**12, 8, "PMS-4711"))
        told.id_lo, told.external_ref = 4712, ""
        self.call("IMPORT", "SOLD_OUT", reservation=told)
        self.assertEqual(self.call("IMPORT", reservation=told, force=True).nights_over_limit, 2)
        told.id_lo, told.state, told.expires_at_us = 4713, 1, now_us - 10**6
        self.assertEqual(self.call("IMPORT", reservation=told).state, 4)
        told.expires_at_us = told.changed_at_us = told.created_at_us
        told.id_lo, told.state = 4714, 5
        self.call("IMPORT", "KEY_EXPIRED", reservation=told)
        self.assertEqual(self.call("COMPLETE", **ident).state, 8)

    def test_an_expired_hold_is_wanted_again(self):
        sale = self.sale(ttl_us=1_000_000)
        self.call("HOLD", **sale)
        again = {"hotel_id": self.hotel, "reacquires_hi": sale["id_hi"],
                 "reacquires_lo": sale["id_lo"]}
        until = time.monotonic() + 60
        while True:
            high, low = pykeyrack.mint(self.hotel)
            answer = self.client.call("BOOK", id_hi=high, id_lo=low, **again)
            if DOCUMENT.codes[answer.code] != "BAD_STATE":
                break
            self.assertLess(time.monotonic(), until)
            time.sleep(0.2)
        self.assertEqual(DOCUMENT.codes[answer.code], "DONE")
        self.assertEqual(answer.message.total_minor, 36000)

    def test_the_operator_asks_for_snapshots_and_connections(self):
        self.assertTrue(self.call("SNAPSHOT", shard=0).lsn >= 0)
        self.assertGreaterEqual(len(self.call("ROUTER_CONNECTIONS").connections), 1)

    def test_what_breaks_the_protocol_is_rejected(self):
        def good(**changes):
            fields = {"kind": 2, "route": pykeyrack.ROUTER, "key": 0, "request_id": 1, "body": b"",
                      "cluster": self.client.cluster, "remaining_us": 1000, **changes}
            return pykeyrack.seal(**fields)
        self.assertEqual(self.rejected(b"GET / HTTP/1.1\r\n\r\n"), "REJECT_MAGIC")
        self.assertEqual(self.rejected(good()[:4] + b"\x09" + good()[5:]), "REJECT_VERSION")
        self.assertEqual(self.rejected(good()[:63] + b"\x01"), "REJECT_CHECKSUM")
        self.assertEqual(self.rejected(good(kind=99)), "REJECT_TYPE")
        self.assertEqual(self.rejected(good(flags=0x80)), "REJECT_RESERVED")
        self.assertEqual(self.rejected(good(remaining_us=0)), "REJECT_RESERVED")
        self.assertEqual(self.rejected(good(cluster=1)), "REJECT_CLUSTER")
        self.assertEqual(self.rejected(good(kind=1)), "REJECT_STATE")
        self.assertEqual(self.rejected(good(body=b"\x0a\x01x")[:-1] + b"y"), "REJECT_CHECKSUM")

    def test_another_cluster_is_not_talked_to(self):
        client = pykeyrack.Client(DOCUMENT, self.cluster.addresses, cluster=5)
        with self.assertRaises(pykeyrack.Rejected) as caught:
            client.call("PING")
        self.assertEqual(DOCUMENT.codes[caught.exception.code], "REJECT_CLUSTER")
        client.close()

    def test_a_killed_router_and_shard_lose_nothing_that_was_answered(self):
        sale = self.sale()
        first = self.call("BOOK", **sale)
        shard = f"shard{0 if pykeyrack.slot_of(self.hotel) < 8192 else 1}"
        router = f"router{(self.client.turn - 1) % 2}"
        self.cluster.kill(router)
        self.cluster.kill(shard)
        self.cluster.start_shard(int(shard[-1]))
        again = self.client.call("BOOK", **sale)
        self.assertEqual(DOCUMENT.codes[again.code], "DONE")
        self.assertTrue(again.message.repeated_op)
        self.assertEqual(again.message.event_seq, first.event_seq)
        self.cluster.start_router(int(router[-1]))

    def run_example(self, program, *arguments):
        return subprocess.run([program, ",".join(self.cluster.addresses), str(self.hotel), "3",
                               *arguments], capture_output=True, text=True, timeout=60, check=False)

    def test_the_example_books_a_room_until_there_is_none(self):
        stay = date(TODAY + 30), date(TODAY + 33)
        for left in (2, 1):
            done = self.run_example(BOOK_A_ROOM, *stay)
            self.assertEqual(done.returncode, 0, done)
            self.assertIn(f"{left} rooms left, 36000 minor units", done.stdout)
            self.assertIn("CONFIRMED, revision 1", done.stdout)
        done = self.run_example(BOOK_A_ROOM, *stay)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("not for sale: SOLD_OUT: no room is left", done.stdout)
        self.assertIn(f"night {stay[0]}; required 1; left 0", done.stdout)
        self.assertEqual(self.run_example(BOOK_A_ROOM, "x", "y").returncode, 2)

    def test_the_example_has_many_in_flight(self):
        done = self.run_example(MANY_IN_FLIGHT, date(TODAY + 30), "20000")
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(done.stdout, f"20000 answers, 0 failed, {20000 * 14 * 2} room nights seen\n")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
