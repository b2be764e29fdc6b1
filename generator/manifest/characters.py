"""Characters that a reviewer does not see, or that change how their neighbours are seen."""

from __future__ import annotations

import re
import unicodedata
from itertools import islice

from generator.diagnostics import Diagnostic, Span
from generator.manifest.faults import CONTROL_CHARACTER, fault

# C0 and C1 controls, soft hyphen, fillers, zero-width and bidirectional controls (https://trojansource.codes), line and
# paragraph separators, tags, noncharacters. A carriage return is fine before a line feed and nowhere else.
_HIDDEN = (
    "\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f"
    "\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufdd0-\\ufdef\\ufeff\\uffa0\\ufff0-\\ufffb\\ufffe\\uffff"
    "\\U000e0000-\\U000e0fff"
)
_IN_TEXT = re.compile(f"[{_HIDDEN}]|\\r(?!\\n)")
_IN_VALUE = re.compile(f"[{_HIDDEN}\\r]")
_MOST = 20  # a binary file has thousands, and the first few say it all


def hidden_in_text(text: str, path: str) -> tuple[Diagnostic, ...]:
    """Return a finding for each hidden character of a file's text, up to a few.

    Args:
        text: The whole text.
        path: The file, for the findings' spans.
    """
    if _IN_TEXT.search(text) is None:
        return ()
    return tuple(
        _finding(found[0], _span(text, path, found.start()), "") for found in islice(_IN_TEXT.finditer(text), _MOST)
    )


def hidden_in_value(value: str, span: Span) -> tuple[Diagnostic, ...]:
    """Return a finding for the first hidden character that an escape put into a string, if any."""
    found = _IN_VALUE.search(value)
    return (_finding(found[0], span, " in the escapes of this string"),) if found else ()


def _span(text: str, path: str, index: int) -> Span:
    line = text.count("\n", 0, index) + 1
    column = index - text.rfind("\n", 0, index)
    return Span(path, line, column, line, column + 1)


def _finding(character: str, span: Span, where: str) -> Diagnostic:
    name = unicodedata.name(character, "control character")
    message = f"invisible character U+{ord(character):04X} ({name}){where}"
    return fault(CONTROL_CHARACTER, span, message, "delete it: it cannot be seen in a review")
