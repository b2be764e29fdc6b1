"""Which world and which roots a command line means: the options that several verbs share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli.context import say

if TYPE_CHECKING:
    from generator.pipeline import Rendered
    from generator.render.layout import Root


class Target(StrEnum):
    """The world that a run is about."""

    SANDBOX = "sandbox"
    LIVE = "live"


class Side(StrEnum):
    """One of the two sides of the fleet, each with its own provider and credentials."""

    VAULT = "vault"
    AWS = "aws"


TargetOption = Annotated[
    Target, typer.Option(envvar="CROSSKEYS_TARGET", help="The embedded sandbox, or the live Vault and AWS accounts.")
]
AccountOption = Annotated[
    list[str] | None, typer.Option("--account", metavar="ID", help="Only this account's roots; may be repeated.")
]
ClientOption = Annotated[
    list[str] | None, typer.Option("--client", metavar="NAME", help="Only this client's roots; may be repeated.")
]
SideOption = Annotated[
    Side | None, typer.Option(help="Only Vault's side, the platform included, or only the AWS side. Default: both.")
]


@dataclass(frozen=True, slots=True)
class Selection:
    """What narrows a run down; nothing given means every root.

    Args:
        accounts: Account ids.
        clients: Client names; each means both roots of its account.
        side: One side only; the platform belongs to Vault's.
    """

    accounts: frozenset[str] = frozenset()
    clients: frozenset[str] = frozenset()
    side: Side | None = None

    @classmethod
    def of(cls, accounts: list[str] | None, clients: list[str] | None, side: Side | None) -> Selection:
        """Return the selection that the options' values make."""
        return cls(frozenset(accounts or ()), frozenset(clients or ()), side)

    @property
    def is_everything(self) -> bool:
        """Whether nothing narrows the run down."""
        return self == Selection()


def selected(rendered: Rendered, target: Target, selection: Selection) -> tuple[Root, ...]:
    """Return the roots that are meant and that this fleet's runs may apply; say which are left to their owners.

    Raises:
        UsageError: When an account or client is in no root.
    """
    from generator.render.layout import RootKind
    from generator.run.roots import select

    roots = select(rendered.roots, selection.accounts, selection.clients)
    if selection.side is not None:
        roots = tuple(root for root in roots if (root.kind is RootKind.AWS) == (selection.side is Side.AWS))
    handed_over = [root for root in roots if root.handover and target is Target.LIVE]
    for root in handed_over:
        say(f"{root.name} is handed over: its owner applies it")
    return tuple(root for root in roots if root not in handed_over)
