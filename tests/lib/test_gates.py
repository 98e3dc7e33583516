#!/usr/bin/python3
"""The checks of the tree fail when they should.  usage: test_gates.py ROOT [CLANG_FORMAT]

Each gate is given a small tree in which one thing is wrong, and the same tree without it: it has to
end with 1 and name what is wrong, and with 0.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.abspath(sys.argv[1])
CLANG_FORMAT = sys.argv[2] if len(sys.argv) > 2 else ""
CLEAN = "int gate_sum(int a)\n{\n\treturn a + 1;\n}\n"


def tool(name):
    return [sys.executable, os.path.join(ROOT, "tools", name)]


class Gate(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="keyrack-gates-")
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copy(os.path.join(ROOT, ".clang-format"), self.folder)
        self.write("base/gate.c", CLEAN)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def run_gate(self, words):
        done = subprocess.run(words, cwd=self.folder, check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def check(self, words, said=None):
        status, output = self.run_gate(words)
        self.assertEqual(status, 0 if said is None else 1, output)
        if said is not None:
            self.assertIn(said, output)


class Layers(Gate):
    def test_an_arrow_that_points_up_is_named(self):
        words = tool("lint/layers.py") + [self.folder]
        self.check(words)
        self.write("engine/shard/gate.h", "int gate_sum(int a);\n")
        self.write("base/gate.c", '#include "engine/shard/gate.h"\n' + CLEAN)
        self.check(words, "base may not include engine/shard/gate.h")

    def test_an_include_by_another_path_is_named(self):
        self.write("base/gate.h", "int gate_sum(int a);\n")
        self.write("base/gate.c", '#include "gate.h"\n' + CLEAN)
        self.check(tool("lint/layers.py") + [self.folder], "by the path from the root")

    def test_the_model_may_not_look_at_the_engine(self):
        self.write("engine/inventory/gate.h", "int gate_sum(int a);\n")
        self.write("tests/property/model/gate.c", '#include "engine/inventory/gate.h"\n')
        self.check(tool("lint/layers.py") + [self.folder], "tests/property/model may not include")


class Manual(Gate):
    def test_a_page_with_a_macro_that_is_none_does_not_pass(self):
        if shutil.which("mandoc") is None:
            self.skipTest("no mandoc")
        words = ["mandoc", "-Tlint", "-Wwarning", self.path("gate.1")]
        page = (".Dd November 23, 2026\n.Dt GATE 1\n.Os Keyrack\n.Sh NAME\n.Nm gate\n"
                ".Nd is a page\n")
        self.write("gate.1", page)
        self.assertEqual(self.run_gate(words)[0], 0)
        self.write("gate.1", page + ".Xq no macro\n")
        status, output = self.run_gate(words)
        self.assertNotEqual(status, 0)
        self.assertIn("Xq", output)


class Tidy(Gate):
    def test_each_rule_names_what_breaks_it(self):
        words = tool("lint/tidy.py") + [self.folder]
        self.check(words)
        body = "\ta++;\n"
        for text, said in (
                ("/* " + "x" * 98 + " */\n", "104 columns"),
                ("/* TO" + "DO: later */\n", "an unfinished note"),
                ("int a; \n", "white space at the end"),
                ("int b(void)\n{\n\treturn rand();\n}\n", "rand() is banned"),
                (f"void c(int a)\n{{\n{body * 71}}}\n", "c has 71 lines"),
                ("int d;\n" * 801, "801 lines")):
            self.write("base/wrong.c", text)
            self.check(words, said)
        self.write("base/wrong.c", "int d;\n" * 800)
        self.check(words)
        self.write("base/wrong.h", "int d;\n" * 151)
        self.check(words, "a header has 150 at most")

    def test_many_functions_of_middling_length_are_too_many(self):
        middling = "".join(f"int f{n}(int a)\n{{\n" + "\ta++;\n" * 20 + "}\n" for n in range(3))
        self.write("base/wrong.c", middling)
        self.check(tool("lint/tidy.py") + [self.folder], "median function")


class Purity(Gate):
    def archive(self, text):
        self.write("pure.c", text)
        for words in (["cc", "-O1", "-c", "pure.c", "-o", "pure.o"], ["ar", "rcs", "pure.a", "pure.o"]):
            subprocess.run(words, cwd=self.folder, check=True)
        return tool("lint/purity.py") + [self.path("pure.a")]

    def test_an_archive_that_asks_for_the_clock_or_memory_is_named(self):
        self.check(self.archive(CLEAN))
        self.check(self.archive("#include <time.h>\nlong f(void)\n{\n\treturn time(0);\n}\n"),
                   "asks for time")
        self.check(self.archive("#include <stdlib.h>\nvoid *f(void)\n{\n\treturn malloc(9);\n}\n"),
                   "asks for malloc")


class Format(Gate):
    @unittest.skipIf(not CLANG_FORMAT, "there is no clang-format")
    def test_a_file_that_the_formatter_would_change_is_named(self):
        words = tool("lint/format.py") + [self.folder, CLANG_FORMAT]
        self.check(words)
        self.write("base/gate.c", CLEAN.replace("\t", "    "))
        self.check(words, "base/gate.c: run ")


class Coverage(Gate):
    """A program of two branches, of which one runs."""
    PURE = "int f(int a)\n{\n\tif (a > 5)\n\t\treturn 1;\n\treturn a;\n}\n"

    def setUp(self):
        super().setUp()
        if shutil.which("gcc") is None or shutil.which("gcov") is None:
            self.skipTest("there is no gcc with its gcov")
        self.write("base/pure.c", self.PURE)
        self.write("main.c", "int f(int a);\nint main(int n, char **v)\n{\n\tvoid *unused = v;\n"
                             "\treturn unused == 0 || f(n) != n;\n}\n")
        os.makedirs(self.path("build/pure.a.p"))
        for words in (["gcc", "--coverage", "-c", "../base/pure.c", "-o", "pure.a.p/pure.c.o"],
                      ["gcc", "--coverage", "../main.c", "pure.a.p/pure.c.o", "-o", "program"],
                      ["./program"]):
            subprocess.run(words, cwd=self.path("build"), check=True)
        self.words = tool("coverage.py") + [self.folder, self.path("build"), self.path("why.txt"),
                                            self.path("build/pure.a")]

    def test_a_line_that_is_not_run_needs_a_reason_and_a_reason_a_line(self):
        reason = "base/pure.c:f | return 1; | nobody asks\n"
        self.write("why.txt", "")
        status, output = self.run_gate(self.words)
        self.assertEqual(status, 1, output)
        self.assertIn("return 1;", output)
        self.write("why.txt", reason + "base/pure.c:f | return a; | it is run\n")
        status, output = self.run_gate(self.words)
        self.assertEqual(status, 1, output)
        self.assertIn("return a;", output)

    def test_a_module_below_the_floor_fails(self):
        self.write("why.txt", "base/pure.c:f | return 1; | nobody asks\n")
        status, output = self.run_gate(self.words)
        self.assertEqual(status, 1, output)
        self.assertIn("not explained: 0", output)
        self.assertIn("nothing needs: 0", output)
        self.assertIn("files below the floor:\n  base/pure.c", output)


unittest.main(argv=sys.argv[:1], verbosity=2)
