"""Planning many roots at once into saved plan files."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from generator.errors import UsageError
from generator.run import terraform, unsaved
from generator.run.advice import about_imports, about_state
from generator.run.children import Children
from generator.run.results import Interrupted, PlanOutcome, PlanResult
from generator.run.retries import cause as passing_cause
from generator.run.retries import delay

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from generator.report.progress import Observer
    from generator.run.roots import Workspace

_CLEAN_EXIT, _CHANGES_EXIT = 0, 2


def plan_all(
    workspaces: Sequence[Workspace], plans: Path, jobs: int, observer: Observer, retries: int = 0
) -> tuple[PlanResult, ...]:
    """Plan every root, several at a time; a root that fails does not stop the others.

    Args:
        workspaces: Where to run.
        plans: Folder for the plan files, made or made private (0700): plans hold secrets in clear text.
        jobs: How many roots to plan at once.
        observer: Told of progress.
        retries: How often at most a root is planned again after a failure that may pass.

    Returns:
        One result a workspace, in their order.

    Raises:
        Interrupted: If the run was told to stop; carries the results.
        RemoteError: If there is no Terraform.
        UsageError: If the folder cannot be used.
    """
    terraform.require(workspaces)
    _make_private(plans)
    children = Children()

    def plan_one(workspace: Workspace) -> PlanResult:
        result = _plan_until(workspace, plans, children, observer, retries)
        observer.finished(result.row)
        return result

    with children.stopped_by_signals(observer.interrupted), ThreadPoolExecutor(jobs) as pool:
        results = tuple(pool.map(plan_one, workspaces))
    if children.stopping():
        raise Interrupted(results)
    return results


def sha256(path: Path) -> str:
    """Return a file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def plan_file_name(root_name: str) -> str:
    """Return the name of a root's plan file."""
    return f"{root_name.replace('/', '-')}.tfplan"


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise UsageError(f"plans cannot be written: {error}", help="name another folder") from error


def _plan_until(workspace: Workspace, plans: Path, children: Children, observer: Observer, retries: int) -> PlanResult:
    result = plan_root(workspace, plans, children, observer)
    cause = None
    for attempt in range(1, retries + 1):
        if result.outcome is not PlanOutcome.FAILED or (passing := passing_cause(result.diagnostics)) is None:
            break
        cause = passing
        observer.progress(workspace.root.name, f"{cause}; planning again ({attempt} of {retries})")
        if children.pause(delay(attempt)):
            result = plan_root(workspace, plans, children, observer)
    return result if cause is None else replace(result, reason=result.reason or f"planned again, since {cause}")


def plan_root(workspace: Workspace, plans: Path, children: Children, observer: Observer) -> PlanResult:
    """Plan one root, once.

    Args:
        workspace: Where to run.
        plans: Folder for the plan file, which is there and private.
        children: Starts the process.
        observer: Told of progress.
    """
    root = workspace.root
    if children.stopping():
        return PlanResult(root, PlanOutcome.INTERRUPTED, reason="not started")
    if (reason := unsaved.recovery(workspace)) is not None:
        return PlanResult(root, PlanOutcome.FAILED, reason=reason)
    observer.started("plan", root.name)
    plan_file = plans.absolute() / plan_file_name(root.name)
    # Terraform writes a plan for a failed run too; that and one of an earlier run are not to be taken for this run's.
    plan_file.unlink(missing_ok=True)
    begin = time.monotonic()
    run = terraform.plan(workspace, plan_file, children, observer)
    seconds = time.monotonic() - begin
    if run.code != _CHANGES_EXIT:
        plan_file.unlink(missing_ok=True)
    if run.code == _CLEAN_EXIT:
        return PlanResult(root, PlanOutcome.CLEAN, diagnostics=run.diagnostics, seconds=seconds)
    if run.code != _CHANGES_EXIT:
        outcome = PlanOutcome.INTERRUPTED if children.stopping() else PlanOutcome.FAILED
        reason = about_state(run.diagnostics, workspace) or about_imports(run.diagnostics, root)
        return PlanResult(root, outcome, diagnostics=run.diagnostics, seconds=seconds, reason=reason)
    planned = run.transcript.planned
    return PlanResult(
        root,
        PlanOutcome.CHANGES,
        add=planned["add"],
        change=planned["change"],
        destroy=planned["destroy"],
        imported=planned["import"],
        changes=run.transcript.changes,
        diagnostics=run.diagnostics,
        seconds=seconds,
        plan_file=plan_file,
        digest=sha256(plan_file),
    )
