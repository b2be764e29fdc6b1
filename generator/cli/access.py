"""The verb access: who reaches what, by what the rendered tree declares."""

from __future__ import annotations

import difflib
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli import paths
from generator.cli.context import Context, Format, FormatOption, print_findings, say
from generator.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.audit.access import Login
    from generator.audit.questions import Question
    from generator.manifest.fleet import Fleet


class Operation(StrEnum):
    """What a request to Vault can ask for."""

    READ = "read"
    LIST = "list"
    CREATE = "create"
    UPDATE = "update"
    PATCH = "patch"
    DELETE = "delete"


def access(
    context: typer.Context,
    client: Annotated[str | None, typer.Option(metavar="NAME", help="What this client reaches.")] = None,
    path: Annotated[
        str | None, typer.Option(metavar="PATH", help="Who reaches this path of Vault, such as secret/data/certs/….")
    ] = None,
    operation: Annotated[
        Operation | None, typer.Option(help="Only what a request of this kind may do. Default: any.")
    ] = None,
    principal: Annotated[str | None, typer.Option(metavar="ARN", help="What this IAM principal reaches.")] = None,
    account: Annotated[str | None, typer.Option(metavar="ID", help="What this AWS account's clients reach.")] = None,
    fmt: FormatOption = None,
) -> None:
    """Say who reaches what, and by which rule, from what stands in terraform/."""
    from generator.audit import tree
    from generator.audit.access import logins
    from generator.audit.declared import VaultPolicy
    from generator.audit.faults import UnreadableTreeError
    from generator.audit.questions import Question, answers, otherwise
    from generator.report import answers as report

    here: Context = context.obj
    question = Question(
        client=client,
        principal_arn=principal,
        account_id=account,
        path=path if path is None else paths.requested(path),
        operation=operation and operation.value,
    )
    if client is None and path is None and principal is None and account is None:
        raise UsageError("this asks about nothing", help="name one of --client, --path, --principal, --account")
    validated, chosen = here.read(fmt)
    if validated.has_errors:
        say("warning: the manifests have errors, so owners may be missing: `crosskeys validate` shows them")
    try:
        declared = tree.load(here.folder, here.cache).declared
    except UnreadableTreeError as error:
        print_findings(here.folder, error.findings, chosen)
        raise typer.Exit(error.exit_code) from error
    found = logins(declared)
    _check(question, found, validated.fleet, {policy.label for policy in declared.of(VaultPolicy)})
    result = report.Answers(question, answers(found, question), validated.fleet)
    write = {Format.JSON: report.as_json, Format.CONCISE: report.concise}.get(chosen, report.full)
    typer.echo(write(result), nl=False)
    if clients := otherwise(found, question):
        say(f"note: this is as Vault 1.21 decides; from 2.0.3 on it decides otherwise to list for {', '.join(clients)}")
    if not result.reaching:
        _explain(question, validated.fleet)


def _check(question: Question, logins: Iterable[Login], fleet: Fleet, labels: set[str]) -> None:
    """Refuse names that neither the tree nor a manifest knows.

    Raises:
        UsageError: With the nearest names that there are.
    """
    from generator.audit.questions import canonical

    found = tuple(logins)
    clients = {login.client for login in found} | {client.name for client in fleet.clients} | labels
    accounts = {login.account_id for login in found} | {account.id for account in fleet.accounts}
    principals = {login.principal_arn for login in found} | {client.principal_arn for client in fleet.clients}
    _known("client", question.client, clients)
    _known("account", question.account_id, accounts, wild=any(login.principal_arn.endswith("*") for login in found))
    arn = question.principal_arn and canonical(question.principal_arn)
    _known(
        "principal",
        arn,
        principals,
        wild=any(arn.startswith(one[:-1]) for one in principals if arn and one[-1:] == "*"),
    )


def _known(what: str, name: str | None, names: Iterable[str], *, wild: bool = False) -> None:
    if name is None or name in (known := sorted(names)) or wild:
        return
    near = difflib.get_close_matches(name, known, n=3)
    raise UsageError(
        f"there is no {what} `{name}` in this fleet",
        help=f"did you mean {', '.join(near)}?"
        if near
        else f"`crosskeys access` knows every {what} of terraform/ and clients/",
    )


def _explain(question: Question, fleet: Fleet) -> None:
    """Say why nothing may have been found where the question itself is the likely reason."""
    from generator.audit.sharing import AREAS

    named = next((each for each in fleet.clients if each.name == question.client), None)
    if named and named.retire:
        say(f"{named.name} is retired: it has no role and no policy")
    elif named and named.suspend:
        say(f"{named.name} is suspended: nobody can log in as this client")
    mount = fleet.settings.vault.kv_mount
    segments = (question.path or "").lstrip("/").removeprefix(f"{mount}/").split("/")
    if question.path and question.path.lstrip("/").startswith(f"{mount}/") and segments[0] not in AREAS:
        say(f"help: requests for a secret go to {mount}/data/…, those for its versions and lists to {mount}/metadata/…")
    if question.path and (question.path.endswith("*") or "+" in question.path.split("/")):
        say("help: a request has no wildcards: name a path below the one that you mean")
    if question.path and question.path.lstrip("/").startswith("v1/"):
        say("help: leave out v1/, which every request has before its path")
