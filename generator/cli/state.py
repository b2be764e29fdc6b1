"""The verb about state: where each root's is, what its backend says of it, and moving it to another backend."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli import journals
from generator.cli.context import Context, Format, FormatOption, print_findings, say
from generator.cli.runs import JobsOption  # noqa: TC001 - typer reads signatures when it runs
from generator.cli.selection import (
    AccountOption,
    ClientOption,
    Selection,
    SideOption,
    Target,
    TargetOption,
    selected,
)
from generator.errors import ExitCode, RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generator.manifest.settings import FleetSettings
    from generator.pipeline import Rendered
    from generator.render.layout import Root
    from generator.report.states import StateRow
    from generator.run.keepers import Access
    from generator.run.state import Place


def state(
    context: typer.Context,
    target: TargetOption = Target.SANDBOX,
    account: AccountOption = None,
    client: ClientOption = None,
    side: SideOption = None,
    read: Annotated[
        bool, typer.Option("--read", help="Ask the backends what is there: serial, number of objects, lock.")
    ] = False,
    migrate_from: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Copy every state from the backend of these earlier fleet settings."),
    ] = None,
    jobs: JobsOption = None,
    fmt: FormatOption = None,
) -> None:
    """Show where each root's state is kept; move it to another backend."""
    from generator.render import tree
    from generator.run import keepers

    here: Context = context.obj
    selection = Selection.of(account, client, side)
    if migrate_from is None:
        rendered, chosen = here.gated(fmt)
        rows = _shown(here, rendered, target, selected(here.folder, rendered, target, selection), read, jobs)
    elif target is Target.SANDBOX:
        raise UsageError("the sandbox keeps state in files of its own, whatever the backend", help="say --target live")
    else:
        earlier = _earlier_settings(here, migrate_from, fmt)
        with tree.lock(here.folder):
            rendered, chosen = here.gated(fmt)
            rows = _moved(here, rendered, selected(here.folder, rendered, target, selection), earlier, jobs)
    _print([_within(here.folder, row) for row in rows], chosen)
    raise typer.Exit(keepers.exit_code(rows))


def _shown(
    here: Context, rendered: Rendered, target: Target, roots: Sequence[Root], read: bool, jobs: int | None
) -> tuple[StateRow, ...]:
    from generator.run import keepers

    settings = rendered.fleet.settings
    places = _places(here, settings, target, roots)
    if not read:
        return tuple(keepers.known(place) for place in places)
    environment = _environment(settings, target)
    with tempfile.TemporaryDirectory(prefix="crosskeys-") as aside:
        return keepers.read_all(places, environment, _access(Path(aside), jobs, settings))


def objects_of(here: Context, rendered: Rendered, target: Target, roots: Sequence[Root]) -> dict[str, frozenset[str]]:
    """Return the addresses of the objects that the states of roots know, by the root's name.

    Raises:
        RemoteError: When one of them cannot be read.
        UsageError: When the environment cannot be used.
    """
    from generator.run import keepers

    settings = rendered.fleet.settings
    places, environment = _places(here, settings, target, roots), _environment(settings, target)
    with tempfile.TemporaryDirectory(prefix="crosskeys-") as aside:
        return keepers.objects_of(places, environment, _access(Path(aside), None, settings))


def _places(here: Context, settings: FleetSettings, target: Target, roots: Sequence[Root]) -> list[Place]:
    from generator.run.state import Place
    from generator.sandbox import world

    if target is Target.LIVE:
        return [Place.of(here.folder, settings, root.name) for root in roots]
    kept = here.folder / world.FOLDER / "state"
    return [Place.local(root.name, kept / f"{root.name}.tfstate") for root in roots]


def _environment(settings: FleetSettings, target: Target) -> Mapping[str, str]:
    from generator.live import gate, workspaces
    from generator.run.environment import allowed

    if target is Target.SANDBOX:
        return allowed({})
    gate.require_for_state(os.environ)
    return workspaces.of_state(settings, os.environ)


def _moved(
    here: Context, rendered: Rendered, roots: Sequence[Root], earlier: FleetSettings, jobs: int | None
) -> tuple[StateRow, ...]:
    from generator.live import gate, workspaces
    from generator.run import keepers
    from generator.run.state import Place

    settings = rendered.fleet.settings
    gate.require_for_state(os.environ)
    _require_settled(here, roots)
    moves = [(Place.of(here.folder, earlier, root.name), Place.of(here.folder, settings, root.name)) for root in roots]
    if same := [old.address for old, new in moves if old == new]:
        raise UsageError(
            f"both settings keep state in the same place: {same[0]}",
            help="name a copy of crosskeys.yaml as it was before its backend was changed",
        )
    environments = (workspaces.of_state(earlier, os.environ), workspaces.of_state(settings, os.environ))
    with tempfile.TemporaryDirectory(prefix="crosskeys-") as aside:
        return keepers.migrate_all(
            moves,
            environments,
            _access(Path(aside), jobs, settings),
            lambda root: workspaces.forget_backend(here.folder, root),
        )


def _require_settled(here: Context, roots: Sequence[Root]) -> None:
    """Check that no run is half done and no root left over: what they still do, they do with the old backend."""
    from generator.run import runs

    journals.require_free(here, Target.LIVE)
    if unsettled := runs.unsettled(runs.earlier(journals.folder_of(here), Target.LIVE.value)):
        raise RefusedError(
            f"the run {unsettled[0].run.id} was not finished in {', '.join(unsettled[0].roots)}",
            help="finish it with the old settings first: crosskeys apply --resume --target live",
        )
    if left := [root.name for root in roots if root.leftover]:
        raise RefusedError(
            f"roots that no manifest says any more name the old backend still: {', '.join(left)}",
            help="end them with the old settings first: crosskeys prune",
        )


def _earlier_settings(here: Context, path: Path, fmt: Format | None) -> FleetSettings:
    from generator.manifest.settings import FleetSettings
    from generator.manifest.source import read
    from generator.manifest.validate import Sourced, validate

    document = read(here.folder / path, str(path))
    found = document if isinstance(document, tuple) else validate(document, FleetSettings)
    if isinstance(found, Sourced):
        return found.model
    print_findings(here.folder, found, fmt or Format.FULL)
    raise typer.Exit(ExitCode.USAGE)


def _access(aside: Path, jobs: int | None, settings: FleetSettings) -> Access:
    from generator.render.render import Renderer
    from generator.resources import data
    from generator.run.keepers import Access

    number = jobs or settings.run.jobs or os.cpu_count() or 1

    def interrupted(running: int) -> None:
        say(f"waiting for Terraform in {running} root{'s' if running != 1 else ''}")

    return Access(aside, Renderer([data("templates")]), number, interrupted)


def _within(folder: Path, row: StateRow) -> StateRow:
    """Return the row with the path of a local state relative to the fleet's folder, where it is in there."""
    path = Path(row.address)
    inside = row.backend == "local" and path.is_relative_to(folder)
    return replace(row, address=str(path.relative_to(folder))) if inside else row


def _print(rows: Sequence[StateRow], fmt: Format) -> None:
    from generator.report.states import print_states, to_json

    if fmt is Format.JSON:
        typer.echo(to_json(rows))
    else:
        print_states(rows, sys.stdout)
