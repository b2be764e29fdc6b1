"""Findings in each format in which they can be written."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from generator.diagnostics import has_errors
from generator.report import console, github, machine, markdown, sarif
from generator.report.text import lines
from generator.rules.registry import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from generator.diagnostics import Diagnostic


class Format(StrEnum):
    """How findings are written."""

    FULL = "full"
    CONCISE = "concise"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"
    MARKDOWN = "markdown"


def render(
    diagnostics: Iterable[Diagnostic],
    fmt: Format,
    sources: Callable[[str], str | None],
    *,
    color: bool = False,
    within: str = "",
    verdict: str = "",
) -> str:
    """Return the findings as text, ordered by place.

    No control character of a message, path or source line gets into the result, which is safe to write to a terminal.

    Args:
        diagnostics: The findings, in any order.
        fmt: The format.
        sources: Gives a file's text for the path of a span, or None where there is none to show; asked once a path.
        color: Whether to use ANSI colours, in the formats for people.
        within: The fleet's folder within its repository, empty or ending in a slash: SARIF, GitHub and Markdown name
            files by their place in the repository, the others by their place in the fleet.
        verdict: What is right, in a sentence without a full stop. JSON and SARIF have no place for it, Markdown has it
            above the findings, the others after them and only if none is an error.

    Returns:
        Whole lines; JSON and SARIF are whole documents even if there are no findings.
    """
    ordered = sorted(diagnostics, key=lambda finding: finding.sort_key)
    last = f"{verdict}\n" if verdict and not has_errors(ordered) else ""
    lines_of = cache(lambda path: lines(sources(path)))
    match fmt:
        case Format.FULL:
            return console.full(ordered, lines_of, color=color) + last
        case Format.CONCISE:
            return console.concise(ordered, color=color) + last
        case Format.JSON:
            return machine.render(ordered)
        case Format.SARIF:
            return sarif.render(ordered, catalogue(), within)
        case Format.GITHUB:
            return github.render(ordered, within) + last
        case Format.MARKDOWN:
            return markdown.render(ordered, lines_of, within, verdict)
