"""The last look at the live systems, in a file: kept whole or not at all, readable by its owner alone."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from generator.errors import UsageError
from generator.render.tree import WORK
from generator.report.since import Outcome, Seen

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 2
"""Of the file; one of another format is not compared with."""

_LARGEST = 64 << 20  # bytes: more than the findings of 100,000 objects


def place(folder: Path, target: str, side: str | None) -> Path:
    """Return where the last look is kept, unless somebody says otherwise.

    Args:
        folder: The fleet's.
        target: ``sandbox`` or ``live``.
        side: The side that alone was looked at; None for all.
    """
    return folder / WORK / "verify" / f"{target}{f'-{side}' if side else ''}.json"


def read(file: Path) -> Outcome | str:
    """Return the look that a file keeps, or why there is none to compare with, a sentence without a full stop."""
    try:
        if file.stat().st_size > _LARGEST:
            return f"{file.name} is too large to be one"
        found = json.loads(file.read_bytes())
    except FileNotFoundError:
        return "there is none yet"
    except OSError as error:
        return f"{file.name} cannot be read: {error.strerror}"
    except (ValueError, RecursionError):
        return f"{file.name} holds no look"
    try:
        return _outcome(found)
    except (KeyError, TypeError, ValueError):
        return f"{file.name} is of another format, or holds no look"


def write(file: Path, outcome: Outcome) -> None:
    """Keep a look for the next one to be compared with; the one before stays until this is written whole.

    Raises:
        UsageError: When the file cannot be written.
    """
    text = json.dumps({"format": FORMAT, **asdict(outcome)}, indent=1)
    aside = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as onto:
            onto.write(f"{text}\n")
        aside.replace(file)
    except OSError as error:
        raise UsageError(
            f"{file} cannot be written: {error.strerror}", help="make room, or name another file with --last"
        ) from error
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def _outcome(found: Any) -> Outcome:
    if found["format"] != FORMAT:
        raise ValueError("another format")
    texts = {name: str(found[name]) for name in ("of", "cluster_id", "when")}
    seen = tuple(Seen(**{name: str(value) for name, value in each.items()}) for each in found["seen"])
    return Outcome(**texts, objects=int(found["objects"]), seen=seen, complete=found["complete"] is True)
