#!/usr/bin/python3
"""Rate plans from the command line: several products over the same rooms, kept over a kill.

usage: test_plans.py KEYRACK
"""
import datetime
import json
import os
import shutil
import signal
import sys
import tempfile
import unittest

from local_cluster import DONE, REFUSED, SMALL, USAGE, LocalCluster

KEYRACK = sys.argv[1]
NIGHTS = 60


class PlansTest(unittest.TestCase):
    hotel = 100

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="keyrack-plans-")
        cls.cluster = LocalCluster(KEYRACK, cls.folder + "/c", sizes=SMALL).start()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.stop()
        shutil.rmtree(cls.folder)

    def setUp(self):
        """A hotel far from its day roll: type 0 (DBL) of two rooms, BASE at 100, FLEX at 140,
        NONREF at 10 % less than FLEX."""
        PlansTest.hotel += 1
        far = (datetime.datetime.now(datetime.timezone.utc).hour + 12) % 24
        put = self.js("hotel", "put", self.hotel, "--zone", "UTC", "--currency", "EUR",
                      "--day-roll", f"{far:02}:00")
        self.today = datetime.date.fromisoformat(put["business_day"])
        self.ok("type", "put", self.hotel, 0, "--code", "DBL", "--physical", 2)
        self.set("price=EUR 100.00")
        self.ok("plan", "put", self.hotel, "DBL", 1, "--code", "FLEX", "--policy", "flexible")
        self.set("price=EUR 140.00", "--plan", "FLEX")
        self.ok("plan", "put", self.hotel, 0, 2, "--code", "NONREF", "--from", "FLEX",
                "--percent", "-10", "--policy", "336h:100%")

    def run_cli(self, expected, *words):
        done = self.cluster.run(*words)
        self.assertEqual(done.returncode, expected, f"{words}\n{done.stdout}\n{done.stderr}")
        return done

    def ok(self, *words):
        return self.run_cli(DONE, *words).stdout

    def js(self, *words, code=DONE):
        return json.loads(self.run_cli(code, *words, "--json").stdout)

    def refused(self, code, *words):
        told = self.js(*words, code=REFUSED)
        self.assertEqual(told["code"], code, told)
        return told["refusal"]

    def night(self, n):
        return str(self.today + datetime.timedelta(n))

    def stay(self, first, nights):
        return f"{self.night(first)}..{self.night(first + nights)}"

    def set(self, values, *more, first=0, last=NIGHTS - 1, types="all"):
        self.ok("inventory", "set", self.hotel, "--types", types, "--nights",
                f"{self.night(first)}..{self.night(last)}", "--set", values, *more)

    def book(self, plan, first=10, nights=2, *more, code=DONE):
        return self.js("book", self.hotel, "--type", "DBL", "--plan", plan, "--stay",
                       self.stay(first, nights), *more, code=code)

    def plans(self, *words):
        return self.js("plan", "list", self.hotel, *words)["plans"]

    def offers(self, *more, code=DONE):
        told = self.js("availability", self.hotel, "--stay", self.stay(10, 2), *more, code=code)
        return {offer["plan_code"]: offer for offer in told["offers"]}

    def prices(self, plan, first=10, nights=3):
        told = self.js("availability", self.hotel, "--plan", plan, "--nights",
                       f"{self.night(first)}..{self.night(first + nights - 1)}")
        return [night.get("price_minor") for night in told["types"][0]["nights"]]

    def test_plans_are_listed_with_what_they_are(self):
        base, flex, nonref = self.plans()
        self.assertEqual([p["plan_code"] for p in (base, flex, nonref)], ["BASE", "FLEX", "NONREF"])
        self.assertEqual((base["derived"], flex["derived"], nonref["derived"]),
                         (False, False, True))
        self.assertEqual((nonref["from"], nonref["percent"], nonref["policy"]),
                         (1, "-10%", "336h:100%"))
        self.assertEqual(flex["tiers"], [{"hours": 24, "nights": 1}])
        self.assertEqual(self.js("plan", "get", self.hotel, "DBL", "NONREF")["basis_points"], -1000)
        self.assertEqual(self.js("plan", "get", self.hotel, 0, 0)["plan_code"], "BASE")
        text = self.ok("plan", "list", self.hotel, "DBL")
        self.assertIn("flexible (24h:1n)", text)
        self.assertIn("of plan 1, -10%", text)
        self.ok("type", "put", self.hotel, 7, "--code", "SGL", "--physical", 1)
        self.ok("plan", "put", self.hotel, "SGL", 9, "--code", "FLEX", "--from", "BASE",
                "--amount", "EUR -5.00")
        self.assertEqual([(p["type"], p["plan"]) for p in self.plans()],
                         [(0, 0), (0, 1), (0, 2), (7, 0), (7, 9)])
        self.assertEqual([p["plan"] for p in self.plans("SGL")], [0, 9])
        self.assertEqual(self.plans("SGL")[1]["amount"], "EUR -5.00")
        for words in (("list", self.hotel, 3), ("list", self.hotel, "GONE"),
                      ("get", self.hotel, 0, 3), ("get", self.hotel, 0, "GONE"),
                      ("put", self.hotel, 0, "GONE"), ("put", self.hotel, "GONE", 1)):
            told = self.js("plan", *words, code=REFUSED)
            self.assertEqual((told["outcome"], told["code"]), ("NOT_DONE", "NOT_FOUND"), words)

    def test_settings_change_one_by_one(self):
        changed = self.js("plan", "put", self.hotel, 0, "FLEX", "--code", "FLEXI", "--status",
                          "closed", "--advance-min", "2h", "--advance-max", "30d")
        self.assertFalse(changed["created"])
        self.assertEqual((changed["plan"], changed["plan_code"], changed["status"],
                          changed["advance_min_minutes"], changed["advance_max_minutes"],
                          changed["policy"]), (1, "FLEXI", "CLOSED", 120, 43200, "24h:1n"))
        self.assertEqual(self.js("plan", "put", self.hotel, 0, "FLEXI", "--policy",
                                 "none")["tiers"], [])
        self.ok("plan", "put", self.hotel, 0, 4, "--from", 1)
        amount = self.js("plan", "put", self.hotel, 0, 4, "--amount", "EUR 3.50")
        self.assertEqual((amount["from"], amount["amount_minor"]), (1, 350))
        version = amount["ari_version"]
        self.refused("VERSION_MISMATCH", "plan", "put", self.hotel, 0, 2, "--percent", 5,
                     "--expect-version", version - 1)
        again = self.js("plan", "put", self.hotel, 0, 2, "--percent", 5, "--expect-version",
                        version)
        self.assertEqual((again["ari_version"], again["basis_points"]), (version + 1, 500))
        base = self.js("plan", "put", self.hotel, 0, "BASE", "--status", "closed", "--policy",
                       "strict")
        self.assertEqual((base["plan"], base["status"]), (0, "CLOSED"))
        self.assertEqual(self.js("type", "get", self.hotel)["types"][0]["plan_status"], "CLOSED")

    def test_what_a_plan_cannot_be_is_refused(self):
        put = ("plan", "put", self.hotel, 0)
        for words in ((3, "--code", "FLEX"), (3, "--code", "BASE"), (0, "--code", "RACK"),
                      (3, "--from", 2), (3, "--from", 7), (3, "--from", 3), (2, "--from", 0),
                      (1, "--percent", 5), (0, "--from", 1), (2, "--amount", "EUR 1.00"),
                      (3, "--from", 0, "--amount", "EUR 99999999999.00")):
            with self.subTest(words=words):
                self.assertEqual(self.refused("INVALID", *put, *words)["rule"], "FIELD")
        self.assertEqual(len(self.plans()), 3, "nothing happened")
        self.assertEqual(self.refused("NOT_FOUND", "plan", "put", self.hotel, 5, 1)["rule"], "TYPE")
        self.refused("NOT_FOUND", "plan", "put", self.hotel + 5000, 0, 1)
        for words in ((3, "--percent", 5, "--amount", "EUR 1.00"), (3, "--amount", "1.00"),
                      (3, "--amount", "USD 1.00"), (3, "--policy", "soft"), (65535,),
                      (3, "--percent", "ten")):
            with self.subTest(words=words):
                self.run_cli(USAGE, *put, *words)

    def test_all_plans_sell_the_same_rooms(self):
        self.book("FLEX")
        self.book(2)
        for plan in ("BASE", "FLEX", "NONREF"):
            self.assertEqual(self.book(plan, code=REFUSED)["code"], "SOLD_OUT")
            left = self.js("availability", self.hotel, "--plan", plan, "--nights", self.night(10))
            self.assertEqual(left["types"][0]["nights"][0]["left"], 0)
        self.assertEqual(self.offers(code=REFUSED)["FLEX"]["code"], "SOLD_OUT")

    def test_a_stay_is_quoted_for_every_plan_night_by_night(self):
        self.set("price=EUR 150.10", "--plan", "FLEX", first=11)
        offers = self.offers()
        self.assertEqual({code: offer["total_minor"] for code, offer in offers.items()},
                         {"BASE": 20000, "FLEX": 29010, "NONREF": 12600 + 13509})
        nights = offers["NONREF"]["lines"][0]["nights"]
        self.assertEqual([(n["night"], n["price"]) for n in nights],
                         [(self.night(10), "EUR 126.00"), (self.night(11), "EUR 135.09")])
        text = self.ok("availability", self.hotel, "--stay", self.stay(10, 3))
        self.assertIn("1 x EUR 140.00, 2 x EUR 150.10", text)
        self.assertIn("3 x EUR 100.00", text)
        self.assertEqual([*self.offers("--plan", "NONREF")], ["NONREF"])
        self.ok("plan", "put", self.hotel, 0, "FLEX", "--status", "retired")
        self.assertEqual([*self.offers()], ["BASE", "NONREF"])
        total = offers["NONREF"]["total_minor"]
        sold = self.book("NONREF", 10, 2, "--expected-total", f"EUR {total / 100:.2f}")
        self.assertEqual(sold["total_minor"], total)

    def test_restrictions_are_the_plans_and_those_derived_from_it(self):
        self.set("plan-closed=yes", "--plan", "FLEX", first=11, last=11)
        for plan in ("FLEX", "NONREF"):
            refusal = self.refused("RATE_CLOSED", "book", self.hotel, "--type", 0, "--plan", plan,
                                   "--stay", self.stay(10, 2))
            self.assertEqual((refusal["rule"], refusal["day"]), ("PLAN_CLOSED", self.night(11)))
        self.book("BASE")
        self.set("min-arrival=3,plan-cta=no,plan-ctd=yes", "--plan", "FLEX", first=20, last=25)
        self.assertEqual(self.book("NONREF", 20, 2, code=REFUSED)["code"], "CLOSED_TO_DEPARTURE")
        self.assertEqual(self.book("NONREF", 25, 2, code=REFUSED)["code"], "MIN_LOS")
        self.book("NONREF", 25, 3)
        self.book("BASE", 20, 2)
        shown = self.js("availability", self.hotel, "--plan", "NONREF", "--nights", self.night(21))
        night = shown["types"][0]["nights"][0]
        self.assertEqual((night["min_arrival"], night["plan_ctd"], night["plan_cta"]),
                         (3, True, False))
        self.ok("plan", "put", self.hotel, 0, "NONREF", "--status", "closed")
        self.assertEqual(self.book("NONREF", 30, code=REFUSED)["code"], "RATE_CLOSED")
        self.ok("plan", "put", self.hotel, 0, "NONREF", "--status", "active", "--advance-min",
                "20d")
        self.assertEqual(self.book("NONREF", 10, code=REFUSED)["code"], "TOO_LATE")

    def test_derived_prices_are_rounded_half_up_and_stay_prices(self):
        for night, price in enumerate(("0.05", "0.04", "0.00")):
            self.set(f"price=EUR {price}", "--plan", "FLEX", first=10 + night, last=10 + night)
        for change, expected in ((("--percent", "-10"), [5, 4, 0]), (("--percent", "10"), [6, 4, 0]),
                                 (("--percent", "-100"), [0, 0, 0]),
                                 (("--percent", "12.5"), [6, 5, 0])):
            self.ok("plan", "put", self.hotel, 0, "NONREF", *change)
            self.assertEqual(self.prices("NONREF"), expected, change)
        self.ok("plan", "put", self.hotel, 0, 3, "--code", "OFF", "--from", "FLEX")
        self.assertEqual(self.prices("OFF"), [5, 4, 0])
        for change, expected in (("EUR 0.01", [6, 5, 1]), ("EUR -0.04", [1, 0, None])):
            self.ok("plan", "put", self.hotel, 0, "OFF", "--amount", change)
            self.assertEqual(self.prices("OFF"), expected, change)
        self.assertEqual(self.book("OFF", 12, 1, code=REFUSED)["code"], "NO_RATE")
        self.set("price=EUR 10995116277.75", "--plan", "FLEX", first=10, last=10)
        self.ok("plan", "put", self.hotel, 0, "OFF", "--amount", "EUR 0.01")
        self.assertEqual(self.prices("OFF", nights=1), [None])

    def test_nights_of_a_plan_are_its_own(self):
        self.set("price=EUR 1.00,cap=9", "--plan", 1, first=5, last=5)
        self.assertEqual(self.prices("BASE", 5, 1), [10000])
        self.assertEqual(self.prices("FLEX", 5, 1), [100])
        shown = self.js("availability", self.hotel, "--nights", self.night(5))
        self.assertEqual(shown["types"][0]["nights"][0]["limit"], 9, "the type's is the type's")
        refusal = self.refused("INVALID", "inventory", "set", self.hotel, "--types", 0, "--nights",
                               self.night(5), "--plan", 2, "--set", "price=EUR 1.00")
        self.assertEqual(refusal["field"], "plan")
        for words in (("inventory", "set", self.hotel, "--types", 0, "--nights", self.night(5),
                       "--set", "price=EUR 1.00", "--plan", 7),
                      ("availability", self.hotel, "--types", 0, "--nights", self.night(5),
                       "--plan", 7),
                      ("book", self.hotel, "--type", 0, "--stay", self.stay(5, 1), "--plan", 7)):
            self.assertEqual(self.refused("NOT_FOUND", *words)["rule"], "PLAN")
        self.ok("type", "put", self.hotel, 5, "--code", "SGL", "--physical", 1)
        changed = self.js("inventory", "set", self.hotel, "--types", "all", "--nights",
                          self.night(5), "--set", "price=EUR 2.00", "--plan", "FLEX")
        self.assertEqual((changed["cells"], changed["plan"]), (1, 1), "types that have the plan")
        shown = self.js("availability", self.hotel, "--plan", "FLEX", "--nights", self.night(5))
        self.assertEqual([t["type"] for t in shown["types"]], [0])

    def test_a_code_means_one_number_or_has_to_be_told_apart(self):
        self.ok("type", "put", self.hotel, 5, "--code", "SGL", "--physical", 1)
        self.ok("plan", "put", self.hotel, "SGL", 3, "--code", "FLEX")
        nights = ("--nights", self.night(5))
        done = self.run_cli(USAGE, "availability", self.hotel, "--plan", "FLEX", *nights)
        self.assertIn("plan 1 of type 0 and plan 3 of type 5", done.stderr)
        shown = self.js("availability", self.hotel, "--plan", "FLEX", "--types", 5, *nights)
        self.assertEqual((shown["plan"], shown["types"][0]["type"]), (3, 5))
        self.run_cli(REFUSED, "availability", self.hotel, "--plan", "GONE", *nights)
        self.set("price=EUR 9.00", "--plan", "FLEX", types="5")
        offers = self.js("availability", self.hotel, "--plan", "FLEX", "--stay", self.stay(5, 1))
        self.assertEqual([(o["type"], o["plan"], o["total_minor"]) for o in offers["offers"]],
                         [(0, 1, 14000), (5, 3, 900)])

    def test_a_line_changes_its_plan_and_keeps_it_otherwise(self):
        sold = self.book("FLEX", 10, 2)
        self.assertEqual(sold["total_minor"], 28000)
        moved = self.js("modify", sold["id"], "--stay", self.stay(10, 3))
        self.assertEqual(moved["total_minor"], 42000)
        moved = self.js("modify", sold["id"], "--plan", "BASE")
        self.assertEqual(moved["total_minor"], 30000)
        moved = self.js("modify", sold["id"], "--line", "of=1,plan=NONREF")
        self.assertEqual(moved["total_minor"], 12600 * 3)
        line = self.js("reservation", "get", sold["id"])["lines"][0]
        self.assertEqual((line["plan"], line["prices"][0]["price_minor"]), (2, 12600))
        self.ok("type", "put", self.hotel, 5, "--code", "SGL", "--physical", 1)
        self.set("price=EUR 50.00", types="5")
        done = self.run_cli(USAGE, "modify", sold["id"], "--type", "SGL")
        self.assertIn("rate plan", done.stderr)
        moved = self.js("modify", sold["id"], "--type", "SGL", "--plan", "BASE")
        self.assertEqual(moved["total_minor"], 15000)
        both = self.js("hold", self.hotel, "--line", f"type=0,plan=FLEX,stay={self.stay(20, 1)}",
                       "--line", f"type=DBL,plan=2,stay={self.stay(20, 1)}")
        self.assertEqual(both["total_minor"], 14000 + 12600)
        self.assertEqual(self.book("BASE", 20, 1, code=REFUSED)["code"], "SOLD_OUT")

    def test_what_cancelling_costs_is_the_plans_as_it_was_sold(self):
        sold = {plan: self.book(plan, 10, 1, "--rooms", 1)["id"] for plan in ("FLEX", "NONREF")}
        for plan, policy in (("FLEX", "336h:1n"), ("NONREF", "none")):
            self.ok("plan", "put", self.hotel, 0, plan, "--policy", policy)
        flex, nonref = (self.js("cancel", sold[plan]) for plan in ("FLEX", "NONREF"))
        self.assertEqual((flex["penalty_minor"], flex["refundable_minor"]), (0, 14000))
        self.assertEqual((nonref["penalty_minor"], nonref["refundable_minor"]), (12600, 0))
        again = {plan: self.book(plan, 10, 1)["id"] for plan in ("FLEX", "NONREF")}
        shown = self.js("reservation", "get", again["FLEX"])["lines"][0]
        self.assertEqual(shown["tiers"], [{"hours": 336, "nights": 1}])
        self.assertEqual([self.js("cancel", again[plan])["penalty_minor"]
                          for plan in ("FLEX", "NONREF")], [14000, 0])

    def test_a_kill_loses_nothing_of_it(self):
        self.set("min-through=2,plan-cta=yes", "--plan", "FLEX", first=30, last=40)
        sold = self.book("NONREF", 10, 2)
        self.ok("plan", "put", self.hotel, 0, 9, "--code", "LATE", "--from", "BASE", "--amount",
                "EUR 0.01", "--advance-max", "5d")

        def all_of_it():
            calendar = [self.js("availability", self.hotel, "--plan", plan, "--nights",
                                f"{self.night(0)}..{self.night(NIGHTS - 1)}")["types"]
                        for plan in ("BASE", "FLEX", "NONREF", 9)]
            return (self.plans(), calendar, self.ok("export", "plans", self.hotel),
                    self.ok("export", "calendar", self.hotel),
                    self.js("reservation", "get", sold["id"])["lines"])

        before = all_of_it()
        for shard in range(2):
            os.kill(self.cluster.pid(f"shard-{shard}"), signal.SIGKILL)
        self.cluster.start()
        self.assertEqual(all_of_it(), before)
        for shard in self.js("snapshot")["shards"]:
            self.assertTrue(shard["started"] or shard["already_running"])
        self.ok("plan", "put", self.hotel, 0, 9, "--code", "LATER")
        before = all_of_it()
        for shard in range(2):
            os.kill(self.cluster.pid(f"shard-{shard}"), signal.SIGKILL)
        self.cluster.start()
        self.assertEqual(all_of_it(), before)
        self.book("FLEX", 10, 2)
        self.assertEqual(self.book("BASE", code=REFUSED)["code"], "SOLD_OUT")


class SizesTest(unittest.TestCase):
    def test_a_cluster_has_room_for_as_many_plans_as_it_was_told(self):
        cluster = LocalCluster.lent(KEYRACK, self.addCleanup, sizes=[*SMALL, "--plans", 2])
        cluster.ok("hotel", "put", 1, "--zone", "UTC", "--currency", "EUR")
        cluster.ok("type", "put", 1, 0)
        told = json.loads(cluster.ok("cluster", "status", "--dir", cluster.folder, "--json"))
        self.assertEqual(told["plans_max"], 2)
        for number in (1, 2):
            cluster.ok("plan", "put", 1, 0, number)
        full = cluster.run("plan", "put", 1, 0, 3, "--json")
        self.assertEqual((full.returncode, json.loads(full.stdout)["code"]),
                         (REFUSED, "LIMIT_REACHED"), full.stderr)
        cluster.stop()
        cluster.start()
        self.assertEqual(cluster.run("plan", "get", 1, 0, 2).returncode, DONE)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
