"""A policy written as JSON to the blocks that the same policy in HCL would have.

Vault takes a text whose first character is a brace for JSON (parse.go of hcl v1) and reads it with a parser of its own
(json/parser/parser.go there), which drops a boolean in a list, runs nested lists together, makes rules of objects
that nest more deeply than a rule does, and forgives a missing brace. All of that is refused here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined] # typeshed leaves it out; the docs of json name it
from typing import TYPE_CHECKING, NoReturn

from generator.audit.acl_faults import REFUSED, UNDECIDED, Fault
from generator.audit.hcl import Attribute, Block, Body
from generator.diagnostics import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.audit.hcl import Value

_DEEPEST = 16
_SPACE = re.compile(r"[ \t\n\r]*")
_WORD = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null")
_WORDS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class _Node:
    """A value and where it stands; objects are lists of pairs, which may hold a key twice."""

    value: str | int | bool | list[_Node] | _Object | None
    span: Span


@dataclass(frozen=True, slots=True)
class _Object:
    pairs: list[tuple[str, Span, _Node]]


def is_json(text: str) -> bool:
    """Tell whether Vault would take a text for JSON."""
    return text.lstrip().startswith("{")


def parse(text: str, at: Span) -> Body:
    """Return what a policy in JSON holds, as HCL has it: a block for each rule.

    Args:
        text: The policy.
        at: The file, and the line and column at which the text begins.

    Raises:
        Fault: For what is no JSON, and for what Vault reads as something else than JSON says.
    """
    return _policy(_Reader(text, at).document())


def _policy(root: _Node) -> Body:
    if not isinstance(root.value, _Object):
        raise Fault(REFUSED, root.span, "a policy in JSON is an object")
    attributes: dict[str, Attribute] = {}
    blocks: list[Block] = []
    for key, span, node in root.value.pairs:
        if key == "path":
            blocks.extend(block for item in _objects(node) for block in _rules(item, node.span))
        else:
            _add(attributes, key, span, node)
    return Body(attributes, tuple(blocks))


def _rules(rules: _Object, span: Span) -> Iterator[Block]:
    if not rules.pairs:
        raise Fault(UNDECIDED, span, 'Vault takes an empty `path` for a rule about the path "path"')
    for path, where, node in rules.pairs:
        if not isinstance(node.value, _Object):
            raise Fault(REFUSED, node.span, "an object is expected here")
        pairs = node.value.pairs
        if pairs and all(isinstance(inner.value, _Object) for _, _, inner in pairs):
            raise Fault(REFUSED, where, f'path "{path}" holds nothing but objects, which Vault takes for rules')
        attributes: dict[str, Attribute] = {}
        for key, place, inner in pairs:
            _add(attributes, key, place, inner)
        yield Block("path", (path,), Body(attributes, ()), where)


def _objects(node: _Node) -> Iterator[_Object]:
    items = node.value if isinstance(node.value, list) and node.value else [node]
    for item in items:
        if not isinstance(item.value, _Object):
            raise Fault(REFUSED, item.span, "an object is expected here")
        yield item.value


def _add(attributes: dict[str, Attribute], key: str, span: Span, node: _Node) -> None:
    if key in attributes:
        raise Fault(UNDECIDED, span, f"`{key}` is given twice")
    attributes[key] = Attribute(key, _plain(node), span)


def _plain(node: _Node) -> Value:
    if isinstance(node.value, _Object):
        found: dict[str, Value] = {}
        for key, span, inner in node.value.pairs:
            if key in found:
                raise Fault(UNDECIDED, span, f"`{key}` is given twice")
            found[key] = _plain(inner)
        return found
    if isinstance(node.value, list):
        for item in node.value:
            if isinstance(item.value, bool | list):
                raise Fault(UNDECIDED, item.span, "Vault misreads true, false and lists inside a list in JSON")
        return tuple(_plain(item) for item in node.value)
    return node.value


@dataclass(slots=True)
class _Reader:
    """Reads one text from its beginning to its end."""

    text: str
    at: Span
    position: int = 0

    def document(self) -> _Node:
        found = self.value(0)
        self.skip()
        if self.position < len(self.text):
            self.fail("nothing may follow the object of a policy in JSON")
        return found

    def value(self, depth: int) -> _Node:
        self.skip()
        start = self.position
        if depth > _DEEPEST:
            raise Fault(UNDECIDED, self.span(start), f"the value is nested deeper than {_DEEPEST}")
        match self.text[start : start + 1]:
            case "{":
                return self.object(depth)
            case "[":
                items = [self.value(depth + 1) for _ in self.items("]")]
                return _Node(items, self.span(start))
            case '"':
                return _Node(self.string(), self.span(start))
        word = _WORD.match(self.text, start)
        if word is None:
            self.fail("this is not JSON")
        self.position = word.end()
        if word[0] in _WORDS:
            return _Node(_WORDS[word[0]], self.span(start))
        if re.fullmatch("0|[1-9][0-9]{0,17}", word[0]) is None:
            raise Fault(UNDECIDED, self.span(start), f"`{word[0][:20]}` is not written as a plain whole number")
        return _Node(int(word[0]), self.span(start))

    def object(self, depth: int) -> _Node:
        start = self.position
        pairs: list[tuple[str, Span, _Node]] = []
        for _ in self.items("}"):
            self.skip()
            begin = self.position
            if not self.text.startswith('"', begin):
                self.fail("a key in quotes is expected here")
            key = self.string()
            span = self.span(begin)
            self.skip()
            self.take(":")
            pairs.append((key, span, self.value(depth + 1)))
        return _Node(_Object(pairs), self.span(start))

    def items(self, end: str) -> Iterator[None]:
        """Yield before each item, having passed the bracket or the comma before it."""
        self.position += 1
        self.skip()
        if self.text.startswith(end, self.position):
            self.position += 1
            return
        while True:
            yield
            self.skip()
            if self.text.startswith(end, self.position):
                self.position += 1
                return
            self.take(",")

    def string(self) -> str:
        start = self.position
        try:
            found, self.position = scanstring(self.text, start + 1, True)  # noqa: FBT003 - strict, by position alone
        except ValueError:
            self.fail("this is no string of JSON")
        raw = self.text[start : self.position]
        if re.search(r"\\[^\"\\]", raw.replace("\\\\", "")):
            raise Fault(UNDECIDED, self.span(start), "an escape in a string, which Vault may read in another way")
        return str(found)

    def take(self, character: str) -> None:
        if not self.text.startswith(character, self.position):
            self.fail(f"`{character}` is expected here")
        self.position += 1

    def skip(self) -> None:
        self.position = _SPACE.match(self.text, self.position).end()  # type: ignore[union-attr] # it matches nothing too

    def fail(self, message: str) -> NoReturn:
        # Vault's own reader takes some texts that are no JSON, such as one without its last brace.
        raise Fault(UNDECIDED, self.span(self.position), message)

    def span(self, start: int) -> Span:
        (line, column), (end_line, end_column) = self.place(start), self.place(max(self.position, start + 1))
        return Span(self.at.path, line, column, end_line, end_column)

    def place(self, position: int) -> tuple[int, int]:
        before = self.text.count("\n", 0, position)
        column = position - self.text.rfind("\n", 0, position)
        return self.at.line + before, column + (self.at.column - 1 if before == 0 else 0)
