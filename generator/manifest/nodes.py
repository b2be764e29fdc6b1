"""The nodes of a manifest: what it says, each with the span of text that it was read from."""

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


def plain(node: Node) -> Value:
    """Return a node's content as plain Python values."""
    match node:
        case Scalar():
            return node.value
        case Sequence():
            return [plain(item) for item in node.items]
        case Mapping():
            return {key: plain(item) for key, item in node.items.items()}
