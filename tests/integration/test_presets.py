#!/usr/bin/python3
"""keyrack-bench's presets, small, on a real cluster: each leaves behind what it must.

usage: test_presets.py SOURCE_ROOT KEYRACK KEYRACK_BENCH
"""
import datetime
import json
import os
import re
import sys
import unittest

from local_cluster import LocalCluster, run

ROOT, KEYRACK, BENCH = sys.argv[1:4]
NAMES = ["chain", "airbnb", "cache", "flash", "ari", "expiry", "dsb"]


class WordsTest(unittest.TestCase):
    """What needs no cluster."""

    def test_every_preset_is_listed_and_documented(self):
        listed = re.findall(r"^([a-z]\w+) ", run(BENCH, "presets").stdout, re.M)
        self.assertEqual(listed, NAMES)
        for path, form in (("bench/README.md", "| `{}` |"), ("bench/keyrack-bench.1",
                                                            ".It Cm {}\n")):
            with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                text = file.read()
            for name in NAMES:
                self.assertIn(form.format(name), text)

    def test_a_typed_option_counts_before_the_preset(self):
        printed = run(BENCH, "run", "--seconds", 3, "--preset", "airbnb", "--nights=5",
                      "--print").stdout
        for line in ("# keyrack-bench run", "mix: \"availability=40,book=1,cancel=1\"",
                     "seconds: 3", "nights: 5"):
            self.assertRegex(printed, f"(?m)^{re.escape(line)}")
        self.assertIn("rooms: 3 ", run(BENCH, "run", "--preset=flash", "--rooms", 3,
                                       "--print").stdout)
        self.assertIn("physical: 1 ", run(BENCH, "load", "--preset", "airbnb",
                                          "--print").stdout)

    def test_wrong_words_end_with_2(self):
        for words, said in (
                (("run", "--preset", "fly"), "no preset"), (("race", "--preset", "chain"), "run"),
                (("load", "--preset", "flash"), "nothing to load"),
                (("run", "--pres", "chain"), "in full"), (("run", "--preset"), "argument"),
                (("presets", "chain"), "no words"),
                (("run", "--preset", "chain", "--preset", "cache"), "once")):
            self.assertIn(said, run(BENCH, *words, code=2).stderr, words)


class PresetTest(unittest.TestCase):
    """A fresh cluster for each."""

    def setUp(self):
        sizes = ("--hotels", 100, "--types", 400, "--nights", 60, "--reservations", 200000)
        self.router = LocalCluster.lent(KEYRACK, self.addCleanup, sizes).router

    def load(self, name, hotels, nights, *more):
        run(BENCH, "load", "--router", self.router, "--preset", name, "--hotels", hotels,
            "--nights", nights, "--quiet", *more)

    def play(self, name, *more):
        return json.loads(run(BENCH, "run", "--router", self.router, "--preset", name, "--json",
                              *more).stdout)

    def short(self, name, window, *more):
        """A second of it, everything counted."""
        report = self.play(name, "--seconds", 1, "--warmup", 0, "--connections", 8, "--depth", 8,
                           "--window", window, *more)
        self.assertEqual((report["preset"], report["differences"], report["unknown"]),
                         (name, 0, 0))
        return report

    def ask(self, *words):
        return json.loads(run(KEYRACK, "--router", self.router, *words, "--json").stdout)

    def totals(self):
        return self.ask("stats")["totals"]

    def hotels(self):
        return self.ask("hotel", "list")["hotels"]

    def nights(self, hotel):
        """Three weeks of the first room type."""
        first = datetime.date.fromisoformat(hotel["business_day"])
        last = first + datetime.timedelta(20)
        return self.ask("availability", hotel["hotel_id"], "--nights",
                        f"{first}..{last}")["types"][0]["nights"]

    def ratio(self, report, many, few, expected):
        counts = {name: op["count"] for name, op in report["operations"].items()}
        self.assertGreater(counts[few], 0, counts)
        # Five times the deviation that chance alone gives the smaller count.
        slack = 5 * (counts[many] / expected + 1) ** 0.5 + 1
        self.assertAlmostEqual(counts[many] / expected, counts[few], delta=slack, msg=str(counts))

    def test_chain_ends_with_bookings_alone(self):
        self.load("chain", 20, 60)
        report = self.short("chain", 60)
        self.ratio(report, "availability", "hold+release", 300 / 27)
        self.ratio(report, "availability", "hold+confirm", 100)
        self.assertEqual(self.totals()["holds"], 0)

    def test_airbnb_sells_no_night_twice(self):
        self.load("airbnb", 20, 20)
        report = self.short("airbnb", 20)
        self.assertGreater(report["codes"]["SOLD_OUT"], 0)
        sold = [night["held"] + night["booked"] for hotel in self.hotels()
                for night in self.nights(hotel)]
        self.assertEqual(set(sold), {0, 1})

    def test_cache_reads_a_hundred_times(self):
        self.load("cache", 20, 60)
        self.ratio(self.short("cache", 60), "availability", "book", 100)

    def test_flash_has_exactly_ten_winners(self):
        outcome = self.play("flash", "--rounds", 3)
        self.assertEqual((outcome["rounds"], outcome["requests"], outcome["rooms"],
                          outcome["wrong"]), (3, 1000, 10, 0))
        self.assertEqual(self.totals()["reservations"], 30)
        booked = [sum(night["booked"] for night in self.nights(hotel)) for hotel in self.hotels()]
        self.assertEqual(booked, [10, 10, 10])

    def test_ari_changes_what_it_is_answered_to_have_changed(self):
        self.load("ari", 40, 60)
        before = {hotel["hotel_id"]: hotel["ari_version"] for hotel in self.hotels()}
        report = self.short("ari", 60, "--burst", 20)
        grown = sum(hotel["ari_version"] - before[hotel["hotel_id"]] for hotel in self.hotels())
        booked = self.totals()["reservations"]
        self.assertEqual(report["stale"], 0)
        self.assertEqual(grown, report["done"] - booked)
        # Whole bursts are drawn: their number is what chance acts on.
        updates, books = (report["operations"][name]["count"] for name in ("update", "book"))
        self.assertAlmostEqual(updates / 37, books, delta=5 * (20 / 37) * (updates / 20) ** 0.5 +
                               5 * books ** 0.5 + 20)

    def test_expiry_leaves_every_hold_expired(self):
        self.load("expiry", 20, 60)
        outcome = self.play("expiry", "--scale", 0.01, "--lead", 10, "--window", 20)
        self.assertEqual((outcome["holds"], outcome["expired"], outcome["differences"]),
                         (4500, 4500, 0))
        self.assertEqual(self.totals()["holds"], 0)
        for hotel in self.hotels():
            self.assertEqual({night["held"] for night in self.nights(hotel)}, {0})

    def test_dsb_has_its_mix(self):
        self.load("dsb", 20, 31)
        report = self.short("dsb", 15)
        self.ratio(report, "stay", "availability", 120 / 78)
        self.ratio(report, "stay", "book", 120)
        self.assertLessEqual(set(report["codes"]), {"DONE", "SOLD_OUT"})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:])
