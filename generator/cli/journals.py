"""Journals of runs, as plan and apply share them: where they are, what earlier runs have left, going on with one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from generator.cli.context import say
from generator.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.cli.context import Context
    from generator.cli.selection import Selection, Target
    from generator.pipeline import Rendered
    from generator.render.layout import Root
    from generator.run.journal import Journal
    from generator.run.results import PlanResult
    from generator.run.runs import Unsettled

ResumeOption = Annotated[
    bool,
    typer.Option(
        "--resume", help="Go on with the last run that was cut short or failed, or with the run named instead of DIR."
    ),
]
WaitOption = Annotated[
    int,
    typer.Option(
        "--wait", metavar="SECONDS", min=0, help="How long --resume waits for Terraform that a killed run has left."
    ),
]


def folder_of(here: Context) -> Path:
    """Return where the journals of the fleet's runs are kept."""
    said = os.environ.get("CROSSKEYS_RUNS")
    from generator.render.tree import WORK

    return here.folder / said if said else here.folder / WORK / "runs"


def begun(
    here: Context, verb: str, target: Target, tree: str, roots: Sequence[Root], resumes: Unsettled | None = None
) -> Journal:
    """Begin the journal of a run over roots.

    Raises:
        UsageError: When it cannot be written.
    """
    from generator.run import runs

    journal = runs.begin(folder_of(here))
    journal.began(verb, target.value, tree=tree, roots=roots, resumes=None if resumes is None else resumes.run.id)
    return journal


def require_free(here: Context, target: Target) -> None:
    """Check that no Terraform of an earlier run is still at work, and say what an earlier run has left to do.

    Raises:
        RefusedError: When one is.
    """
    from generator.run import runs

    earlier = runs.earlier(folder_of(here), target.value)
    runs.require_none_left_alone(earlier)
    for left in runs.unsettled(earlier)[:1]:
        number = len(left.roots)
        say(
            f"the run {left.run.id} was not finished in {number} root{'s' if number > 1 else ''}: "
            "this run plans anew; `crosskeys apply --resume` would go on with that one"
        )


def made(here: Context, target: Target) -> frozenset[tuple[str, str]]:
    """Return the objects that the fleet's own unfinished runs have made or may have, by root and address."""
    from generator.run import runs

    return runs.made(runs.unsettled(runs.earlier(folder_of(here), target.value)))


def to_resume(here: Context, target: Target, name: Path | None, selection: Selection, wait: int) -> Unsettled | None:
    """Return the run to go on with, once no Terraform that it left alone is at work any more.

    Args:
        here: The context.
        target: The world that it must have been about.
        name: The run's id; the last one of which something is left unless given.
        selection: What narrows the present run down, which nothing may.
        wait: Seconds to wait for Terraform.

    Raises:
        RefusedError: When Terraform is still at work then.
        UsageError: When there is no such run, or something narrows it down.
    """
    from generator.run import runs

    if not selection.is_everything:
        raise UsageError(
            "a run that is gone on with knows itself which roots it is about",
            help="leave out --account, --client, --side, --since, --shard, --costs",
        )
    where = folder_of(here)
    runs.wait_for_left_alone(runs.earlier(where, target.value), wait, say)
    found = runs.to_resume(runs.earlier(where, target.value), None if name is None else str(name))
    if found is None:
        say("nothing is left to do of any run")
    else:
        say(f"going on with the run {found.run.id}: {', '.join(found.roots)}")
    return found


def resumed_roots(rendered: Rendered, left: Unsettled) -> tuple[Root, ...]:
    """Return the roots in which a run left something to do; say which of them are no longer rendered."""
    by_name = {root.name: root for root in rendered.roots}
    for name in left.roots:
        if name not in by_name:
            say(f"{name} is no longer rendered")
    return tuple(by_name[name] for name in left.roots if name in by_name)


def kept_plans(rendered: Rendered, left: Unsettled, tree: str, target: Target) -> dict[str, PlanResult]:
    """Return the plans of an earlier run that can still be applied as they are, by root.

    These are the plans of roots whose apply was never begun, as long as nothing rendered has changed since and every
    file is the one that was planned. All others are to be made anew.
    """
    from generator.run import saved
    from generator.run.results import PlanOutcome

    try:
        kept = saved.load(left.run.plans, tree, target.value, rendered.roots)
    except RefusedError as error:
        say(f"planning anew: {error.message}")
        return {}
    return {
        result.root.name: result
        for result in kept
        if result.root.name in left.roots
        and result.root.name not in left.run.touched
        and result.outcome is PlanOutcome.CHANGES
    }


def tidy(here: Context) -> None:
    """Forget the plans of runs in which nothing is left to do, and the oldest of these runs."""
    from generator.run import runs

    runs.sweep(folder_of(here))
