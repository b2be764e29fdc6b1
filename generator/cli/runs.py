"""Verbs that run Terraform: plan and apply."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli.context import Context, Format, FormatOption, say
from generator.cli.selection import (
    AccountOption,
    ClientOption,
    CostsOption,
    Selection,
    ShardOption,
    SideOption,
    SinceOption,
    Target,
    TargetOption,
    WhyOption,
    require_since,
    selected,
)
from generator.errors import RefusedError, UsageError, worst

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from generator.pipeline import Rendered
    from generator.render.layout import Root
    from generator.run.results import ApplyResult, PlanResult
    from generator.run.roots import Workspace


JobsOption = Annotated[
    int | None,
    typer.Option(
        "-j", "--jobs", min=1, envvar="CROSSKEYS_JOBS", help="Roots at the same time. Default: one a processor."
    ),
]


def plan(
    context: typer.Context,
    target: TargetOption = Target.SANDBOX,
    account: AccountOption = None,
    client: ClientOption = None,
    side: SideOption = None,
    since: SinceOption = None,
    why: WhyOption = False,
    shard: ShardOption = None,
    costs: CostsOption = None,
    jobs: JobsOption = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Keep the plans for review and `apply DIR`.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 when a change is pending.")] = False,
    fmt: FormatOption = None,
) -> None:
    """Show what Terraform would change."""
    from generator.render import tree
    from generator.run import results as outcome
    from generator.run import saved

    here: Context = context.obj
    selection = Selection.of(account, client, side, since, shard, costs)
    require_since(why, since)
    with tree.lock(here.folder), tempfile.TemporaryDirectory(prefix="crosskeys-") as aside:
        rendered, chosen = here.gated(fmt)
        roots = selected(here.folder, rendered, target, selection, why=why)
        if out is not None:
            out = here.folder / out
            saved.require_free(out)
        workspaces, _ = _workspaces(here, target, rendered, roots)
        planned = _planned(workspaces, Path(aside), _jobs(jobs, rendered), chosen)
        if out is not None:
            saved.save(planned, out, _digest(rendered), target.value)
            say(f"kept the plans in {out}; `crosskeys apply --target {target} {out}` applies exactly these")
    raise typer.Exit(outcome.exit_code(planned, check=check))


def apply(
    context: typer.Context,
    plans: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Apply exactly the plans that `plan --out DIR` kept.")
    ] = None,
    target: TargetOption = Target.SANDBOX,
    account: AccountOption = None,
    client: ClientOption = None,
    side: SideOption = None,
    since: SinceOption = None,
    why: WhyOption = False,
    shard: ShardOption = None,
    costs: CostsOption = None,
    jobs: JobsOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    fmt: FormatOption = None,
) -> None:
    """Plan, ask, and apply the saved plans."""
    from generator.render import tree
    from generator.run import results as outcome
    from generator.run import saved

    here: Context = context.obj
    selection = Selection.of(account, client, side, since, shard, costs)
    require_since(why, since)
    if plans is not None and not selection.is_everything:
        raise UsageError(
            "a folder of plans says itself which roots it is about",
            help="leave out --account, --client, --side, --since, --shard, --costs",
        )
    with tree.lock(here.folder), tempfile.TemporaryDirectory(prefix="crosskeys-") as aside:
        rendered, chosen = here.gated(fmt)
        number = _jobs(jobs, rendered)
        if plans is not None:
            kept = saved.load(here.folder / plans, _digest(rendered), target.value, rendered.roots)
            names = {result.root.name for result in kept}
            roots = tuple(root for root in rendered.roots if root.name in names)
            workspaces, afterwards = _workspaces(here, target, rendered, roots)
            planned: Sequence[PlanResult] = kept
            _print(planned, chosen, last=False)
        else:
            roots = selected(here.folder, rendered, target, selection, why=why)
            workspaces, afterwards = _workspaces(here, target, rendered, roots)
            planned = _planned(workspaces, Path(aside), number, chosen, last=False)
        _confirm(planned, target, yes=yes)
        applied = _applied(planned, workspaces, number, chosen)
        afterwards()
    raise typer.Exit(worst((outcome.exit_code(planned), outcome.exit_code(applied))))


def _workspaces(
    here: Context, target: Target, rendered: Rendered, roots: Sequence[Root]
) -> tuple[tuple[Workspace, ...], Callable[[], object]]:
    """Return where the roots are run, and what is to be done after an apply."""
    from generator.run import abandoned

    if target is Target.LIVE:
        from generator.live import gate, workspaces

        settings = rendered.fleet.settings
        gate.require(settings, os.environ)
        backend = settings.terraform.backend
        if backend.type == "local":
            abandoned.require_none(str(here.folder / str(backend.settings["path"])), rendered.roots)
        return workspaces.of(here.folder, settings, roots, os.environ), lambda: None
    from generator.cli.sandbox import brought_up

    world = brought_up(here.folder, rendered.fleet)
    abandoned.require_none(str(world.state), rendered.roots)
    return world.workspaces(roots, rendered.comparison.wanted), world.seed_certificates


def _planned(
    workspaces: Sequence[Workspace], aside: Path, jobs: int, fmt: Format, *, last: bool = True
) -> Sequence[PlanResult]:
    from generator.report.progress import progress
    from generator.run.plan import plan_all
    from generator.run.results import Interrupted

    try:
        with progress(len(workspaces), sys.stderr) as observer:
            planned = plan_all(workspaces, aside / "plans", jobs, observer)
    except Interrupted as interrupted:
        _print(interrupted.results, fmt)
        raise
    _print(planned, fmt, last=last)
    return planned


def _applied(
    planned: Sequence[PlanResult], workspaces: Sequence[Workspace], jobs: int, fmt: Format
) -> Sequence[ApplyResult]:
    from generator.report.progress import progress
    from generator.run.apply import apply_all
    from generator.run.results import Interrupted

    try:
        with progress(len(workspaces), sys.stderr) as observer:
            applied = apply_all(planned, workspaces, jobs, observer)
    except Interrupted as interrupted:
        _print(interrupted.results, fmt)
        raise
    _print(applied, fmt)
    return applied


def _print(results: Sequence[PlanResult | ApplyResult], fmt: Format, *, last: bool = True) -> None:
    from generator.report.runs import print_summary, to_json

    rows = [result.row for result in results]
    if fmt is not Format.JSON:
        print_summary(rows, sys.stdout)
    elif last:
        typer.echo(to_json(rows))


def _confirm(planned: Sequence[PlanResult], target: Target, *, yes: bool) -> None:
    if yes or not any(result.plan_file for result in planned):
        return
    if not sys.stdin.isatty():
        raise RefusedError("nobody is there to be asked", help="give --yes to apply without asking")
    try:
        agreed = typer.confirm(f"Apply these changes to the {target} world?", err=True)
    except typer.Abort as abort:
        raise KeyboardInterrupt from abort
    if not agreed:
        raise RefusedError("nothing was applied: the answer was no")


def _jobs(flag: int | None, rendered: Rendered) -> int:
    return flag or rendered.fleet.settings.run.jobs or os.cpu_count() or 1


def _digest(rendered: Rendered) -> str:
    from generator.render.tree import digest

    return digest(rendered.comparison.wanted)
