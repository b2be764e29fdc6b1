"""Findings as text: in full for people, concise for editors and grep, JSON for programs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.style import Style

from generator.diagnostics import Diagnostic, Severity, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class Format(StrEnum):
    """How findings are written."""

    FULL = "full"
    CONCISE = "concise"
    JSON = "json"


def render(
    diagnostics: Iterable[Diagnostic],
    fmt: Format,
    sources: Callable[[str], str | None],
    *,
    color: bool,
) -> str:
    """Return the findings as text, ordered by place.

    No control character of a message, path or source line gets into the result, which is safe to write to a terminal.

    Args:
        diagnostics: The findings, in any order.
        fmt: The format.
        sources: Gives a file's text for the path of a span, or None where there is none to show; asked once a path.
        color: Whether to use ANSI colours; JSON has none.

    Returns:
        Whole lines; empty if there are no findings (an empty list in JSON).
    """
    ordered = sorted(diagnostics, key=lambda finding: finding.sort_key)
    match fmt:
        case Format.FULL:
            return _Full(cache(lambda path: _lines(sources(path))), _Paint(color)).render(ordered)
        case Format.CONCISE:
            return "".join(f"{line}\n" for line in _concise(ordered, _Paint(color)))
        case Format.JSON:
            # Beyond ASCII everything is escaped, bidirectional controls too; JSON lets DEL through.
            return json.dumps([_object(finding) for finding in ordered], indent=2).replace("\x7f", "\\u007f") + "\n"


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """Return the line that counts findings by severity, such as ``Found 2 errors, 1 warning.`` for three."""
    severities = [finding.severity for finding in diagnostics]
    counts = ((severity, severities.count(severity)) for severity in Severity)
    return "Found " + ", ".join(f"{n} {severity}{'s' * (n != 1)}" for severity, n in counts if n) + "."


# --- Text that is safe to show

_TAB_WIDTH = 4


def _visible(text: str) -> str:
    """Return the text with everything that a terminal would act on, or not show, written as an escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)


def _visible_source(text: str, column: int) -> str:
    """Return the text made visible, with tabs expanded for text that starts at a column of the screen."""
    shown = ""
    for index, piece in enumerate(text.split("\t")):
        if index:
            shown += " " * (_TAB_WIDTH - (column + cell_len(shown)) % _TAB_WIDTH)
        shown += _visible(piece)
    return shown


def _lines(text: str | None) -> list[str]:
    return [] if text is None else [line.removesuffix("\r") for line in text.split("\n")]


@dataclass(frozen=True, slots=True)
class _Paint:
    """Wraps text in ANSI colours, or leaves it alone."""

    color: bool

    def __call__(self, text: str, style: str) -> str:
        return Style.parse(style).render(text, color_system=ColorSystem.STANDARD) if self.color and text else text


_SEVERITY_STYLE = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow"}
_FRAME_STYLE = "bold blue"
_HELP_STYLE = "bold cyan"


# --- The formats

_LEAD = 60  # characters of a long line that are shown before what is marked
_WIDEST = 140  # characters of a line that are shown at all


@dataclass(frozen=True, slots=True)
class _Full:
    """Each finding with the source lines it is about."""

    lines: Callable[[str], list[str]]
    paint: _Paint

    def render(self, ordered: list[Diagnostic]) -> str:
        if not ordered:
            return ""
        blocks = ["".join(f"{line}\n" for line in self._finding(finding)) for finding in ordered]
        return "\n".join([*blocks, f"{summary(ordered)}\n"])

    def _finding(self, finding: Diagnostic) -> Iterator[str]:
        gutter = max(len(str(span.line)) for span in (finding.span, *(note.span for note in finding.notes)))
        style = _SEVERITY_STYLE[finding.severity]
        head = self.paint(f"{finding.severity}[{_visible(finding.rule)}]", style)
        yield head + self.paint(f": {_visible(finding.message)}", "bold")
        yield from self._place(finding.span, gutter, "^", style)
        for note in finding.notes:
            yield self.paint("note", _FRAME_STYLE) + f": {_visible(note.message)}"
            yield from self._place(note.span, gutter, "-", _FRAME_STYLE)
        if finding.help:
            yield self.paint("help", _HELP_STYLE) + f": {_visible(finding.help)}"

    def _place(self, span: Span, gutter: int, mark: str, style: str) -> Iterator[str]:
        yield f"{' ' * gutter}{self.paint('-->', _FRAME_STYLE)} {_visible(str(span))}"
        lines = self.lines(span.path)
        if not 1 <= span.line <= len(lines):
            return
        shown, indent, width = _excerpt(lines[span.line - 1], span)
        bar = self.paint(f"{' ' * gutter} |", _FRAME_STYLE)
        yield bar
        yield f"{self.paint(f'{span.line:>{gutter}} |', _FRAME_STYLE)} {shown}".rstrip()
        yield f"{bar} {' ' * indent}{self.paint(mark * width, style)}"
        yield bar


def _excerpt(line: str, span: Span) -> tuple[str, int, int]:
    """Return what is shown of a line, and at which column of the screen the mark begins and how wide it is."""
    start = min(span.column - 1, len(line))
    end = span.end_column - 1 if span.end_line == span.line else len(line.rstrip())
    first = max(0, start - _LEAD) if len(line) > _WIDEST else 0
    last = min(len(line), first + _WIDEST)
    before = _visible_source(line[first:start], 0)
    if first:
        before = "…" + before
    indent = cell_len(before)
    marked = _visible_source(line[start : min(end, last)], indent)
    width = cell_len(marked)
    after = _visible_source(line[max(start, min(end, last)) : last], indent + width)
    return before + marked + after + ("…" if last < len(line) else ""), indent, max(1, width)


def _concise(ordered: list[Diagnostic], paint: _Paint) -> Iterator[str]:
    for finding in ordered:
        severity = paint(str(finding.severity), _SEVERITY_STYLE[finding.severity])
        yield f"{_visible(str(finding.span))}: {severity} {_visible(finding.rule)} {_visible(finding.message)}"


def _object(finding: Diagnostic) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "message": finding.message,
        "help": finding.help,
        **_position(finding.span),
        "fingerprint": finding.fingerprint,
        "notes": [{"message": note.message, **_position(note.span)} for note in finding.notes],
    }


def _position(span: Span) -> dict[str, Any]:
    """The span's place; null where the finding is about the file as a whole."""
    return {
        "path": span.path,
        "line": span.line or None,
        "column": span.column or None,
        "end_line": span.end_line or None,
        "end_column": span.end_column or None,
    }
