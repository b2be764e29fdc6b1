"""Which world and which roots a command line means: the options that several verbs share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli.context import say
from generator.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generator.pipeline import Rendered
    from generator.render.layout import Root, RootKind
    from generator.report.roots import RootChange
    from generator.run.affected import Affected
    from generator.run.shards import Shard


class Target(StrEnum):
    """The world that a run is about."""

    SANDBOX = "sandbox"
    LIVE = "live"


class Side(StrEnum):
    """One of the two sides of the fleet, each with its own provider and credentials, or the platform by itself."""

    VAULT = "vault"
    AWS = "aws"
    PLATFORM = "platform"


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
    Side | None,
    typer.Option(help="Only Vault's side, the platform included; only the AWS side; only the platform. Default: all."),
]
SinceOption = Annotated[
    str | None,
    typer.Option(
        metavar="REF",
        envvar="CROSSKEYS_SINCE",
        help="Only roots that differ from where HEAD left this branch or other revision.",
    ),
]
WhyOption = Annotated[
    bool, typer.Option("--why", help="With --since: which files of each root differ, and what they are made of.")
]
ShardOption = Annotated[
    str | None,
    typer.Option(metavar="K/N", envvar="CROSSKEYS_SHARD", help="Only the K-th of N parts of the roots that are meant."),
]
CostsOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Split by the seconds in this report of an earlier run.")
]


@dataclass(frozen=True, slots=True)
class Selection:
    """What narrows a run down; nothing given means every root.

    Args:
        accounts: Account ids.
        clients: Client names; each means both roots of its account.
        side: One side only; the platform belongs to Vault's.
        since: A revision of git: only the roots that differ from where HEAD left it.
        shard: One part only of what the others leave.
        costs: A report by whose seconds the parts are made.
    """

    accounts: frozenset[str] = frozenset()
    clients: frozenset[str] = frozenset()
    side: Side | None = None
    since: str | None = None
    shard: Shard | None = None
    costs: Path | None = None

    @classmethod
    def of(
        cls,
        accounts: list[str] | None,
        clients: list[str] | None,
        side: Side | None,
        since: str | None = None,
        shard: str | None = None,
        costs: Path | None = None,
    ) -> Selection:
        """Return the selection that the options' values make.

        Raises:
            UsageError: When the shard is none.
        """
        from generator.run.shards import Shard

        parsed = None if shard is None else Shard.parse(shard)
        return cls(frozenset(accounts or ()), frozenset(clients or ()), side, since, parsed, costs)

    @property
    def is_everything(self) -> bool:
        """Whether nothing narrows the run down."""
        return self == Selection()

    @property
    def names_accounts(self) -> bool:
        """Whether accounts and clients that are named are all that narrows the run down, but for its side."""
        return bool(self.accounts or self.clients) and self.since is None and self.shard is None

    def takes(self, kind: RootKind) -> bool:
        """Tell whether roots of a kind are on the side that is meant."""
        match self.side:
            case Side.AWS | Side.PLATFORM:
                return kind.value == self.side.value
            case Side.VAULT:
                return kind.value != Side.AWS.value
            case None:
                return True


@dataclass(frozen=True, slots=True)
class Named:
    """The roots that a command line names, whoever applies them.

    Args:
        roots: Those that stand in the tree, in the order in which they are laid out.
        changes: What differs, when that was asked for, by root; in the same order.
    """

    roots: tuple[Root, ...]
    changes: Mapping[str, Affected]

    @property
    def gone(self) -> tuple[Affected, ...]:
        """The roots that differ in that they are no more."""
        there = {root.name for root in self.roots}
        return tuple(change for name, change in self.changes.items() if name not in there)


def named(folder: Path, rendered: Rendered, selection: Selection) -> Named:
    """Return the roots that a selection means before it is split.

    Raises:
        UsageError: When an account or client is in no root, or git does not know the revision.
    """
    from generator.run.roots import select

    roots = select(rendered.roots, selection.accounts, selection.clients)
    roots = tuple(root for root in roots if selection.takes(root.kind))
    if selection.since is None:
        return Named(roots, {})
    from generator.run.since import since

    found = since(folder, selection.since, rendered.roots, rendered.comparison.wanted)
    there, meant = {root.name for root in rendered.roots}, {root.name for root in roots}
    changes = {
        change.name: change
        for change in found.roots
        if change.name in meant
        or (change.name not in there and selection.takes(change.kind) and _names(selection, change))
    }
    return Named(tuple(root for root in roots if root.name in changes), changes)


def _names(selection: Selection, change: Affected) -> bool:
    if not selection.accounts and not selection.clients:
        return True
    return change.account_id in selection.accounts or not selection.clients.isdisjoint(change.clients)


def ours(roots: tuple[Root, ...], target: Target) -> tuple[Root, ...]:
    """Return the roots that this fleet's runs may apply; say which are left to their owners."""
    handed_over = [root for root in roots if root.handover and target is Target.LIVE]
    for root in handed_over:
        say(f"{root.name} is handed over: its owner applies it")
    return tuple(root for root in roots if root not in handed_over)


def require_since(why: bool, since: str | None) -> None:
    """Refuse ``--why`` where nothing is compared.

    Raises:
        UsageError: When ``--why`` is given without ``--since``.
    """
    if why and since is None:
        raise UsageError("--why says what differs, and nothing is compared", help="say with --since REF against what")


def selected(
    folder: Path, rendered: Rendered, target: Target, selection: Selection, *, why: bool = False
) -> tuple[Root, ...]:
    """Return the roots that are meant and that this fleet's runs may apply; say what is left out, and why the others.

    Args:
        folder: The fleet's folder.
        rendered: The fleet, gated.
        target: The world that the run is about.
        selection: What narrows it down.
        why: Whether to say which files of each root differ.

    Raises:
        UsageError: When an account or client is in no root, or git does not know the revision.
        RefusedError: When the shard is of another split.
    """
    found = named(folder, rendered, selection)
    if selection.since is not None and not found.changes:
        say(f"no root differs from where HEAD left {selection.since}")
    for gone in found.gone:
        say(f"{gone.name} is not rendered any more, so it cannot be planned")
    if why:
        from generator.report.roots import why as lines

        for change in found.changes.values():
            say(lines(change_of(change)))
    roots = ours(found.roots, target)
    if selection.shard is None:
        return roots
    part = selection.shard.of(roots, costs_of(folder, roots, selection.costs))
    say(f"shard {selection.shard}: {len(part)} of {len(roots)} roots")
    return part


def costs_of(folder: Path, roots: Sequence[Root], report: Path | None) -> dict[str, int]:
    """Return what each root costs, in milliseconds, by the report of an earlier run if there is one.

    Raises:
        UsageError: When the report cannot be read.
    """
    from generator.run import costs as of_runs
    from generator.run.shards import costs_of

    return costs_of(roots, of_runs.measured(folder / report) if report else {})


def change_of(change: Affected) -> RootChange:
    """Return a root's change as reports show it."""
    from generator.report.roots import FileChange, RootChange

    files = tuple(FileChange(file.path, file.change.value, file.client, file.sources) for file in change.files)
    return RootChange(change.name, change.change.value, files)
