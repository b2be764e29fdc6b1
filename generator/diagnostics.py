"""What a finding is: where it stands, what is wrong there, what to write instead."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is; any error makes the exit code 1."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of one file.

    Args:
        path: The file, relative to the fleet's folder, with forward slashes.
        line: First line, from 1; 0 when the finding is about the file as a whole.
        column: First column in characters, from 1; 0 with line 0.
        end_line: Last line.
        end_column: The column after the last character.
    """

    path: str
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0

    @property
    def start(self) -> Span:
        """The place where it begins, one character wide."""
        return Span(self.path, self.line, self.column, self.line, self.column + 1)

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path


@dataclass(frozen=True, slots=True)
class Note:
    """A further place that a finding is about, such as the other end of a collision."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    Args:
        rule: The rule's id, such as ``CK301``.
        severity: Error or warning.
        span: Where it stands.
        message: What is wrong, one sentence without a full stop.
        help: What to write instead.
        notes: Further places.
    """

    rule: str
    severity: Severity
    span: Span
    message: str
    help: str | None = None
    notes: tuple[Note, ...] = ()

    @property
    def fingerprint(self) -> str:
        """A stable id of the finding that survives moved lines: rule, file and message hashed, 16 hex digits."""
        text = f"{self.rule}\0{self.span.path}\0{self.message}"
        return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()[:16]

    @property
    def sort_key(self) -> tuple[Span, str, str]:
        """The order in which findings are shown: by place, then rule, then text."""
        return (self.span, self.rule, self.message)


def has_errors(diagnostics: tuple[Diagnostic, ...] | list[Diagnostic]) -> bool:
    """Tell whether any of the findings is an error."""
    return any(d.severity is Severity.ERROR for d in diagnostics)
