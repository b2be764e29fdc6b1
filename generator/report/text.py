"""Text that is safe to show: nothing in it that a terminal, a log or a reader's eye would take for something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from generator.diagnostics import Span

_TAB_WIDTH = 4
_LEAD = 60  # characters of a long line that are shown before what is marked
_WIDEST = 140  # characters of a line that are shown at all


def visible(text: str) -> str:
    """Return the text with everything that a terminal would act on, or not show, written as an escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)


def lines(text: str | None) -> list[str]:
    """Return a file's lines as spans count them; none of a file that cannot be shown."""
    return [] if text is None else [line.removesuffix("\r") for line in text.split("\n")]


def excerpt(line: str, span: Span) -> tuple[str, int, int]:
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


def _visible_source(text: str, column: int) -> str:
    """Return the text made visible, with tabs expanded for text that starts at a column of the screen."""
    shown = ""
    for index, piece in enumerate(text.split("\t")):
        if index:
            shown += " " * (_TAB_WIDTH - (column + cell_len(shown)) % _TAB_WIDTH)
        shown += visible(piece)
    return shown
