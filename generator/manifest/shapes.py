"""Many manifests that differ in plain words alone, read by composing one of each shape.

A shape is a manifest's text with holes for its words. It is composed once, with a stand-in in every hole; where each
stand-in comes back as the whole of one value, every manifest of the shape says the same with its own words there. A
word has no character that ends, begins or continues anything in YAML where it stands, and is read as the string that it
is. The argument is that of docs/adr/0015-read-by-shapes.md, and tests/manifest/test_shapes.py holds it to its word.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from generator.manifest.composer import MAX_VALUE, compose
from generator.manifest.nodes import plain
from generator.manifest.scalars import resolve

if TYPE_CHECKING:
    from generator.manifest.nodes import Value

_HOLE = "\0"  # no manifest has one: it cannot be seen
# A whole line: a key, a list's dash or both; then an unquoted string, or a quoted one without escapes. None of these
# characters begins anything in YAML where it stands: not on the first place, and a colon only before no space.
_LINE = re.compile(
    r"^( *(?:- |(?:- )?[A-Za-z][A-Za-z0-9_-]*: ))"
    r"""(?:([\w/](?:[\w ,./@+=;()'"?!%&*-]|:(?! |$))*)(?<! )|(['"])([\w ./@+=,:;()?!-]*)\3)$""",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Cut:
    """A manifest as a shape and its words.

    Args:
        shape: The text with holes.
        words: What stood in the holes, in their order.
    """

    shape: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Word:
    """The place of a hole's word in what a shape says."""

    number: int


@dataclass(slots=True)
class Shapes:
    """The shapes that were seen in a run, and what those say that were seen before."""

    _first: dict[str, tuple[Cut, Value]] = field(default_factory=dict)
    _moulds: dict[str, Any] = field(default_factory=dict)

    def cut(self, text: str) -> Cut | None:
        """Return a manifest as its shape and words; None when what holds for words may not hold in it.

        Args:
            text: Without invisible characters.
        """
        # So no value can be too long, and none changes when it is normalised.
        if len(text) > MAX_VALUE or not unicodedata.is_normalized("NFC", text):
            return None
        words: list[str] = []
        has_flow = "[" in text or "{" in text  # where a comma may end a string

        def hollow(line: re.Match[str]) -> str:
            start, bare, quote, quoted = line.groups()
            if quote:
                words.append(quoted)
                return f"{start}{quote}{_HOLE}{quote}"
            if (has_flow and "," in bare) or not isinstance(resolve(bare), str):
                return line[0]
            words.append(bare)
            return start + _HOLE

        return Cut(_LINE.sub(hollow, text), tuple(words))

    def content(self, cut: Cut) -> Value:
        """Return what a manifest says; None when that cannot be told from its shape, or not yet."""
        if cut.shape in self._first:
            self._moulds[cut.shape] = _mould(*self._first.pop(cut.shape))
        mould = self._moulds.get(cut.shape)
        return None if mould is None else _cast(mould, cut.words)

    def learn(self, cut: Cut, content: Value) -> None:
        """Keep what the first manifest of a shape says, for it to be held against what the shape says.

        Args:
            cut: The manifest.
            content: What it says, by all of its text.
        """
        if cut.shape not in self._moulds:
            self._first[cut.shape] = (cut, content)


def _mould(cut: Cut, content: Value) -> Any:
    """Return what a shape says, with places for words; None when it cannot be told.

    Args:
        cut: A manifest of the shape.
        content: What that one says.
    """
    prefix = "stand"
    while prefix in cut.shape:
        prefix += "-"
    stand_ins = {f"{prefix}{number:04}in": number for number in range(len(cut.words))}
    first, *rest = cut.shape.split(_HOLE)
    text = first + "".join(stand_in + part for stand_in, part in zip(stand_ins, rest, strict=True))
    root, findings = compose(text, "")
    if root is None or findings:
        return None
    found: list[int] = []
    mould = _hollowed(plain(root), stand_ins, found)
    is_whole = found == list(range(len(cut.words)))
    # By the argument for shapes the two cannot differ; this would show where that is wrong.
    return mould if is_whole and repr(_cast(mould, cut.words)) == repr(content) else None


def _hollowed(value: Value, stand_ins: dict[str, int], found: list[int]) -> Any:
    match value:
        case str() if value in stand_ins:
            found.append(stand_ins[value])
            return _Word(stand_ins[value])
        case list():
            return [_hollowed(item, stand_ins, found) for item in value]
        case dict():
            return {key: _hollowed(item, stand_ins, found) for key, item in value.items()}
        case _:
            return value


def _cast(mould: Any, words: tuple[str, ...]) -> Value:
    if isinstance(mould, _Word):
        return words[mould.number]
    if isinstance(mould, dict):
        return {key: _cast(item, words) for key, item in mould.items()}
    if isinstance(mould, list):
        return [_cast(item, words) for item in mould]
    same: Value = mould
    return same
