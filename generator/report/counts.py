"""How many findings there are, of which kind."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from generator.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def counts(diagnostics: Iterable[Diagnostic]) -> str:
    """Return the number of findings by severity, such as ``2 errors, 1 warning``; empty for none."""
    found = Counter(finding.severity for finding in diagnostics)
    return ", ".join(
        f"{found[severity]} {severity}{'s' * (found[severity] != 1)}" for severity in Severity if found[severity]
    )


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """Return the line that counts findings by severity, such as ``Found 2 errors, 1 warning.`` for three."""
    return f"Found {counts(diagnostics)}."


def numbered(ordered: Iterable[Diagnostic]) -> Iterator[tuple[Diagnostic, str]]:
    """Yield each finding with an id that no other of the run has: its fingerprint, and which of its kind it is."""
    seen: Counter[str] = Counter()
    for finding in ordered:
        seen[finding.fingerprint] += 1
        yield finding, f"{finding.fingerprint}:{seen[finding.fingerprint]}"
