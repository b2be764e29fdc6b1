"""What plan and apply say and do about objects that they would make and that are there already."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from generator.cli.context import say
from generator.cli.journals import made

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from generator.cli.context import Context
    from generator.cli.selection import Target
    from generator.live.systems import Systems
    from generator.live.takeover import Found
    from generator.pipeline import Rendered
    from generator.run.results import PlanResult

_MANY = 100  # objects, which take a while to look up


def tell(
    here: Context, target: Target, planned: Sequence[PlanResult], rendered: Rendered, systems: Callable[[], Systems]
) -> None:
    """Say on stderr that an apply of these plans would be refused for what it takes over, or since that is not known.

    Args:
        here: The context.
        target: The world that the plans are about.
        planned: The plans.
        rendered: The fleet, or the part of it with the roots that were planned.
        systems: Where to ask; nothing is asked where nothing is created.

    Raises:
        UsageError: When the environment has no token of Vault's, and Vault is to be asked.
    """
    from generator.live import takeover

    found = _found(here, target, planned, rendered, systems)
    if found.there or found.unknown:
        say(f"an apply of this would be refused: {takeover.sentence(found)}")
        say(f"help: {takeover.ways_on(found, target)}")


def require_none(
    here: Context,
    target: Target,
    planned: Sequence[PlanResult],
    rendered: Rendered,
    systems: Callable[[], Systems],
    *,
    earlier: bool,
) -> None:
    """Check that the plans of a run take nothing over.

    Args:
        here: The context.
        target: The world that the plans are about.
        planned: The plans.
        rendered: The whole fleet.
        systems: Where to ask; nothing is asked where nothing is created.
        earlier: The plans are an earlier command's, and may have been applied since.

    Raises:
        RefusedError: When they would.
        RemoteError: When that cannot be told.
        UsageError: When the environment has no token of Vault's, and Vault is to be asked.
    """
    from generator.live import takeover

    found = _found(here, target, planned, rendered, systems)
    takeover.require_none(replace(found, earlier=earlier), target)


def _found(
    here: Context, target: Target, planned: Sequence[PlanResult], rendered: Rendered, systems: Callable[[], Systems]
) -> Found:
    from generator.live import takeover
    from generator.stages import stage

    wanted = takeover.would_create(planned, rendered.declared)
    if not wanted:
        return takeover.Found()
    if len(wanted) >= _MANY:
        say(f"looking whether the {len(wanted):,} objects that would be made are there already")
    with stage("looked up what would be made", objects=len(wanted)):
        found = takeover.look_up(wanted, rendered.declared, rendered.fleet, systems())
    return found.but(made(here, target)) if found.there else found
