#!/usr/bin/python3
"""Who runs the hotels asks: where must guests be moved, how full are we, what was turned away?

usage: test_lists.py KEYRACK
"""
import datetime
import json
import shutil
import sys
import tempfile
import unittest
import zoneinfo

from local_cluster import DONE, REFUSED, USAGE, LocalCluster

KEYRACK = sys.argv[1]
NIGHTS = 60
SIZES = ["--hotels", "50", "--types", "200", "--nights", str(NIGHTS), "--reservations", "5000"]
ZONES = ("UTC", "Pacific/Auckland", "America/Los_Angeles")


class ListsTest(unittest.TestCase):
    hotel = 100

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="keyrack-lists-")
        cls.cluster = LocalCluster(KEYRACK, cls.folder + "/c", shards=2, sizes=SIZES).start()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.stop()
        shutil.rmtree(cls.folder)

    def run_cli(self, expected, *words):
        done = self.cluster.run(*words)
        self.assertEqual(done.returncode, expected, f"{words}\n{done.stdout}\n{done.stderr}")
        return done

    def js(self, *words):
        return json.loads(self.run_cli(DONE, *words, "--json").stdout)

    def new_hotel(self, zone="UTC", types=((0, "--physical", 2),)):
        """Half a day away from its day roll, and its business date."""
        ListsTest.hotel += 1
        far = (datetime.datetime.now(zoneinfo.ZoneInfo(zone)).hour + 12) % 24
        put = self.js("hotel", "put", self.hotel, "--zone", zone, "--currency", "EUR",
                      "--day-roll", f"{far:02}:00")
        for number, *settings in types:
            self.run_cli(DONE, "type", "put", self.hotel, number, "--code", f"T{number}",
                         *settings)
        today = datetime.date.fromisoformat(put["business_day"])
        return self.hotel, lambda n: (today + datetime.timedelta(n)).isoformat()

    def book(self, hotel, day, rooms=1, nights=(0, 1), kind=0, code=DONE, what="book"):
        return self.run_cli(code, what, hotel, "--type", kind, "--count-only", "--rooms", rooms,
                            "--guests", rooms, "--stay", f"{day(nights[0])}..{day(nights[1])}")

    def set(self, hotel, day, first, last, *fields, kind="all"):
        self.run_cli(DONE, "inventory", "set", hotel, "--types", kind, "--nights",
                     f"{day(first)}..{day(last)}", "--set", *fields)

    def test_tonight_is_each_hotels_own_and_over_all_shards(self):
        hotels = [self.new_hotel(zone) for zone in ZONES * 2]
        shards = {self.js("slot", hotel)["shard"] for hotel, _ in hotels}
        self.assertEqual(shards, {0, 1}, "hotels of both shards")
        for hotel, day in hotels:
            self.book(hotel, day, rooms=2, nights=(0, 2))
            self.set(hotel, day, 0, 1, "out-of-order=1")
        mine = {str(hotel): day(0) for hotel, day in hotels}
        listed = self.js("overbooked", "--tonight", "--walks")
        self.assertEqual({n["hotel_id"]: n["night"] for n in listed["nights"]
                          if n["hotel_id"] in mine}, mine)
        self.assertTrue(all(n["walks"] > 0 for n in listed["nights"]))
        self.assertEqual(listed["walks"], sum(n["walks"] for n in listed["nights"]))
        order = [(n["night"], int(n["hotel_id"]), n["type"]) for n in listed["nights"]]
        self.assertEqual(order, sorted(order))
        hotel, day = hotels[1]
        of_one = self.js("overbooked", hotel)["nights"]
        self.assertEqual([n["night"] for n in of_one], [day(0), day(1)])
        self.assertFalse(listed["more"])
        cut = self.js("overbooked", "--walks", "--limit", 3)
        self.assertEqual((len(cut["nights"]), cut["more"]), (3, True))

    def test_over_the_limit_and_a_walk_are_two_things(self):
        hotel, day = self.new_hotel(types=((0, "--physical", 2, "--allowance", 1),
                                           (1, "--cap", 3)))
        self.book(hotel, day, rooms=3, nights=(1, 2))
        self.book(hotel, day, rooms=2, nights=(3, 4))
        self.set(hotel, day, 3, 3, "cap=1", kind=0)
        self.book(hotel, day, rooms=3, nights=(5, 6), kind=1, what="hold")
        self.set(hotel, day, 5, 5, "cap=1", kind=1)
        night = {"hotel_id": str(hotel), "type": 0, "held": 0}
        self.assertEqual(self.js("overbooked", hotel)["nights"], [
            {**night, "night": day(1), "limit": 3, "rooms": 2, "booked": 3, "over_limit": 0,
             "walks": 1},
            {**night, "night": day(3), "limit": 1, "rooms": 2, "booked": 2, "over_limit": 1,
             "walks": 0},
            {**night, "night": day(5), "type": 1, "limit": 1, "held": 3, "booked": 0,
             "over_limit": 2, "walks": 0}])
        walks = self.js("overbooked", hotel, "--walks")
        self.assertEqual([n["night"] for n in walks["nights"]], [day(1)])
        self.assertEqual((walks["walks"], walks["over_limit"]), (1, 0))
        text = self.run_cli(DONE, "overbooked", hotel, "--nights", day(5)).stdout
        self.assertRegex(text, rf"{day(5)} +{hotel} +1 +1 +- +3 +0 +2 +-\n")
        self.assertIn("over limit: 2 rooms; walks: 0 rooms", text)
        self.assertIn("No night", self.run_cli(DONE, "overbooked", hotel, "--nights",
                                               f"{day(6)}..{day(9)}").stdout)
        self.assertIn("Nobody has to be moved", self.run_cli(
            DONE, "overbooked", hotel, "--tonight", "--walks").stdout)
        self.run_cli(USAGE, "overbooked", hotel, "--tonight", "--nights", day(1))
        self.run_cli(REFUSED, "overbooked", hotel + 5000)

    def test_occupancy_by_night_by_type_and_in_all(self):
        hotel, day = self.new_hotel(types=((0, "--physical", 4), (3, "--physical", 8),
                                           (9, "--cap", 5)))
        self.book(hotel, day, rooms=3, nights=(1, 3))
        self.book(hotel, day, rooms=1, nights=(2, 4), kind=3)
        self.book(hotel, day, rooms=2, nights=(2, 3), kind=3, what="hold")
        self.book(hotel, day, rooms=5, nights=(2, 3), kind=9)
        nights = ("occupancy", hotel, "--nights", f"{day(1)}..{day(4)}", "--types", "3,0")
        by_night = self.js(*nights)
        self.assertEqual([(r["night"], r["rooms"], r["held"], r["booked"], r["left"],
                           r["occupancy_permille"]) for r in by_night["rows"]],
                         [(day(1), 12, 0, 3, 9, 250), (day(2), 12, 2, 4, 6, 333),
                          (day(3), 12, 0, 1, 11, 83), (day(4), 12, 0, 0, 12, 0)])
        by_type = self.js(*nights, "--by", "type")
        self.assertEqual([(r["type"], r["rooms"], r["booked"], r["occupancy_permille"])
                          for r in by_type["rows"]], [(0, 16, 6, 375), (3, 32, 2, 63)])
        total = self.js(*nights, "--by", "total")
        self.assertEqual(total["rows"], [])
        self.assertEqual(total["total"], by_night["total"])
        self.assertEqual(total["total"], by_type["total"])
        self.assertEqual((total["total"]["booked"], total["total"]["occupancy_permille"]),
                         (8, 167))
        self.check_what_is_not_known(hotel, day)

    def check_what_is_not_known(self, hotel, day):
        """Rooms that nobody counted, and nights that are not there."""
        capped = self.js("occupancy", hotel, "--types", 9, "--nights", day(2))["total"]
        self.assertEqual((capped["booked"], capped["rooms"], capped["occupancy_permille"],
                          capped["type_nights_without_rooms"]), (5, 0, None, 1))
        text = self.run_cli(DONE, "occupancy", hotel, "--nights", day(2)).stdout
        self.assertRegex(text, rf"{day(2)} +12 +2 +9 +6 +33\.3 % +0 +0\n")
        self.assertIn("rooms of 1 are not known", text)
        whole = self.js("occupancy", hotel, "--by", "type")
        self.assertEqual((whole["first_night"], whole["last_night"]), (day(0), day(NIGHTS - 1)))
        self.assertEqual([r["type_nights"] for r in whole["rows"]], [NIGHTS] * 3)
        part = self.run_cli(DONE, "occupancy", hotel, "--by", "total", "--nights",
                            f"{day(-3)}..{day(1)}").stdout
        self.assertIn("in its window are 2 nights", part)
        gone = self.run_cli(DONE, "occupancy", hotel, "--nights", f"{day(-3)}..{day(-1)}").stdout
        self.assertIn("None of these nights", gone)
        self.run_cli(REFUSED, "occupancy", hotel, "--types", "0,4")
        self.run_cli(USAGE, "occupancy", hotel, "--by", "month")

    def test_denials_are_listed_in_order_with_their_counts(self):
        hotel, day = self.new_hotel(types=((0, "--physical", 1), (1, "--physical", 1)))
        other, _ = self.new_hotel()
        for kind in (0, 1):
            self.book(hotel, day, nights=(3, 6), kind=kind)
        for kind, first, times in ((1, 5, 2), (0, 4, 1), (1, 3, 1)):
            for _ in range(times):
                self.book(hotel, day, nights=(first, first + 1), kind=kind, code=REFUSED)
        self.set(hotel, day, 8, 8, "closed=yes", kind=0)
        self.book(hotel, day, nights=(8, 9), code=REFUSED)
        self.book(other, day, rooms=3, nights=(8, 9), code=REFUSED)
        mine = [(0, "TYPE_CLOSED", day(8), 1), (0, "LIMIT", day(4), 1), (1, "LIMIT", day(3), 1),
                (1, "LIMIT", day(5), 2)]

        def denied(*words):
            answer = self.js("denials", *words)
            self.assertEqual((answer["overflow"], answer["more"]), (0, False))
            self.assertEqual(answer["count"], sum(d["count"] for d in answer["denials"]))
            return [(d["type"], d["rule"], d["night"], d["count"]) for d in answer["denials"]
                    if d["hotel_id"] == str(hotel)]

        self.assertEqual(denied(hotel), mine)
        self.assertEqual(denied(), mine)
        self.assertEqual(denied("--rule", "limit"), mine[1:])
        self.assertEqual(denied(hotel, "--nights", f"{day(4)}..{day(7)}"), [mine[1], mine[3]])
        self.assertEqual(denied(hotel, "--rule", "min_arrival"), [])
        hotels = [int(d["hotel_id"]) for d in self.js("denials")["denials"]]
        self.assertEqual(hotels, sorted(hotels))
        self.assertIn(other, hotels)
        self.assertTrue(self.js("denials", "--limit", 2)["more"])
        text = self.run_cli(DONE, "denials", hotel).stdout
        self.assertRegex(text, rf"{hotel} +1 LIMIT +\w+ {day(5)} +2\n")
        self.assertIn("in all 5\n", text)
        self.run_cli(USAGE, "denials", "--rule", "rule")
        self.run_cli(REFUSED, "denials", hotel + 5000)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
