#!/usr/bin/python3
"""Loads real hotels and calendars into a running cluster, sells on them, and checks every answer.

Listings of Inside Airbnb, with a calendar of single nights: available or not, price, shortest and
longest stay. Every attempt of the load is judged here once more, from the files alone: what was
sold must have been for sale, and what was refused must have been refused for the right reason.
The French register of hotels has room counts and no calendar: rooms alone are sold.

The cluster has to be empty. The files are those that `keyrack import` knows; see bench/README.md.
"""
import argparse
import csv
import datetime
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time

EPOCH = datetime.date(1970, 1, 1).toordinal()


class Cluster:
    def __init__(self, words):
        self.words = words

    def keyrack(self, *words, codes=(0,)):
        return self.run(self.words.keyrack, "--router", self.words.router, *words, codes=codes)

    def bench(self, *words):
        return self.run(self.words.bench, words[0], "--router", self.words.router, *words[1:])

    @staticmethod
    def run(*words, codes=(0,)):
        done = subprocess.run([str(w) for w in words], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, check=False)
        if done.returncode not in codes:
            sys.exit(f"{' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout}\n"
                     f"{done.stderr[:4000]}")
        return done.stdout

    def imported(self, what, path, *words):
        """What the import says of itself; rows that lack something are left out of it."""
        start = time.monotonic()
        told = json.loads(self.keyrack("import", what, path, "--json", *words, codes=(0, 1)))
        told["seconds"] = time.monotonic() - start
        return told

    def sell(self, folder, *words):
        """A run of the bench: its report, and its journal entry by entry."""
        journal = os.path.join(folder, "journal")
        report = json.loads(self.bench("run", "--json", "--journal", journal, "--seconds",
                                       self.words.seconds, "--warmup", 0, *words))
        with open(journal, encoding="ascii") as file:
            return report, [json.loads(line) for line in file]


def unpack(data, name, folder, keep):
    """The rows that are kept, and a file of them."""
    path = os.path.join(folder, name.removesuffix(".gz"))
    with gzip.open(os.path.join(data, name), "rt", encoding="utf-8", newline="") as packed:
        rows = [row for row in csv.DictReader(packed) if keep(row)]
    with open(path, "w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        out.writeheader()
        out.writerows(rows)
    return rows, path


def calendar_of(runs, shift):
    """{(listing, day): (available, shortest, longest)}"""
    nights = {}
    for row in runs:
        first = datetime.date.fromisoformat(row["start"]).toordinal() - EPOCH + shift
        value = (row["available"] == "t", int(row["min_nights"]), int(row["max_nights"]))
        for day in range(first, first + int(row["n"])):
            nights[int(row["listing"]), day] = value
    return nights


def expected_code(nights, hotel, first, last):
    """What a stay must be answered by these nights alone; a night that is not there has no price."""
    stay = [nights.get((hotel, day)) for day in range(first, last)]
    if any(night and not night[0] for night in stay):
        return "CLOSED"
    if stay[0] and last - first < stay[0][1]:
        return "MIN_LOS"
    if stay[0] and last - first > stay[0][2]:
        return "MAX_LOS"
    return "DONE" if all(stay) else "NO_RATE"


def judge(journal, right_code, rooms):
    """Counts of answers and of rooms sold; ends when an answer is wrong."""
    sold, codes, refused = {}, {}, []
    for entry in journal:
        hotel, first, last = entry["hotel"], entry["check_in"], entry["check_out"]
        code, right = entry["code"], right_code(hotel, first, last)
        codes[code] = codes.get(code, 0) + 1
        if code == "SOLD_OUT" and right == "DONE":
            refused.append((hotel, first, last))
        elif code != right:
            sys.exit(f"hotel {hotel}, days {first} to {last}: {code}; the files say {right}")
        for day in range(first, last) if code == "DONE" else ():
            sold[hotel, day] = sold.get((hotel, day), 0) + 1
            if sold[hotel, day] > rooms(hotel):
                sys.exit(f"hotel {hotel}: day {day} is sold {sold[hotel, day]} times")
    for hotel, first, last in refused:
        if all(sold.get((hotel, day), 0) < rooms(hotel) for day in range(first, last)):
            sys.exit(f"hotel {hotel}: SOLD_OUT from day {first} on, and rooms are left")
    return {"codes": codes, "room_nights_sold": sum(sold.values())}


def listings(cluster, words, folder):
    """A city's listings, night by night."""
    rows, path = unpack(words.data, "airbnb_listings.csv.gz", folder,
                        lambda row: row["city"] == words.city)
    hotels = cluster.imported("hotels", path, "--zone", words.zone, "--currency", words.currency)
    known = {row["id"] for row in rows}
    runs, path = unpack(words.data, f"airbnb_calendar_{words.city}.csv.gz", folder,
                        lambda row: row["listing"] in known)
    hotel = json.loads(cluster.keyrack("hotel", "get", rows[0]["id"], "--json"))
    first = min(datetime.date.fromisoformat(row["start"]) for row in runs)
    shift = (datetime.date.fromisoformat(hotel["business_day"]) - first).days
    calendar = cluster.imported("calendar", path, "--currency", words.currency, "--shift-days",
                                shift)
    nights = calendar_of(runs, shift)
    report, journal = cluster.sell(folder, "--mix", "availability=20,book=1", "--nights",
                                   words.nights, "--guests", 1, "--window", words.window)
    outcome = judge(journal, lambda *stay: expected_code(nights, *stay), lambda hotel: 1)
    return {"listings": len(rows), "nights": len(nights), "rejected": hotels["rejected_rows"] +
            calendar["rejected_rows"], "import_seconds": round(calendar["seconds"], 3),
            "nights_per_second": round(len(nights) / calendar["seconds"]), **outcome,
            "rate": report["rate"], "differences": report["differences"]}


def hotels_fr(cluster, words, folder):
    """The French register: rooms without a calendar."""
    rows, path = unpack(words.data, "hotels_fr_2017.csv.gz", folder,
                        lambda row: row["type"] == "hotel")
    told = cluster.imported("hotels", path, "--zone", "Europe/Paris", "--currency", "EUR")
    rooms = {int(row["id"]): int(row["rooms"]) for row in rows if row["rooms"]}
    report, journal = cluster.sell(folder, "--op", "book", "--nights", words.nights,
                                   "--count-only", "--window", words.window)
    outcome = judge(journal, lambda *stay: "DONE", lambda hotel: rooms[hotel])
    return {"hotels": len(rows), "rooms": sum(rooms.values()), "rejected": told["rejected_rows"],
            "import_seconds": round(told["seconds"], 3), **outcome, "rate": report["rate"],
            "differences": report["differences"]}


def main():
    parts = {"listings": listings, "hotels": hotels_fr}
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=parts)
    parser.add_argument("--data", required=True, help="the folder of the files")
    parser.add_argument("--keyrack", default="keyrack")
    parser.add_argument("--bench", default="keyrack-bench")
    parser.add_argument("--router", default=os.environ.get("KEYRACK_ROUTER", "127.0.0.1:7070"))
    parser.add_argument("--city", default="singapore")
    parser.add_argument("--zone", default="Asia/Singapore")
    parser.add_argument("--currency", default="SGD")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--nights", type=int, default=3, help="of a stay")
    parser.add_argument("--window", type=int, default=365)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="keyrack-real-") as folder:
        print(json.dumps(parts[words.part](Cluster(words), words, folder)))


main()
