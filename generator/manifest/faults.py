"""The findings that strict YAML gives rise to: their rule ids and how they are made."""

from __future__ import annotations

from typing import Final

from generator.diagnostics import Diagnostic, Note, Severity, Span

SYNTAX: Final = "CK101"
"""The text is not YAML."""
ENCODING: Final = "CK102"
"""The bytes are not UTF-8, or begin with a byte order mark."""
CONTROL_CHARACTER: Final = "CK103"
"""A character that a reviewer cannot see stands in the text or in a string's escapes."""
TOO_LARGE: Final = "CK104"
"""The file is larger than ``MAX_BYTES``."""
TOO_DEEP: Final = "CK105"
"""Lists and maps nest deeper than ``MAX_DEPTH``."""
EMPTY_DOCUMENT: Final = "CK106"
"""The file says nothing."""
SEVERAL_DOCUMENTS: Final = "CK107"
"""A second document follows the first."""
DUPLICATE_KEY: Final = "CK108"
"""A map has the same key twice."""
ANCHOR_OR_ALIAS: Final = "CK109"
"""``&anchor`` or ``*alias``."""
TAG: Final = "CK110"
"""``!tag``, the standard ones such as ``!!str`` included."""
MERGE_KEY: Final = "CK111"
"""``<<``."""
AMBIGUOUS_SCALAR: Final = "CK112"
"""An unquoted value that YAML's versions or readers take for different things."""
KEY_NOT_A_STRING: Final = "CK113"
"""A key that is a number, a boolean, null, a list or a map."""
DIRECTIVE: Final = "CK114"
"""``%YAML`` or ``%TAG``."""
NOT_A_REGULAR_FILE: Final = "CK120"
"""The path is a link, a folder, a pipe or the like, or cannot be read."""


def fault(
    rule: str,
    span: Span,
    message: str,
    help: str | None = None,  # noqa: A002 - the diagnostics' word for it
    notes: tuple[Note, ...] = (),
) -> Diagnostic:
    """Return an error of the given rule."""
    return Diagnostic(rule, Severity.ERROR, span, message, help, notes)
