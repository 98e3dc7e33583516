"""Peers out of Debian's packages: taken apart into a folder, so that nothing is installed and no
service starts. What the system has installed already is taken as it is."""
import os
import re
import shutil
import subprocess


class Missing(Exception):
    """A peer that is not to be had; the comparison goes on without it."""


def _run(words, **more):
    return subprocess.run(words, check=True, text=True, capture_output=True, **more).stdout


def _wanted(package):
    """The package and what it needs that is not installed: [(name, version)]."""
    try:
        plan = _run(["apt-get", "install", "-s", "--no-install-recommends", package])
    except (OSError, subprocess.CalledProcessError) as error:
        raise Missing(f"apt-get knows no {package}; `apt-get update` may help") from error
    return re.findall(r"^Inst (\S+) (?:\[\S+\] )?\((\S+)", plan, re.M)


def _fetch(name, version, folder):
    debs = os.path.join(folder, "debs")
    mark = os.path.join(debs, f"{name}_{version}".replace(":", "%3a"))
    if os.path.exists(mark):
        return
    os.makedirs(debs, exist_ok=True)
    place = os.path.join(debs, "new")
    shutil.rmtree(place, ignore_errors=True)
    os.mkdir(place)
    try:
        _run(["apt-get", "download", "-qq", f"{name}={version}"], cwd=place)
        for deb in os.listdir(place):
            _run(["dpkg-deb", "-x", os.path.join(place, deb), os.path.join(folder, "root")])
    except (OSError, subprocess.CalledProcessError) as error:
        text = getattr(error, "stderr", "") or str(error)
        raise Missing(f"{name} {version}: {text.strip()}") from error
    shutil.rmtree(place)
    with open(mark, "w", encoding="ascii"):
        pass


def find(package, paths, folder):
    """The first of the paths that is there: on the system, or in `folder` after fetching."""
    for path in paths:
        if os.access("/" + path, os.X_OK):
            return "/" + path
    for path in paths:
        if os.access(os.path.join(folder, "root", path), os.X_OK):
            return os.path.join(folder, "root", path)
    for name, version in _wanted(package):
        print(f"  fetching {name} {version} from Debian", flush=True)
        _fetch(name, version, folder)
    for path in paths:
        if os.access(os.path.join(folder, "root", path), os.X_OK):
            return os.path.join(folder, "root", path)
    raise Missing(f"{package} has no {paths[0]}")


def environment(folder):
    """For programs that were found: their libraries are in the folder too."""
    libraries = os.path.join(folder, "root/usr/lib/x86_64-linux-gnu")
    libraries = libraries.replace("x86_64-linux-gnu", os.uname().machine + "-linux-gnu")
    has = os.environ.get("LD_LIBRARY_PATH", "")
    return dict(os.environ, LD_LIBRARY_PATH=libraries + (":" + has if has else ""), LC_ALL="C")
