# SPDX-License-Identifier: MIT
"""Debian packages, downloaded and unpacked without being installed.

apt is asked for what is current; what was downloaded once is kept in build/lab/debs. A *root* is a
folder into which a set of packages is unpacked. It is made anew when the set of files changes.
"""
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from . import paths
from .errors import LabError

# How long each download of this run took, in seconds.
download_times = []


def output_of(*cmd, cwd=None):
    """What a host command printed. Its failure is a LabError with what it said."""
    done = subprocess.run(cmd, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, env=dict(os.environ, LC_ALL="C"), check=False)
    if done.returncode != 0:
        raise LabError(f"'{' '.join(map(str, cmd))}' ended with {done.returncode}:\n"
                       f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def lists_stamp():
    """Changes whenever apt's package lists do."""
    newest = 0
    for entry in Path("/var/lib/apt/lists").glob("*_Packages*"):
        newest = max(newest, entry.stat().st_mtime_ns)
    return str(newest)


def cached(name, make):
    """The lines of build/lab/apt/<name>, made by make() when apt's lists have changed since."""
    store = paths.LAB / "apt" / name
    stamp = lists_stamp()
    if store.exists():
        first, *rest = store.read_text().splitlines()
        if first == stamp:
            return rest
    lines = make()
    store.parent.mkdir(parents=True, exist_ok=True)
    store.write_text("\n".join([stamp, *lines]) + "\n")
    return lines


def update_lists():
    """Ask apt for fresh package lists."""
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    if sudo and not shutil.which("sudo"):
        raise LabError("apt's package lists are out of date, and you are neither root nor have "
                       "sudo. Have root run 'apt-get update', and try again")
    output_of(*sudo, "apt-get", "-q", "update")


def depends_of(package):
    """The direct dependencies of a package, in apt's order."""
    def ask():
        found = re.findall(r"^ *\|?(?:Pre)?Depends: ([^\s<>]+)$",
                           output_of("apt-cache", "depends", package), re.M)
        if not found:
            update_lists()
            found = re.findall(r"^ *\|?(?:Pre)?Depends: ([^\s<>]+)$",
                               output_of("apt-cache", "depends", package), re.M)
        return found
    return cached(f"depends-{package}", ask)


def file_names(packages):
    """{package: name of its current deb file}"""
    def ask():
        urls = output_of("apt-get", "download", "--print-uris", *packages)
        names = {}
        for name in re.findall(r"^'[^']*' (\S+\.deb) ", urls, re.M):
            names[name.split("_", 1)[0]] = name
        missing = [p for p in packages if p not in names]
        if missing:
            raise LabError(f"apt knows no package {', '.join(missing)}: try 'apt-get update'")
        return [f"{p} {names[p]}" for p in packages]
    key = f"files-{packages[0]}-{len(packages)}-{abs(hash_of(packages))}"
    return dict(line.split(" ", 1) for line in cached(key, ask))


def hash_of(words):
    """A small number that stands for a list of words, the same in each run."""
    value = 0
    for char in " ".join(words):
        value = (value * 131 + ord(char)) & 0xffffffff
    return value


def libraries_of(packages):
    """The library packages that some packages need, directly or not."""
    def ask():
        plan = output_of("apt-get", "-s", "-o", "Dir::State::status=/dev/null",
                         "--no-install-recommends", "install", *packages)
        names = re.findall(r"^Inst (\S+) ", plan, re.M)
        return [n for n in names if n.startswith("lib") and not n.startswith("libpython")]
    return cached(f"libraries-{packages[0]}-{len(packages)}-{hash_of(packages)}", ask)


def download(packages):
    """Bring packages into build/lab/debs. Returns the files, in order."""
    try:
        names = file_names(packages)
        missing = [p for p in packages if not (paths.DEBS / names[p]).exists()]
        if missing:
            fetch(missing)
    except LabError:
        update_lists()
        names = file_names(packages)
        fetch([p for p in packages if not (paths.DEBS / names[p]).exists()])
    return [paths.DEBS / names[p] for p in packages]


def fetch(packages):
    """Download into a folder of its own first, so that an interrupted download leaves no half."""
    if not packages:
        return
    part = paths.DEBS / f"part.{os.getpid()}"
    part.mkdir(parents=True, exist_ok=True)
    since = time.monotonic()
    try:
        print(f"lab: downloading {' '.join(packages[:4])}"
              + (f" and {len(packages) - 4} more" if len(packages) > 4 else ""), flush=True)
        output_of("apt-get", "-q", "-o", "APT::Sandbox::User=", "download", *packages, cwd=part)
        for deb in part.glob("*.deb"):
            deb.rename(paths.DEBS / deb.name)
    finally:
        shutil.rmtree(part, ignore_errors=True)
        download_times.append(time.monotonic() - since)


def root(name, packages):
    """The folder build/lab/root/<name> with the given packages unpacked in it.

    Returns (folder, stamp): the stamp changes with the folder's content.
    """
    files = download(packages)
    stamp = " ".join(f.name for f in files)
    folder = paths.ROOTS / name
    mark = paths.ROOTS / f"{name}.stamp"
    if mark.exists() and mark.read_text() == stamp:
        return folder, stamp
    mark.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in files:
        output_of("dpkg", "-x", str(file), str(folder))
    mark.write_text(stamp)
    return folder, stamp
