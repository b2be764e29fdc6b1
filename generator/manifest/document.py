"""What a manifest says and where: its nodes, each with the span of text it was read from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from generator.diagnostics import Span

Value: TypeAlias = "str | int | bool | list[Value] | dict[str, Value] | None"
Loc: TypeAlias = "tuple[str | int, ...]"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A string, integer, boolean or null; strings are in Unicode's NFC, as Terraform makes them."""

    span: Span
    value: str | int | bool | None


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    span: Span
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """A map, in the order of the file; ``keys`` tells where each key stands."""

    span: Span
    items: dict[str, Node]
    keys: dict[str, Span]


Node: TypeAlias = Scalar | Sequence | Mapping


@dataclass(frozen=True, slots=True)
class Document:
    """One manifest as it was written.

    Args:
        shown: The file's path relative to the fleet's folder.
        root: The outermost node.
        text: The whole text; spans count its lines and characters.
    """

    shown: str
    root: Node
    text: str

    def value(self) -> Value:
        """Return the content as plain Python values."""
        return _value(self.root)

    def span_of(self, loc: Loc) -> Span:
        """Return where the value at ``loc`` stands, or the innermost value around it that exists.

        Args:
            loc: A path of keys and indices as pydantic reports it; parts that name nothing here (the tags of unions,
                the name of a missing key) are skipped.
        """
        return self._find(loc)[0].span

    def key_span_of(self, loc: Loc) -> Span:
        """Return where the key of the value at ``loc`` stands; for a list's item and the root, the value itself."""
        node, key = self._find(loc)
        return key or node.span

    def _find(self, loc: Loc) -> tuple[Node, Span | None]:
        node, key = self.root, None
        for part in loc:
            if isinstance(node, Mapping) and isinstance(part, str) and part in node.items:
                key, node = node.keys[part], node.items[part]
            elif isinstance(node, Sequence) and isinstance(part, int) and 0 <= part < len(node.items):
                node, key = node.items[part], None
        return node, key


def _value(node: Node) -> Value:
    match node:
        case Scalar():
            return node.value
        case Sequence():
            return [_value(item) for item in node.items]
        case Mapping():
            return {key: _value(item) for key, item in node.items.items()}
