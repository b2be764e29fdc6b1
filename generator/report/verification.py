"""What a look at the live systems came to, as a verdict, as lines for people, and as a report."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.diagnostics import Severity
from generator.report import machine, since
from generator.report.counts import counts
from generator.report.markdown import MAX_BYTES, code, prose
from generator.report.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.diagnostics import Diagnostic
    from generator.report.since import Since

VERSION = 1
"""Of the form; a field more does not raise it, one that goes or means something else does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What is reported of a look.

    Args:
        target: ``sandbox`` or ``live``.
        whole: Whether all of the fleet was looked at, and what nobody declared looked for.
        clients: How many clients have objects that were looked at.
        findings: Where live is not what was reviewed, by place.
        unread: What could not be read, as findings.
        unread_count: How many objects those stand for.
        checked: How many objects were compared, by kind in Terraform's words.
        undeclared: How many objects nobody declared, harmless ones too, by kind.
        handed_over: Accounts that were not looked at, as nobody here has credentials.
        vault_version: Vault's version; empty where it is not known.
        cluster_id: The cluster's id, likewise.
        tree: SHA-256 of the rendered tree, hex.
        started: When, in UTC, ISO 8601.
        seconds: How long it took.
        requests: How many questions Vault was asked.
        since: What has changed since the last look; None where nobody asked.
    """

    target: str
    whole: bool
    clients: int
    findings: tuple[Diagnostic, ...]
    unread: tuple[Diagnostic, ...]
    unread_count: int
    checked: tuple[tuple[str, int], ...]
    undeclared: tuple[tuple[str, int], ...]
    handed_over: tuple[str, ...]
    vault_version: str
    cluster_id: str
    tree: str
    started: str
    seconds: float
    requests: int
    since: Since | None = None

    @property
    def objects(self) -> int:
        """How many objects were compared."""
        return sum(number for _, number in self.checked)

    @property
    def as_reviewed(self) -> bool:
        """Whether live is what was reviewed, as far as anybody looked."""
        return not self.unread and all(finding.severity is not Severity.ERROR for finding in self.findings)

    @property
    def verdict(self) -> str:
        """The outcome as a sentence without a full stop."""
        looked = f"{_number(self.objects, 'object')} of {_number(self.clients, 'client')}"
        if self.as_reviewed:
            said = f"live is what was reviewed: {looked}"
        elif self.unread:
            found = f"; {counts(self.findings)}" if self.findings else ""
            unread = f"{self.unread_count} could not be read, {looked} could"
            said = f"live is not known to be what was reviewed: {unread}{found}"
        else:
            said = f"live is not what was reviewed: {counts(self.findings)}; {looked}"
        return "; ".join((said, *self._not_looked_at()))

    def _not_looked_at(self) -> Iterator[str]:
        if self.handed_over:
            number = len(self.handed_over)
            yield f"{_number(number, 'account')} {_are(number)} handed over and {_were(number)} not looked at"
        if not self.whole:
            yield "what nobody declared was not looked for"


def lines(verification: Verification) -> str:
    """Return what was looked at, and the verdict, as lines for people."""
    each = ", ".join(f"{number} {kind}" for kind, number in verification.checked) or "nothing"
    beside = ", ".join(f"{number} {kind}" for kind, number in verification.undeclared if number)
    vault = f"Vault {verification.vault_version}" if verification.vault_version else "Vault was not asked"
    cluster = f", cluster {verification.cluster_id}" if verification.cluster_id else ""
    text = [f"compared: {each}"]
    if verification.whole:
        text.append(f"not declared: {beside or ('not known' if verification.unread else 'none')}")
    text += [
        f"{vault}{cluster}; {_number(verification.requests, 'request')} to Vault in {verification.seconds:.1f} s",
        verification.verdict,
    ]
    compared = since.lines(verification.since).splitlines() if verification.since else ()
    # What Vault says of itself may be anything.
    return "".join(f"{visible(line)}\n" for line in (*compared, *text))


def as_json(verification: Verification) -> str:
    """Return the report as a JSON object."""
    return machine.to_json(
        {
            "version": VERSION,
            "as_reviewed": verification.as_reviewed,
            "verdict": verification.verdict,
            "target": verification.target,
            "whole": verification.whole,
            "started": verification.started,
            "seconds": round(verification.seconds, 3),
            "requests": verification.requests,
            "vault": {"version": verification.vault_version or None, "cluster_id": verification.cluster_id or None},
            "tree": verification.tree,
            "clients": verification.clients,
            "checked": dict(verification.checked),
            "undeclared": dict(verification.undeclared),
            "handed_over": list(verification.handed_over),
            "unread": verification.unread_count,
            "since": since.as_object(verification.since) if verification.since else None,
            "rules": dict(sorted(Counter(finding.rule for finding in verification.findings).items())),
            "findings": machine.objects((*verification.findings, *verification.unread)),
        }
    )


def as_markdown(verification: Verification) -> str:
    """Return the report as Markdown, cut to what GitHub takes of a comment."""
    parts = (
        verification.started,
        prose(verification.target),
        f"Vault {code(verification.vault_version or 'not asked')}",
        f"cluster {code(verification.cluster_id)}" if verification.cluster_id else "",
        f"tree {code(f'sha256:{verification.tree}')}",
        f"{_number(verification.requests, 'request')} in {verification.seconds:.1f} s",
    )
    head = [
        f"### crosskeys verify: {prose(verification.verdict)}",
        f"{', '.join(filter(None, parts))}.",
        "| Kind | Compared | Not declared |\n|---|---|---|\n" + "\n".join(_kinds(verification)),
    ]
    if verification.handed_over:
        head.append(f"Handed over, and not looked at: {', '.join(map(code, verification.handed_over))}.")
    text = "\n\n".join(head) + "\n"
    if verification.since:
        text += f"\n{prose(since.heading(verification.since))}\n"
        text += "".join(("\n", *(f"- {prose(line)}\n" for line in since.gone(verification.since))))
    every = (*verification.findings, *verification.unread)
    if not every:
        return text
    text += "\n**Findings**\n\n"
    ages = _ages(verification.since)
    for number, finding in enumerate(sorted(every, key=lambda finding: finding.severity is not Severity.ERROR)):
        item = _item(finding, ages.get(finding.fingerprint, ""))
        if len((text + item).encode()) > MAX_BYTES - 100:
            return f"{text}\nAnd {len(every) - number} more: the report as JSON has all of them.\n"
        text += item
    return text


def _ages(compared: Since | None) -> dict[str, str]:
    """Return which findings are new and since when the others are there, by fingerprint."""
    if compared is None or compared.why_not:
        return {}
    new = {each.fingerprint: "**new** " for each in compared.new}
    return new | {each.fingerprint: f"since {each.first}: " for each in compared.still}


def _item(finding: Diagnostic, age: str) -> str:
    text = [f"- {age}{finding.severity} {code(finding.rule)}, {code(str(finding.span))}: {prose(finding.message)}"]
    text += [f"note: {prose(note.message)}: {code(str(note.span))}" for note in finding.notes]
    if finding.help:
        text.append(f"→ {prose(finding.help)}")
    # A backslash before a line's end breaks the line wherever Markdown is read.
    return "\\\n  ".join(text) + "\n"


def _kinds(verification: Verification) -> Iterator[str]:
    checked, undeclared = dict(verification.checked), dict(verification.undeclared)
    for kind in sorted(checked | undeclared):
        yield f"| {code(kind)} | {checked.get(kind, 0)} | {undeclared.get(kind, '')} |"


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
