#!/usr/bin/python3
"""Hotels, room types, rate plans and calendars in and out: export, import, export are byte-equal; bad rows are
named and left out; an import that was killed goes on as if nothing had been; data of others.

usage: test_tables.py SOURCE_ROOT KEYRACK KEYRACK_SHARD KEYRACK_ROUTER
"""
import csv
import datetime
import gzip
import io
import json
import os
import pty
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import zoneinfo

import pykeyrack
from local_cluster import DONE, REFUSED, TIMEOUT_S, USAGE, LocalCluster

SOURCE_ROOT, KEYRACK, SHARD, ROUTER = sys.argv[1:5]
DATA = os.path.join(SOURCE_ROOT, "..", "shared", "data")
DOCUMENT = pykeyrack.Document(os.path.join(SOURCE_ROOT, "proto", "PROTOCOL.md"))
SIZES = ["--hotels", "600", "--types", "2000", "--nights", "120", "--reservations", "20000"]
NIGHTS = 120
SHEETS = ("hotels", "types", "plans", "calendar")
ZONES = ("Europe/Paris", "Asia/Tokyo", "America/New_York", "Australia/Lord_Howe", "UTC",
         "Asia/Kathmandu", "Pacific/Apia")
CURRENCIES = (("EUR", 2), ("JPY", 0), ("KWD", 3), ("USD", 2))
FIELDS = {1: "physical", 2: "out_of_order", 4: "allowance", 8: "cap", 16: "closed", 32: "cta",
          64: "ctd", 128: "price_minor", 256: "min_arrival", 512: "max_arrival",
          1024: "min_through", 2048: "max_through", 4096: "plan_closed", 8192: "plan_cta",
          16384: "plan_ctd"}


def is_far_from_its_roll(zone, roll_minute):
    """A business date must not turn between two exports that are compared."""
    now = datetime.datetime.now(zoneinfo.ZoneInfo(zone))
    minutes = now.hour * 60 + now.minute
    return (roll_minute - minutes) % 1440 > 60


class Catalogue:
    """A random one, put in over the wire rather than by what is tested."""

    def __init__(self, cluster, seed):
        self.random = random.Random(seed)
        self.client = pykeyrack.Client(DOCUMENT, [cluster.router], deadline=TIMEOUT_S)

    def call(self, name, **fields):
        answer = self.client.call(name, **fields)
        return DOCUMENT.codes[answer.code], answer.message

    def settings(self):
        r = self.random
        zone, roll = r.choice([(zone, roll) for zone in ZONES for roll in (0, 240, 719, 1439)
                               if is_far_from_its_roll(zone, roll)])
        currency, digits = r.choice(CURRENCIES)
        ttl = r.choice((60, 900, 90, 1)) * 1000000 + r.choice((0, 0, 1000, 7))
        return DOCUMENT.messages["HotelSettings"](
            zone=zone, currency=currency, currency_digits=digits, day_roll_minute=roll,
            check_in_minute=r.randrange(1440), nights_max=r.randrange(1, 366), hold_ttl_us=ttl,
            hold_ttl_max_us=ttl * 2, hold_total_max_us=ttl * 3, holds_max=r.choice((0, 70000)),
            guest_holds_max=r.choice((0, 5)), status=r.choice((1, 1, 1, 2, 3)))

    def type_settings(self, number):
        r = self.random
        mask = 1 | 2 | 128 | 256 | 512 | 1024 | r.randrange(16) * 4 & (4 | 8 | 16)
        mask |= 32 if mask & 16 else 0
        mask |= r.choice((0, 0, 64))
        settings = DOCUMENT.messages["TypeSettings"](
            code=r.choice(("DBL%d", "with,comma %d", 'a "quoted" %d', "Zimmer-ü %d")) % number,
            status=r.choice((1, 1, 2, 3)), physical=r.randrange(40), out_of_order=r.randrange(5),
            allowance=r.randrange(-900, 900), allowance_unit=r.choice((1, 2)),
            cap=r.randrange(-20, 60), guests_max=r.randrange(5), plan_status=r.choice((1, 2, 3)),
            advance_min_minutes=r.choice((0, 59, 60, 1440)),
            advance_max_minutes=r.choice((0, 525600)))
        return {"mask": mask, "settings": settings}

    def tiers(self):
        r = self.random
        hours = sorted(r.sample(range(400), r.choice((0, 1, 2, 8))), reverse=True)
        return [DOCUMENT.messages["Tier"](hours=hour, **r.choice((
            {"nights": r.randrange(1, 4)}, {"basis_points": r.randrange(1, 10001)})))
            for hour in hours]

    def plans(self, hotel, kind):
        """Some plans of a type; the numbers of those with nights of their own."""
        r = self.random
        settings = DOCUMENT.messages["PlanSettings"]
        own = [0]
        if r.random() < 0.3:
            self.done("PLAN_PUT", hotel_id=hotel, type=kind, mask=128,
                      settings=settings(tiers=self.tiers()))
        for place, number in enumerate(r.sample(range(1, 65535), r.choice((0, 1, 2, 5)))):
            derivation = r.choice((0, 0, 1, 2))
            adjustment = (0, r.randrange(-5000, 5000), r.randrange(-10000, 20000))[derivation]
            self.done("PLAN_PUT", hotel_id=hotel, type=kind, plan=number, mask=255,
                      settings=settings(
                          code=r.choice(("P%d", "plan, %d", '"%d"')) % place,
                          status=r.choice((1, 1, 2, 3)), derivation=derivation,
                          adjustment=adjustment, parent=r.choice(own) if derivation else 0,
                          advance_min_minutes=r.choice((0, 60)),
                          advance_max_minutes=r.choice((0, 90)), tiers=self.tiers()))
            own += [] if derivation else [number]
        return own

    def done(self, name, **fields):
        code, answer = self.call(name, **fields)
        assert code == "DONE", (code, fields, answer)
        return answer

    def update(self, today, types, plans):
        r = self.random
        chosen, plan = r.sample(types, r.randrange(1, len(types) + 1)), 0
        if r.random() < 0.4:
            chosen = [r.choice(types)]
            plan = r.choice(plans[chosen[0]])
        first = today + r.randrange(NIGHTS)
        last = min(first + r.choice((0, 0, 3, 30)), today + NIGHTS - 1)
        masks = [sum(bit for bit in FIELDS if r.random() < 0.2) for _ in range(2)]
        masks[0] |= 0 if any(masks) else 16
        masks[1] &= ~masks[0]
        values = {"physical": r.randrange(50), "out_of_order": r.randrange(4),
                  "allowance": r.randrange(-500, 2000), "cap": r.randrange(-9, 60),
                  "price_minor": r.choice((0, 1, 12000, (1 << 40) - 1, r.randrange(1 << 40))),
                  "min_arrival": r.choice((0, 1, 7)), "max_arrival": r.choice((0, 30, 65534)),
                  "min_through": r.choice((0, 2)), "max_through": r.choice((0, 14))}
        fields = {name: values.get(name, r.random() < 0.6) for bit, name in FIELDS.items()
                  if masks[0] & bit}
        if masks[0] & 4:
            fields["allowance_unit"] = r.choice((1, 2))
        return {"types": chosen, "plan": plan, "first_day": first, "last_day": last, "weekday_mask": r.choice((127, 127, 96, 1)),
                "set_mask": masks[0], "clear_mask": masks[1], **fields}

    def fill(self, hotels, updates):
        r = self.random
        accepted = 0
        for number in range(hotels):
            settings, mask = self.settings(), 0x1ffe
            hotel = r.randrange(1, 1 << 64)
            if r.random() < 0.4:
                settings.code = f"hotel, the {number}th"
                hotel, mask = pykeyrack.hotel_of_code(settings.code), 0x1fff
            answer = self.done("HOTEL_PUT", hotel_id=hotel, mask=mask, settings=settings)
            types = r.sample(range(65535), r.randrange(1, 5))
            for kind in types:
                self.done("TYPE_PUT", hotel_id=hotel, type=kind, **self.type_settings(kind))
            plans = {kind: self.plans(hotel, kind) for kind in types}
            for _ in range(updates):
                code, message = self.call("INVENTORY_SET", hotel_id=hotel,
                                          **self.update(answer.hotel.business_day, types,
                                                        plans))
                assert code in ("DONE", "COUNTER_FULL"), (code, message)
                accepted += code == "DONE"
        self.client.close()
        return accepted


def today_of(cluster, hotel):
    told = json.loads(cluster.ok("hotel", "get", hotel, "--json"))
    return datetime.date.fromisoformat(told["business_day"])


class TablesCase(unittest.TestCase):
    """Clusters in folders that are removed afterwards."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="keyrack-tables-")
        self.clusters = []

    def tearDown(self):
        for cluster in self.clusters:
            cluster.stop()
        shutil.rmtree(self.folder)

    def cluster(self, shards=2, sizes=SIZES):
        folder = os.path.join(self.folder, f"cluster{len(self.clusters)}")
        cluster = LocalCluster(KEYRACK, folder, shards, sizes)
        self.clusters.append(cluster)
        return cluster.start()

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8", newline="") as file:
            file.write(text)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8", newline="") as file:
            return file.read()

    def imported(self, cluster, sheet, path, *more, code=DONE):
        done = cluster.run("import", sheet, path, *more)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def all_of(self, cluster, form="csv"):
        return [cluster.ok("export", sheet, "--format", form) for sheet in SHEETS]


class RoundTripTest(TablesCase):
    def test_export_import_export_is_byte_equal_in_both_forms_and_over_shards(self):
        first, second, third = self.cluster(2), self.cluster(1), self.cluster(3)
        self.assertGreater(Catalogue(first, 20261122).fill(25, 40), 500)
        tables = self.all_of(first)
        self.assertGreater(tables[2].count("\n"), 50)
        self.assertGreater(tables[3].count("\n"), 1000)
        self.assertGreater(sum(row.split(",")[2] != "0" for row in tables[3].splitlines()), 100)
        for sheet, table in zip(SHEETS, tables):
            self.imported(second, sheet, self.write(sheet + ".csv", table))
        self.assertEqual(self.all_of(second), tables)
        objects = self.all_of(second, "ndjson")
        for sheet, table in zip(SHEETS, objects):
            self.imported(third, sheet, self.write(sheet + ".ndjson", table))
        self.assertEqual(self.all_of(third), tables)
        self.assertEqual(self.all_of(third, "ndjson"), objects)
        # Once more changes nothing.
        self.imported(third, "calendar", self.path("calendar.csv"))
        self.assertEqual(self.all_of(third), tables)

    def test_an_export_of_some_nights_and_hotels_is_that_part_of_the_whole(self):
        cluster = self.cluster(1)
        Catalogue(cluster, 7).fill(4, 30)
        whole = list(csv.DictReader(io.StringIO(cluster.ok("export", "calendar"))))
        hotel = whole[0]["hotel"]
        first = today_of(cluster, hotel) + datetime.timedelta(10)
        nights = f"{first}..{first + datetime.timedelta(20)}"
        out = self.path("part.csv")
        told = json.loads(cluster.ok("export", "calendar", hotel, "--nights", nights, "--out", out,
                                     "--json"))
        part = list(csv.DictReader(io.StringIO(self.read("part.csv"))))
        self.assertEqual((told["rows"], told["hotels"]), (len(part), 1))
        self.assertFalse(os.path.exists(out + ".partial"))

        def nights_of(rows):
            return {(row["hotel"], row["type"], row["plan"], str(day)): [*row.values()][5:]
                    for row in rows
                    for day in days(row["first_night"], row["last_night"])
                    if row["hotel"] == hotel and 0 <= (day - first).days <= 20}
        self.assertEqual(nights_of(part), nights_of(whole))
        self.assertEqual(cluster.run("export", "calendar", "--json").returncode, USAGE)
        missing = cluster.run("export", "types", 5, "--out", self.path("none.csv"))
        self.assertEqual(missing.returncode, REFUSED)
        self.assertEqual([n for n in os.listdir(self.folder) if n.startswith("none")], [])


def days(first, last):
    at = datetime.date.fromisoformat(first)
    while at <= datetime.date.fromisoformat(last):
        yield at
        at += datetime.timedelta(1)


class ImportTest(TablesCase):
    def hotel(self, cluster, number=1, types=2):
        cluster.ok("hotel", "put", number, "--zone", "UTC", "--currency", "EUR")
        for kind in range(types):
            cluster.ok("type", "put", number, kind, "--physical", 10)
        return today_of(cluster, number)

    def test_a_bad_row_is_named_kept_and_the_rest_goes_in(self):
        cluster = self.cluster()
        today = self.hotel(cluster)

        def day(n):
            return str(today + datetime.timedelta(n))
        good = [f"1,0,{day(n)},EUR {100 + n}.00,10" for n in range(20)]
        bad = {3: f"1,0,{day(30)},100,10", 5: f"1,0,{day(31)},EUR 1.0,10",
               8: f"77,0,{day(1)},EUR 1.00,10", 9: f"1,7,{day(1)},EUR 1.00,10",
               11: f'1,0,"{day(2)}"x,EUR 1.00,10', 12: f"1,0,{day(3)},EUR 1.00",
               14: "1,0,2026-02-30,EUR 1.00,10", 15: f"1,0,{day(33)},USD 1.00,10",
               17: f"1,0,{day(34)},EUR 1.00,99999", 19: "\0\0"}
        rows = list(good)
        for place, row in bad.items():
            rows.insert(place, row)
        text = "hotel,type,first_night,price,physical\r\n" + "\r\n".join(rows) + "\r\n"
        table, rejects = self.write("in.csv", text), self.path("rejects.csv")
        done = self.imported(cluster, "calendar", table, "--rejects", rejects, code=REFUSED)
        for place, row in bad.items():
            self.assertIn(f"line {place + 2}: ", done.stderr, row)
        self.assertEqual(done.stderr.count("line "), len(bad))
        kept = self.read("rejects.csv").split("\n")
        self.assertEqual((kept[0], kept[-1]), ("hotel,type,first_night,price,physical", ""))
        self.assertEqual(sorted(kept[1:-1]), sorted(bad.values()))
        out = cluster.ok("export", "calendar", "--format", "ndjson").splitlines()
        self.assertEqual([json.loads(row)["price"] for row in out],
                         [f"EUR {100 + n}.00" for n in range(20)])

    def test_plans_are_made_in_the_order_of_the_file_and_bad_rows_are_named(self):
        cluster = self.cluster(1)
        today = self.hotel(cluster)
        good = ["1,0,9,FLEX,,,,24h:1n", "1,0,3,NONREF,9,-10%,,strict", "1,1,9,FLEX,,,,",
                "1,0,4,,0,,EUR -5.00,", "1,0,0,,,,,moderate"]
        bad = ["1,0,5,FLEX,,,,", "1,7,1,,,,,", "77,0,1,,,,,", "1,0,5,,8,5%,,", "1,0,5,,9,ten,,",
               "1,0,5,,9,,USD 1.00,", "77,0,5,,9,,USD 1.00,", "1,0,5,,FLEX,5%,,", "1,0,,,,,,",
               "1,0,5,,9,1%,EUR 1.00,", "1,0,3,,9,,EUR 1.00,", "1,0,5,,,,,soft", "1,0,0,RACK,,,,"]
        head = "hotel,type,plan,code,from,percent,amount,policy"
        table = self.write("plans.csv", "\n".join([head, *good, *bad, ""]))
        rejects = self.path("rejects.csv")
        done = self.imported(cluster, "plans", table, "--rejects", rejects, code=REFUSED)
        for place, row in enumerate(bad):
            self.assertIn(f"line {place + len(good) + 2}: ", done.stderr, row)
        kept = self.read("rejects.csv").splitlines()
        self.assertEqual((kept[0], sorted(kept[1:])), (head, sorted(bad)))
        told = [row.split(",")[:4] for row in cluster.ok("export", "plans").splitlines()[1:]]
        self.assertEqual(told, [["1", "0", "0", "BASE"], ["1", "0", "9", "FLEX"],
                                ["1", "0", "3", "NONREF"], ["1", "0", "4", ""],
                                ["1", "1", "9", "FLEX"]])
        rows = ["hotel,type,plan,first_night,price,physical", f"1,0,9,{today},EUR 8.00,",
                f"1,0,3,{today},EUR 8.00,", f"1,1,3,{today},EUR 8.00,", f"1,0,,{today},,4",
                f"1,0,0,{today},EUR 7.00,4"]
        done = self.imported(cluster, "calendar", self.write("c.csv", "\n".join(rows)),
                             code=REFUSED)
        self.assertIn("line 3: INVALID", done.stderr)
        self.assertIn("line 4: NOT_FOUND", done.stderr)
        out = [json.loads(row) for row in
               cluster.ok("export", "calendar", "--format", "ndjson").splitlines()]
        self.assertEqual([(row["plan"], row["price"], row["physical"]) for row in out],
                         [(0, "EUR 7.00", 4), (9, "EUR 8.00", None)])

    def test_equal_nights_are_one_request_and_a_wrong_one_among_them_is_alone(self):
        cluster = self.cluster(1)
        today = self.hotel(cluster)
        rows = [{"hotel": 1, "type": 0, "first_night": str(today + datetime.timedelta(n)),
                 "physical": 32767} for n in range(40)]
        table = self.write("in.ndjson", "\n".join(map(json.dumps, rows)))
        cluster.ok("inventory", "set", 1, "--types", "0", "--nights", rows[17]["first_night"],
                   "--set", "allowance=5")
        done = self.imported(cluster, "calendar", table, "--json", code=REFUSED)
        told = json.loads(done.stdout)
        self.assertEqual((told["rows"], told["rejected_rows"], told["merged_rows"]), (40, 1, 39))
        self.assertIn("line 18: ", done.stderr)
        self.assertIn("COUNTER_FULL", done.stderr)
        self.assertEqual(told["requests"], 41)
        cluster.ok("inventory", "set", 1, "--types", "0", "--nights", rows[17]["first_night"],
                   "--clear", "allowance")
        again = json.loads(self.imported(cluster, "calendar", table, "--json").stdout)
        self.assertEqual((again["requests"], again["rejected_rows"]), (1, 0))
        self.assertEqual(cluster.ok("export", "calendar").count("\n"), 2)

    def test_nights_outside_the_window_are_counted_and_dates_are_shifted(self):
        cluster = self.cluster(1)
        today = self.hotel(cluster)
        past = today - datetime.timedelta(1000)
        text = f"hotel,type,first_night,last_night,closed\n1,0,{past},{past + datetime.timedelta(9)},yes\n"
        table = self.write("in.csv", text)
        told = json.loads(self.imported(cluster, "calendar", table, "--json").stdout)
        self.assertEqual((told["nights_outside_window"], told["requests"]), (10, 0))
        told = json.loads(self.imported(cluster, "calendar", table, "--json", "--shift-days",
                                        "996").stdout)
        self.assertEqual((told["nights_outside_window"], told["requests"]), (4, 1))
        rows = cluster.ok("export", "calendar").splitlines()
        self.assertEqual(rows[1].split(",")[:5],
                         ["1", "0", "0", str(today), str(today + datetime.timedelta(5))])

    def test_amounts_without_a_currency_are_in_that_of_the_command_line(self):
        cluster = self.cluster(1)
        today = self.hotel(cluster, types=1)
        table = self.write("in.csv", "hotel,type,first_night,price\n" + "".join(
            f"1,0,{today + datetime.timedelta(n)},{price}\n"
            for n, price in enumerate(("99", "98.5", "97.25", "EUR 96.00"))))
        done = self.imported(cluster, "calendar", table, code=REFUSED)
        self.assertIn('"99" has no currency: write EUR 120.00, or give --currency', done.stderr)
        self.imported(cluster, "calendar", table, "--currency", "EUR")
        found = [row.split(",")[12] for row in cluster.ok("export", "calendar").splitlines()[1:]]
        self.assertEqual(found, ["EUR 99.00", "EUR 98.50", "EUR 97.25", "EUR 96.00"])
        wrong = self.write("wrong.csv", f"hotel,type,first_night,price\n1,0,{today},9.999\n")
        self.assertIn("is no amount of EUR", self.imported(
            cluster, "calendar", wrong, "--currency", "EUR", code=REFUSED).stderr)

    def test_rows_that_overlap_take_effect_in_the_order_of_the_file(self):
        cluster = self.cluster(1)
        today = self.hotel(cluster, types=1)
        rows = ["hotel,type,first_night,last_night,price"]
        for n in range(300):
            rows.append(f"1,0,{today},{today + datetime.timedelta(n % 7)},EUR {n}.00")
        self.imported(cluster, "calendar", self.write("in.csv", "\n".join(rows)))
        out = cluster.ok("export", "calendar").splitlines()[1:]
        last = {n % 7: n for n in range(300)}
        expected = [max(n for span, n in last.items() if span >= night) for night in range(7)]
        found = [row.split(",")[12] for row in out for _ in days(*row.split(",")[3:5])]
        self.assertEqual(found, [f"EUR {n}.00" for n in expected])

    def test_what_is_no_table_is_refused_before_anything_is_asked(self):
        cluster = self.cluster(1)
        for name, text in (("empty", ""), ("column", "hotel,type,first_night,colour\n"),
                           ("twice", "hotel,hotel\n"), ("other", "a,b,c\n1,2,3\n"),
                           ("quote", 'hotel,"type\n')):
            done = self.imported(cluster, "calendar", self.write(name, text), code=USAGE)
            self.assertEqual(done.stdout, "")
            if name == "column":
                self.assertIn('its column "colour" is not known here', done.stderr)
                self.assertIn("known are hotel, type, plan, first_night,", done.stderr)
        self.imported(cluster, "hotels", self.path("missing"), code=USAGE)
        self.imported(cluster, "hotels", self.write("a", "hotel\n"), "--only", "city=x", code=USAGE)

    def test_noise_never_ends_an_import(self):
        cluster = self.cluster(1)
        today = self.hotel(cluster)
        rng = random.Random(3)
        noise = bytes(rng.choice(b'",\n\r\0{}[]\xff\xc3a1') for _ in range(200000))
        with open(self.path("noise.csv"), "wb") as file:
            file.write(b"hotel,type,first_night,closed\n" + noise +
                       f"\n1,1,{today},yes\n".encode())
        done = cluster.run("import", "calendar", self.path("noise.csv"), "--rejects",
                           self.path("rejects"))
        self.assertEqual(done.returncode, REFUSED)
        self.assertIn(f"1,1,0,{today},{today},,,,,yes", cluster.ok("export", "calendar"))
        with open(self.path("noise.json"), "wb") as file:
            file.write(b"{}\n" + noise + b"\n{" + b"a" * 300000 + b"}\n")
        self.imported(cluster, "hotels", self.path("noise.json"), code=REFUSED)

    def test_progress_is_for_a_terminal(self):
        cluster = self.cluster(1)
        today = self.hotel(cluster)
        rows = [f"1,{n % 2},{today},EUR {n}.00" for n in range(20000)]
        table = self.write("in.csv", "\n".join(["hotel,type,first_night,price", *rows]))
        self.assertEqual(self.imported(cluster, "calendar", table).stderr, "")
        ours, theirs = pty.openpty()
        command, environment = cluster.command("import", "calendar", table)
        with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=theirs) as process:
            os.close(theirs)
            shown = b""
            while select.select([ours], [], [], TIMEOUT_S)[0]:
                try:
                    piece = os.read(ours, 4096)
                except OSError:
                    break
                if not piece:
                    break
                shown += piece
            self.assertEqual(process.wait(TIMEOUT_S), DONE)
        os.close(ours)
        self.assertRegex(shown.decode(), r"\r\d+ %, \d+ rows, \d+/s")


class KillTest(TablesCase):
    def test_an_import_that_is_killed_goes_on_as_if_nothing_had_been(self):
        cluster, reference = self.cluster(), self.cluster()
        rng = random.Random(11)
        hotels = "hotel,zone,currency\n" + "".join(f"{n},UTC,EUR\n" for n in range(1, 101))
        types = "hotel,type,physical\n" + "".join(f"{n},0,9\n" for n in range(1, 101))
        for each in (cluster, reference):
            self.imported(each, "hotels", self.write("hotels.csv", hotels))
            self.imported(each, "types", self.write("types.csv", types))
        today = today_of(cluster, 1)
        rows = []
        for n in range(150000):
            day = today + datetime.timedelta(rng.randrange(100))
            rows.append(f"{rng.randrange(1, 101)},{'x' if n % 1000 == 7 else 0},{day},EUR {n}.00")
        table = self.write("in.csv", "\n".join(["hotel,type,first_night,price", *rows, ""]))
        state, rejects = self.path("state"), self.path("rejects.csv")
        words = ["import", "calendar", table, "--state", state, "--rejects", rejects]
        kills = 0
        for _ in range(3):
            before = self.state_line(state)
            command, environment = cluster.command(*words)
            with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as process:
                deadline = time.monotonic() + TIMEOUT_S
                while self.state_line(state) == before and process.poll() is None:
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.01)
                kills += process.poll() is None
                process.send_signal(signal.SIGKILL)
        self.assertGreater(kills, 0)
        done = cluster.run(*words)
        self.assertEqual(done.returncode, REFUSED)
        self.assertIn("150 rows were rejected", done.stdout)
        self.assertEqual(self.read("rejects.csv").split("\n")[1:-1], rows[7::1000])
        self.imported(reference, "calendar", table, code=REFUSED)
        self.assertEqual(self.all_of(cluster), self.all_of(reference))
        # It is done: the same command has nothing left to do, another table is refused.
        again = json.loads(cluster.run(*words, "--json").stdout)
        self.assertEqual(again["requests"], 0)
        other = self.write("other.csv", "hotel,type,first_night,price\n")
        done = cluster.run("import", "calendar", other, "--state", state)
        self.assertEqual(done.returncode, USAGE)

    def state_line(self, state):
        try:
            with open(state, encoding="ascii") as file:
                return json.load(file)["line"]
        except FileNotFoundError:
            return 0

    def test_it_outlives_the_restart_of_a_shard_and_begins_at_a_line(self):
        cluster = self.cluster()
        hotels = ["hotel,zone,currency"] + [f"{n},UTC,EUR" for n in range(1, 501)]
        table = self.write("hotels.csv", "\n".join(hotels))
        self.imported(cluster, "hotels", table, "--from-line", "402")
        self.assertEqual(cluster.ok("export", "hotels").count("\n"), 101)
        os.kill(cluster.processes()["shard 0"], signal.SIGKILL)
        command, environment = cluster.command("import", "hotels", table)
        with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            cluster.start()
            said = process.communicate(timeout=TIMEOUT_S)
            self.assertEqual(process.returncode, DONE, said)
        self.assertEqual(cluster.ok("export", "hotels").count("\n"), 501)


class ReservationsTest(TablesCase):
    def test_every_reservation_is_written_with_all_that_is_kept_of_it(self):
        cluster = self.cluster(2)
        days_on = [None]
        for hotel, currency in ((1, "EUR"), (2, "JPY"), (3, "KWD")):
            cluster.ok("hotel", "put", hotel, "--zone", "UTC", "--currency", currency)
            for kind in (0, 1):
                cluster.ok("type", "put", hotel, kind, "--physical", 30000)
            days_on = [str(today_of(cluster, hotel) + datetime.timedelta(n)) for n in range(9)]
        price = {1: "EUR 1.50*2+EUR 0.00*1", 2: "JPY 12000*2+JPY 1*1", 3: "KWD 1.005*3"}
        ids = []
        for hotel, runs in price.items():
            lines = [f"type=0,stay={days_on[1]}..{days_on[4]},rooms=2,guests=3,price={runs}",
                     f"type=1,stay={days_on[4]}..{days_on[5]},count-only"]
            words = [word for line in lines for word in ("--line", line)]
            for more in (["--external-ref", f'a "b", ü{hotel}', "--source", "7"], []):
                ids.append(json.loads(cluster.ok("hold", hotel, *words, *more, "--guest",
                                                 "00000000000000000000000000000042",
                                                 "--json"))["id"])
            cluster.ok("confirm", ids[-2], "--payment-ref", "pay,1")
            cluster.ok("attach-payment", ids[-1], "pay-2")
        cluster.ok("cancel", ids[0])
        void = pykeyrack.format_id(pykeyrack.mint(2))
        self.assertEqual(cluster.run("resolve", void).returncode, REFUSED)
        client = pykeyrack.Client(DOCUMENT, [cluster.router], deadline=TIMEOUT_S)
        day = (datetime.date.fromisoformat(days_on[6]) - datetime.date(1970, 1, 1)).days
        sales = []
        for _ in range(600):
            high, low = pykeyrack.mint(1)
            ids.append(pykeyrack.format_id((high, low)))
            sales.append(("BOOK", {"hotel_id": 1, "id_hi": high, "id_lo": low, "lines": [
                DOCUMENT.messages["Line"](type=1, check_in=day, check_out=day + 1, rooms=1,
                                          guests=1, pricing=2)]}))
        self.assertEqual({code for _, code, _ in client.pipeline(sales, TIMEOUT_S)}, {1})
        client.close()
        objects = [json.loads(row) for row in cluster.ok(
            "export", "reservations", "--format", "ndjson").splitlines()]
        self.assertEqual({each["id"] for each in objects}, set(ids), "a VOID is none")
        out = self.path("all.csv")
        told = json.loads(cluster.ok("export", "reservations", "--out", out, "--json"))
        rows = list(csv.DictReader(io.StringIO(self.read("all.csv"))))
        self.assertEqual(told["rows"], len(rows))
        self.assertEqual(len(rows), 6 * 2 + 600)
        self.assertEqual([{name: "" if value is None else "yes" if value is True else str(value)
                           for name, value in each.items()} for each in objects], rows)
        found = {(row["id"], row["line"]): row for row in rows}
        for ident in ids[:6]:
            shown = json.loads(cluster.ok("reservation", "get", ident, "--json"))
            for number, line in enumerate(shown["lines"], 1):
                row = found[ident, str(number)]
                names = ("type", "check_in", "check_out", "rooms", "guests", "pricing")
                self.assertEqual([row[n] for n in names], [str(line[n]) for n in names])
                self.assertEqual(row["state"], shown["state"])
                self.assertEqual(row["external_ref"], shown["external_ref"] or "")
                self.assertEqual(row["payment_ref"], shown["payment_ref"] or "")
                self.assertEqual(row["prices"], "+".join(f"{run['price']}*{run['nights']}"
                                                         for run in line["prices"]))
        self.assertEqual(found[ids[2], "1"]["prices"], price[2])
        part = cluster.ok("export", "reservations", 2, 3)
        self.assertEqual(part.count("\n"), 1 + 2 * 2 * 2)


@unittest.skipUnless(os.path.isdir(DATA), "the real data is not here")
class ForeignTest(TablesCase):
    def unpacked(self, name, keep):
        """The header and the rows that are kept, and a path to them."""
        with gzip.open(os.path.join(DATA, name), "rt", encoding="utf-8", newline="") as file:
            text = file.read()
        lines = text.splitlines(keepends=True)
        kept = [line for line in lines[1:] if keep(line)]
        self.write("data.csv", lines[0] + "".join(kept))
        return list(csv.DictReader(io.StringIO(lines[0] + "".join(kept)))), self.path("data.csv")

    def test_listings_and_their_calendars_load(self):
        sizes = ["--hotels", "500", "--types", "500", "--nights", "366", "--reservations", "1000"]
        cluster = self.cluster(2, sizes)
        listings, table = self.unpacked(
            "airbnb_listings.csv.gz", lambda line: line.startswith(("singapore", "albany")))
        words = ["--zone", "Asia/Singapore", "--currency", "SGD"]
        listings = [row for row in listings if row["city"] == "albany"]
        told = json.loads(self.imported(cluster, "hotels", table, *words, "--only", "city=albany",
                                        "--json").stdout)
        self.assertEqual((told["rows"], told["rejected_rows"]), (len(listings), 0))
        known = {row["id"] for row in listings}
        runs, table = self.unpacked("airbnb_calendar_albany.csv.gz", lambda line: True)
        runs = [row for row in runs if row["listing"] in known]
        first = min(datetime.date.fromisoformat(row["start"]) for row in runs)
        shift = (today_of(cluster, listings[0]["id"]) - first).days
        done = self.imported(cluster, "calendar", table, *words[2:], "--shift-days", shift,
                             "--json")
        told = json.loads(done.stdout)
        self.assertEqual(told["rejected_rows"], 0, done.stderr[:2000])
        expected = {}
        for row in runs:
            for n in range(int(row["n"])):
                day = datetime.date.fromisoformat(row["start"]) + datetime.timedelta(n + shift)
                expected[row["listing"], str(day)] = (
                    row["available"] == "f", f"SGD {float(row['price']):.2f}" if row["price"]
                    else "", int(row["min_nights"]))
        found = {}
        for row in csv.DictReader(io.StringIO(cluster.ok("export", "calendar"))):
            for day in days(row["first_night"], row["last_night"]):
                found[row["hotel"], str(day)] = (row["closed"] == "yes", row["price"],
                                                 int(row["min_arrival"] or 0))
        self.assertEqual(found, {key: value for key, value in expected.items() if key in found})
        self.assertEqual(len(expected) - len(found), told["nights_outside_window"])

    def test_the_french_hotels_load(self):
        sizes = ["--hotels", "12000", "--types", "12000", "--nights", "30", "--reservations",
                 "1000"]
        cluster = self.cluster(1, sizes)
        rows, table = self.unpacked("hotels_fr_2017.csv.gz", lambda line: True)
        rooms = {row["id"]: row["rooms"] for row in rows if row["type"] == "hotel" and row["rooms"]}
        lacking = sum(row["type"] == "hotel" and not row["rooms"] for row in rows)
        done = cluster.run("import", "hotels", table, "--zone", "Europe/Paris", "--currency", "EUR")
        self.assertEqual(done.returncode, REFUSED if lacking else DONE, done.stderr[:2000])
        self.assertEqual(done.stderr.count("rooms is missing"), lacking)
        types = csv.DictReader(io.StringIO(cluster.ok("export", "types")))
        self.assertEqual({row["hotel"]: row["physical"] for row in types}, rooms)


if __name__ == "__main__":
    sys.argv = sys.argv[:1] + sys.argv[5:]
    unittest.main(verbosity=2)
