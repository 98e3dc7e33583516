#!/usr/bin/python3
"""Hotels move with their reservations: what goes out comes in as it was, and goes out the same.

usage: test_moving.py KEYRACK KEYRACK_RECOVER
"""
import csv
import datetime
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from local_cluster import DONE, REFUSED, SMALL, TIMEOUT_S, USAGE, LocalCluster

KEYRACK, RECOVER = sys.argv[1:3]
CATALOGUE = ("hotels", "types", "plans", "calendar")
HOTELS = {1: "EUR 120.00", 2: "JPY 9000", 3: "KWD 80.500", 4: "EUR 99.99"}


class MovingTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="keyrack-moving-")
        self.clusters = []
        far = (datetime.datetime.now(datetime.timezone.utc).hour + 12) % 24
        self.roll = f"{far:02}:00"

    def tearDown(self):
        for cluster in self.clusters:
            cluster.stop()
        shutil.rmtree(self.folder)

    def cluster(self, shards=2):
        folder = os.path.join(self.folder, f"cluster{len(self.clusters)}")
        self.clusters.append(LocalCluster(KEYRACK, folder, shards, SMALL))
        return self.clusters[-1].start()

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8", newline="") as file:
            file.write(text)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8", newline="") as file:
            return file.read()

    def hotel(self, cluster, hotel, price):
        """Type 0 of three rooms, plan 1 with terms; the business date."""
        put = json.loads(cluster.ok("hotel", "put", hotel, "--zone", "UTC", "--currency",
                                    price[:3], "--day-roll", self.roll, "--json"))
        cluster.ok("type", "put", hotel, 0, "--code", "DBL", "--physical", 3)
        cluster.ok("plan", "put", hotel, 0, 1, "--code", "FLEX", "--policy", "72h:1n,24h:100%")
        today = datetime.date.fromisoformat(put["business_day"])
        nights = f"{today}..{today + datetime.timedelta(SMALL[5] - 1)}"
        for plan in (0, 1):
            cluster.ok("inventory", "set", hotel, "--types", 0, "--plan", plan, "--nights", nights,
                       "--set", f"price={price}")
        return today

    def reservations(self, cluster, hotel, price):
        """Some of every state, most of them with something special."""
        today = self.hotel(cluster, hotel, price)

        def stay(first, nights):
            return f"{today + datetime.timedelta(first)}..{today + datetime.timedelta(first + nights)}"

        def made(*words):
            return json.loads(cluster.ok(*words, "--json"))["id"]
        text = f'ref "{hotel}", ü'
        made("hold", hotel, "--stay", stay(3, 2), "--type", 0, "--ttl", "50m", "--guest",
             "00000000000000000000000000000042", "--external-ref", text, "--source", 7)
        held = made("hold", hotel, "--stay", stay(5, 2), "--type", 0)
        cluster.ok("release", held)
        held = made("hold", hotel, "--stay", stay(5, 3), "--type", 0, "--plan", "FLEX")
        cluster.ok("confirm", held, "--payment-ref", "pay,1")
        booked = made("book", hotel, "--stay", stay(8, 4), "--type", 0, "--rooms", 2, "--price",
                      f"{price}*1+{price[:4]}{'7' + price[5:]}*3")
        cluster.ok("modify", booked, "--guests", 4)
        made("book", hotel, "--line", f"type=0,stay={stay(20, 2)},rooms=1,plan=FLEX", "--line",
             f"type=0,stay={stay(22, 3)},rooms=2,guests=3,count-only", "--payment-ref", "x")
        made("book", hotel, "--stay", stay(9, 1), "--type", 0, "--rooms", 3, "--force")
        cancelled = made("book", hotel, "--stay", stay(12, 1), "--type", 0, "--plan", "FLEX")
        cluster.ok("cancel", cancelled)
        for command in ("check-in", "complete", "no-show"):
            cluster.ok(command, made("book", hotel, "--stay", stay(0, 2), "--type", 0))
        return made("hold", hotel, "--stay", stay(30, 2), "--type", 0, "--ttl", "1s")

    def foreign(self, cluster, name="foreign.csv"):
        """What another system has, with little said and ids of its own."""
        today = datetime.date.fromisoformat(json.loads(
            cluster.ok("hotel", "get", 1, "--json"))["business_day"])
        rows = ["hotel,id,state,type,check_in,check_out,prices,created_at_us,was_held"]
        for hotel in (1, 2):
            for number in range(3):
                price = f"{HOTELS[hotel]}*9"
                rows.append(
                    f"{hotel},{number + 4711:032x},{('CONFIRMED', 'CHECKED_IN', 'CANCELLED')[number]},"
                    f"0,{today - datetime.timedelta(4)},{today + datetime.timedelta(5)},{price},"
                    f"{int(time.time() * 1e6) - 10**10},")
        cluster.ok("import", "reservations", self.write(name, "\n".join(rows) + "\n"))

    def expired(self, cluster, ids):
        until = time.monotonic() + TIMEOUT_S
        for ident in ids:
            while json.loads(cluster.ok("reservation", "get", ident, "--json"))["state"] != "EXPIRED":
                self.assertLess(time.monotonic(), until)
                time.sleep(0.1)

    def exported(self, cluster, name, *words):
        cluster.ok("export", "reservations", "--out", self.path(name), *words)
        return self.read(name)

    def move_catalogue(self, source, target):
        for sheet in CATALOGUE:
            path = self.path(sheet + ".csv")
            source.ok("export", sheet, "--out", path)
            target.ok("import", sheet, path)

    def refused(self, cluster, *words):
        done = cluster.run("import", "reservations", *words)
        self.assertEqual(done.returncode, REFUSED, done.stderr)
        return done

    def test_what_goes_out_comes_in_and_goes_out_the_same(self):
        source, target, third = self.cluster(), self.cluster(), self.cluster(3)
        self.expired(source, [self.reservations(source, *each) for each in HOTELS.items()])
        self.foreign(source)
        table = self.exported(source, "all.csv")
        rows = list(csv.DictReader(io.StringIO(table)))
        self.assertEqual({row["state"] for row in rows}, {
            "HELD", "CONFIRMED", "RELEASED", "EXPIRED", "CANCELLED", "CHECKED_IN", "NO_SHOW",
            "COMPLETED"})
        self.assertTrue(any(row["terms"] and row["arrival_us"] for row in rows))
        self.assertTrue(any("+" in row["prices"] for row in rows))
        self.assertTrue(any(row["change_id"] for row in rows))
        count = len({(row["hotel"], row["id"]) for row in rows})
        self.move_catalogue(source, target)
        told = json.loads(target.ok("import", "reservations", self.path("all.csv"), "--force",
                                    "--json"))
        self.assertEqual((told["come_in"], told["here_already"], told["rejected_rows"]),
                         (count, 0, 0))
        self.assertEqual(told["over_limit"], len(HOTELS))
        self.assertEqual({each["nights_over_limit"] for each in told["over_limit_list"]}, {1})
        self.assertEqual(self.exported(target, "again.csv"), table)
        # once more, it changes nothing and says so
        def events():
            return {hotel: json.loads(target.ok("hotel", "get", hotel, "--json"))["event_seq"]
                    for hotel in HOTELS}
        before = events()
        again = target.ok("import", "reservations", self.path("all.csv"))
        self.assertIn(f"0 reservations came in, {count} were here already", again)
        self.assertEqual(events(), before)
        self.assertEqual(self.exported(target, "again.csv"), table)
        # objects, another number of shards, and those over the limit in a second run
        objects = self.exported(source, "all.ndjson", "--format", "ndjson")
        self.move_catalogue(source, third)
        refused = self.refused(third, self.path("all.ndjson"), "--rejects", self.path("rejects"))
        self.assertEqual(refused.stderr.count("SOLD_OUT"), len(HOTELS), refused.stderr)
        self.assertEqual(self.read("rejects").count("\n"), len(HOTELS))
        forced = third.ok("import", "reservations", self.path("rejects"), "--force")
        self.assertIn(f"{len(HOTELS)} are on nights over the limit:", forced)
        self.assertEqual(sorted(self.exported(third, "3.ndjson", "--format", "ndjson").split("\n")),
                         sorted(objects.split("\n")))
        over = json.loads(third.ok("overbooked", "--json"))
        self.assertEqual(over, json.loads(source.ok("overbooked", "--json")))

    def test_bad_rows_are_named_and_left_out_with_all_of_their_reservation(self):
        cluster = self.cluster(1)
        today = self.hotel(cluster, 1, HOTELS[1])
        day = today.isoformat()
        later = (today + datetime.timedelta(2)).isoformat()
        head = "hotel,id,state,line,lines,type,check_in,check_out,created_at_us\n"
        now = int(time.time() * 1e6) - 10**7
        made = "0000000000000000000000000000000"

        def row(number, line="1,1", state="CONFIRMED", hotel=1, kind=0, end=later, created=now):
            return f"{hotel},{made}{number},{state},{line},{kind},{day},{end},{created}\n"
        bad = [row(1, "1,2"), row(1, "2,2", kind=9), row(2, "2,2"), row(3, "1,2"), row(4),
               row(5, state="VOID"), row(6, hotel=2), row(7, end=day), row(8, created=""),
               row(9, created=now + 10**12), row("a", end="soon"), row("b", "1,2")]
        path = self.write("bad.csv", head + "".join(bad))
        done = self.refused(cluster, path, "--rejects", self.path("rejects"))
        told = [line.split(": line ", 1)[1] for line in done.stderr.splitlines() if ": line " in line]
        self.assertEqual(sorted(int(line.split(":")[0]) for line in told),
                         [2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13])
        for line, reason in ((2, "NOT_FOUND"), (3, "NOT_FOUND"), (4, "before it"), (5, "do not follow"),
                             (7, "VOID"), (8, "no hotel 2"), (9, "INVALID"), (10, "created_at_us"),
                             (11, "INVALID"), (12, "no date"), (13, "do not follow")):
            self.assertTrue(any(each.startswith(f"{line}:") and reason in each for each in told),
                            f"{line}: {reason} in {told}")
        rejects = self.read("rejects")
        self.assertTrue(rejects.startswith(head))
        self.assertEqual(sorted(rejects[len(head):].splitlines(True)),
                         sorted(each for each in bad if not each.startswith(f"1,{made}4")))
        self.assertIn("1 reservations came in", done.stdout)
        self.assertEqual(cluster.run("import", "reservations", self.write("x.csv", "hotel,x\n"))
                         .returncode, USAGE)

    def test_dates_and_instants_are_shifted_and_what_is_over_is_passed_over(self):
        cluster = self.cluster(1)
        today = self.hotel(cluster, 1, HOTELS[1])
        now = int(time.time() * 1e6)
        day_us = 86400 * 10**6
        past = today - datetime.timedelta(400)
        rows = ["hotel,id,state,type,check_in,check_out,created_at_us,changed_at_us,counted_until"]
        for number, state, nights in ((1, "CONFIRMED", 30), (2, "COMPLETED", 1), (3, "CANCELLED", 5)):
            rows.append(f"1,{number:032x},{state},0,{past - datetime.timedelta(1)},"
                        f"{past + datetime.timedelta(nights)},{now - 500 * day_us},"
                        f"{now - 450 * day_us},{past}")
        path = self.write("old.csv", "\n".join(rows) + "\n")
        done = cluster.ok("import", "reservations", path, "--shift-days", 400, "--state",
                          self.path("state"))
        self.assertIn("1 rows are of reservations that ended too long ago to be kept", done)
        self.assertIn("2 reservations came in", done)
        shown = {row["id"]: row for row in csv.DictReader(io.StringIO(
            cluster.ok("export", "reservations")))}
        first = shown["00000000-0000-0000-0000-000000000001"]
        self.assertEqual((first["check_in"], first["created_at_us"]),
                         ((today - datetime.timedelta(1)).isoformat(), str(now - 100 * day_us)))
        self.assertEqual(shown["00000000-0000-0000-0000-000000000002"]["counted_until"],
                         today.isoformat())
        done = cluster.run("import", "reservations", path, "--shift-days", 400, "--state",
                           self.path("state"))
        self.assertEqual(done.returncode, DONE)
        self.assertIn("goes on behind line 4", done.stderr)
        self.assertIn("0 reservations came in", done.stdout)

    def test_other_systems_ids_live_through_restarts_and_other_numbers_of_shards(self):
        source = self.cluster()
        today = [self.hotel(source, *each) for each in HOTELS.items()][0]
        now = int(time.time() * 1e6)
        rows = "hotel,id,state,type,check_in,check_out,created_at_us\n" + "".join(
            f"{hotel},{number:032x},CONFIRMED,0,{today},{today + datetime.timedelta(3)},{now}\n"
            for hotel in HOTELS for number in (1, 2))  # the same ones in every hotel
        source.ok("import", "reservations", self.write("same.csv", rows))
        night = (today + datetime.timedelta(1)).isoformat()
        one = f"{1:032x}"
        source.ok("cancel", one, "--hotel", 2)
        self.assertEqual(source.run("cancel", one, "--hotel", 99).returncode, REFUSED)
        before = sorted(self.exported(source, "before.csv").split("\n"))
        self.assertEqual(sum(",CANCELLED," in row for row in before), 1)
        backup = self.path("backup")
        source.ok("backup", backup, "--dir", source.folder)
        source.ok("cluster", "stop", "--dir", source.folder)
        told = []
        for shard in (0, 1):
            folder = os.path.join(source.folder, f"shard-{shard}")
            dump = subprocess.run([RECOVER, "dump", folder, "--log", "--json"],
                                  capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
            told += [json.loads(line) for line in dump.stdout.splitlines()
                     if '"IMPORT"' in line]
            state = subprocess.run([RECOVER, "dump", folder, "--reservations"],
                                   capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
            self.assertNotIn("assert", state.stderr)
        self.assertEqual(len(told), 2 * len(HOTELS))
        self.assertEqual({each["state"] for each in told}, {"CONFIRMED"})
        why = [subprocess.run([RECOVER, "why", "2", "0", night,
                               os.path.join(source.folder, f"shard-{shard}")], capture_output=True, text=True, timeout=TIMEOUT_S,
                              check=False) for shard in (0, 1)]
        said = [each.stdout for each in why if each.returncode == 0]
        self.assertEqual(len(said), 1, [each.stderr for each in why])
        self.assertEqual(said[0].count("IMPORT"), 2)
        self.assertEqual(said[0].count("CANCEL"), 1)
        restored = LocalCluster(KEYRACK, self.path("restored"), 1, ())
        self.clusters.append(restored)
        restored.ok("restore", backup, "--dir", restored.folder, "--shards", 1, "--listen",
                    restored.router, "--allow-tmpfs")
        restored.ok("cluster", "start", "--dir", restored.folder, "--listen", restored.router,
                    "--allow-tmpfs")
        after = sorted(self.exported(restored, "after.csv").split("\n"))
        self.assertEqual(after, before)
        again = restored.ok("import", "reservations", self.path("same.csv"))
        self.assertIn(f"0 reservations came in, {2 * len(HOTELS)} were here already", again)

    def test_an_import_that_is_killed_goes_on_as_if_nothing_had_been(self):
        cluster = self.cluster()
        today = self.hotel(cluster, 1, HOTELS[1])
        cluster.ok("type", "put", 1, 0, "--physical", 4000)
        now = int(time.time() * 1e6)
        rows = []
        for number in range(1, 501):
            rows += [f"1,{number:032x},CONFIRMED,{line},2,0,{today},"
                     f"{today + datetime.timedelta(line)},{now}\n" for line in (1, 2)]
        path = self.write("many.csv", "hotel,id,state,line,lines,type,check_in,check_out,"
                                      "created_at_us\n" + "".join(rows))
        command, environment = cluster.command(
            "import", "reservations", path, "--state", self.path("state"), "--rejects",
            self.path("rejects"))
        rng = random.Random(3)
        for _ in range(4):
            process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            time.sleep(rng.random() * 0.1)
            process.send_signal(signal.SIGKILL)
            process.wait(TIMEOUT_S)
        cluster.ok("import", "reservations", path, "--state", self.path("state"), "--rejects",
                   self.path("rejects"))
        self.assertEqual(len(set(row["id"] for row in csv.DictReader(io.StringIO(
            self.exported(cluster, "all.csv"))))), 500)
        again = cluster.ok("import", "reservations", path)
        self.assertIn("0 reservations came in, 500 were here already", again)
        self.assertEqual(self.read("rejects").count("\n"), 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=0)
