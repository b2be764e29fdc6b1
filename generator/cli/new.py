"""The verb new: a client's manifest, from flags or from answers."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli.context import Context, Format, FormatOption, print_findings, say
from generator.cli.questions import ask
from generator.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.manifest.fleet import Account, Fleet

_MOST_ACCOUNTS = 8  # that are offered; the rest can be typed as well
_TEAM = "[A-Za-z0-9][A-Za-z0-9_.-]*(?:/[A-Za-z0-9][A-Za-z0-9_.-]*)*"


@dataclass(slots=True)
class _Answers:
    """What the command line says, completed by what is asked."""

    name: str | None
    account_id: str | None
    role_name: str | None
    owner: str | None
    description: str | None
    change_ref: str | None
    account_name: str | None
    account_owner: str | None = None


def new(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The client's name, and its file's.")] = None,
    account_id: Annotated[
        str | None, typer.Option(metavar="ID", help="The AWS account in which the client runs: twelve digits.")
    ] = None,
    role_name: Annotated[
        str | None, typer.Option(metavar="ROLE", help="The client's IAM role in that account, without its path.")
    ] = None,
    owner: Annotated[
        str | None, typer.Option(metavar="OWNER", help="Who answers for the client: a mail address, for instance.")
    ] = None,
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="What the client is.")] = None,
    change_ref: Annotated[str | None, typer.Option(metavar="REF", help="Where this access was approved.")] = None,
    team: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Put the manifest into this folder below clients/.")
    ] = None,
    register_account: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Write the account's manifest too, under this name and the client's owner."),
    ] = None,
    render_at_once: Annotated[bool, typer.Option("--render", help="Render the fleet afterwards.")] = False,
    fmt: FormatOption = None,
) -> None:
    """Write a new client's manifest; what is not given is asked for on a terminal."""
    from generator.cli import manifests
    from generator.render import tree
    from generator.render.place import place, require_free

    here: Context = context.obj
    fleet, chosen = _fleet_that_can_grow(here, fmt)
    folder = _folder(team)
    answers = _Answers(name, account_id, role_name, owner, description, change_ref, register_account)
    _complete(answers, fleet, lambda client: require_free(here.folder, [f"{folder}/{client}.yaml"]))
    texts = _texts(answers, folder)
    require_free(here.folder, texts)
    _require_in_order(here, fleet, texts, chosen)
    with tree.lock(here.folder):
        place(here.folder, texts)
    _report(texts, chosen, last=not render_at_once)
    if render_at_once:
        manifests.render(context, fmt=fmt)


def _fleet_that_can_grow(here: Context, fmt: Format | None) -> tuple[Fleet, Format]:
    """Return the fleet, which has no error but that it has no client yet."""
    from generator.diagnostics import has_errors
    from generator.manifest.load import CLIENTS, NO_CLIENTS, SETTINGS

    if not (here.folder / SETTINGS).exists() and not (here.folder / CLIENTS).exists():
        raise UsageError(
            f"{here.folder} is no fleet: it has neither {SETTINGS} nor {CLIENTS}/",
            help="begin one with `crosskeys init`, or name its folder with -C DIR",
        )
    validated, chosen = here.read(fmt)
    findings = [finding for finding in validated.findings if finding.rule != NO_CLIENTS]
    if has_errors(findings):
        from generator import pipeline

        print_findings(here.folder, findings, chosen)
        say("nothing was written: a client can only be told from the others when all of them can be read")
        raise typer.Exit(pipeline.code_of(findings))
    return validated.fleet, chosen


def _folder(team: str | None) -> str:
    from generator.manifest.load import ACCOUNTS, CLIENTS

    if team is None:
        return CLIENTS
    folder = f"{CLIENTS}/{team.rstrip('/')}"
    if re.fullmatch(_TEAM, team.rstrip("/"), re.ASCII) is None or f"{folder}/".startswith(f"{ACCOUNTS}/"):
        raise UsageError(
            f"{team!r} is no folder for clients",
            help="name one below clients/, of letters, digits and _.-, but not accounts",
        )
    return folder


# --- Answers


def _complete(answers: _Answers, fleet: Fleet, require_free: Callable[[str], None]) -> None:
    """Ask for what is missing, or refuse when nobody is there to be asked."""
    from generator.manifest import proposal

    registered = {account.id: account for account in fleet.accounts if account.source}
    required = {"NAME": answers.name, "--account-id": answers.account_id, "--role-name": answers.role_name}
    missing = [flag for flag, value in (required | {"--owner": answers.owner}).items() if not value]
    if missing and sys.stdin.isatty():
        _ask_for_client(answers, fleet, registered, require_free)
    elif missing:
        raise UsageError(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing, and nobody is there to be asked",
            help="give all of them, or run this on a terminal",
        )
    # These two name files, so they are judged before anything else is.
    for key, value in (("name", answers.name or ""), ("account_id", answers.account_id or "")):
        for fault in proposal.faults("client", key, value):
            raise UsageError(fault.message, help=fault.help)
    unregistered = fleet.settings.accounts == "registered" and answers.account_id not in registered
    if not unregistered or answers.account_name:
        return
    message = f"the account {answers.account_id} has no manifest, and this fleet takes registered accounts only"
    if not sys.stdin.isatty():
        raise UsageError(message, help="check the account id; if it is right, add --register-account NAME")
    say(f"{message}. If the id is right, one is written now.")
    answers.account_name = ask("Name of the account", _valid("account", "name"))
    answers.account_owner = ask("Owner of the account", _valid("account", "owner"), default=answers.owner)


def _ask_for_client(
    answers: _Answers, fleet: Fleet, registered: dict[str, Account], require_free: Callable[[str], None]
) -> None:
    taken = {client.name: client.path for client in fleet.clients}

    def free(name: str) -> str:
        _valid("client", "name")(name)
        if name in taken:
            raise UsageError(f"{taken[name]} has that name already")
        try:
            require_free(name)
        except RefusedError as refused:
            raise UsageError(refused.message) from refused
        return name

    def account(value: str) -> str:
        # Manifests have account ids in quotes, and so may answers.
        return _valid("client", "account_id")(value.strip("\"'"))

    answers.name = answers.name or ask("Name of the client", free)
    if not answers.account_id:
        for line in _known(fleet):
            say(line)
    answers.account_id = answers.account_id or ask("AWS account id", account)
    answers.role_name = answers.role_name or ask(
        "Its IAM role in that account", _valid("client", "role_name"), default=answers.name
    )
    known = registered.get(answers.account_id)
    answers.owner = answers.owner or ask(
        "Owner (a team's mail address)", _valid("client", "owner"), default=known.owner if known else None
    )
    answers.description = answers.description or ask(
        "Description (Enter for none)", _valid("client", "description"), default=""
    )
    answers.change_ref = answers.change_ref or ask(
        "Where this access was approved (Enter for none)", _valid("client", "change_ref"), default=""
    )


def _known(fleet: Fleet) -> list[str]:
    """Return the accounts that there are, a line each."""
    lines = [f"  {account.id}  {account.name or ''}".rstrip() for account in fleet.accounts]
    if not lines:
        return []
    left_out = len(lines) - _MOST_ACCOUNTS
    return ["Accounts of this fleet:", *lines[:_MOST_ACCOUNTS], *([f"  and {left_out} more"] if left_out > 0 else [])]


def _valid(kind: str, key: str) -> Callable[[str], str]:
    """Return a check of one answer, which asks again with what is wrong."""
    from generator.manifest import proposal
    from generator.report.text import visible

    def checked(value: str) -> str:
        found = proposal.faults(kind, key, value) if value else ()
        if found:
            raise UsageError(visible(found[0].message))
        return value

    return checked


# --- Writing


def _texts(answers: _Answers, folder: str) -> dict[str, str]:
    from generator.manifest import proposal
    from generator.manifest.load import ACCOUNTS

    client, account = f"{folder}/{answers.name}.yaml", f"{ACCOUNTS}/{answers.account_id}.yaml"
    texts = {
        client: proposal.text(
            "client",
            client,
            {
                "name": answers.name,
                "account_id": answers.account_id,
                "role_name": answers.role_name,
                "owner": answers.owner,
                "description": answers.description,
                "change_ref": answers.change_ref,
            },
        )
    }
    if answers.account_name:
        values = {"name": answers.account_name, "owner": answers.account_owner or answers.owner}
        texts[account] = proposal.text("account", account, values)
    return texts


def _require_in_order(here: Context, fleet: Fleet, texts: dict[str, str], fmt: Format) -> None:
    """Apply every rule to the fleet as it would be."""
    import datetime as dt

    from generator import pipeline
    from generator.diagnostics import has_errors
    from generator.manifest import proposal
    from generator.rules.fleet import check

    grown = proposal.extended(fleet, texts)
    findings = grown if isinstance(grown, tuple) else check(grown, dt.datetime.now(dt.UTC).date())
    if has_errors(findings):
        print_findings(here.folder, findings, fmt, proposed=texts)
        say("nothing was written")
        raise typer.Exit(pipeline.code_of(findings))


def _report(texts: dict[str, str], fmt: Format, *, last: bool) -> None:
    if fmt is not Format.JSON:
        for path in texts:
            typer.echo(f"+ {path}")
    elif last:
        typer.echo(json.dumps({"added": list(texts)}, indent=2))
    if last:
        say("next: `crosskeys render`, then commit the manifest and what was rendered together")
