"""The verb import: manifests and import blocks for what is registered already."""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli.context import Context, Format, FormatOption, print_findings, say
from generator.cli.selection import Target, TargetOption
from generator.cli.systems import RateOption, systems_for
from generator.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from generator.live.adopting.settings import Where
    from generator.live.adopting.whole import Import
    from generator.manifest.fleet import Fleet
    from generator.report.imported import Imported


def import_(
    context: typer.Context,
    client: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this: a Vault role, a policy, or a client; may be repeated."),
    ] = None,
    match: Annotated[str | None, typer.Option(metavar="GLOB", help="Only Vault roles with such names.")] = None,
    account: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only what is about this AWS account; may be repeated.")
    ] = None,
    platform: Annotated[
        bool, typer.Option("--platform", help="Only the mounts and the auth method's configuration.")
    ] = False,
    owner: Annotated[
        str | None,
        typer.Option(
            metavar="OWNER", help="Who answers for clients whose IAM roles have no tag owner, and for accounts."
        ),
    ] = None,
    provisioner_role: Annotated[
        str | None,
        typer.Option(metavar="ROLE", help="Look into accounts without a manifest by this IAM role, and manage them."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; say what would be written.")] = False,
    target: TargetOption = Target.SANDBOX,
    rate: RateOption = None,
    fmt: FormatOption = None,
) -> None:
    """Write manifests and import blocks for what Vault and AWS have already; nothing there is changed."""
    from generator.live.adopting.asked import Asked
    from generator.live.adopting.whole import Place, whole

    here: Context = context.obj
    fleet, chosen = _fleet(here, fmt)
    asked = Asked(
        clients=frozenset(name.lower() for name in client or ()),
        accounts=frozenset(account or ()),
        match=match,
        platform=platform,
        owner=owner,
        provisioner_role=provisioner_role,
    )
    beginning = None
    if fleet.source is None and not fleet.clients:
        fleet, beginning = _beginning(target, owner)
    systems = systems_for(here, target, fleet, rate)
    if beginning and target is Target.LIVE:
        beginning = _with_cluster(beginning, systems.vault.health())
    today = dt.datetime.now(dt.UTC).date()
    found = whole(Place(here.folder, here.cache, beginning), fleet, systems, asked, today, progress=say)
    if found.faults:
        print_findings(here.folder, found.faults, chosen, proposed=found.manifests)
        say("nothing was written")
        raise typer.Exit(ExitCode.FINDINGS)
    result = _result(here.folder, found, dry=dry_run)
    if not dry_run:
        _write(here.folder, found)
    _print(result, chosen)
    if found.unknown:
        raise typer.Exit(ExitCode.REMOTE)
    raise typer.Exit(ExitCode.FINDINGS if asked.clients and found.leaves_clients else ExitCode.CLEAN)


def _fleet(here: Context, fmt: Format | None) -> tuple[Fleet, Format]:
    """Return the fleet, which may have no client yet.

    Raises:
        typer.Exit: When something else is wrong with it.
    """
    from generator import pipeline
    from generator.diagnostics import has_errors
    from generator.manifest.load import NO_CLIENTS

    validated, chosen = here.read(fmt)
    findings = [finding for finding in validated.findings if finding.rule != NO_CLIENTS]
    if has_errors(findings):
        print_findings(here.folder, findings, chosen)
        say("nothing was written: what is new can only be told from the rest when all of it can be read")
        raise typer.Exit(pipeline.code_of(findings))
    return validated.fleet, chosen


def _beginning(target: Target, owner: str | None) -> tuple[Fleet, Where]:
    """Return a fleet of nothing but the Vault that the environment names, and which that is."""
    from pydantic import ValidationError

    from generator.live.adopting.settings import Where
    from generator.manifest.fleet import Fleet
    from generator.manifest.settings import FleetSettings

    if owner is None:
        raise UsageError(
            "there is no crosskeys.yaml, and nothing says who answers for what is imported",
            help="say it with --owner, a team's mail address; crosskeys.yaml is then drafted from what is there",
        )
    settings = FleetSettings()
    if target is Target.SANDBOX:
        return Fleet(settings, ()), Where(settings.vault.namespace)
    address, namespace = os.environ.get("VAULT_ADDR"), os.environ.get("VAULT_NAMESPACE", "").strip("/") or None
    try:
        settings = FleetSettings.model_validate(
            {"vault": {"namespace": namespace}, "live": {"vault_address": address and address.rstrip("/")}}
        )
    except ValidationError as error:
        raise UsageError(
            f"VAULT_ADDR or VAULT_NAMESPACE cannot stand in crosskeys.yaml: {error.errors()[0]['msg']}",
            help="set VAULT_ADDR to https://host:port, and VAULT_NAMESPACE to the namespace or to nothing",
        ) from error
    return Fleet(settings, ()), Where(namespace, settings.live.vault_address)


def _with_cluster(where: Where, health: object) -> Where:
    from dataclasses import replace

    cluster = health.get("cluster_id") if isinstance(health, dict) else None
    return replace(where, cluster_id=str(cluster)) if cluster else where


def _write(folder: Path, found: Import) -> None:
    """Write what people maintain, then the import files, then the rest of the tree: each file whole, in this order.

    A run that ends in between is taken up by the next: what is rendered was imported before.
    """
    from dataclasses import replace

    from generator.render import tree
    from generator.render.place import place

    with tree.lock(folder):
        tree.clear(folder)
        place(folder, {**_scaffold(folder, found), **found.manifests})
        if found.rendered is None:
            return
        comparison, files = found.rendered.comparison, found.adopted.files
        there = {path: text for path, text in comparison.found.items() if path in files}
        tree.write(folder, replace(comparison, wanted=files, found=there))
        whole_tree = {**comparison.wanted, **files}
        tree.write(folder, replace(comparison, wanted=whole_tree, found={**comparison.found, **files}))


def _scaffold(folder: Path, found: Import) -> dict[str, str]:
    """Return what a fleet begins with beside its settings, as far as it is not there yet."""
    from generator.manifest import scaffold
    from generator.manifest.load import SETTINGS
    from generator.resources import data

    if found.settings is None:
        return {}
    files = scaffold.files(data("scaffold"), None, {})
    return {path: text for path, text in files.items() if path != SETTINGS and not os.path.lexists(folder / path)}


def _result(folder: Path, found: Import, *, dry: bool) -> Imported:
    from generator.report.imported import Imported, Unread

    comparison = found.rendered.comparison if found.rendered else None
    rendered = sorted({*comparison.added, *comparison.changed, *found.adopted.files}) if comparison else []
    return Imported(
        clients=found.drafts.clients,
        adopted=tuple(sorted(found.adopted.clients - set(found.drafts.clients))),
        objects=found.adopted.objects,
        changes=found.adopted.changes,
        left=found.left,
        unread=tuple(Unread(each.what, each.why, each.help) for each in found.unknown),
        settings=found.disagreements,
        written=(*sorted(_scaffold(folder, found)), *found.manifests, *rendered),
        dry=dry,
    )


def _print(result: Imported, fmt: Format) -> None:
    from generator.report import imported as report

    if fmt is Format.JSON:
        typer.echo(report.as_json(result))
        return
    typer.echo(report.as_text(result, brief=fmt is Format.CONCISE), nl=False)
    if result.objects and not result.dry:
        say("next: `crosskeys plan` shows these as imports; commit the manifests and terraform/ together")
