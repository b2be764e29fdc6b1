"""Which texts parse-back found right, remembered between runs in one file.

The file is never needed and never trusted further than its own checksum: one that is missing, cut off, damaged or from
another version is as good as none. Two runs at a time are safe; the later one's file stays.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME = "verdicts"
MOST = 250_000
"""Keys that the file holds at most, 8 MB; more only where one run has more files."""

_MAGIC = b"crosskeys parse-back 1\n"
_SIZE = 32


def load(folder: Path) -> dict[bytes, None]:
    """Return the keys of the texts that were found right, the latest first; none when the file cannot be read."""
    try:
        content = (folder / NAME).read_bytes()
    except OSError:
        return {}
    head = len(_MAGIC) + _SIZE
    body = content[head:]
    if content[:head] != _MAGIC + hashlib.sha256(body).digest() or len(body) % _SIZE:
        return {}
    return dict.fromkeys(body[start : start + _SIZE] for start in range(0, len(body), _SIZE))


def save(folder: Path, right: Iterable[bytes], known: Iterable[bytes]) -> None:
    """Remember this run's keys, and of those known before as many as there is room for.

    A folder that cannot be written is left alone: the next run reads everything again.
    """
    current = dict.fromkeys(right)
    room = max(MOST - len(current), 0)
    older = [key for key in known if key not in current][:room]
    body = b"".join((*current, *older))
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
