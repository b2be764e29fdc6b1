"""What the proof finds: the rules' ids, and what to do about each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from generator.diagnostics import Note, Span

ANOTHER_CLIENTS = "CK830"
BEYOND_GRANTS = "CK831"
POWER_OVER_VAULT = "CK832"
CAPABILITY = "CK833"
UNDECLARED_POLICY = "CK834"
PRINCIPAL = "CK835"
LOGIN = "CK836"
POLICY_MISMATCH = "CK837"
IAM = "CK838"
TRUST = "CK839"
WAY_IN = "CK840"
PROVIDER = "CK841"
PLATFORM = "CK842"

_RENDER = "run `crosskeys render`; if a template of the fleet's own made it, change the template"
_HELP = {
    ANOTHER_CLIENTS: "narrow the path to the client's own directory; what two clients both read belongs below one of "
    "the fleet's shared paths",
    BEYOND_GRANTS: "remove the rule, or share the path in crosskeys.yaml and grant it in the client's manifest",
    POWER_OVER_VAULT: "remove the rule: a client's token reads certificates and looks after itself, by `default`",
    CAPABILITY: 'leave `["read", "list"]`',
    UNDECLARED_POLICY: "remove the policy from the role: what the tree does not declare may allow anything",
    PRINCIPAL: "name the one IAM role that the client is, without wildcard and without its IAM path",
    LOGIN: _RENDER,
    POLICY_MISMATCH: _RENDER,
    IAM: _RENDER,
    TRUST: _RENDER,
    WAY_IN: _RENDER,
    PROVIDER: _RENDER,
    PLATFORM: _RENDER,
}


def finding(rule: str, span: Span, message: str, *notes: Note) -> Diagnostic:
    """Return a finding of the proof; each is an error."""
    return Diagnostic(rule, Severity.ERROR, span, message, _HELP[rule], notes)
