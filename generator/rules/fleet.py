"""All rules, over the fleet as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.rules import accounts, aws, lifecycle, names, paths, state, vault

if TYPE_CHECKING:
    import datetime as dt

    from generator.diagnostics import Diagnostic
    from generator.manifest.fleet import Fleet


def check(fleet: Fleet, today: dt.date | None = None) -> tuple[Diagnostic, ...]:
    """Return every finding about the fleet, in a stable order.

    Args:
        fleet: The fleet.
        today: The day by which permissions to destroy are judged; None judges none, so that the outcome is the same on
            every day.
    """
    found = [finding for area in (names, accounts, vault, paths, aws, state) for finding in area.check(fleet)]
    found += lifecycle.check(fleet, today)
    return tuple(sorted(found, key=lambda finding: finding.sort_key))
