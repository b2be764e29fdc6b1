"""Findings as workflow commands, which GitHub Actions shows at their lines in a pull request.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands says how they are written; how they
are escaped stands in the runner's source, ``src/Runner.Common/ActionCommand.cs``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.report.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.diagnostics import Diagnostic, Span


def render(ordered: Sequence[Diagnostic], within: str) -> str:
    """Return one workflow command a finding.

    Args:
        ordered: The findings.
        within: The fleet's folder within its repository, empty or ending in a slash.
    """
    return "".join(f"{_command(finding, within)}\n" for finding in ordered)


def _command(finding: Diagnostic, within: str) -> str:
    properties = {**_place(finding.span, within), "title": f"crosskeys {finding.rule}"}
    shown = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{finding.severity} {shown}::{_data(chr(10).join(_lines(finding, within)))}"


def _place(span: Span, within: str) -> dict[str, str]:
    place = {"file": within + span.path}
    if span.line:
        place |= {"line": str(span.line), "endLine": str(max(span.line, span.end_line))}
    if span.line and span.line == span.end_line:  # GitHub knows columns on a single line only
        place |= {"col": str(span.column), "endColumn": str(max(span.column, span.end_column))}
    return place


def _lines(finding: Diagnostic, within: str) -> Iterator[str]:
    yield visible(finding.message)
    for note in finding.notes:
        yield f"note: {visible(note.message)} ({visible(within + str(note.span))})"
    if finding.help:
        yield f"help: {visible(finding.help)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(visible(text)).replace(":", "%3A").replace(",", "%2C")
