"""All rules, over the fleet as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.rules import accounts, aws, names, vault

if TYPE_CHECKING:
    from generator.diagnostics import Diagnostic
    from generator.manifest.fleet import Fleet


def check(fleet: Fleet) -> tuple[Diagnostic, ...]:
    """Return every finding about the fleet, in a stable order."""
    found = [finding for area in (names, accounts, vault, aws) for finding in area.check(fleet)]
    return tuple(sorted(found, key=lambda finding: finding.sort_key))
