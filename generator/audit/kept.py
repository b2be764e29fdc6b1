"""What was parsed, remembered between runs in one file, as JSON: reading it back can run nothing.

The file is never needed: one that is missing, cut off, damaged or from another version is as good as none. Two runs at
a time are safe; the later one's file stays.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.audit import declared
from generator.diagnostics import Span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.audit.moulds import Declarations

NAME = "shapes"
MOST = 4096
"""Entries that the file holds at most, a few MB; more only where one run needs more."""

_MAGIC = b"crosskeys shapes 1\n"
_SIZE = 32
_KIND = "is"
_KINDS = {
    name: kind
    for name, kind in {**vars(declared), "Span": Span}.items()
    if isinstance(kind, type) and is_dataclass(kind)
}


def load(folder: Path) -> dict[str, Any]:
    """Return what is remembered by its key, the latest first; nothing when the file cannot be read."""
    try:
        content = (folder / NAME).read_bytes()
    except OSError:
        return {}
    body = content[len(_MAGIC) + _SIZE :]
    if content[: len(_MAGIC) + _SIZE] != _MAGIC + hashlib.sha256(body).digest():
        return {}
    found: dict[str, Any] = json.loads(body)
    return found


def save(folder: Path, used: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Remember this run's entries, and of those known before as many as there is room for.

    A folder that cannot be written is left alone: the next run parses everything again.
    """
    room = max(MOST - len(used), 0)
    older = [(key, item) for key, item in known.items() if key not in used][:room]
    body = json.dumps({**used, **dict(older)}, separators=(",", ":")).encode()
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, aside = tempfile.mkstemp(prefix=f"{NAME}-", dir=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_MAGIC + hashlib.sha256(body).digest() + body)
            Path(aside).replace(folder / NAME)
        except OSError:
            Path(aside).unlink(missing_ok=True)
            raise


def encoded(value: Any) -> Any:
    """Return declarations as what JSON can hold."""
    if isinstance(value, tuple):
        return [encoded(item) for item in value]
    if is_dataclass(value):
        inside = {field.name: encoded(getattr(value, field.name)) for field in fields(value)}
        return {_KIND: type(value).__name__, **inside}
    return value


def decoded(value: Any) -> Declarations:
    """Return the declarations of what ``encoded`` made."""
    found: Declarations = _decoded(value)
    return found


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_decoded(item) for item in value)
    if isinstance(value, dict):
        kind = _KINDS[value[_KIND]]
        return kind(**{name: _decoded(item) for name, item in value.items() if name != _KIND})
    return value
