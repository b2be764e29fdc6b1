"""What comparing live with rendered came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.diagnostics import Diagnostic
    from generator.live.answers import Unknown


@dataclass(frozen=True, slots=True)
class Verified:
    """The outcome for some part of a fleet.

    Args:
        findings: Where live is not what was rendered, in any order.
        unknown: What could not be read, and so is not known to be right.
        checked: How many live objects were compared, by kind in Terraform's words.
    """

    findings: tuple[Diagnostic, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    checked: tuple[tuple[str, int], ...] = ()


def together(parts: Iterable[Verified]) -> Verified:
    """Return the outcome of several parts as one."""
    findings: list[Diagnostic] = []
    unknown: list[Unknown] = []
    checked: dict[str, int] = {}
    for part in parts:
        findings.extend(part.findings)
        unknown.extend(part.unknown)
        for kind, count in part.checked:
            checked[kind] = checked.get(kind, 0) + count
    return Verified(
        tuple(sorted(findings, key=lambda finding: finding.sort_key)),
        tuple(sorted(unknown, key=lambda each: each.what)),
        tuple(sorted(checked.items())),
    )
