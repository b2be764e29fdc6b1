"""What plan and apply say and do about destroys."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli.context import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from generator.pipeline import Rendered
    from generator.run.results import PlanResult

DestroyOption = Annotated[
    str | None,
    typer.Option(
        "--destroy",
        metavar="DIGEST",
        help="Allow exactly the destroys that have this digest, which plan prints; nothing if they differ.",
    ),
]


def tell(planned: Sequence[PlanResult], whole: Callable[[], Rendered]) -> None:
    """Say on stderr whether an apply of these plans would be refused for what it destroys.

    Args:
        planned: The plans.
        whole: Gives the whole fleet; not called where nothing would be destroyed.

    Raises:
        RefusedError: When something of the platform would go, which nothing allows.
    """
    from generator.run import refusals
    from generator.run.destroys import judge

    if not any(change.destroys for result in planned for change in result.changes):
        return
    rendered = whole()
    judgement = judge(planned, rendered.fleet, rendered.objects, _today())
    if judgement.final:
        refusals.require_allowed(judgement)
    if not judgement.allowed:
        say(f"an apply of this would be refused: {refusals.sentence(judgement)}")
        say(f"help: {refusals.ways_on(judgement)}")


def require_allowed(planned: Sequence[PlanResult], rendered: Rendered, allowed: str | None) -> None:
    """Check that the plans of a run may be applied.

    Args:
        planned: The plans.
        rendered: The whole fleet.
        allowed: What ``--destroy`` says.

    Raises:
        RefusedError: When they may not, naming every object that would go and the ways on.
    """
    from generator.run import refusals
    from generator.run.destroys import judge

    refusals.require_allowed(judge(planned, rendered.fleet, rendered.objects, _today(), allowed))


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
