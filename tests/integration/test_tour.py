#!/usr/bin/python3
"""The tour of README.md, line by line as it stands there: each line does what the text says.

usage: test_tour.py SOURCE_ROOT KEYRACK KEYRACK_RECOVER

Dates are moved to the next year, and addresses to free ports; nothing else is changed.
"""
import datetime
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from ports import free_port

TIMEOUT_S = 120
DONE, REFUSED, DIFFERS = 0, 1, 53
ROOT = sys.argv[1]
KEYRACK, RECOVER = map(os.path.abspath, sys.argv[2:4])
YEAR = (datetime.date.today() - datetime.timedelta(1)).year + 1  # whole in the window, also on 1 January

# What lines do that do not just end with 0, and what they have to say.
ENDS = {
    "keyrack book 1 --type DBL --plan FLEX": (REFUSED, "refused: MIN_LOS"),
    "keyrack availability 1 --stay 2027-04-01": (REFUSED, "SOLD_OUT"),
    "keyrack-recover diff --from-lsn": (DIFFERS, "CANCELLED"),
    "keyrack overbooked 1": (DONE, "over limit: 1 room; walks: 2 rooms"),
    "keyrack reservation list 1 --arriving 2027-04-01": (DONE, "12 x type 0 DBL"),
    "keyrack --router": (DONE, "12 x type 0 DBL"),
    "keyrack reservation list 1\n": (DONE, "12 x type 0 DBL"),
    "keyrack-recover why": (DONE, "equal to the state"),
    "keyrack modify": (DONE, "CONFIRMED, revision 5, total EUR 600.00"),
    "keyrack book 1 --type DBL --plan NONREF": (DONE, "CONFIRMED, revision 1, total EUR 378.00"),
}


def tour():
    """Its lines, without those that make the way free for it; what follows three blanks is text."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        text = file.read().split("\n## A tour\n")[1].split("\n- A stay is half open")[0]
    blocks = re.findall(r"^```\n(.*?)^```$", text, re.M | re.S)
    assert blocks[0].startswith("export PATH="), blocks[0]
    return [re.sub(r" {3,}.*", "", line) for block in blocks[1:] for line in block.splitlines()]


class TourTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="keyrack-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.routers = {f"127.0.0.1:{port}": f"127.0.0.1:{free_port()}" for port in (7070, 7071)}
        self.environment = {
            **os.environ, "KEYRACK_ROUTER": self.routers["127.0.0.1:7070"],
            "PATH": os.pathsep.join([os.path.dirname(KEYRACK), os.path.dirname(RECOVER),
                                     os.environ["PATH"]])}

    def shell(self, line):
        return subprocess.run(["sh", "-c", line], cwd=self.folder, env=self.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT_S, check=False)

    def stop_all(self):
        for name in ("demo", "demo-copy", "demo-backup"):
            self.shell(f"keyrack cluster stop --dir {name} --kill")

    def typed(self, line):
        """As it is typed here."""
        line = line.replace("2027-", f"{YEAR}-")
        for address, free in self.routers.items():
            line = line.replace(address, free)
        if line == "keyrack cluster start --dir demo --shards 2":
            line += f" --listen {self.environment['KEYRACK_ROUTER']} --allow-tmpfs"
        if line.startswith(("keyrack restore", "keyrack-recover")):
            line += " --allow-tmpfs"
        return line

    def test_each_line_does_what_the_text_says(self):
        self.addCleanup(self.stop_all)
        lines = tour()
        self.assertGreater(len(lines), 45)
        for start in ENDS:
            self.assertTrue(any((line + "\n").startswith(start) for line in lines), start)
        for line in lines:
            code, said = next((end for start, end in ENDS.items()
                               if (line + "\n").startswith(start)), (DONE, ""))
            done = self.shell(self.typed(line))
            if line != "keyrack cluster status --dir demo":  # a killed process may still be going
                self.assertEqual(done.returncode, code, f"{line}\n{done.stdout}")
            self.assertIn(said, done.stdout, line)
            if line.startswith("keyrack hold"):
                self.environment["ID"] = re.search(r"^id (\S+)$", done.stdout, re.M).group(1)
        done = self.shell("keyrack cluster start --dir demo-backup")
        self.assertEqual(done.returncode, REFUSED, done.stdout)
        self.assertRegex(done.stdout, "demo-backup is a backup.*`keyrack restore --dir NEW ")
        self.assertEqual(sorted(os.listdir(os.path.join(self.folder, "demo-backup"))),
                         ["cluster.json", "manifest.json", "shard-0", "shard-1"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
