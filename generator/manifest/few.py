"""The first findings of a file: thousands of them say no more, and cost a second to show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.diagnostics import Diagnostic, Note

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_FINDINGS: Final = 100


def few(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the findings of one file by place; of very many the first, the last of which says that there are more."""
    ordered = tuple(sorted(findings, key=lambda finding: finding.sort_key))
    if len(ordered) <= MAX_FINDINGS:
        return ordered
    *shown, last = ordered[:MAX_FINDINGS]
    note = Note(last.span, "the file has more findings than are shown; those that follow come up when these are gone")
    return (*shown, replace(last, notes=(*last.notes, note)))
