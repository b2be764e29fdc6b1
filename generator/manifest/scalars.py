"""What an unquoted YAML scalar means, and whether all readers of YAML agree on it."""

from __future__ import annotations

import re
from typing import NamedTuple

_INTEGER = re.compile(r"0|-?[1-9][0-9]*", re.ASCII)
_MAX_INTEGER_DIGITS = 18  # what 64 bits hold; other readers turn more into a float
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_INSTEAD = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
# YAML 1.1 knows each word in three cases: https://yaml.org/type/bool.html, https://yaml.org/type/null.html
_WORDS = {
    form: _INSTEAD.get(word, word)
    for word in (*_INSTEAD, "true", "false", "null")
    for form in (word, word.capitalize(), word.upper())
    if form not in _CONSTANTS
}
# The union of what YAML 1.1 (https://yaml.org/type/), YAML 1.2's core schema, PyYAML and go-yaml resolve.
_AMBIGUOUS = (
    (re.compile(r"[-+]?0[0-9_]+", re.ASCII), "a number in base eight or ten"),
    (re.compile(r"[-+]?0[xob][0-9a-f_]+", re.ASCII | re.IGNORECASE), "a number in another base"),
    (re.compile(r"[-+]?[0-9][0-9_]*", re.ASCII), "a number"),
    (re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?", re.ASCII), "a number in base sixty"),
    (
        re.compile(
            r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
            r"(([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?([ \t]*(Z|[-+][0-9]{1,2}(:?[0-9]{2})?))?)?",
            re.ASCII,
        ),
        "a date",
    ),
    (
        re.compile(r"[-+]?([0-9][0-9_]*(\.[0-9_]*)?|\.[0-9_]+)(e[-+]?[0-9]+)?", re.ASCII | re.IGNORECASE),
        "a floating-point number",
    ),
    (re.compile(r"[-+]?\.(inf|nan)", re.ASCII | re.IGNORECASE), "a floating-point number"),
    (re.compile(r"="), "YAML's default key"),
    (re.compile(r"<<"), "YAML's merge key"),
)
_AMBIGUOUS_STARTS = frozenset("0123456789+-.=<")
_BRIEF = 60
_ACCOUNT_ID = re.compile(r"[0-9]{12}", re.ASCII)


class Ambiguous(NamedTuple):
    """What an unquoted scalar may be taken for, and what to write instead."""

    kind: str
    help: str


def resolve(source: str) -> str | int | bool | Ambiguous | None:
    """Return the value of an unquoted scalar, or why it has none."""
    if source in _CONSTANTS:
        return _CONSTANTS[source]
    if source in _WORDS:
        instead = _WORDS[source]
        return Ambiguous("null" if instead == "null" else "a boolean", f"write {instead}, or {quote(source)}")
    if source[0] not in _AMBIGUOUS_STARTS:
        return source
    if _INTEGER.fullmatch(source) and len(source.lstrip("-")) <= _MAX_INTEGER_DIGITS:
        return int(source)
    for pattern, kind in _AMBIGUOUS:
        if pattern.fullmatch(source):
            return Ambiguous(kind, quote(source))
    return source


def quote(source: str) -> str:
    """Return the advice to quote what stands there."""
    advice = "account ids are quoted" if _ACCOUNT_ID.fullmatch(source) else "quote it"
    return f'{advice}: "{brief(source)}"'


def brief(text: str) -> str:
    """Return the text, cut where it would drown the message it is shown in."""
    return text if len(text) <= _BRIEF else text[: _BRIEF - 1] + "…"
