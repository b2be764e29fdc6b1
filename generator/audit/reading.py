"""What each file of a tree declares: cast by its shape, where the shape was parsed once, else parsed in full."""

from __future__ import annotations

import hashlib
import logging
import os
from contextlib import suppress
from dataclasses import fields, is_dataclass
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.audit import kept
from generator.audit.faults import Unreadable
from generator.audit.moulds import Mould, Pattern
from generator.audit.read import read_file
from generator.audit.shapes import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from generator.audit.moulds import Declarations
    from generator.audit.shapes import Cut, Shape

_AT_ONCE = 2000
"""So many files are cut before they are cast: the pieces of all of them would take as much room as their texts."""
_ALONE = 200
"""Up to this many texts are parsed in this process: starting others costs as much."""

_log = logging.getLogger(__name__)


def read_each(texts: Mapping[str, str], cache: Path | None) -> dict[str, Declarations | Unreadable]:
    """Return what each file declares, or why it cannot be read: just what ``read_file`` says of each.

    Args:
        texts: Every file by its path, relative to the fleet's folder.
        cache: A folder that remembers what was parsed; None for none. The outcome is the same.
    """
    found: dict[str, Declarations | Unreadable] = {}
    moulds = _Moulds(cache)
    paths = iter(texts)
    while some := {path: texts[path] for path in islice(paths, _AT_ONCE)}:
        found |= _read(some, moulds)
    moulds.save()
    return found


def _read(texts: Mapping[str, str], moulds: _Moulds) -> dict[str, Declarations | Unreadable]:
    found: dict[str, Declarations | Unreadable] = {}
    cuts: dict[str, Cut] = {}
    for path, text in texts.items():
        try:
            piece = cut(path, text)
        except Unreadable as fault:
            found[path] = fault
        else:
            if piece:
                cuts[path] = piece
    moulds.learn(texts, cuts)
    found |= {path: mould.cast(path, piece) for path, piece in cuts.items() if (mould := moulds.of.get(piece.shape))}
    left = [(path, text) for path, text in texts.items() if path not in found]
    found |= zip((path for path, _ in left), _parsed(left), strict=True)
    return {path: found[path] for path in texts}


class _Moulds:
    """A mould for each shape for which there is one: remembered, or made from a file that has it.

    Args:
        cache: A folder that remembers what was parsed; None for none.
    """

    def __init__(self, cache: Path | None) -> None:
        self.of: dict[Shape, Mould | None] = {}
        self._cache = cache
        self._known = kept.load(cache) if cache else {}
        self._entries: dict[str, Any] = {}
        self._reader = _reader()
        self._has_fresh = False

    def learn(self, texts: Mapping[str, str], cuts: Mapping[str, Cut]) -> None:
        """Take in the shapes of some files; one that no mould can be made for has None.

        Args:
            texts: The files by path.
            cuts: Those of them that have a shape, by path.
        """
        first: dict[Shape, str] = {}
        for path, piece in cuts.items():
            if piece.shape not in self.of:
                first.setdefault(piece.shape, path)
        patterns = {shape: Pattern(shape) for shape in first}
        for shape, pattern in patterns.items():
            self.of[shape] = self._remembered(shape, pattern)
        fresh = [shape for shape in first if self.of[shape] is None]
        patterned = _parsed([(patterns[shape].path, patterns[shape].text) for shape in fresh])
        whole = _parsed([(first[shape], texts[first[shape]]) for shape in fresh])
        for shape, declarations, expected in zip(fresh, patterned, whole, strict=True):
            if isinstance(declarations, Unreadable) or isinstance(expected, Unreadable):
                continue
            mould, path = Mould(patterns[shape], declarations), first[shape]
            # By the argument for shapes this cannot fail; it costs one parse a shape, and would show where that is
            # wrong.
            if every_field(mould.cast(path, cuts[path])) == every_field(expected):
                self.of[shape] = mould
                self._entries[_key(self._reader, shape)] = kept.encoded(declarations)
                self._has_fresh = True
            else:
                _log.warning("a file is read otherwise than its shape says", extra={"path": path})

    def save(self) -> None:
        """Remember what was made."""
        if self._cache and self._has_fresh:
            kept.save(self._cache, self._entries, self._known)

    def _remembered(self, shape: Shape, pattern: Pattern) -> Mould | None:
        key = _key(self._reader, shape)
        with suppress(KeyError, TypeError):  # an entry that is not what this version writes
            mould = Mould(pattern, kept.decoded(self._known[key]))
            self._entries[key] = self._known[key]
            return mould
        return None


def _parsed(items: list[tuple[str, str]]) -> Iterable[Declarations | Unreadable]:
    count = min(len(os.sched_getaffinity(0)), len(items) // _ALONE)
    if count < 2:  # noqa: PLR2004 - one more process than this one would gain nothing
        return [parsed(*item) for item in items]
    from generator.audit import workers  # noqa: PLC0415 - for the rare run that parses many files

    return workers.each(parsed, items, count)


def parsed(path: str, text: str) -> Declarations | Unreadable:
    """Return what one file declares, or why it cannot be read, by parsing it in full."""
    try:
        return read_file(path, text)
    except Unreadable as fault:
        return fault


def every_field(value: Any) -> Any:
    """Return declarations with their types and places, both of which comparing them may leave out."""
    if isinstance(value, tuple):
        return tuple(map(every_field, value))
    if is_dataclass(value):
        return (type(value), *(every_field(getattr(value, field.name)) for field in fields(value)))
    return (type(value), value)


def _key(reader: bytes, shape: Shape) -> str:
    # Strings are written with their quotes by repr, so no two shapes have the same text.
    return hashlib.sha256(repr((reader, shape)).encode("utf-8", "surrogatepass")).hexdigest()


def _reader() -> bytes:
    """Return a digest of all that reads: what was parsed holds for the code that parsed it alone."""
    whole = hashlib.sha256(f"{version('python-hcl2')}\0{version('lark')}\0".encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        whole.update(source.read_bytes())
    return whole.digest()
