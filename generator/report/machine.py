"""Findings as JSON of this project's own, for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.diagnostics import Diagnostic, Span


def to_json(value: Any) -> str:
    """Return the value as JSON in plain ASCII with a line break at the end.

    Beyond ASCII everything is escaped, bidirectional controls too; DEL, which JSON lets through, is as well.
    """
    return json.dumps(value, indent=2).replace("\x7f", "\\u007f") + "\n"


def render(ordered: Sequence[Diagnostic]) -> str:
    """Return the findings as a JSON list."""
    return to_json(objects(ordered))


def objects(ordered: Sequence[Diagnostic]) -> list[dict[str, Any]]:
    """Return the findings as what JSON is made from."""
    return [_object(finding) for finding in ordered]


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
