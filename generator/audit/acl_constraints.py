"""What a rule asks of a request beyond its path and operation: parameters, and how long its response may be wrapped.

Sources, of vault v1.21.2: NewACL (how they merge), AllowOperation and valueInParameterList (how they decide) in
vault/acl.go; GlobbedStringsMatch in go-secure-stdlib/strutil; ParseDurationSecond in go-secure-stdlib/parseutil.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Literal = str | int | bool | tuple["Literal", ...]
"""A value that a policy may name for a parameter."""
Parameter = str | int | float | bool | list["Parameter"] | dict[str, "Parameter"] | None
"""A value that a request may have for a parameter, as JSON has it."""
Choices = Mapping[str, tuple[Literal, ...]]

_SECOND = 1_000_000_000
_UNITS = {"ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000}
_UNITS |= {"s": _SECOND, "m": 60 * _SECOND, "h": 3600 * _SECOND}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_LONGEST = 1 << 63
# Go's unicode.IsSpace; Python's strip takes off four control characters more.
_SPACE = (
    " \t\n\v\f\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """The constraints of one rule, or of several that were merged.

    Args:
        allowed: Values by the lower-case name of a parameter; empty takes any request, ``*`` any other parameter.
        denied: Likewise; ``*`` denies every parameter.
        required: Parameters without which a request is denied.
        min_wrapping: The shortest wrapping that is taken, in nanoseconds; 0 for none.
        max_wrapping: The longest.
    """

    allowed: Choices = field(default_factory=dict)
    denied: Choices = field(default_factory=dict)
    required: tuple[str, ...] = ()
    min_wrapping: int = 0
    max_wrapping: int = 0

    def merged(self, other: Constraints) -> Constraints:
        """Return what holds when two rules that allow have one path."""
        return Constraints(
            allowed=_merged(self.allowed, other.allowed),
            denied=_merged(self.denied, other.denied),
            required=tuple(dict.fromkeys((*self.required, *other.required))),
            min_wrapping=_lesser(self.min_wrapping, other.min_wrapping),
            max_wrapping=_lesser(self.max_wrapping, other.max_wrapping),
        )

    def wrapping_objection(self, wrapping: int | None) -> str | None:
        """Return why a request may not have its response wrapped so long, or not wrapped; None when it may.

        Args:
            wrapping: Nanoseconds; None for a response that is not wrapped.
        """
        if self.max_wrapping > 0 and (wrapping is None or wrapping > self.max_wrapping):
            return "its response is not wrapped, or for longer than `max_wrapping_ttl`"
        if self.min_wrapping > 0 and (wrapping is None or wrapping < self.min_wrapping):
            return "its response is not wrapped, or for less than `min_wrapping_ttl`"
        if self.min_wrapping and self.max_wrapping and self.max_wrapping < self.min_wrapping:
            return "`max_wrapping_ttl` is less than `min_wrapping_ttl`, merged from several rules"
        return None

    def objection(self, parameters: Mapping[str, Parameter], *, from_query: bool) -> str | None:
        """Return why a request's parameters are denied; None when they are not.

        Args:
            parameters: By their names as sent.
            from_query: They come from the query of a read, where a repeated one matches no value.
        """
        for name in self.required:
            if lowered(name) not in parameters:
                return f"the parameter `{name}` is required"
        if not parameters:
            return None
        return self._denied(parameters, from_query=from_query) or self._not_allowed(parameters, from_query=from_query)

    def _denied(self, parameters: Mapping[str, Parameter], *, from_query: bool) -> str | None:
        if "*" in self.denied:
            return "every parameter is denied"
        for name, value in parameters.items():
            values = self.denied.get(lowered(name))
            if values is not None and _is_denied(value, values, from_query=from_query):
                return f"the parameter `{name}` is denied, or its value is"
        return None

    def _not_allowed(self, parameters: Mapping[str, Parameter], *, from_query: bool) -> str | None:
        if not self.allowed or self.allowed.keys() == {"*"}:
            return None
        for name, value in parameters.items():
            values = self.allowed.get(lowered(name))
            if values is None and "*" not in self.allowed:
                return f"the parameter `{name}` is not one of those allowed"
            if values is not None and not _is_allowed(value, values, from_query=from_query):
                return f"the value of the parameter `{name}` is not one of those allowed"
        return None


def lowered(name: str) -> str:
    """Return a name in lower case as Go has it: one character for each."""
    return "".join(character.lower()[0] for character in name)


def duration(value: str | int) -> int:
    """Return a duration as Vault's policies write it, in nanoseconds: seconds, days (``2d``), or Go's own (``1h30m``).

    Raises:
        ValueError: When it is none.
    """
    found = value * _SECOND if isinstance(value, int) else _parsed(value)
    if not -_LONGEST < found < _LONGEST:
        raise ValueError("a duration that is too long")
    return found


def _parsed(text: str) -> int:
    if text in {"", "0", "+0", "-0"}:
        return 0
    if _INTEGER.fullmatch(text):
        return int(text) * _SECOND
    if text.endswith("d") and _INTEGER.fullmatch(text[:-1]):
        return int(text[:-1]) * 24 * 3600 * _SECOND
    sign, rest = (-1, text[1:]) if text[0] == "-" else (1, text.removeprefix("+"))
    parts = _PART.findall(rest)
    if not parts or "".join(map("".join, parts)) != rest:
        raise ValueError(f"`{text[:40]}` is no duration")
    return sign * sum(_nanoseconds(number, _UNITS[unit]) for number, unit in parts)


def _nanoseconds(number: str, unit: int) -> int:
    whole, _, decimals = number.partition(".")
    return int(whole or "0") * unit + int(decimals or "0") * unit // int(10 ** len(decimals))


def _lesser(one: int, other: int) -> int:
    return other if other > 0 and (one == 0 or other < one) else one


def _merged(one: Choices, other: Choices) -> Choices:
    if not one:
        return other
    found = dict(one)
    for name, values in other.items():
        # No values at all means any, which no list can narrow again.
        open_ended = not values or (name in one and not one[name])
        found[name] = () if open_ended else (*values, *one.get(name, ()))
    return found


def _is_allowed(value: Parameter, choices: tuple[Literal, ...], *, from_query: bool) -> bool:
    if not choices or _matches(value, choices, from_query=from_query):
        return True
    parts = _parts(value, from_query=from_query)
    return parts is not None and all(_matches(part, choices, from_query=from_query) for part in parts)


def _is_denied(value: Parameter, choices: tuple[Literal, ...], *, from_query: bool) -> bool:
    if not choices or _matches(value, choices, from_query=from_query):
        return True
    parts = _parts(value, from_query=from_query)
    return parts is not None and any(_matches(part, choices, from_query=from_query) for part in parts)


def _parts(value: Parameter, *, from_query: bool) -> Iterable[Parameter] | None:
    """Return what a value holds: the items of a list, and of a text what its commas part."""
    if isinstance(value, list):
        return None if from_query else value
    if isinstance(value, str):
        return [part.strip(_SPACE) for part in value.split(",")] if value else []
    return None


def _matches(value: Parameter, choices: tuple[Literal, ...], *, from_query: bool) -> bool:
    return not (from_query and isinstance(value, list)) and any(_equals(value, choice) for choice in choices)


def _equals(value: Parameter, choice: Literal) -> bool:
    if isinstance(choice, str):
        return isinstance(value, str) and _globbed(choice, value)
    return _same(value, choice)


def _same(value: Parameter, choice: Literal) -> bool:
    if isinstance(choice, tuple):
        return isinstance(value, list) and len(value) == len(choice) and all(map(_same, value, choice))
    # Vault keeps a number of a request as its digits, which equal no number of a policy.
    return isinstance(choice, str | bool) and type(value) is type(choice) and value == choice


def _globbed(pattern: str, text: str) -> bool:
    """Match a text with ``*`` at either end of a pattern; a pattern of one byte or less is taken literally."""
    if len(pattern.encode()) < 2:  # noqa: PLR2004 - as Vault has it
        return text == pattern
    match pattern.startswith("*"), pattern.endswith("*"):
        case True, True:
            return pattern[1:-1] in text
        case True, False:
            return text.endswith(pattern[1:])
        case False, True:
            return text.startswith(pattern[:-1])
        case _:
            return text == pattern
