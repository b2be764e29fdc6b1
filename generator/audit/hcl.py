"""One file of HCL to blocks with literal values: what Terraform's own parser would take, less every expression.

python-hcl2 gives the tree of tokens. It takes more than Terraform does, and these are refused here: arguments given
twice, two arguments on one line, line breaks in quoted strings, unknown escapes, a comma that begins a line, a heredoc
whose end Terraform would see earlier or not at all. Syntax: https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generator.audit import strings
from generator.audit.faults import NOT_LITERAL, REPEATED, SYNTAX, TOO_LARGE, Unreadable
from generator.diagnostics import Span

LONGEST = 1 << 20
_DEEPEST = 16
# Beside control characters: what makes a text look another way than it reads, https://trojansource.codes.
_CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ufeff]")
_NAMED = {"\r": "a carriage return: end lines with a line feed alone", "\ufeff": "a byte order mark"}


@dataclass(frozen=True, slots=True)
class Traversal:
    """A name and its attributes, such as ``var.region``; nothing that is indexed or called."""

    steps: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(self.steps)


Value = str | int | bool | None | Traversal | tuple["Value", ...] | Mapping[str, "Value"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """An argument and its value.

    Args:
        heredoc: Where the text of a heredoc begins, for errors inside it; None where the value is none.
    """

    name: str
    value: Value
    span: Span
    heredoc: Span | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A block: its type, labels and what is in it."""

    type: str
    labels: tuple[str, ...]
    body: Body
    span: Span


@dataclass(frozen=True, slots=True)
class Body:
    """The arguments and blocks of a file or of a block."""

    attributes: Mapping[str, Attribute]
    blocks: tuple[Block, ...]


def parse(text: str, at: Span) -> Body:
    """Return what a text of HCL holds.

    Args:
        text: The text.
        at: The file, and the line and column at which the text begins: 1 and 1, unless it stands in a heredoc.

    Raises:
        Unreadable: With where and why, when it is not HCL, or has anything but literals and plain references.
    """
    import hcl2  # noqa: PLC0415 - 70 ms, and most runs find every file in the cache
    from lark.exceptions import LarkError, UnexpectedInput  # noqa: PLC0415 - as above

    if len(text) > LONGEST:
        raise Unreadable(TOO_LARGE, at, f"the file is longer than {LONGEST} characters")
    if control := _CONTROL.search(text):
        line = text.count("\n", 0, control.start()) + at.line
        character = _NAMED.get(control[0], f"the control character U+{ord(control[0]):04X}")
        raise Unreadable(SYNTAX, Span(at.path, line, 1, line, 1), f"the text holds {character}")
    try:
        masked = strings.masked(text)
        tree = hcl2.parses_to_tree(masked.text)
    except UnexpectedInput as error:
        line, column = max(error.line, 1), max(error.column, 1)
        raise Unreadable(SYNTAX, _shifted(at, line, column, line, column + 1), "this is not HCL") from error
    except (LarkError, RecursionError, ValueError) as error:
        raise Unreadable(SYNTAX, at, "this is not HCL that can be read") from error
    return _Reader(masked, at).body(tree.children[0], 0)


def _shifted(at: Span, line: int, column: int, end_line: int, end_column: int) -> Span:
    indent = at.column - 1
    return Span(at.path, at.line + line - 1, column + indent, at.line + end_line - 1, end_column + indent)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Walks the tree of one text. Lark has no types: its trees have ``data`` and ``children``, its tokens ``type``."""

    masked: strings.Masked
    at: Span

    def body(self, tree: Any, depth: int) -> Body:
        if depth > _DEEPEST:
            raise Unreadable(TOO_LARGE, self.at, f"blocks in this file are nested deeper than {_DEEPEST}")
        self._lines(tree, top=depth == 0)
        attributes: dict[str, Attribute] = {}
        blocks: list[Block] = []
        for child in tree.children:
            if child.data == "attribute":
                attribute = self._attribute(child)
                if attribute.name in attributes:
                    raise Unreadable(REPEATED, attribute.span, f"the argument `{attribute.name}` is given twice")
                attributes[attribute.name] = attribute
            elif child.data == "block":
                blocks.append(self._block(child, depth))
        for block in blocks:
            if block.type in attributes:
                raise Unreadable(REPEATED, block.span, f"`{block.type}` is both an argument and a block")
        return Body(attributes, tuple(blocks))

    def _lines(self, body: Any, *, top: bool) -> None:
        """Refuse a body whose items do not each end a line; one argument may share the line of its block's braces."""
        items = [child for child in body.children if child.data != "new_line_or_comment"]
        breaks = [child for child in body.children if self._breaks(child)]
        if not top and not breaks and len(items) <= 1 and not any(item.data == "block" for item in items):
            return
        broken = top
        for child in body.children:
            if child.data != "new_line_or_comment":
                if not broken:
                    raise Unreadable(SYNTAX, self._span(child), "this must begin on a line of its own")
                broken = self._breaks(child)
            else:
                broken = broken or self._breaks(child)
        if not broken and not top:
            raise Unreadable(SYNTAX, self._span(items[-1]), "the closing brace must stand on a line of its own")

    def _breaks(self, child: Any) -> bool:
        if child.data == "new_line_or_comment":
            return any(not token.startswith("/*") for token in child.children)
        # The line break that ends a heredoc is part of it.
        return child.data == "attribute" and self.masked.text.startswith("\n", child.meta.end_pos - 1)

    def _attribute(self, tree: Any) -> Attribute:
        name, _, expression = tree.children
        span = self._span(tree)
        inside = expression.children[0] if expression.data == "expr_term" else expression
        heredoc = None
        if getattr(inside, "data", "") in {"heredoc_template", "heredoc_template_trim"}:
            text, indent = self._heredoc(inside)
            heredoc = _shifted(self.at, inside.meta.line + 1, indent + 1, inside.meta.line + 1, indent + 1)
            return Attribute(self._name(name), text, span, heredoc)
        return Attribute(self._name(name), self._value(expression, 0), span)

    def _block(self, tree: Any, depth: int) -> Block:
        *head, opening, body, _ = tree.children
        if any(part.data == "new_line_or_comment" for part in head):
            raise Unreadable(SYNTAX, self._span(opening), "the opening brace must stand on the line of its block")
        labels = tuple(self._text(part) if part.data == "string" else self._name(part) for part in head[1:])
        return Block(self._name(head[0]), labels, self.body(body, depth + 1), self._span(tree))

    def _name(self, tree: Any) -> str:
        return str(tree.children[0])

    def _value(self, tree: Any, depth: int) -> Value:
        if depth > _DEEPEST:
            raise Unreadable(TOO_LARGE, self._span(tree), f"the value is nested deeper than {_DEEPEST}")
        inside = tree.children[0] if tree.data == "expr_term" and len(tree.children) == 1 else tree
        match inside.data:
            case "string":
                return self._string(inside)
            case "int_lit":
                return self._number(inside)
            case "literal_value":
                return {"true": True, "false": False, "null": None}[str(inside.children[0])]
            case "tuple":
                items = (child for child in inside.children if _is_tree(child) and child.data != "new_line_or_comment")
                return tuple(self._value(item, depth + 1) for item in items)
            case "object":
                return self._object(inside, depth)
            case "identifier" | "get_attr_expr_term":
                return self._traversal(inside)
            case _:
                raise self._not_literal(inside)

    def _not_literal(self, tree: Any) -> Unreadable:
        kind = str(tree.data).replace("_", " ")
        return Unreadable(NOT_LITERAL, self._span(tree), f"a value that is not written out ({kind})")

    def _string(self, tree: Any) -> str:
        return unicodedata.normalize("NFC", self._text(tree))

    def _text(self, tree: Any) -> str:
        """Return a string as it is written: Terraform composes the characters of values, and of no label."""
        opening, *parts, closing = tree.children
        for part in parts:
            if part.data != "string_part" or _is_tree(part.children[0]):
                raise self._not_literal(part)
        raw = self.masked.text[opening.end_pos : closing.start_pos]
        try:
            return self.masked.unmasked(strings.unescaped(raw))
        except ValueError as error:
            raise Unreadable(SYNTAX, self._span(tree), str(error)) from None

    def _heredoc(self, tree: Any) -> tuple[str, int]:
        if tree.meta.end_pos > len(self.masked.text):
            raise Unreadable(SYNTAX, self._span(tree), "the line that ends a heredoc must end with a line break")
        try:
            text, indent = strings.heredoc(str(tree.children[0]))
        except ValueError as error:
            raise Unreadable(SYNTAX, self._span(tree), str(error)) from None
        return unicodedata.normalize("NFC", self.masked.unmasked(text)), indent

    def _number(self, tree: Any) -> int:
        digits = str(tree.children[0])
        if re.fullmatch("0|[1-9][0-9]{0,17}", digits) is None:
            raise Unreadable(NOT_LITERAL, self._span(tree), f"`{digits[:20]}` is not written as a plain whole number")
        return int(digits)

    def _object(self, tree: Any, depth: int) -> Mapping[str, Value]:
        found: dict[str, Value] = {}
        separated = True
        for child in tree.children[1:-1]:
            if not _is_tree(child):
                if separated:
                    raise Unreadable(SYNTAX, self._span(child), "a comma must stand on the line of what it ends")
                separated = True
            elif child.data == "new_line_or_comment":
                separated = separated or self._breaks(child)
            else:
                key, _, value = child.children
                if not separated:
                    raise Unreadable(SYNTAX, self._span(child), "a comma or a line break is missing before this")
                separated = False
                name = self._key(key.children[0], first=not found)
                if name in found:
                    raise Unreadable(REPEATED, self._span(child), f"the key `{name}` is given twice")
                found[name] = self._value(value, depth + 1)
        return found

    def _key(self, tree: Any, *, first: bool) -> str:
        inside = tree.children[0] if tree.data == "expr_term" and len(tree.children) == 1 else tree
        match getattr(inside, "data", ""):
            case "string":
                return self._string(inside)
            # A bare key is taken for its own name, keywords too; only a brace before `for` begins an expression.
            case "identifier" | "keyword" | "literal_value" if not (first and self._name(inside) == "for"):
                return self._name(inside)
            case _:
                raise Unreadable(NOT_LITERAL, self._span(tree), "a key that is neither quoted nor a plain name")

    def _traversal(self, tree: Any) -> Traversal:
        steps: list[str] = []
        while tree.data == "get_attr_expr_term":
            tree, attribute = tree.children
            steps.append(self._name(attribute.children[1]))
            tree = tree.children[0] if len(tree.children) == 1 else tree
        if tree.data != "identifier":
            raise self._not_literal(tree)
        return Traversal((self._name(tree), *reversed(steps)))

    def _span(self, tree: Any) -> Span:
        meta = tree.meta if _is_tree(tree) else tree
        return _shifted(self.at, meta.line, meta.column, meta.end_line, meta.end_column)


def _is_tree(node: Any) -> bool:
    return hasattr(node, "data")
