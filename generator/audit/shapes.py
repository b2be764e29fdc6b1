"""Many files that differ in their names alone, read by parsing one of each shape.

A shape is a file's text with holes for values that nothing in the reader looks into. It is parsed once, with a stand-in
in every hole; a file that fits it to the byte declares the same with its own values in their places. What does not fit
is parsed in full. Why the two say the same is in docs/adr/0015-read-by-shapes.md, and tests/audit/test_shapes.py holds
them against each other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from functools import lru_cache, partial
from itertools import islice
from typing import TYPE_CHECKING

from generator.audit import declared
from generator.audit.read import root_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_HOLE, _LABEL, _NUMBER = "\0", "\1", "\2"
_LONGEST = 1 << 16

# Arguments whose values the reader hands on as they are. Those of any other field are part of the shape, and so are
# the values of arguments that the reader may learn; what is no field at all is a key that people chose: a tag.
_OPAQUE = frozenset(
    {
        "account_id",
        "allowed_account_ids",
        "bound_ami_ids",
        "bound_ec2_instance_ids",
        "bound_iam_principal_arns",
        "bound_subnet_ids",
        "bound_vpc_ids",
        "description",
        "external_id",
        "id",
        "name",
        "path",
        "permissions_boundary",
        "resources",
        "role",
        "role_arn",
        "sts_role",
        "token_bound_cidrs",
        "values",
    }
)
_LOOKED_INTO = (
    frozenset(
        field.name
        for kind in vars(declared).values()
        if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__")
        for field in fields(kind)
    )
    - {"settings", "tags", "default_tags", "options"}
    - _OPAQUE
)

# None of these characters ends a string, a line, a comment or a heredoc, or begins anything within one.
_VALUE = re.compile("[A-Za-z0-9_=,.@:/ -]+", re.ASCII)
_PATH = re.compile("[A-Za-z0-9_=,.@:/-]+", re.ASCII)
_NAME = re.compile("[a-z][a-z0-9_-]*", re.ASCII)
_KEYWORDS = frozenset({"if", "in", "for", "for_each", "else", "endif", "endfor", "null", "true", "false"})
# Whole lines before the first block: they declare nothing, so all that counts is how many there are.
_HEAD = re.compile(r"(?:#[ -~\w]*\n|\n)*")
_ARGUMENT = re.compile(" *([A-Za-z_][A-Za-z0-9_-]*) *= \\[?", re.ASCII)
_RULE = re.compile(" *path ", re.ASCII)
_TYPED_BLOCK = re.compile("(?:resource|data) ", re.ASCII)
# Whole lines, so that no string is open in them: a comment, of HCL or of the policy in a heredoc, a limit that the
# reader hands on as the number that it is, and the address of what is imported, of which it looks at the type alone.
_LINE = re.compile(
    f"(?<=\\n)( *)(?:# ({_VALUE.pattern})|((?:token_ttl|token_max_ttl|max_session_duration) *= )([1-9][0-9]{{0,8}})"
    f"|(to *= [a-z_]+\\.)({_NAME.pattern}))$",
    re.ASCII | re.MULTILINE,
)
_ANY_HOLE = re.compile(f"[{_HOLE}{_NUMBER}]")


@dataclass(frozen=True, slots=True)
class Shape:
    """What many files have in common.

    Args:
        kind: The kind of their root, as its path has it.
        text: The text without its head; a NUL for each hole, other marks for the label where it is referred to and
            for numbers.
        pattern: Which of the holes have one value: for each, the number of its value among the distinct ones.
        label: The number of the value that is the label; None where no block has one.
    """

    kind: str
    text: str
    pattern: tuple[int, ...]
    label: int | None

    @property
    def numbers(self) -> frozenset[int]:
        """Which of the distinct values are whole numbers."""
        marks = zip(_ANY_HOLE.findall(self.text), self.pattern, strict=True)
        return frozenset(number for mark, number in marks if mark == _NUMBER)


@dataclass(frozen=True, slots=True)
class Cut:
    """A file as a shape and what is its own.

    Args:
        root: Its root.
        head: Lines before the first block.
        values: The distinct values of the holes.
    """

    shape: Shape
    root: str
    head: int
    values: tuple[str | int, ...]


def cut(path: str, text: str) -> Cut | None:
    """Return a file as its shape and values; None when it cannot be one.

    Raises:
        Unreadable: When no rendered root has such a file.
    """
    root = root_of(path)
    kind = root.rpartition("/")[2]
    if len(text) > _LONGEST or _HOLE in text or _LABEL in text or _NUMBER in text:
        return None
    head = _HEAD.match(text)
    start = head.end() if head else 0
    body = text[start:]
    if not body.isascii() or "\\" in body or "${" in body or "%{" in body:
        return Cut(Shape(kind, text, (), None), root, 0, ())
    lines: list[str | int] = []
    parts = _LINE.sub(partial(_hollow_line, lines), body).split('"')
    values, label = _hollowed(parts, lines)
    numbers: dict[str | int, int] = {}
    pattern = tuple([numbers.setdefault(value, len(numbers)) for value in values])
    return Cut(
        Shape(kind, '"'.join(parts), pattern, numbers.get(label)), root, text.count("\n", 0, start), tuple(numbers)
    )


def filled(shape: Shape, values: Sequence[str | int]) -> str:
    """Return the text of a shape with these values, by their numbers, in its holes."""
    first, *rest = _ANY_HOLE.split(shape.text)
    whole = first + "".join(f"{values[number]}{part}" for number, part in zip(shape.pattern, rest, strict=True))
    return whole if shape.label is None else whole.replace(_LABEL, f"{values[shape.label]}")


def _hollow_line(values: list[str | int], line: re.Match[str]) -> str:
    indent, comment, argument, number, address, name = line.groups()
    if name in _KEYWORDS:
        return line[0]
    values.append(comment or name or int(number))
    return f"{indent}{argument}{_NUMBER}" if number else f"{indent}{address or '# '}{_HOLE}"


def _hollowed(parts: list[str], lines: list[str | int]) -> tuple[list[str | int], str]:
    """Make holes in the parts of a text that was split at its quotes; return what stood in them, and the label.

    Args:
        parts: The parts, which are changed.
        lines: What stood in the holes that they have already.
    """
    values: list[str | int] = []
    left = iter(lines)
    label, role, inside = "", _PINNED, ""
    for index in range(0, len(parts) - 1, 2):
        outside, key, inside = parts[index], inside, parts[index + 1]
        values += islice(left, outside.count(_HOLE) + outside.count(_NUMBER))
        if label in outside and label:
            outside = parts[index] = outside.replace(f".{label}.", f".{_LABEL}.")
        _, broken, tail = outside.rpartition("\n")
        role = _role(tail) if broken or not index else _next(role, outside, key)
        if role == _VALUED:
            found = inside.removesuffix("/*")
            free = _VALUE.fullmatch(found)
        elif role == _NAMED:
            found = inside
            free = None if inside in _KEYWORDS else _NAME.fullmatch(inside)
            label = label or (inside if free else "")
        elif role == _RULED:
            found = inside.removesuffix("/*")
            free = _PATH.fullmatch(found)
        else:
            continue
        if free:
            parts[index + 1] = _HOLE + inside[len(found) :]
            values.append(found)
    if label:
        parts[-1] = parts[-1].replace(f".{label}.", f".{_LABEL}.")
    return [*values, *left], label


# What the next quoted string is, by what stands before it.
_PINNED, _VALUED, _RULED, _TYPED, _NAMED, _KEYED = range(6)


@lru_cache(1024)
def _role(tail: str) -> int:
    """Return what a string is by what precedes it on its line: no string is open where a line begins."""
    if argument := _ARGUMENT.fullmatch(tail):
        return _PINNED if argument[1] in _LOOKED_INTO else _VALUED
    if _RULE.fullmatch(tail):
        return _RULED
    if _TYPED_BLOCK.fullmatch(tail):
        return _TYPED
    return _KEYED if tail.isspace() else _PINNED


def _next(role: int, between: str, key: str) -> int:
    """Return what a string is that follows another on its line."""
    if between == ", " and role == _VALUED:
        return _VALUED
    if between == " " and role == _TYPED:
        return _NAMED
    return _VALUED if between == " = " and role == _KEYED and key not in _LOOKED_INTO else _PINNED
