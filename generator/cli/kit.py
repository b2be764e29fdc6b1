"""The verb kit: what the owner of a client's account needs, as a folder or a zip archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli.context import Context, Format, FormatOption, say
from generator.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from generator.report.kit.scope import Scope


def kit(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The client that the kit is for.")] = None,
    account: Annotated[
        str | None, typer.Option(metavar="ID", help="Instead of NAME: all clients of this account.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR|FILE.zip", help="Where to. Default: the folder kit-NAME or kit-ID."),
    ] = None,
    fmt: FormatOption = None,
) -> None:
    """Write what the owner of a client's account needs: its AWS side, Vault Agent, a smoke test, and a page on them."""
    from generator.report.kit.contents import contents
    from generator.report.kit.scope import of_account, of_client
    from generator.report.kit.written import write
    from generator.report.machine import to_json
    from generator.resources import data

    here: Context = context.obj
    if (name is None) == (account is None):
        raise UsageError("a kit is for one client or for one account", help="say NAME, or --account ID")
    target = here.folder / (out or Path(f"kit-{name or account}"))
    _require_outside_of_the_tree(here.folder, target)
    rendered, chosen = here.gated(fmt)
    scope = of_client(rendered.fleet, name) if name is not None else of_account(rendered.fleet, account or "")
    folders = [here.folder / "templates", data("templates")]
    files = contents(scope, rendered.declared, rendered.comparison.wanted, folders)
    _say_what_it_lacks(scope)
    written = write(target, files)
    if chosen is Format.JSON:
        shown = {"path": str(out or target.name), "written": written, "files": list(files)}
        typer.echo(to_json(shown), nl=False)
        return
    for path in files:
        typer.echo(f"{'+' if written else '='} {(out or Path(target.name)) / path}")
    say("next: hand it over; its README.md is where its reader begins")


def _require_outside_of_the_tree(folder: Path, target: Path) -> None:
    from generator.manifest.load import CLIENTS
    from generator.render.layout import TREE

    for kept in (TREE, CLIENTS):
        if target.resolve().is_relative_to((folder / kept).resolve()):
            raise RefusedError(
                f"a kit is no part of {kept}/, whose files are exactly those that the fleet has",
                help="name a place elsewhere with --out",
            )


def _say_what_it_lacks(scope: Scope) -> None:
    for hindrance in scope.left_out:
        say(f"without {hindrance}")
    if scope.account.managed:
        say(f"without an AWS side: the account {scope.account.id} is managed, and this fleet's runs apply it")
    if scope.fleet.settings.vault.server_id_header is None:
        say("warning: logins carry no server id, for crosskeys.yaml sets no vault.server_id_header")
