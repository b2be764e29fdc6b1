"""What makes a rendered file unreadable: the rules' ids, and the errors that carry findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.diagnostics import Diagnostic, Severity
from generator.errors import CrosskeysError, ExitCode

if TYPE_CHECKING:
    from generator.diagnostics import Span

SYNTAX = "CK801"
NOT_LITERAL = "CK802"
REPEATED = "CK803"
UNKNOWN = "CK804"
WRONG_VALUE = "CK805"
DANGLING = "CK806"
POLICY = "CK807"
TOO_LARGE = "CK808"
OVERWRITTEN = "CK809"
PROVISIONER = "CK810"
NAMESPACE = "CK811"
OTHER_OBJECT = "CK980"

_HELP = {
    SYNTAX: "write it as Terraform reads it",
    NOT_LITERAL: "write the value itself: what is computed cannot be read without running Terraform",
    REPEATED: "leave one of the two",
    UNKNOWN: "remove it: a rendered root holds only what its manifests can say",
    WRONG_VALUE: "run `crosskeys render`",
    OVERWRITTEN: "give one of the two another name",
    PROVISIONER: "let the provider allow, and assume a role of, the account of its folder alone",
    OTHER_OBJECT: "remove the block: `crosskeys import` writes those that fit",
    NAMESPACE: "name one namespace in the provider blocks of all roots",
    DANGLING: "name an object of the same root",
    POLICY: 'write each rule as `path "<path>" { capabilities = [...] }`',
    TOO_LARGE: "remove what was added by hand, then run `crosskeys render`",
}


class Unreadable(Exception):  # noqa: N818 - it carries one finding and never leaves the package
    """One thing in one file that cannot be read."""

    def __init__(self, rule: str, span: Span, message: str) -> None:
        super().__init__(message)
        self.finding = Diagnostic(rule, Severity.ERROR, span, message, _HELP[rule])

    def __reduce__(self) -> tuple[type[Unreadable], tuple[str, Span, str]]:
        # An exception is pickled by its args, which are not what this one is made from.
        return (type(self), (self.finding.rule, self.finding.span, self.finding.message))


class UnreadableTreeError(CrosskeysError):
    """The rendered tree holds what cannot be read (exit 1).

    Args:
        findings: Everything that cannot be read, at most one thing a file.
    """

    exit_code = ExitCode.FINDINGS

    def __init__(self, findings: tuple[Diagnostic, ...]) -> None:
        first = findings[0]
        super().__init__(f"{first.span}: {first.message}", help=first.help)
        self.findings = findings
