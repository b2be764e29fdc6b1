"""Verbs about manifests and the rendered tree: validate, render, check, schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli.context import Context, FindingsFormatOption, Format, no_results, print_findings
from generator.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generator.diagnostics import Diagnostic
    from generator.untouched import Known


def validate(context: typer.Context, fmt: FindingsFormatOption = None) -> None:
    """Read every manifest and apply every rule; nothing is written."""
    here: Context = context.obj
    validated, chosen = here.validated(fmt)
    clients, accounts = len(validated.fleet.clients), len(validated.fleet.accounts)
    verdict = f"{_count(clients, 'client')} in {_count(accounts, 'account')}: all in order"
    print_findings(here.folder, validated.findings, chosen, verdict=verdict)


def render(
    context: typer.Context,
    check_only: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 and name the files when the tree is stale.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Write nothing; show what would change.")] = False,
    fmt: FindingsFormatOption = None,
) -> None:
    """Render the fleet into terraform/, after reading every changed file back."""
    here: Context = context.obj
    if diff or not check_only:
        no_results(fmt)
    if check_only or diff:
        known, _, chosen = _known(here, fmt)
        comparison = known.comparison
        if diff and chosen is Format.JSON:
            typer.echo(json.dumps({"diff": comparison.diff()}, indent=2))
        elif diff:
            typer.echo(comparison.diff(), nl=False)
        else:
            print_findings(here.folder, comparison.findings(), chosen)
        raise typer.Exit(ExitCode.CLEAN if (diff and not check_only) or comparison.is_current else ExitCode.FINDINGS)
    from generator.render import tree

    with tree.lock(here.folder):
        tree.clear(here.folder)
        known, _, chosen = _known(here, fmt)
        comparison = known.comparison
        if comparison.foreign:
            print_findings(here.folder, comparison.foreign_findings(), chosen)
            raise typer.Exit(ExitCode.FINDINGS)
        tree.write(here.folder, comparison)
    unchanged = known.others + len(comparison.wanted) - len(comparison.added) - len(comparison.changed)
    if chosen is Format.JSON:
        changes = {"added": comparison.added, "changed": comparison.changed, "removed": comparison.removed}
        typer.echo(json.dumps({**changes, "unchanged": unchanged}, indent=2))
        return
    for sign, paths in (("+", comparison.added), ("~", comparison.changed), ("-", comparison.removed)):
        for path in paths:
            typer.echo(f"{sign} {path}")
    print_findings(here.folder, comparison.replacements(), chosen)
    typer.echo(
        f"{len(comparison.added)} added, {len(comparison.changed)} changed, {len(comparison.removed)} removed, "
        f"{unchanged} unchanged"
    )


def check(context: typer.Context, fmt: FindingsFormatOption = None) -> None:
    """Do all that a pull request needs, without credentials: validate, prove isolation, and render --check."""
    here: Context = context.obj
    known, findings, chosen = _known(here, fmt)
    findings = (*findings, *known.comparison.findings())
    print_findings(here.folder, findings, chosen, verdict=_verdict(known))
    raise typer.Exit(ExitCode.CLEAN if known.comparison.is_current else ExitCode.FINDINGS)


def _known(here: Context, fmt: Format | None) -> tuple[Known, Sequence[Diagnostic], Format]:
    """Return what is known of the fleet, from as much of it as must be read, and findings about its manifests."""
    from generator.untouched import Known

    seen, known, chosen = here.known(fmt)
    if known:
        return known, (), chosen
    validated, rendered, chosen = here.rendered(fmt)
    here.remember(seen, validated, rendered)
    fleet = rendered.fleet
    return Known(len(fleet.clients), len(fleet.accounts), 0, rendered.comparison), validated.findings, chosen


def _verdict(known: Known) -> str:
    comparison = known.comparison
    if comparison.is_current:
        return _up_to_date(known.clients, known.accounts)
    manifests = _in_order(known.clients, known.accounts)
    added, changed, removed = len(comparison.added), len(comparison.changed), len(comparison.removed)
    return f"{manifests}; rendering would add {added}, change {changed} and remove {removed} files of terraform/"


def _up_to_date(clients: int, accounts: int) -> str:
    return f"{_in_order(clients, accounts)}, and terraform/ is up to date"


def _in_order(clients: int, accounts: int) -> str:
    return f"{_count(clients, 'client')} in {_count(accounts, 'account')}: in order"


def schema(
    context: typer.Context,
    kind: Annotated[
        str | None, typer.Argument(metavar="client|account|fleet|review|run", help="Which schema to print.")
    ] = None,
    write: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write those of all manifests into a folder.")
    ] = None,
) -> None:
    """Print the JSON Schema of a kind of manifest or of a report, or write those of all manifests."""
    from generator.manifest.schema import schemas
    from generator.resources import data

    here: Context = context.obj
    texts = schemas()
    if write is not None:
        _write(here.folder / write, texts)
        for name in texts:
            typer.echo(f"{write / name}")
        return
    if kind in {"review", "run"}:
        typer.echo((data("schemas") / f"{kind}.schema.json").read_text("utf-8"), nl=False)
        return
    name = f"{kind or 'client'}.schema.json"
    if name not in texts:
        raise UsageError(f"there is no schema `{kind}`", help="client, account, fleet, review or run")
    typer.echo(texts[name], nl=False)


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            aside = folder / f".{name}.new"
            aside.write_text(text, "utf-8")
            aside.replace(folder / name)
    except OSError as error:
        raise UsageError(
            f"the schemas cannot be written: {error.strerror}: {error.filename}", help="name a folder that can be"
        ) from error


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
