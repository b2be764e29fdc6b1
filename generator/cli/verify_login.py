"""A client's login by its own AWS identity, shown step by step: what `verify --login NAME` does."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import typer

from generator.cli.context import Context, Format
from generator.cli.selection import Target
from generator.errors import ExitCode, RemoteError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import hvac

    from generator.live.login import Step, Visit
    from generator.manifest.fleet import Client, Fleet


def verify_login(
    here: Context, target: Target, name: str, fmt: Format | None = None, *, assume: bool = False
) -> ExitCode:
    """Log in as a client, say how each step went, and return how it all ended.

    Args:
        here: The context.
        target: The world that is meant.
        name: The client.
        fmt: The format that the command line names.
        assume: Whether to assume the client's IAM role first; in the sandbox it always is.

    Raises:
        UsageError: When there is no such client.
        RefusedError: When the environment names another world than the fleet's.
        RemoteError: When the sandbox does not come up.
    """
    from generator.live import login

    validated, chosen = here.validated(fmt)
    client = login.client_named(validated.fleet, name)
    if target is Target.LIVE:
        visit = _live(validated.fleet, client, os.environ, assume=assume)
    else:
        visit = _sandbox(here, validated.fleet, client)
    steps = []
    for step in login.log_in(visit):
        steps.append(step)
        if chosen is not Format.JSON:
            _show(here.folder, step)
    code = login.code_of(steps)
    if chosen is Format.JSON:
        from generator.report.machine import to_json

        shown = [_as_json(step) for step in steps]
        typer.echo(to_json({"client": name, "target": target.value, "steps": shown, "exit_code": int(code)}), nl=False)
    else:
        typer.echo(_verdict(name, code))
    return code


def _sandbox(here: Context, fleet: Fleet, client: Client) -> Visit:
    from generator.cli.sandbox import brought_up
    from generator.live import vault
    from generator.live.login import Visit
    from generator.sandbox.login import session_of

    world = brought_up(here.folder, fleet)
    anonymous = vault.client(world.services.vault_address, "", fleet.settings.vault.namespace, {})
    return Visit(client, fleet, session_of(world, client), anonymous, world.services.aws_endpoint)


def _live(fleet: Fleet, client: Client, environment: Mapping[str, str], *, assume: bool) -> Visit:
    import boto3

    from generator.live import gate, vault
    from generator.live.answers import Unknown
    from generator.live.aws import assumed
    from generator.live.login import Visit
    from generator.live.sign_in import role_arn

    settings = fleet.settings
    # A workload knows no more of Vault than the fleet's settings do.
    address = environment.get("VAULT_ADDR") or settings.live.vault_address or ""
    anonymous: hvac.Client | Unknown
    try:
        gate.require_systems(settings, {**environment, "VAULT_ADDR": address})
        anonymous = vault.client(address, "", settings.vault.namespace, environment)
    except RemoteError as error:
        anonymous = Unknown(address, error.message, error.help or "")
    caller = boto3.session.Session()
    account = next(each for each in fleet.accounts if each.id == client.account_id)
    session = assumed(caller, account, role_arn(client)) if assume else caller
    return Visit(client, fleet, session, anonymous)


def _show(folder: Path, step: Step) -> None:
    from rich.console import Console
    from rich.text import Text

    from generator.log import redacted
    from generator.report.runs import printable

    colours = {"ok": "green", "failed": "bold red", "unknown": "bold yellow"}
    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False, soft_wrap=True)
    first, *more = printable(redacted(step.said)).splitlines() or [""]
    console.print(Text.assemble((f"{step.outcome:<8}", colours[step.outcome]), f"{step.name}: {first}"))
    for line in (*more, *_place(folder, step)):
        console.print(f"        {line}")


def _place(folder: Path, step: Step) -> Iterator[str]:
    from generator.report.runs import printable

    if step.span is not None:
        yield printable(f"{step.span}: {_source_line(folder, step)}")
    if step.help:
        yield printable(f"help: {step.help}")


def _source_line(folder: Path, step: Step) -> str:
    from generator.manifest.source import excerpt_source

    text = excerpt_source(folder / step.span.path) if step.span else None
    lines = text.splitlines() if text and step.span and step.span.line else []
    return lines[step.span.line - 1].strip() if step.span and len(lines) >= step.span.line else ""


def _as_json(step: Step) -> dict[str, Any]:
    from generator.log import redacted

    span = step.span
    at = {"path": span.path, "line": span.line, "column": span.column} if span else None
    return {
        "name": step.name,
        "outcome": step.outcome.value,
        "said": redacted(step.said),
        "help": step.help or None,
        "at": at,
    }


def _verdict(name: str, code: ExitCode) -> str:
    match code:
        case ExitCode.CLEAN:
            return f"{name}: everything is as its manifest says"
        case ExitCode.FINDINGS:
            return f"{name}: something is not as its manifest says"
        case _:
            return f"{name}: not everything could be told"
