"""The sandbox's verbs: up, down, status, login."""

from __future__ import annotations

import dataclasses
import json
import shlex
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli.context import Context, Format, FormatOption, say
from generator.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from generator.manifest.fleet import Fleet
    from generator.sandbox.login import Login
    from generator.sandbox.world import World

app = typer.Typer(help="A real Vault and an AWS stand-in on loopback, in .crosskeys/sandbox/.", no_args_is_help=True)


class UpFormat(StrEnum):
    """How `sandbox up` says where things are."""

    FULL = "full"
    ENV = "env"
    JSON = "json"


def brought_up(folder: Path, fleet: Fleet) -> World:
    """Bring the sandbox up, its programs built where they are missing, and prepare it for the fleet."""
    from generator import cache
    from generator.sandbox import toolchain, world

    return world.up(folder, fleet, toolchain.ensure(cache.folder(), say), say)


@app.command()
def up(
    context: typer.Context,
    fmt: Annotated[
        UpFormat, typer.Option("--format", help="env prints shell exports: eval $(crosskeys sandbox up --format env)")
    ] = UpFormat.FULL,
) -> None:
    """Bring the sandbox up and prepare it; what runs already is left alone."""
    here: Context = context.obj
    # A shell evaluates what stands on stdout: it must never be what a manifest says.
    validated, _ = here.validated(Format.CONCISE, findings_to=sys.stderr, begun=True)
    world = brought_up(here.folder, validated.fleet)
    match fmt:
        case UpFormat.ENV:
            for name, value in world.variables().items():
                typer.echo(f"export {name}={shlex.quote(value)}")
        case UpFormat.JSON:
            typer.echo(json.dumps(world.variables(), indent=2))
        case UpFormat.FULL:
            typer.echo(f"Vault  {world.services.vault_address}")
            typer.echo(f"AWS    {world.services.aws_endpoint}")
            typer.echo("For your own shell: eval $(crosskeys sandbox up --format env)")


@app.command()
def down(context: typer.Context) -> None:
    """End the sandbox's servers; Vault's data stays, AWS's is memory only."""
    from generator.sandbox import services, world

    here: Context = context.obj
    ended = services.down(here.folder / world.FOLDER)
    typer.echo("the sandbox is down" if ended else "the sandbox was not up")


@app.command()
def status(context: typer.Context, fmt: FormatOption = None) -> None:
    """Show how the sandbox's servers are; exit 4 unless both serve."""
    from generator.sandbox import services, world

    here: Context = context.obj
    found = services.status(here.folder / world.FOLDER)
    servers = {"vault": found.vault, "aws": found.aws}
    if fmt is Format.JSON:
        typer.echo(
            json.dumps({name: dataclasses.asdict(each) for name, each in servers.items()}, indent=2, default=str)
        )
    else:
        for name, each in servers.items():
            where = f"  {each.address}  pid {each.pid}" if each.address else ""
            typer.echo(f"{name:5}  {each.state}{where}")
    raise typer.Exit(ExitCode.CLEAN if found.is_up else ExitCode.REMOTE)


@app.command()
def login(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The client that logs in.")],
    fmt: FormatOption = None,
) -> None:
    """Log in as a client by its IAM role, read its certificate, and try every other client's."""
    from generator.sandbox.login import login as log_in

    here: Context = context.obj
    validated, chosen = here.validated(fmt)
    done = log_in(brought_up(here.folder, validated.fleet), name)
    if chosen is Format.JSON:
        typer.echo(json.dumps(dataclasses.asdict(done), indent=2))
    else:
        _show(done)
    raise typer.Exit(ExitCode.CLEAN if all(attempt.is_right for attempt in done.attempts) else ExitCode.FINDINGS)


def _show(login: Login) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    if not sys.stdout.isatty():
        console.width = 140
    console.print(f"{login.client} logged in to Vault as {login.vault_role}, being {login.principal_arn}")
    console.print(f"token: {login.ttl} s, policies {', '.join(login.policies)}\n")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("whose", "path", "answer", ""):
        table.add_column(heading, overflow="fold")
    for attempt in login.attempts:
        verdict = Text("as it should be", "green") if attempt.is_right else Text("WRONG", "bold red")
        table.add_row(attempt.whose, attempt.path, attempt.answer, verdict)
    console.print(table)
