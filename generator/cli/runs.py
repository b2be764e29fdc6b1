"""Verbs that run Terraform: plan and apply."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli import destroys, journals, systems, takeover
from generator.cli.context import Context, FormatOption, say
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
from generator.cli.watch import DetailOption, ReportOption, Watch, watching
from generator.errors import RefusedError, UsageError, worst

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from generator.live.systems import Systems
    from generator.pipeline import Rendered
    from generator.render.layout import Root
    from generator.run.journal import Journal
    from generator.run.results import ApplyResult, PlanResult
    from generator.run.retries import Again
    from generator.run.roots import Workspace


@dataclass(frozen=True, slots=True)
class Effort:
    """How many roots are worked on at once, and how often one is tried again after a failure that may pass."""

    jobs: int
    retries: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where roots are run, and what is there.

    Args:
        workspaces: Where each root is run.
        systems: The live systems to ask.
        afterwards: What is to be done after an apply.
    """

    workspaces: tuple[Workspace, ...]
    systems: Callable[[], Systems]
    afterwards: Callable[[], object] = lambda: None


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
    rate: systems.RateOption = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Keep the plans for review and `apply DIR`.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 when a change is pending.")] = False,
    report: ReportOption = None,
    detail: DetailOption = False,
    fmt: FormatOption = None,
) -> None:
    """Show what Terraform would change."""
    from generator.render import tree
    from generator.run import results as outcome
    from generator.run import saved

    here: Context = context.obj
    selection = Selection.of(account, client, side, since, shard, costs)
    require_since(why, since)
    with (
        watching(here.folder, report, "plan", target, selection, detail=detail) as watch,
        tree.lock(here.folder),
    ):
        if out is None and selection.names_accounts:
            rendered, watch.format = here.gated_for(fmt, selection.accounts, selection.clients)
        else:
            rendered, watch.format = here.gated(fmt)
        watch.tree = rendered.digest
        roots = selected(here.folder, rendered, target, selection, why=why)
        if out is not None:
            out = here.folder / out
            saved.require_free(out)
        place = place_of(here, target, rendered, roots, rate)
        with journals.begun(here, "plan", target, watch.tree, roots) as journal:
            watch.run = journal.run
            planned = _planned(place.workspaces, journal.work, _effort(jobs, rendered), watch)
            journal.planned(planned)
            destroys.tell(planned, lambda: here.whole(rendered, watch.format))
            takeover.tell(here, target, planned, rendered, place.systems)
            if out is not None:
                saved.save(planned, out, watch.tree, target.value)
                say(f"kept the plans in {out}; `crosskeys apply --target {target} {out}` applies exactly these")
            code = outcome.exit_code(planned, check=check)
            journal.ended(code)
        journals.tidy(here)
        raise typer.Exit(code)


def apply(
    context: typer.Context,
    plans: Annotated[
        Path | None, typer.Argument(metavar="DIR|RUN", help="Apply exactly the plans that `plan --out DIR` kept.")
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
    rate: systems.RateOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    destroy: destroys.DestroyOption = None,
    resume: journals.ResumeOption = False,
    wait: journals.WaitOption = 600,
    report: ReportOption = None,
    detail: DetailOption = False,
    fmt: FormatOption = None,
) -> None:
    """Plan, ask, and apply the saved plans."""
    from generator.render import tree
    from generator.run import results as outcome
    from generator.run import saved
    from generator.run.retries import Again

    here: Context = context.obj
    selection = Selection.of(account, client, side, since, shard, costs)
    require_since(why, since)
    if plans is not None and not resume and not selection.is_everything:
        raise UsageError(
            "a folder of plans says itself which roots it is about",
            help="leave out --account, --client, --side, --since, --shard, --costs",
        )
    with (
        watching(here.folder, report, "apply", target, selection, detail=detail) as watch,
        tree.lock(here.folder),
    ):
        rendered, watch.format = here.gated(fmt)
        watch.tree = rendered.digest
        effort = _effort(jobs, rendered)
        left = journals.to_resume(here, target, plans, selection, wait) if resume else None
        if resume and left is None:
            raise typer.Exit
        if not resume:
            journals.require_free(here, target)
        kept: dict[str, PlanResult] = {}
        if left is not None:
            roots = journals.resumed_roots(rendered, left)
            kept = journals.kept_plans(rendered, left, watch.tree, target)
        elif plans is not None:
            loaded = saved.load(here.folder / plans, watch.tree, target.value, rendered.roots)
            kept = {result.root.name: result for result in loaded}
            roots = tuple(root for root in rendered.roots if root.name in kept)
        else:
            roots = selected(here.folder, rendered, target, selection, why=why)
        place = place_of(here, target, rendered, roots, rate)
        with journals.begun(here, "apply", target, watch.tree, roots, left) as journal:
            watch.run = journal.run
            if kept:
                watch.show(tuple(kept.values()), last=False)
            if anew := tuple(workspace for workspace in place.workspaces if workspace.root.name not in kept):
                made = {result.root.name: result for result in _planned(anew, journal.work, effort, watch, last=False)}
            else:
                made = {}
            planned = tuple((kept | made)[root.name] for root in roots)
            saved.save(planned, journal.plans, watch.tree, target.value)
            journal.planned(planned)
            destroys.require_allowed(planned, rendered, destroy)
            takeover.require_none(
                here, target, planned, rendered, place.systems, earlier=plans is not None and left is None
            )
            _confirm(planned, target, yes=yes)
            applied = _applied(
                planned,
                place.workspaces,
                effort,
                watch,
                journal=journal,
                again=Again(effort.retries, journal.work, when_stale=left is not None),
            )
            code = worst((outcome.exit_code(planned), outcome.exit_code(applied)))
            journal.ended(code)
        journals.tidy(here)
        place.afterwards()
        raise typer.Exit(code)


def place_of(
    here: Context, target: Target, rendered: Rendered, roots: Sequence[Root], rate: float | None = None
) -> Place:
    """Return where the roots are run; the sandbox is brought up where it is meant.

    Args:
        here: The context.
        target: The world that is meant.
        rendered: The fleet, or the part of it with these roots.
        roots: The roots to run.
        rate: Requests a second at most to the live systems; what is usual there unless given.

    Raises:
        UsageError: When the environment names no Vault.
        RefusedError: When it names another world than the fleet's, or a state is nobody's.
        RemoteError: When a server does not answer.
    """
    from generator.run import abandoned

    if target is Target.LIVE:
        from generator.live import gate, workspaces
        from generator.live.systems import RATE, live

        settings = rendered.fleet.settings
        gate.require(settings, os.environ)
        backend = settings.terraform.backend
        if backend.type == "local":
            abandoned.require_none(str(here.folder / str(backend.settings["path"])), rendered.names)
        return Place(
            workspaces.of(here.folder, settings, roots, os.environ),
            lambda: live(settings, os.environ, RATE if rate is None else rate),
        )
    from generator.cli.sandbox import brought_up

    world = brought_up(here.folder, rendered.fleet)
    abandoned.require_none(str(world.state), rendered.names)
    return Place(
        world.workspaces(roots, rendered.comparison.wanted),
        lambda: world.systems(rate or 0),
        world.seed_certificates,
    )


def _planned(
    workspaces: Sequence[Workspace], plans: Path, effort: Effort, watch: Watch, *, last: bool = True
) -> Sequence[PlanResult]:
    from generator.report.progress import progress
    from generator.run.plan import plan_all
    from generator.run.results import Interrupted

    try:
        with progress([workspace.root.name for workspace in workspaces], sys.stderr) as observer:
            planned = plan_all(workspaces, plans, effort.jobs, observer, effort.retries)
    except Interrupted as interrupted:
        watch.show(interrupted.results)
        raise
    watch.show(planned, last=last)
    return planned


def _applied(
    planned: Sequence[PlanResult],
    workspaces: Sequence[Workspace],
    effort: Effort,
    watch: Watch,
    *,
    journal: Journal,
    again: Again,
) -> Sequence[ApplyResult]:
    from generator.report.progress import progress
    from generator.run.apply import apply_all
    from generator.run.results import Interrupted

    try:
        with progress([workspace.root.name for workspace in workspaces], sys.stderr) as observer:
            applied = apply_all(planned, workspaces, effort.jobs, observer, journal=journal, again=again)
    except Interrupted as interrupted:
        watch.show(interrupted.results)
        raise
    watch.show(applied)
    return applied


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


def _effort(flag: int | None, rendered: Rendered) -> Effort:
    run = rendered.fleet.settings.run
    return Effort(flag or run.jobs or os.cpu_count() or 1, run.retries)
