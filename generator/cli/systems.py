"""Which live systems a verb asks: the sandbox's or the fleet's real ones, and how many questions a second."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli.selection import Target

if TYPE_CHECKING:
    from generator.cli.context import Context
    from generator.live.systems import Systems
    from generator.manifest.fleet import Fleet

RateOption = Annotated[
    float | None,
    typer.Option(
        "--rate",
        min=0,
        envvar="CROSSKEYS_RATE",
        metavar="N",
        help="Requests a second at most, to Vault and to AWS. Default: 50; none in the sandbox.",
    ),
]


def systems_for(here: Context, target: Target, fleet: Fleet, rate: float | None = None) -> Systems:
    """Return the systems to ask; the sandbox is brought up where it is meant.

    Raises:
        UsageError: When the environment names no Vault or no token.
        RefusedError: When it names another world than the fleet's.
        RemoteError: When a server does not answer.
    """
    if target is Target.LIVE:
        from generator.live import systems

        return systems.live(fleet.settings, os.environ, systems.RATE if rate is None else rate)
    from generator.cli.sandbox import brought_up

    return brought_up(here.folder, fleet).systems(rate or 0)
