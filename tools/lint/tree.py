"""What the lint checks share: which files of the source tree are ours to judge."""
import os
import sys

FOLDERS = ("base", "proto", "engine", "router", "client", "tools", "tests", "bench")


def sources(root, suffixes=(".c", ".h"), folders=FOLDERS):
    """Paths relative to root, sorted, so that every report reads the same everywhere."""
    found = []
    for folder in folders:
        for where, names, files in os.walk(os.path.join(root, folder)):
            names[:] = [n for n in names if not n.startswith((".", "build"))]
            found += [os.path.relpath(os.path.join(where, f), root)
                      for f in files if f.endswith(suffixes)]
    return sorted(found)


def text(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def finish(what, complaints):
    """Prints the complaints; the exit code is the verdict."""
    for line in complaints:
        print(line)
    print(f"{what}: {len(complaints)} complaint{'' if len(complaints) == 1 else 's'}")
    sys.exit(1 if complaints else 0)
