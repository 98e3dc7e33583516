#!/usr/bin/python3
"""Arrows point one way: which folder may include which.  usage: layers.py ROOT"""
import os
import re
import sys

import tree

# A file belongs to the longest prefix. Each may include itself and what is listed.
MAY = {
    "base": [],
    "base/io": ["base"],
    "proto": ["base"],
    "proto/conn": ["base", "base/io", "proto"],
    "engine/inventory": ["base", "proto"],
    "engine/log": ["base", "base/io", "proto", "engine/inventory"],
    "engine/shard": ["base", "proto", "engine/inventory", "engine/log"],
    "engine/server": ["base", "base/io", "proto", "proto/conn", "engine/inventory", "engine/log",
                      "engine/shard", "router"],
    "router": ["base", "base/io", "proto", "proto/conn"],
    "client": ["base", "proto"],
    "client/include": [],
    "client/examples": ["client/include"],
    "tools": ["base", "proto", "client/include"],
    "tools/keyrack-recover": ["base", "base/io", "proto", "engine/inventory", "engine/log",
                              "engine/shard", "engine/server"],
    "bench": ["base", "proto", "client/include"],
    "bench/micro": ["base", "base/io", "proto", "proto/conn", "engine/inventory", "engine/log",
                    "engine/shard", "client/include"],
    "bench/limits": ["base", "base/io", "proto", "proto/conn", "bench"],
    "tests/property/model": ["base", "proto"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
GENERATED = ("proto/keyrack.pb-c.h", "keyrack.pb-c.h", "bench_commit.h")


def module(path):
    fitting = [m for m in MAY if path.startswith(m + "/") or path.startswith(m + ".")
               or path.startswith(m + "_")]
    return max(fitting, key=len) if fitting else None


def main(root):
    complaints = []
    for path in tree.sources(root):
        mine = module(path)
        if mine is None:
            continue  # the other tests may include anything
        for name in INCLUDE.findall(tree.text(root, path)):
            if name in GENERATED:
                continue
            if name.startswith("keyrack/"):
                name = "client/include/" + name
            if not os.path.exists(os.path.join(root, name)):
                complaints.append(f"{path}: \"{name}\": include by the path from the root")
                continue
            theirs = module(name)
            if theirs != mine and theirs not in MAY[mine]:
                complaints.append(f"{path}: {mine} may not include {name}")
    tree.finish("layers", complaints)


main(sys.argv[1])
