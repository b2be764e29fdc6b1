"""What a fleet looked like when it was last found in order: as long as nothing was touched, it still is.

Asking the disk about thirty thousand files takes a tenth of reading them. As with git's index, what counts is every
file's inode, size, mode and times; a change in the tick in which a file was last changed would not show, so a fleet
that was touched a moment ago is not remembered. Continuous integration always reads.
"""

from __future__ import annotations

import contextlib
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
from typing import TYPE_CHECKING, NamedTuple

from generator import __version__
from generator.render.layout import TREE
from generator.render.tree import Comparison
from generator.resources import data

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
        digest: SHA-256 of all of it, hex.
        tool: SHA-256 of what is no part of the fleet, hex.
        day: The day that it was looked at for, as ISO 8601 has it: permissions to destroy lapse.
        is_settled: Whether the last change was long enough ago to be sure that the next one shows.
        files: How each file of the fleet looks, by its path relative to the fleet's folder.
    """

    digest: str
    tool: str
    day: str
    is_settled: bool
    files: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Whole:
    """A fleet that was in order.

    Args:
        found: What was said of it.
        files: How each of its files looked.
        facts: What is to be known of each manifest to judge another.
    """

    found: InOrder
    files: Mapping[str, str]
    facts: Mapping[str, list[str]]


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
    own: list[_Look] = []
    others: list[_Look] = []
    try:
        for name in _WATCHED:
            own += _everything(os.fspath(folder / name))
        for top in (Path(__file__).parent, data("templates")):
            others += _everything(os.fspath(top))
        libraries = _libraries()
    except OSError:
        return None
    if any(look.kind == _LINK for look in (*own, *others)):
        return None
    newest = max(look.changed for look in (*own, *others))
    outside = "\n".join(sorted(f"{look.path} {look.stat}" for look in others))
    tool = _sha256(f"{__version__}\0{sys.version}\0{day}\0{libraries}\0{outside}")
    inside = "\n".join(sorted(f"{look.path} {look.stat}" for look in own))
    start = len(os.fspath(folder)) + 1
    files = {look.path[start:]: look.stat for look in own if look.kind != _FOLDER}
    return Sight(_sha256(f"{tool}\0{inside}"), tool, day, newest + SETTLED_NS < begin, files)


def recall(cache: Path, folder: Path, seen: Sight) -> InOrder | None:
    """Return what was found when the fleet last looked like this; None when it was not, or not in order."""
    try:
        with _file(cache, folder).open("rb") as file:
            kept = json.loads(file.readline())
        return InOrder(**kept["found"]) if kept["digest"] == seen.digest else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def recall_whole(cache: Path, folder: Path, seen: Sight) -> Whole | None:
    """Return how the fleet looked when it was last in order for this tool; None when it was not, or that is too long.

    Args:
        cache: The folder of what is remembered.
        folder: The fleet's folder.
        seen: How the fleet looks now.
    """
    try:
        with _file(cache, folder).open("rb") as file:
            kept = json.loads(file.readline())
            if kept["tool"] != seen.tool:
                return None
            whole = Whole(InOrder(**kept["found"]), **json.loads(file.readline()))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return whole if whole.facts else None


def remember(cache: Path, folder: Path, seen: Sight, found: InOrder, facts: Mapping[str, list[str]]) -> None:
    """Remember that a fleet that looks like this is in order, and forget the fleets of longest ago.

    A cache that cannot be written is left alone: the next run reads everything again.

    Args:
        cache: The folder of what is remembered.
        folder: The fleet's folder.
        seen: How the fleet looks.
        found: What is said of it.
        facts: What is to be known of each manifest to judge another, by its path.
    """
    if not seen.is_settled:
        return
    target = _file(cache, folder)
    first = json.dumps({"digest": seen.digest, "tool": seen.tool, "found": asdict(found)})
    second = json.dumps({"files": seen.files, "facts": facts}, separators=(",", ":"))
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


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


_FILE, _FOLDER, _LINK = range(3)


class _Look(NamedTuple):
    """What the disk says of a file or folder, without reading it."""

    path: str
    kind: int
    stat: str
    changed: int


def _everything(top: str) -> Iterator[_Look]:
    """Yield a file or folder and all that is in it."""
    try:
        found = _look(top, os.lstat(top))
    except FileNotFoundError:
        return
    yield found
    pending = [top] if found.kind == _FOLDER else []
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.name not in _OTHERS:
                    found = _look(entry.path, entry.stat(follow_symlinks=False))
                    yield found
                    if found.kind == _FOLDER:
                        pending.append(entry.path)


def _look(path: str, found: os.stat_result) -> _Look:
    mode, changed, status = found.st_mode, found.st_mtime_ns, found.st_ctime_ns
    kind = _FOLDER if stat.S_ISDIR(mode) else _LINK if stat.S_ISLNK(mode) else _FILE
    look = f"{found.st_dev} {found.st_ino} {mode} {found.st_size} {changed} {status}"
    return _Look(path, kind, look, max(changed, status))
