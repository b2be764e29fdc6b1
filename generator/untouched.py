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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from generator import __version__
from generator.resources import data

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        digest: SHA-256, hex.
        day: The day that it was looked at for, as ISO 8601 has it: permissions to destroy lapse.
        is_settled: Whether the last change was long enough ago to be sure that the next one shows.
    """

    digest: str
    day: str
    is_settled: bool


def sight(folder: Path, day: str) -> Sight | None:
    """Return how a fleet looks on a day; None where a link may lead elsewhere."""
    begin, newest = time.time_ns(), 0
    whole = hashlib.sha256(f"{__version__}\0{sys.version}\0{day}\0{_libraries()}\0".encode())
    tops = (*(folder / name for name in _WATCHED), Path(__file__).parent, data("templates"))
    try:
        for top in tops:
            for name, found in _everything(os.fspath(top)):
                if stat.S_ISLNK(found.st_mode):
                    return None
                newest = max(newest, found.st_ctime_ns, found.st_mtime_ns)
                whole.update(
                    f"{name}\0{found.st_dev} {found.st_ino} {found.st_mode} {found.st_size} "
                    f"{found.st_mtime_ns} {found.st_ctime_ns}\n".encode("utf-8", "surrogateescape")
                )
    except OSError:
        return None
    return Sight(whole.hexdigest(), day, newest + SETTLED_NS < begin)


def recall(cache: Path, folder: Path, seen: Sight) -> InOrder | None:
    """Return what was found when the fleet last looked like this; None when it was not, or not in order."""
    try:
        kept = json.loads(_file(cache, folder).read_bytes())
        return InOrder(**kept["found"]) if kept["digest"] == seen.digest else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(cache: Path, folder: Path, seen: Sight, found: InOrder) -> None:
    """Remember that a fleet that looks like this is in order, and forget the fleets of longest ago.

    A cache that cannot be written is left alone: the next run reads everything again.
    """
    if not seen.is_settled:
        return
    target = _file(cache, folder)
    with contextlib.suppress(OSError):
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, aside = tempfile.mkstemp(dir=target.parent)
        try:
            with os.fdopen(descriptor, "w") as file:
                json.dump({"digest": seen.digest, "found": asdict(found)}, file)
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


def _everything(top: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield a file or folder and all that is in it, in a stable order."""
    try:
        found = os.lstat(top)
    except FileNotFoundError:
        return
    yield top, found
    pending = [top] if stat.S_ISDIR(found.st_mode) else []
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in sorted(entries, key=_name):
                if entry.name in _OTHERS:
                    continue
                yield entry.path, entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name
