#!/usr/bin/python3
"""Records what a build's own clients say to its own cluster, frame by frame, for later servers.

usage: record.py BUILD PROTO NAME

A proxy stands between `keyrack` and the router of two shards; the commands below are typed, and what
goes over is written to NAME.json, a copy of the messages of that time to NAME.proto. Commands that
the build does not know are left out and named. Best on a quiet machine.
"""
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import proxy  # pylint: disable=wrong-import-position
import two_shards  # pylint: disable=wrong-import-position

CLUSTER = 0x6b6579
SIZES = ["--hotels", "50", "--nights", "120", "--reservations", "2000", "--refusals", "1024",
         "--segment-size", "8"]
HOTEL, OTHER = "42", "43"
NOW_MS = int(time.time() * 1000)
GUEST = ["--guest", "00000000-0000-0000-0000-000000000005"]
HALF_HOUR = str(NOW_MS // 1000 + 1800)


def day(offset):
    return (datetime.datetime.now(datetime.timezone.utc).date()
            + datetime.timedelta(offset)).isoformat()


def stay(first, nights):
    return ["--stay", f"{day(first)}..{day(first + nights)}"]


def conversations():
    """(NAME or "", command), in order; "@NAME" is the id that the first command called NAME told."""
    spans = ["--nights", f"{day(0)}..{day(60)}"]
    room = ["--type", "1", "--guests", "2"]
    return [
        ("", "hotel put 42 --zone Europe/Paris --currency EUR --code TAKEN"),
        ("", "hotel put 42 --zone Europe/Paris --currency EUR --hold-ttl 20m"),
        ("", "hotel put 43 --zone Asia/Tokyo --currency JPY --nights-max 30"),
        ("", "hotel put 42 --holds-max 500 --reason again"),
        ("", "type put 42 1 --code DBL --physical 5 --guests-max 3"),
        ("", "type put 42 2 --code SGL --physical 9 --out-of-order 1 --allowance 10%"),
        ("", "type put 42 2 --clear allowance"),
        ("", "type put 43 1 --physical 2"),
        ("", ["inventory", "set", "42", "--types", "1,2", *spans, "--set", "price=EUR 120.00",
              "--source", "7", "--seq", "1"]),
        ("", ["inventory", "set", "42", "--types", "1,2", *spans, "--set", "price=EUR 120.00",
              "--source", "7", "--seq", "1"]),
        ("", ["inventory", "set", "42", "--types", "1", *spans, "--weekdays", "fri,sat",
              "--adjust", "price=EUR 20.00", "--source", "7", "--seq", "2"]),
        ("", ["inventory", "set", "42", "--types", "2", "--nights", f"{day(30)}..{day(40)}",
              "--set", "closed=yes,cta=yes,min-arrival=2,max-through=9,plan-ctd=yes,available=3"]),
        ("", ["inventory", "set", "42", "--types", "2", "--nights", f"{day(35)}..{day(36)}",
              "--clear", "closed,min-arrival"]),
        ("", ["inventory", "set", "43", "--types", "1", *spans, "--set", "price=JPY 9000"]),
        ("", "hotel get 42"), ("", "hotel get 44"), ("", "hotel list"),
        ("", "type get 42"), ("", "type get 42 --types 2"),
        ("", ["availability", "42", "--nights", f"{day(28)}..{day(42)}"]),
        ("", ["availability", "42", "--nights", f"{day(1)}..{day(2)}", "--stale-ok"]),
        ("", ["availability", "42", *stay(10, 3), "--rooms", "2", "--guests", "4"]),
        ("", ["availability", "42", *stay(30, 3), "--types", "2", "--explain"]),
        ("held", ["hold", "42", *room, *stay(10, 3), *GUEST]),
        ("held", ["hold", "42", *room, *stay(10, 3), *GUEST, "--id",
                  "@held"]),
        ("booked", ["book", "42", *room, *stay(11, 2), "--rooms", "2", "--external-ref", "OTA-1",
                    "--source", "8", "--actor", "77", "--reason", "by telephone"]),
        ("two", ["book", "42", "--line", f"type=1,stay={day(20)}..{day(22)},rooms=1,guests=2",
                 "--line", f"type=2,stay={day(20)}..{day(22)},rooms=1,guests=1,price=EUR 80.00"]),
        ("none", ["book", "42", *room, *stay(11, 2), "--rooms", "9", "--guests", "9"]),
        ("none", ["book", "42", *room, *stay(11, 2), "--rooms", "9", "--guests", "9", "--id",
                  "@none"]),
        ("", ["book", "42", *room, *stay(12, 1), "--id", "@booked"]),
        ("", ["book", "42", *room, *stay(-9, 2)]), ("", ["book", "42", "--type", "9", *stay(3, 1)]),
        ("", ["book", "42", *room, *stay(11, 2), "--expected-total", "EUR 1.00"]),
        ("", ["extend", "@held", "--until", HALF_HOUR]),
        ("", ["attach-payment", "@held", "pay-1"]),
        ("", ["attach-payment", "@held", "pay-2"]),
        ("", "confirm @held --payment-ref pay-1"), ("", "confirm @held"),
        ("", "release @held"), ("", "reservation get @held"),
        ("", "cancel @booked"), ("", "cancel @booked"), ("", "reservation get @booked"),
        ("small", ["hold", "43", "--type", "1", *stay(5, 1)]), ("", "release @small"),
        ("", "cancel @small --any"),
        ("in", ["book", "42", *room, *stay(0, 2), "--count-only"]),
        ("out", ["book", "42", *room, *stay(0, 2), "--count-only"]),
        ("", "check-in @in"), ("", "complete @in"), ("", "no-show @out"), ("", "check-in @two"),
        ("", "resolve @two"), ("", "resolve @none"), ("", "resolve @none"),
        ("", "reservation get @none"),
        ("", "reservation list 42"), ("", "reservation list 42 --state confirmed"),
        ("", ["reservation", "list", "--arriving", f"{day(9)}..{day(11)}"]),
        ("", "ping"), ("", "ping --shard 1"), ("", "snapshot"), ("", "stats"),
        ("", "stats --denials"), ("", "router status"), ("", "router map"),
        ("", "router connections"),
        # What came later; unknown words are not sent.
        ("", "plan put 42 1 7 --code FLEX --policy 48h:1n"), ("", "plan list 42"),
        ("", ["inventory", "set", "42", "--types", "1", "--plan", "7", *spans, "--set",
              "price=EUR 99.00"]),
        ("flex", ["book", "42", *room, "--plan", "7", *stay(13, 2)]),
        ("", ["modify", "@flex", *stay(13, 3)]), ("", "cancel @flex"),
        ("", ["book", "42", *room, *stay(11, 2), "--rooms", "9", "--guests", "9", "--force"]),
        ("", ["overbooked", "42"]), ("", ["occupancy", "42", *spans]), ("", ["denials", "42"]),
        ("", "export hotels"), ("", "export calendar"), ("", "export reservations --out @folder/r.csv"),
        ("", "import reservations @folder/r.csv"),
        ("", "reservation due --lead 90d"), ("", "reservation stuck"),
    ]


def fill(words, ids):
    return [ids.get(word[1:], word) if word.startswith("@") and "/" not in word else
            word.replace("@folder", ids["folder"]) for word in words]


def main():
    build, proto, name = sys.argv[1:4]
    folder = tempfile.mkdtemp(prefix="keyrack-record-")
    cluster = two_shards.TwoShards(folder, os.path.join(build, "router/keyrack-router"),
                                   os.path.join(build, "engine/server/keyrack-shard"), CLUSTER,
                                   SIZES, routers=1)
    between = proxy.Proxy(f"{folder}/proxy", cluster.addresses[0][5:])
    told, ids, unknown = [], {"folder": folder}, []
    for label, words in conversations():
        words = fill(words.split() if isinstance(words, str) else words, ids)
        done = subprocess.run(
            [find_cli(build), "--router", f"unix:{folder}/proxy", "--deadline", "1h",
             *words], capture_output=True, text=True, check=False, timeout=600)
        frames = between.taken()
        if not frames:
            unknown.append(" ".join(words))
            continue
        ident = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", done.stdout + done.stderr)
        if label and ident:
            ids.setdefault(label, ident.group(0))
        told.append({"what": "keyrack " + " ".join(words).replace(folder, ""), "exit": done.returncode,
                     "frames": frames})
    between.stop()
    cluster.stop()
    shutil.rmtree(folder)
    written = {"comment": f"What keyrack of {name} and its cluster said to each other; record.py.",
               "unix_us": int(time.time() * 1e6), "cluster": CLUSTER, "sizes": SIZES,
               "conversations": told}
    with open(os.path.join(HERE, name + ".json"), "w", encoding="ascii") as file:
        json.dump(written, file, indent=1)
        file.write("\n")
    shutil.copy(proto, os.path.join(HERE, name + ".proto"))
    print(f"{len(told)} conversations; not known to this build, or not sent:", *unknown, sep="\n ")


def find_cli(build):
    for path in ("tools/keyrack/keyrack", "tools/keyrack"):
        if os.path.isfile(os.path.join(build, path)):
            return os.path.join(build, path)
    raise FileNotFoundError("keyrack")


if __name__ == "__main__":
    main()
