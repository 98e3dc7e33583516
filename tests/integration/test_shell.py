#!/usr/bin/python3
"""keyrack shell, from a file and on a terminal; and completion in bash.

usage: test_shell.py KEYRACK
"""
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import unittest

import local_cluster
from local_cluster import DONE, REFUSED, TIMEOUT_S, UNREACHABLE, USAGE
from ports import free_port
from terminal import Terminal

KEYRACK = os.path.abspath(sys.argv[1])
PROMPT = b"keyrack> "


def run(*words, code=0, text=""):
    return local_cluster.run(KEYRACK, *words, code=code, text=text)


class LinesTest(unittest.TestCase):
    """What needs no cluster."""

    def test_lines_run_until_one_is_not_done(self):
        done = run("shell", code=USAGE, text="slot 1 --offline\n# comment\n\nslot\nslot 2\n")
        self.assertIn("14638", done.stdout)
        self.assertIn("line 4 ended with 2 (wrong words)", done.stderr)
        self.assertNotIn("slot 2", done.stdout)
        self.assertEqual(done.stdout.count("hotel"), 1)

    def test_keep_going_runs_them_all_and_ends_with_the_first_fault(self):
        done = run("shell", "--keep-going", code=USAGE,
                   text="fly\nslot 1 --offline\n'open\nslot --fly\nslot 1 2 3\nslot 2 --offline")
        self.assertEqual(re.findall(r"line (\d) ended with (\d)", done.stderr),
                         [("1", "2"), ("3", "2"), ("4", "2"), ("5", "2")])
        self.assertEqual(done.stdout.count("slot"), 2)

    def test_options_hold_for_the_session_or_for_a_line(self):
        done = run("--json", "shell", text="slot 1 --offline\nslot 2 --offline\n")
        self.assertEqual([json.loads(line)["slot"] for line in done.stdout.splitlines()],
                         [14638, 8771])
        done = run("shell", text="slot 1 --offline --json\nslot 2 --offline\n"
                   "--json slot 1 --offline\n")
        self.assertEqual(done.stdout.count("{"), 2)

    def test_quotes_help_and_ends(self):
        done = run("shell", text="slot 'code:a b' --offline\nhelp slot\nslot --help\nhelp\n"
                   "hotel help\nexit\nfly\n")
        self.assertEqual(done.stdout.count("Usage: keyrack slot"), 2)
        self.assertIn("exit, quit", done.stdout)
        self.assertIn("Usage: keyrack hotel COMMAND", done.stdout)
        run("shell", code=USAGE, text="shell\n")
        self.assertIn("cluster status: --dir is missing",
                      run("shell", code=USAGE, text="cluster status\n").stderr)
        run("shell", text="")

    def test_nobody_there_ends_the_line_with_3(self):
        done = run("--router", f"127.0.0.1:{free_port()}", "shell", "-k", code=UNREACHABLE,
                   text="ping\nslot 1 --offline\n")
        self.assertIn("line 1 ended with 3 (unreachable)", done.stderr)
        self.assertIn("14638", done.stdout)


class CompletionTest(unittest.TestCase):
    """The script for bash is made of the tables, and does what it says."""

    @classmethod
    def setUpClass(cls):
        cls.script = run("completion", "bash").stdout
        text = run("--help").stdout
        cls.commands = [c.split() for c in re.findall(r"^  ([a-z-]+(?: [a-z]+)?)  ", text, re.M)]

    def complete(self, *words, code=None):
        """What Tab offers for the last word."""
        quoted = " ".join(f"'{word}'" for word in ("keyrack", *words))
        done = subprocess.run(["bash", "-c", (code or self.script) +
                               f"\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words)}; _keyrack\n"
                               'printf "%s\\n" "${COMPREPLY[@]}"'], capture_output=True,
                              text=True, timeout=TIMEOUT_S, check=True)
        self.assertEqual(done.stderr, "")
        return [line for line in done.stdout.split("\n") if line]

    def test_commands(self):
        first = list(dict.fromkeys(words[0] for words in self.commands))
        self.assertEqual(self.complete(""), first)
        self.assertEqual(self.complete("ava"), ["availability"])
        self.assertEqual(self.complete("--json", "slo"), ["slot"])
        self.assertEqual(self.complete("--router", "127.0.0.1:1", "slo"), ["slot"])
        for group in {words[0] for words in self.commands if len(words) == 2}:
            self.assertEqual(self.complete(group, ""),
                             [w[1] for w in self.commands if w[0] == group])
        self.assertEqual(self.complete("fly", ""), [])

    def test_every_option_of_every_command(self):
        for words in self.commands:
            told = set(re.findall(r"^ +(?:-., )?--([a-z-]+)", run(*words, "--help").stdout, re.M))
            offered = {word[2:] for word in self.complete(*words, "--")}
            self.assertEqual(offered, told - {"usage", "version"}, words)

    def test_what_an_option_takes(self):
        self.assertEqual(self.complete("book", "1", "--type", ""), [])
        self.assertEqual(self.complete("book", "1", "--stay", "--co"), [])
        self.assertEqual(self.complete("book", "1", "--co"), ["--count-only"])
        self.assertEqual(self.complete("stats", "--format", ""), ["table", "json", "prometheus"])
        self.assertEqual(self.complete("hotel", "put", "1", "--status", "r"), ["retired"])
        self.assertEqual(self.complete("completion", ""), ["bash", "zsh"])
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "demo"))
            self.assertEqual(self.complete("cluster", "start", "--dir", folder + "/"),
                             [folder + "/demo"])

    def test_zsh_gets_the_same_behind_its_own_line(self):
        zsh = run("completion", "zsh").stdout
        self.assertTrue(zsh.endswith(self.script))
        self.assertTrue(zsh.startswith("autoload"))
        run("completion", "fish", code=USAGE)


class SessionTest(unittest.TestCase):
    """Over a cluster."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = local_cluster.LocalCluster.lent(KEYRACK, cls.addClassCleanup)
        cls.router = cls.cluster.router
        cls.top = os.path.dirname(cls.cluster.folder)
        run("--router", cls.router, "shell", text="""
            hotel put code:ritz --zone Europe/Paris --currency EUR
            type put ritz 0 --code DBL --physical 1
            hotel put code:ritter --zone Europe/Paris --currency EUR
            """)

    def shell(self, text, *words, code=0):
        return run("--router", self.router, "shell", *words, text=text, code=code)

    def accepted(self):
        status = json.loads(run("--router", self.router, "router", "status", "--json").stdout)
        return status["stats"]["connections_accepted"]

    def test_a_session_is_one_connection(self):
        before = self.accepted()
        self.shell("ping\nhotel get ritz\nping --shard 0\nrouter status\nstats\nslot 1\n")
        self.assertEqual(self.accepted() - before, 2)

    def test_another_router_is_another_connection(self):
        other = f"127.0.0.1:{free_port()}"
        done = self.shell(f"ping\nping --router {other}\nping\n", "-k", code=UNREACHABLE)
        self.assertEqual(done.stdout.count("answers in"), 2)
        self.assertIn(other, done.stderr)

    def test_a_refusal_ends_the_lines(self):
        night = json.loads(run("--router", self.router, "hotel", "get", "ritz",
                               "--json").stdout)["last_night"]
        set_it = f"inventory set ritz --types 0 --nights {night} --set"
        done = self.shell(f"{set_it} cap=0\n{set_it} closed=yes --json\n"
                          f"inventory set ritz --types 0 --nights {night}\nping\n", code=USAGE)
        # What one line said is forgotten by the next: there is nothing to do.
        self.assertIn("nothing to do", done.stderr)
        self.assertIn("line 3", done.stderr)
        self.assertEqual(done.stdout.count("{"), 1)
        self.assertNotIn("answers in", done.stdout)
        done = self.shell("reservation get 01890a5d-ac96-8774-8123-456789abcdef\nping\n",
                          code=REFUSED)
        self.assertIn("line 1 ended with 1 (refused)", done.stderr)

    def test_a_command_has_forgotten_its_last_line(self):
        night = json.loads(run("--router", self.router, "hotel", "get", "ritz",
                               "--json").stdout)["business_day"]
        stay = f"{night}..2029-01-01"
        done = self.shell("\n".join((
            f"availability ritz --nights {night}", "availability ritz",
            f"book ritz --type 0 --stay {stay}", "book ritz --stay " + stay,
            f"hold ritz --type 0 --stay {stay} --count-only", "hold ritz --type 0",
            "type get ritz --types 7", "type get ritz",
            "reservation list ritz --state held", "reservation list --state fly",
            "stats --list", "stats --shard 0 --json",
            "ping --shard 1 --json", "ping --json")), "-k", "--json", code=USAGE)
        lines = re.findall(r"line (\d+) ended with (\d)", done.stderr)
        self.assertEqual([(int(n), int(code)) for n, code in lines if int(code) == USAGE],
                         [(2, USAGE), (4, USAGE), (6, USAGE), (10, USAGE)], done.stderr)
        told = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([len(t["types"]) for t in told if "types" in t][-1], 1)
        self.assertEqual(["shard" in t for t in told[-2:]], [True, False])
        self.assertEqual([len(t["shards"]) for t in told if "totals" in t], [1])

    def test_it_outlives_its_router(self):
        child = subprocess.Popen([KEYRACK, "--router", self.router, "shell", "-k"],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        self.addCleanup(child.communicate, timeout=TIMEOUT_S)
        child.stdin.write("ping\n")
        child.stdin.flush()
        self.assertIn("answers in", child.stdout.readline())
        os.kill(self.cluster.pid("router"), 9)
        run("cluster", "start", "--dir", self.cluster.folder)
        child.stdin.write("ping\n")
        child.stdin.flush()
        self.assertIn("answers in", child.stdout.readline())

    def terminal(self, home, **more):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("XDG_")}
        environment.update(HOME=home, TERM="xterm", **more)
        terminal = Terminal(KEYRACK, "--router", self.router, "shell", env=environment)
        terminal.read_until(lambda seen: seen.endswith(PROMPT))
        terminal.wait_for_keys()
        return terminal

    def say(self, terminal, keys, expected):
        """Types and reads until what was expected has come since."""
        at = len(terminal.bytes)
        terminal.type(keys)
        terminal.read_until(lambda seen: expected in seen[at:])
        return terminal.bytes[at:]

    def line(self, terminal, keys, expected, prompt=PROMPT):
        """Types a line and reads until the next prompt."""
        at = len(terminal.bytes)
        terminal.type(keys)
        terminal.read_until(lambda seen: expected in seen[at:] and seen.endswith(prompt))
        terminal.wait_for_keys()
        return terminal.bytes[at:]

    def test_a_terminal_has_a_prompt_codes_and_history(self):
        home = tempfile.mkdtemp(dir=self.top)
        terminal = self.terminal(home)
        self.line(terminal, b"slot 1 --offline\n", b"14638")
        self.line(terminal, b"fly\n", b"exit 2: wrong words", b"keyrack [2]> ")
        self.say(terminal, b"half a line", b"line")
        self.line(terminal, b"\x03", b"\n", b"keyrack [2]> ")
        self.line(terminal, b"ping\n", b"answers in")
        code, after = terminal.end(b"\x04", b"\n")
        self.assertEqual(code, DONE)
        self.assertEqual(after, terminal.before)
        path = os.path.join(home, ".local/state/keyrack/history")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode), 0o700)
        with open(path, encoding="utf-8") as file:
            kept = file.read()
        self.assertIn("slot", kept)
        self.assertNotIn("half", kept)
        # The next session has it, under the arrow that goes up; its end is the last line's.
        terminal = self.terminal(home)
        self.line(terminal, b"\x10\x10\x10\n", b"14638")
        self.line(terminal, b"fly\n", b"exit 2", b"keyrack [2]> ")
        self.assertEqual(terminal.end(b"exit\n", b"\n")[0], USAGE)

    def test_history_goes_where_xdg_says(self):
        state = tempfile.mkdtemp(dir=self.top)
        terminal = self.terminal("/nonexistent", XDG_STATE_HOME=state)
        self.line(terminal, b"slot 1 --offline\n", b"14638")
        self.assertEqual(terminal.end(b"quit\n", b"\n")[0], DONE)
        self.assertTrue(os.path.exists(os.path.join(state, "keyrack/history")))
        # Where it can be kept nowhere, there is a shell all the same.
        terminal = self.terminal("/dev/null")
        self.assertEqual(terminal.end(b"quit\n", b"\n")[0], DONE)

    def test_tab_completes_commands_options_and_hotels(self):
        terminal = self.terminal(tempfile.mkdtemp(dir=self.top))
        # What is completed is written around the cursor: what it does is easier to see.
        self.line(terminal, b"sl\t1 --off\t\n", b"14638")
        self.say(terminal, b"reservation \t", b"get  list")
        self.line(terminal, b"\x15ping\n", b"answers in")
        self.say(terminal, b"hotel get ri\t\t", b"ritter  ritz")
        self.line(terminal, b"t\t\n", b"Europe/Paris")
        self.say(terminal, b"stats --format \t", b"table  json  prometheus")
        self.line(terminal, b"\x15cluster status --dir " + self.top[:-1].encode() + b"\tc\n",
                  b"shard 1")
        self.assertEqual(terminal.end(b"quit\n", b"\n")[0], DONE)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
