"""The verb roots: which Terraform roots there are, and which a branch has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from generator.cli.context import Context, Format, FormatOption
from generator.cli.selection import (
    AccountOption,
    ClientOption,
    Selection,
    SideOption,
    SinceOption,
    WhyOption,
    change_of,
    named,
    require_since,
)

if TYPE_CHECKING:
    from generator.cli.selection import Named
    from generator.render.layout import Root
    from generator.report.roots import RootRow
    from generator.run.affected import Affected


def roots(
    context: typer.Context,
    account: AccountOption = None,
    client: ClientOption = None,
    side: SideOption = None,
    since: SinceOption = None,
    why: WhyOption = False,
    fmt: FormatOption = None,
) -> None:
    """List the Terraform roots, and with --since those that differ, the removed ones included."""
    from generator.report import roots as report

    here: Context = context.obj
    require_since(why, since)
    selection = Selection.of(account, client, side, since)
    rendered, chosen = here.gated(fmt)
    found = named(here.folder, rendered, selection)
    listing = report.Listing(rows(found), since)
    match chosen:
        case Format.JSON:
            text = report.as_json(listing)
        case Format.CONCISE:
            text = report.concise(listing)
        case _:
            text = report.full(listing, with_reasons=why)
    typer.echo(text, nl=False)


def rows(found: Named) -> tuple[RootRow, ...]:
    """Return a row for each root, those that are no more included, in the order in which roots are laid out."""
    there = {root.name: _row(root, found.changes.get(root.name)) for root in found.roots}
    gone = {change.name: _gone(change) for change in found.gone}
    everything = there | gone
    return tuple(everything[name] for name in found.changes or everything)


def _row(root: Root, change: Affected | None) -> RootRow:
    from generator.render.layout import TREE
    from generator.report.roots import RootRow

    provisioning = "handover" if root.handover else "managed"
    changed = change_of(change) if change else None
    return RootRow(
        root.name, root.kind.value, root.account_id, root.clients, provisioning, f"{TREE}/{root.name}", changed
    )


def _gone(change: Affected) -> RootRow:
    from generator.render.layout import TREE
    from generator.report.roots import RootRow

    directory = f"{TREE}/{change.name}"
    return RootRow(
        change.name, change.kind.value, change.account_id, change.clients, None, directory, change_of(change)
    )
