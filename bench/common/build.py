"""The programs that are measured, built as a release."""
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = {"keyrack": "tools/keyrack/keyrack", "keyrack-bench": "bench/keyrack-bench",
            "keyrack-router": "router/keyrack-router",
            "keyrack-shard": "engine/server/keyrack-shard"}


def programs(folder, targets, say):
    """{name: path}; the folder is made where it is missing."""
    say(f"building in {folder}")
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        subprocess.run(["meson", "setup", "--buildtype=release", "-Db_lto=true",
                        "-Dtests=false", folder, ROOT], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", folder, *targets.values()], check=True,
                   stdout=subprocess.DEVNULL)
    return there(folder, targets)


def there(folder, targets):
    """The same of a folder that is built already."""
    return {name: os.path.join(os.path.abspath(folder), at) for name, at in targets.items()}
