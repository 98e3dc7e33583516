#!/usr/bin/python3
"""Every C file is as clang-format would write it.  usage: format.py ROOT CLANG_FORMAT"""
import subprocess
import sys

import tree


def main(root, formatter):
    complaints = []
    for path in tree.sources(root):
        done = subprocess.run([formatter, "--style=file", path], cwd=root, check=True,
                              capture_output=True, text=True)
        if done.stdout != tree.text(root, path):
            complaints.append(f"{path}: run {formatter} -i on it")
    tree.finish("format", complaints)


main(sys.argv[1], sys.argv[2])
