#!/usr/bin/python3
"""How keyrack-shard and keyrack-router are configured: flags, environment, file, man page.

usage: test_config.py SOURCE_ROOT KEYRACK_SHARD KEYRACK_ROUTER
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest

ROOT, SHARD, ROUTER = sys.argv[1:4]
SHARD_NEEDS = ["--cluster=5", "--dir=d", "--listen=unix:/s"]
ROUTER_NEEDS = ["--cluster=5", "--shard=unix:/s"]
PROGRAMS = [(SHARD, SHARD_NEEDS, "engine/server/keyrack-shard.8"),
            (ROUTER, ROUTER_NEEDS, "router/keyrack-router.8")]


def run(program, *arguments, **variables):
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith("KEYRACK_")}
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False,
                          timeout=60, env={**clean, **variables})


def bare(text):
    """Without the marks of where values came from."""
    return re.sub(r"  # .*", "", text)


def flags_of(program):
    found = set(re.findall(r"^ +(?:-\w, )?--([a-z][a-z-]*)", run(program, "--help").stdout, re.M))
    return found - {"help", "usage", "version"}


class ConfigTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
        self.file = os.path.join(self.folder.name, "c.yaml")

    def tearDown(self):
        self.folder.cleanup()

    def put(self, text):
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(text)

    def test_what_is_printed_is_taken_again_and_means_the_same(self):
        for program, needs, _ in PROGRAMS:
            first = run(program, *needs, "--idle-timeout=77", "--print-config",
                        "--pid-file", "/a b/\"q\\: #x\ty")
            self.assertEqual((first.returncode, first.stderr), (0, ""))
            self.put(first.stdout)
            again = run(program, "--config", self.file, "--print-config")
            self.assertEqual((again.returncode, again.stderr), (0, ""))
            self.assertEqual(bare(again.stdout), bare(first.stdout))
            self.assertIn("idle-timeout: 77  # --idle-timeout\n", first.stdout)
            self.assertIn(f"# {self.file}:1\n", again.stdout)

    def test_every_option_has_one_name_as_flag_variable_and_key(self):
        for program, needs, _ in PROGRAMS:
            printed = run(program, *needs, "--pid-file=/p", "--print-config").stdout
            prefix = os.path.basename(program).upper().replace("-", "_") + "_"
            pairs = [line.split(": ", 1) for line in bare(printed).splitlines()]
            self.assertGreater(len(pairs), 8)
            for key, value in pairs:
                plain = ",".join(re.findall(r'"([^"]*)"', value)) or value
                by_variable = run(program, *[need for need in needs if f"--{key}=" not in need],
                                  "--print-config", **{prefix + key.upper().replace("-", "_"): plain})
                self.assertEqual(by_variable.returncode, 0, by_variable.stderr)
                self.assertIn(f"{key}: {value}  # {prefix}", by_variable.stdout)

    def test_everything_wrong_is_told_with_its_place(self):
        self.put("cluster: 0\n\nidle-timout: 3\nidle-timeout: 1x\n")
        for program, needs, _ in PROGRAMS:
            for more in (), ("--check-config",), ("--print-config",):
                done = run(program, "--config", self.file, *needs[1:], *more,
                           "--max-connections=0")
                self.assertEqual(done.returncode, 2)
                self.assertEqual(done.stdout, "")
                name = os.path.basename(program)
                self.assertEqual(done.stderr.splitlines()[:-1], [
                    f"{name}: {self.file}:1: cluster takes a number from 1 to "
                    "18446744073709551615 (ID), not '0'",
                    f"{name}: {self.file}:3: idle-timout is no option that a file can hold; "
                    f"`{name} --help' lists them",
                    f"{name}: {self.file}:4: idle-timeout takes a number from 0 to 31536000 "
                    "(SECONDS), not '1x'",
                    f"{name}: --max-connections takes a number from 1 to "
                    f"{65536 if program == SHARD else 60000} (COUNT), not '0'"])

    def test_all_that_is_missing_is_told_at_once(self):
        for program, names in ((SHARD, ("cluster", "dir", "listen")),
                               (ROUTER, ("cluster", "shard"))):
            done = run(program, "--print-config")
            self.assertEqual(done.returncode, 2)
            for name in names:
                self.assertIn(f": {name} is missing, ", done.stderr)

    def test_check_config_says_that_it_is_good(self):
        for program, needs, _ in PROGRAMS:
            self.put("max-connections: 9\nlisten:\n- 127.0.0.1:1\n- '[::1]:1'\n")
            done = run(program, "--config", self.file, *needs[:2], "--check-config")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("good", done.stdout)

    def test_remote_addresses_are_refused_wherever_they_stand(self):
        for program, needs, _ in PROGRAMS:
            self.put("listen: [127.0.0.1:1, 0.0.0.0:7]\n")
            done = run(program, "--config", self.file, *needs[:2], "--check-config")
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"{self.file}:1: listen has 0.0.0.0:7, which", done.stderr)
            self.assertIn("token-file", done.stderr)
            option = "token-file" if program == SHARD else "operator-token-file"
            token = os.path.join(self.folder.name, "token")
            with open(token, "w", encoding="ascii") as file:
                file.write("1 " + 32 * "5a" + "\n")
            for mode, status in ((0o644, 2), (0o600, 0)):
                os.chmod(token, mode)
                self.put(f"listen: [127.0.0.1:1, 0.0.0.0:7]\n{option}: {token}\n")
                done = run(program, "--config", self.file, *needs[:2], "--check-config")
                self.assertEqual(done.returncode, status, done.stderr)
                if status != 0:
                    self.assertIn(f"{self.file}:2: {option} cannot be used: {token} is open to",
                                  done.stderr)

    def test_async_counts_only_where_it_is_asked_for(self):
        done = run(SHARD, *SHARD_NEEDS, "--sync-interval=5", "--print-config")
        self.assertIn("durability: sync\nsync-interval: 5", done.stdout)

    def test_the_manual_knows_every_option_and_no_other(self):
        for program, _, manual in PROGRAMS:
            with open(os.path.join(ROOT, manual), encoding="utf-8") as file:
                text = file.read()
            told = set()
            for line in re.findall(r"^\.It (Fl .*)$", text, re.M):
                told |= set(re.findall(r"Fl -([a-z][a-z-]*)", line))
            self.assertEqual(told, flags_of(program), manual)


unittest.main(argv=sys.argv[:1], verbosity=1)
