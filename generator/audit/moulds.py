"""What a shape declares, to be cast with the values of any file of that shape."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from generator.audit.shapes import filled
from generator.diagnostics import Span
from generator.render.layout import TREE, RootKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.audit.declared import Declaration
    from generator.audit.shapes import Cut, Shape

Declarations = tuple["Declaration", ...]

_Own: TypeAlias = "tuple[tuple[str | int, ...], str, str, int]"
"""What a file has of its own: its values, path and root, and how many lines its head has."""
_Cast: TypeAlias = "Callable[[_Own], Any]"

_ELSEWHERE = "accounts/000000000000"


class Pattern:
    """The text from which a mould is made: a shape with a stand-in for each value.

    Args:
        shape: The shape.
    """

    def __init__(self, shape: Shape) -> None:
        root = shape.kind if shape.kind == RootKind.PLATFORM else f"{_ELSEWHERE}/{shape.kind}"
        prefix = "stand"
        while prefix in shape.text:
            prefix += "-"
        digits = "9"
        while digits in shape.text:
            digits += "9"
        whole = shape.numbers
        stand_ins: list[str | int] = [
            int(f"{digits}{number:03}") if number in whole else f"{prefix}{number:03}in"
            for number in range(max(shape.pattern, default=-1) + 1)
        ]
        self.path = f"{TREE}/{root}/x.tf"
        self.text = filled(shape, stand_ins)
        self.numbers = {str(stand_in): number for number, stand_in in enumerate(stand_ins)}
        self.stand_in = re.compile(f"({prefix}[0-9]{{3,}}in|{digits}[0-9]{{3,}})")


class Mould:
    """The declarations of one shape, with what each file has of its own left open.

    Args:
        pattern: The shape's pattern.
        declarations: What the pattern declares.
    """

    def __init__(self, pattern: Pattern, declarations: Declarations) -> None:
        self._pattern = pattern
        self._lines = pattern.text.split("\n")
        self._casts = tuple(self._of(item) for item in declarations)

    def cast(self, path: str, cut: Cut) -> Declarations:
        """Return what a file of this shape declares."""
        own = (cut.values, path, cut.root, cut.head)
        return tuple([cast(own) for cast in self._casts])

    def _of(self, value: Any) -> _Cast:
        return self._varying(value) or (lambda _: value)

    def _varying(self, value: Any) -> _Cast | None:
        """Return what casts a value, None for one that is the same in every file."""
        if isinstance(value, Span):
            return self._span(value)
        if isinstance(value, str):
            return self._text(value)
        if type(value) is int and (number := self._pattern.numbers.get(str(value))) is not None:
            return lambda own: own[0][number]
        if isinstance(value, tuple):
            casts = [self._varying(item) for item in value]
            if not any(casts):
                return None
            whole = [self._of(item) for item in value]
            return lambda own: tuple([cast(own) for cast in whole])
        return self._record(value) if is_dataclass(value) else None

    def _record(self, value: Any) -> _Cast | None:
        kind, same, casts = type(value), {}, []
        for field in fields(value):
            inside = getattr(value, field.name)
            cast = _root if field.name == "root" else self._varying(inside)
            if cast is None:
                same[field.name] = inside
            else:
                casts.append((field.name, cast))
        if not casts:
            return None
        return lambda own: kind(**same, **{name: cast(own) for name, cast in casts})

    def _text(self, value: str) -> _Cast | None:
        if not self._pattern.numbers:
            return None
        parts = self._pattern.stand_in.split(value)
        if len(parts) == 1:
            return None
        numbers = [self._pattern.numbers[stand_in] for stand_in in parts[1::2]]
        if parts[::2] == ["", ""]:
            number = numbers[0]
            return lambda own: own[0][number]
        form = "{}".join(part.replace("{", "{{").replace("}", "}}") for part in parts[::2]).format
        return lambda own: form(*[own[0][number] for number in numbers])

    def _span(self, span: Span) -> _Cast:
        line, column, end_line, end_column = span.line, span.column, span.end_line, span.end_column
        begin, end = self._before(line, column), self._before(end_line, end_column)
        if not begin and not end:
            return lambda own: Span(own[1], line + own[3], column, end_line + own[3], end_column)

        def cast(own: _Own) -> Span:
            values, path, _, head = own
            first, last = (sum([len(f"{values[number]}") - width for number, width in holes]) for holes in (begin, end))
            return Span(path, line + head, column + first, end_line + head, end_column + last)

        return cast

    def _before(self, line: int, column: int) -> list[tuple[int, int]]:
        """Return the holes of a line before a column: the number of the value, and the width of what stands in."""
        if not self._pattern.numbers:
            return []
        found = self._pattern.stand_in.finditer(self._lines[line - 1], 0, column - 1)
        return [(self._pattern.numbers[stand_in[0]], len(stand_in[0])) for stand_in in found]


def _root(own: _Own) -> str:
    return own[2]
