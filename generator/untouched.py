"""What a fleet looked like when it was last found in order: as long as nothing was touched, it still is.

Asking the disk about thirty thousand files takes a tenth of reading them. As with git's index, what counts is every
file's inode, size, mode and times; a change in the tick in which a file was last changed would not show, so one that
was touched a moment ago is read again before a fleet is remembered. Continuous integration always reads.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.util
import json
import os
import stat
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from generator import __version__
from generator.render.layout import TREE
from generator.render.tree import Comparison
from generator.resources import data

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

FOLDER = "untouched"
MOST = 64
"""Fleets that are remembered at most, one small file each."""
SETTLED_NS = 2_000_000_000
"""How long ago the last change must be. File systems keep times to a tick of some milliseconds; FAT to two seconds."""

_WATCHED = ("crosskeys.yaml", "clients", "templates", "terraform/platform", "terraform/accounts")
# What Terraform leaves in a root, and Python beside its modules: neither says anything of the fleet.
_OTHERS = frozenset({".terraform", ".terraform.lock.hcl", "__pycache__"})


@dataclass(frozen=True, slots=True)
class InOrder:
    """A fleet without any finding whose tree is as its manifests say.

    Args:
        format: How the fleet's settings want findings printed.
        log_format: How they want the log.
    """

    clients: int
    accounts: int
    format: str
    log_format: str


@dataclass(frozen=True, slots=True)
class Sight:
    """All that the disk says of a fleet and of this tool without reading a file.

    Args:
        tool: SHA-256 of what is no part of the fleet, hex.
        day: The day that it was looked at for, as ISO 8601 has it: permissions to destroy lapse.
        lately: Files, of this tool too, that were changed so short a time ago that a further change might not show.
        files: How each file of the fleet looks, by its path relative to the fleet's folder.
    """

    tool: str
    day: str
    lately: frozenset[str] = field(compare=False)
    files: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Whole:
    """A fleet that was in order.

    Args:
        found: What was said of it.
        files: How each of its files looked.
        facts: What is to be known of each manifest to judge another.
        roots: The folder of each root, with the SHA-256 of what is in it.
    """

    found: InOrder
    files: Mapping[str, str]
    facts: Mapping[str, list[str]]
    roots: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Before:
    """A fleet that was in order, and how it looks now.

    Args:
        folder: The fleet's folder.
        seen: How it looks now.
        whole: How it looked then, and the facts of it.
        today: The day by which permissions to destroy are judged.
        cache: A folder that remembers what was parsed.
    """

    folder: Path
    seen: Sight
    whole: Whole
    today: dt.date
    cache: Path


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a whole fleet, all of whose manifests are in order and whose tree isolates once it is rendered.

    Args:
        clients: How many it has.
        accounts: How many they are in.
        others: How many rendered files are as they should be without having been read.
        comparison: Of the files that were read.
    """

    clients: int
    accounts: int
    others: int
    comparison: Comparison


def known(found: InOrder, seen: Sight) -> Known:
    """Return what is known of a fleet that looks as it did when it was in order."""
    return Known(found.clients, found.accounts, sum(map(is_rendered, seen.files)), Comparison({}, {}, ()))


def is_rendered(path: str) -> bool:
    """Tell whether a file of a fleet in order is a rendered one, by its path relative to the fleet's folder."""
    return path.startswith(f"{TREE}/") and path.endswith(".tf")


def sight(folder: Path, day: str) -> Sight | None:
    """Return how a fleet looks on a day; None where a link may lead elsewhere."""
    begin = time.time_ns()
    try:
        files, changed = _looks(folder, _WATCHED)
        others = [_looks(top.parent, (top.name,)) for top in (Path(__file__).parent, data("templates"))]
        libraries = _libraries()
    except OSError:
        return None
    outside = "\n".join(sorted(f"{path} {look}" for looks, _ in others for path, look in looks.items()))
    tool = _sha256(f"{__version__}\0{sys.version}\0{day}\0{libraries}\0{outside}")
    since = begin - SETTLED_NS
    looks = (looks for looks, newest in ((files, changed), *others) if newest >= since)
    lately = frozenset(path for each in looks for path, look in each.items() if _changed(look) >= since)
    return Sight(tool, day, lately, files)


def is_still(folder: Path, paths: Iterable[str], texts: Mapping[str, str]) -> bool:
    """Tell whether files have the texts that they had when they were read; one of which no text is known has not.

    As with git's index, a file that was changed right before it was looked at is read a second time.

    Args:
        folder: What paths are relative to.
        paths: The files.
        texts: What was read of each file, by its path.
    """
    try:
        return all(path in texts and (folder / path).read_bytes() == texts[path].encode() for path in paths)
    except OSError:
        return False


def recall(cache: Path, folder: Path, seen: Sight) -> Whole | None:
    """Return how a fleet looked when it was last in order for this tool; None when it was not, or that is too long.

    Args:
        cache: The folder of what is remembered.
        folder: The fleet's folder.
        seen: How the fleet looks now.
    """
    try:
        with _file(cache, folder).open("rb") as file:
            kept = json.loads(file.readline())
            return Whole(InOrder(**kept["found"]), **json.loads(file.readline())) if kept["tool"] == seen.tool else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(cache: Path, folder: Path, seen: Sight, whole: Whole) -> None:
    """Remember that a fleet is in order, and forget the fleets of longest ago.

    A cache that cannot be written is left alone: the next run reads everything again.

    Args:
        cache: The folder of what is remembered.
        folder: The fleet's folder.
        seen: How the fleet looks.
        whole: The same, with what is to be known of it when it looks otherwise.
    """
    target = _file(cache, folder)
    first = json.dumps({"tool": seen.tool, "found": asdict(whole.found)})
    further = {"files": whole.files, "facts": whole.facts, "roots": whole.roots}
    second = json.dumps(further, separators=(",", ":"))
    with contextlib.suppress(OSError, UnicodeEncodeError):
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, aside = tempfile.mkstemp(dir=target.parent)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(f"{first}\n{second}\n")
            Path(aside).replace(target)
        except OSError:
            Path(aside).unlink(missing_ok=True)
            raise
        by_age = sorted(target.parent.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for old in by_age[MOST:]:
            old.unlink(missing_ok=True)


def _file(cache: Path, folder: Path) -> Path:
    return cache / FOLDER / hashlib.sha256(os.fsencode(folder)).hexdigest()


def _libraries() -> int:
    """Return when a library was last installed beside those that this tool renders with."""
    found = importlib.util.find_spec("jinja2")
    return Path(found.origin).parents[1].stat().st_mtime_ns if found and found.origin else 0


def _changed(look: str) -> int:
    return max(map(int, look.rsplit(" ", 2)[1:]))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _looks(folder: Path, names: Iterable[str]) -> tuple[dict[str, str], int]:
    """Return how each file below some names looks, by path, and when any of them last changed, in ns; none is read.

    Args:
        folder: What the paths are relative to.
        names: Files and folders in it, which need not be there.

    Raises:
        OSError: When a folder cannot be looked into, or a link is met.
    """
    base = f"{os.fspath(folder)}/"
    start, newest = len(base), 0
    files: dict[str, str] = {}
    pending: list[str] = []

    def look(path: str, found: os.stat_result) -> None:
        nonlocal newest
        mode, changed, status = found.st_mode, found.st_mtime_ns, found.st_ctime_ns
        if stat.S_ISLNK(mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        newest = max(newest, changed, status)
        files[path[start:]] = f"{found.st_dev} {found.st_ino} {mode} {found.st_size} {changed} {status}"

    for top in (f"{base}{name}" for name in names):
        if os.path.isdir(top) and not os.path.islink(top):  # noqa: PTH112, PTH114 - the walk's paths are strings
            pending.append(top)
        elif os.path.lexists(top):
            look(top, os.lstat(top))
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.name in _OTHERS:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                else:
                    look(entry.path, entry.stat(follow_symlinks=False))
    return files, newest
