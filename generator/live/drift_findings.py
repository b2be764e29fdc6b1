"""What comparing Vault with the rendered tree finds: the rules' ids, and what to do about each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.diagnostics import Diagnostic, Severity, Span
from generator.manifest.load import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.diagnostics import Note
    from generator.live.answers import Unknown

MISSING = "CK940"
DIFFERS = "CK941"
ALLOWS_OTHERWISE = "CK942"
OTHER_WORDS = "CK943"
UNSAYABLE = "CK944"
LETS_CLIENT_IN = "CK945"
UNDECLARED_ROLE = "CK946"
UNDECLARED_REACH = "CK947"
UNDECLARED_POWER = "CK948"
ROLE_WITH_REACH = "CK949"
CUT_OFF = "CK950"
UNDECLARED_STS = "CK951"
IDENTITY_REACH = "CK952"
IDENTITY_ADDS = "CK953"
ANOTHER_MOUNT = "CK954"
DEFAULT_CHANGED = "CK955"
NOT_READ = "CK959"

_APPLY = "find out who changed it, then `crosskeys apply`; if the change was meant, put it into the manifest first"
_HELP = {
    MISSING: "find out who removed it, then `crosskeys apply`",
    DIFFERS: _APPLY,
    ALLOWS_OTHERWISE: _APPLY,
    OTHER_WORDS: _APPLY,
    UNSAYABLE: "no apply takes it back: write the role without it, or delete the role and `crosskeys apply`",
    LETS_CLIENT_IN: "delete the role and revoke the tokens that it gave, or adopt it with `crosskeys import`",
    UNDECLARED_ROLE: "delete the role if nobody needs it, adopt it with `crosskeys import`, or leave it to its owner",
    UNDECLARED_REACH: "narrow the policy or delete it, and revoke the tokens of who had it; if it is of those who run "
    "Vault, name it in live.operator_policies",
    UNDECLARED_POWER: "narrow or delete it; if it is of those who run Vault, name it in live.operator_policies",
    ROLE_WITH_REACH: "delete the role, or take the policy from it, and revoke the tokens that it gave",
    CUT_OFF: "run `crosskeys apply`, or delete the role, and revoke the tokens that it gave",
    UNDECLARED_STS: "delete the entry, or declare it with `sts` in the account's manifest",
    IDENTITY_REACH: "take the policy from it, or remove its members; clients get policies by their Vault roles alone",
    IDENTITY_ADDS: "take the policy away: clients get policies by their Vault roles alone",
    ANOTHER_MOUNT: "see who logs in there, and disable it if nobody needs it",
    DEFAULT_CHANGED: "put `default` back to what Vault began with, or see that every token may do that",
}
_WARNINGS = frozenset({UNDECLARED_ROLE, UNDECLARED_STS, ANOTHER_MOUNT, DEFAULT_CHANGED})
_SHOWN = 50  # of what could not be read, which is often all for one reason


def drift(rule: str, span: Span, message: str, *notes: Note) -> Diagnostic:
    """Return a finding about what is live."""
    severity = Severity.WARNING if rule in _WARNINGS else Severity.ERROR
    return Diagnostic(rule, severity, span, message, _HELP[rule], notes)


def not_read(unknown: Sequence[Unknown]) -> tuple[Diagnostic, ...]:
    """Return a finding for what could not be read; of very many for the first, the last of which counts the others."""
    found = [
        Diagnostic(NOT_READ, Severity.ERROR, Span(SETTINGS), f"{each.what} could not be read: {each.why}", each.help)
        for each in unknown[:_SHOWN]
    ]
    if len(unknown) > _SHOWN:
        message = f"{len(unknown) - _SHOWN} more objects could not be read"
        found.append(Diagnostic(NOT_READ, Severity.ERROR, Span(SETTINGS), message, "see what holds for the first"))
    return tuple(found)
