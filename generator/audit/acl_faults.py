"""What makes a text no policy that can be decided by: the rules' ids, and the errors that carry findings."""

from __future__ import annotations

from generator.diagnostics import Diagnostic, Severity, Span
from generator.errors import CrosskeysError, ExitCode

REFUSED = "CK820"
UNDECIDED = "CK821"

_HELP = {
    REFUSED: "write what Vault takes: https://developer.hashicorp.com/vault/docs/concepts/policies",
    UNDECIDED: "leave it out, or ask a Vault that holds the policy: vault token capabilities TOKEN PATH",
}


class Fault(Exception):  # noqa: N818 - it carries one finding and never leaves the package
    """One thing in one policy that Vault would refuse, or that cannot be decided here."""

    def __init__(self, rule: str, span: Span, message: str) -> None:
        super().__init__(message)
        self.finding = Diagnostic(rule, Severity.ERROR, span, message, _HELP[rule])


class UnreadablePolicyError(CrosskeysError):
    """A policy cannot be decided by (exit 1).

    Args:
        findings: Everything that is in the way, by place.
    """

    exit_code = ExitCode.FINDINGS

    def __init__(self, findings: tuple[Diagnostic, ...]) -> None:
        first = findings[0]
        super().__init__(f"{first.span}: {first.message}", help=first.help)
        self.findings = findings
