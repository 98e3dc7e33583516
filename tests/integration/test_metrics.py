#!/usr/bin/python3
"""Everything counted: one table, the same in STATS, in the Prometheus text and in the manual.

usage: test_metrics.py SOURCE_ROOT KEYRACK
"""
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import unittest

import exposition
import local_cluster

ROOT, KEYRACK = sys.argv[1:3]
PROMTOOL = os.environ.get("KEYRACK_PROMTOOL") or shutil.which("promtool")


def run(*words, code=0):
    return local_cluster.run(KEYRACK, *words, code=code).stdout


class TableTest(unittest.TestCase):
    def setUp(self):
        self.table = json.loads(run("stats", "--list", "--json"))

    def test_names_are_said_once_and_have_a_meaning(self):
        rows = self.table["metrics"]
        self.assertEqual(len({(r["of"], r["name"]) for r in rows}), len(rows))
        self.assertEqual(len({r["prometheus"] for r in rows}), len(rows))
        for row in rows:
            self.assertRegex(row["name"], r"^[a-z][a-z0-9_]*$")
            self.assertRegex(row["meaning"], r"^[^.\\\n]{5,}$")
            self.assertIn(row["kind"], ("counter", "gauge"))

    def test_the_manual_says_the_same(self):
        with open(os.path.join(ROOT, "tools/keyrack-metrics.7"), encoding="utf-8") as file:
            said = re.findall(r"^\.It Li (\S+) , Li (\S+)\n(counter|gauge), ([^:\n]+): (.+)$",
                              file.read(), re.M)
        self.assertEqual(said, [(r["name"], r["prometheus"], r["kind"], r["unit"], r["meaning"])
                                for r in self.table["metrics"]])

    def test_the_list_is_a_table_for_eyes_too(self):
        self.assertRegex(run("stats", "--list"), r"(?m)^shard +append_bytes +counter +bytes +"
                         r"keyrack_append_bytes_total +bytes handed to the log$")


class ExpositionTest(unittest.TestCase):
    """The reader of these tests is strict."""

    def test_what_is_wrong_is_found(self):
        head = "# HELP a b\n# TYPE a gauge\n"
        self.assertEqual(exposition.read(head + 'a{b="c\\"\\\\\\n"} 1.5\n'),
                         {"a": ("gauge", "b", {(("b", 'c\\"\\\\\\n'),): 1.5})})
        for text in ("a 1\n", head + "a 1", head + "a 1\na 1\n", head + "b 1\n", head + "a x\n",
                     head + 'a{b="c} 1\n', head + 'a{b="c",} 1\n', head + 'a{1="c"} 1\n',
                     head + 'a{b="c",b="d"} 1\n', head + head, "# TYPE a gauge\na 1\n",
                     "# HELP a b\na 1\n", "# HELP a b\n", head + "\n",
                     "# HELP a b\n# TYPE a counter\na 1\n", head + "a NaN\n",
                     "# HELP a_total b\n# TYPE a_total gauge\na_total 1\n"):
            with self.assertRaises(exposition.Wrong, msg=text):
                exposition.read(text)


class ScrapeTest(unittest.TestCase):
    """A cluster that has sold and refused something."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = local_cluster.LocalCluster.lent(KEYRACK, cls.addClassCleanup)
        cls.router = cls.cluster.router
        for hotel in range(1, 9):
            cls.ask("hotel", "put", hotel, "--zone", "Etc/UTC", "--currency", "EUR")
            cls.ask("type", "put", hotel, 0, "--code", "DBL", "--physical", 1)
        sale = ("book", 1, "--type", 0, "--stay", cls.stay(), "--count-only")
        cls.ask(*sale)
        cls.ask(*sale, code=1)

    @classmethod
    def ask(cls, *words, code=0):
        return run("--router", cls.router, *words, code=code)

    @classmethod
    def stay(cls):
        hotel = json.loads(cls.ask("hotel", "get", 1, "--json"))
        first = datetime.date.fromisoformat(hotel["business_day"])
        return f"{first}..{first + datetime.timedelta(2)}"

    def scrape(self, *more):
        return self.ask("stats", "--format", "prometheus", *more)

    def test_what_is_told_is_what_the_table_lists(self):
        table = json.loads(run("stats", "--list", "--json"))
        for shard in json.loads(self.ask("stats", "--json"))["shards"]:
            told = set(shard["stats"])
            self.assertEqual({n for n in told if not n.startswith("operation_")},
                             {r["name"] for r in table["metrics"] if r["of"] == "shard"})
            self.assertEqual({n for n in told if n.startswith("operation_")},
                             set(table["operations"]))
        told = json.loads(self.ask("router", "status", "--json"))["stats"]
        self.assertEqual(set(told), {r["name"] for r in table["metrics"] if r["of"] == "router"})
        families = exposition.read(self.scrape("--denials"))
        self.assertEqual({name: kind for name, (kind, _, _) in families.items()},
                         {r["prometheus"]: r["kind"] for r in table["metrics"]})

    def test_the_values_are_those_of_stats(self):
        before = json.loads(self.ask("stats", "--json"))
        families = exposition.read(self.scrape("--denials"))
        after = json.loads(self.ask("stats", "--json"))
        for low, high in zip(before["shards"], after["shards"]):
            shard = ("shard", str(low["shard"]))
            self.assertEqual(families["keyrack_up"][2][(shard,)], 1)
            for name in ("hotels", "reservations", "effects", "denials"):
                suffix = "_total" if name in ("effects", "denials") else ""
                self.assertEqual(families[f"keyrack_{name}{suffix}"][2][(shard,)],
                                 low["stats"][name])
            seconds = families["keyrack_uptime_seconds"][2][(shard,)]
            self.assertLessEqual(low["stats"]["uptime_us"], round(seconds * 1e6))
            self.assertLessEqual(round(seconds * 1e6), high["stats"]["uptime_us"])
        books = families["keyrack_operations_total"][2]
        self.assertEqual(sum(v for k, v in books.items() if ("operation", "BOOK") in k), 2)
        refused = families["keyrack_denials_by_night_total"][2]
        self.assertEqual(sum(refused.values()), before["totals"]["denials"])
        self.assertEqual({dict(key)["hotel"] for key in refused}, {"1"})
        self.assertEqual(families["keyrack_link_up"][2], {(("shard", "0"),): 1,
                                                          (("shard", "1"),): 1})

    @unittest.skipUnless(PROMTOOL, "there is no promtool")
    def test_promtool_finds_nothing_to_say(self):
        done = subprocess.run([PROMTOOL, "check", "metrics"], input=self.scrape("--denials"),
                              capture_output=True, text=True, timeout=local_cluster.TIMEOUT_S, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_z_a_dead_shard_is_not_up(self):
        """Last by its name: the cluster is of no use to others then."""
        os.kill(self.cluster.pid("shard-1"), 9)
        code = 0
        while code == 0:
            done = subprocess.run([KEYRACK, "--router", self.router, "--deadline", "2s",
                                   "stats", "--format", "prometheus"], capture_output=True,
                                  text=True, timeout=local_cluster.TIMEOUT_S, check=False)
            code = done.returncode
        self.assertEqual(code, 3)
        families = exposition.read(done.stdout)
        self.assertEqual(families["keyrack_up"][2], {(("shard", "0"),): 1, (("shard", "1"),): 0})
        self.assertNotIn((("shard", "1"),), families["keyrack_hotels"][2])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
