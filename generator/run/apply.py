"""Applying saved plans in the order that keeps access safe.

The platform comes first. Then each account goes its own way: its AWS root before its Vault root, so that Vault never
trusts a role that is not there yet; but where the AWS root only removes, Vault first, so that nobody can recreate the
IAM role while Vault still trusts its ARN.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from generator.errors import CrosskeysError, InternalError, RefusedError
from generator.render.layout import RootKind
from generator.run import retries, terraform, unsaved
from generator.run.advice import about_state
from generator.run.children import Children
from generator.run.plan import plan_root, sha256
from generator.run.results import ApplyOutcome, ApplyResult, Interrupted, PlanOutcome, PlanResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.report.progress import Observer
    from generator.report.runs import ResourceChange, TerraformDiagnostic
    from generator.run.journal import Journal
    from generator.run.retries import Again
    from generator.run.roots import Workspace

_STALE = "Saved plan is stale"


@dataclass(frozen=True, slots=True)
class _Means:
    """What every root of a run is applied with."""

    children: Children
    observer: Observer
    journal: Journal
    again: Again


def apply_all(
    results: Sequence[PlanResult],
    workspaces: Sequence[Workspace],
    jobs: int,
    observer: Observer,
    *,
    journal: Journal,
    again: Again,
) -> tuple[ApplyResult, ...]:
    """Apply the saved plans of a run, and nothing beyond them.

    A root that fails stops what depends on it: the rest of its account, or everything after the platform. Roots
    without changes are not applied; roots whose plan failed count as failed. A failure that may pass by itself is
    tried again: the root is planned anew, since a part of its plan may be done, and applied if the new plan does
    nothing that the first one did not.

    Args:
        results: The plans.
        workspaces: Where to run; one for each result.
        jobs: How many accounts to work on at once.
        observer: Told of progress.
        journal: Where every step is written down before it is taken.
        again: How often, and where, a root is planned anew.

    Returns:
        One result a plan, in their order.

    Raises:
        Interrupted: If the run was told to stop; carries the results.
        RefusedError: If a plan file is not the one that was planned; nothing is applied.
        RemoteError: If there is no Terraform.
    """
    by_name = {workspace.root.name: workspace for workspace in workspaces}
    if missing := [result.root.name for result in results if result.root.name not in by_name]:
        raise InternalError(f"planned, but without a workspace: {', '.join(missing)}")
    require_unchanged(results)
    terraform.require(workspaces)
    children = Children()
    means = _Means(children, observer, journal, again)
    applied: dict[str, ApplyResult] = {}

    def apply_chain(chain: Sequence[PlanResult], blocked_by: str | None) -> str | None:
        """Apply one after the other up to a failure; return what failed, for those that depend on it."""
        for planned in chain:
            result = _outcome(planned, by_name[planned.root.name], means, blocked_by)
            journal.result(result)
            applied[planned.root.name] = result
            observer.finished(result.row)
            if result.outcome is ApplyOutcome.FAILED:
                blocked_by = planned.root.name
        return blocked_by

    with children.stopped_by_signals(observer.interrupted), ThreadPoolExecutor(jobs) as pool:
        # In the pool too: this thread must be free to handle signals.
        platform_failed = pool.submit(apply_chain, _platform(results), None).result()
        chains = _account_chains(results)
        list(pool.map(apply_chain, chains, [platform_failed] * len(chains)))
    in_order = tuple(applied[result.root.name] for result in results)
    if children.stopping():
        raise Interrupted(in_order)
    return in_order


def require_unchanged(results: Sequence[PlanResult]) -> None:
    """Check that every plan file is the one that was planned.

    Raises:
        RefusedError: If some differ or cannot be read, naming them.
    """
    wrong = [result.root.name for result in results if result.plan_file is not None and not _is_unchanged(result)]
    if wrong:
        raise RefusedError(f"the plan file is not the one that was planned: {', '.join(wrong)}", help="plan again")


def _is_unchanged(result: PlanResult) -> bool:
    try:
        return result.plan_file is not None and sha256(result.plan_file) == result.digest
    except OSError:
        return False


def _platform(results: Sequence[PlanResult]) -> list[PlanResult]:
    return [result for result in results if result.root.kind is RootKind.PLATFORM]


def _account_chains(results: Sequence[PlanResult]) -> list[list[PlanResult]]:
    """Return each account's plans in the order in which they are to be applied."""
    chains: dict[str | None, list[PlanResult]] = {}
    for result in results:
        if result.root.kind is not RootKind.PLATFORM:
            chains.setdefault(result.root.account_id, []).append(result)
    for chain in chains.values():
        first = RootKind.VAULT if any(_only_removes_from_aws(result) for result in chain) else RootKind.AWS
        chain.sort(key=lambda result: result.root.kind is not first)
    return list(chains.values())


def _only_removes_from_aws(result: PlanResult) -> bool:
    return result.root.kind is RootKind.AWS and result.destroy > 0 and result.add == 0


def _outcome(planned: PlanResult, workspace: Workspace, means: _Means, blocked_by: str | None) -> ApplyResult:
    root = planned.root
    if planned.outcome is PlanOutcome.CLEAN:
        return ApplyResult(root, ApplyOutcome.UNCHANGED)
    if blocked_by is not None:
        return ApplyResult(root, ApplyOutcome.SKIPPED, reason=f"{blocked_by} failed")
    if planned.plan_file is None:
        reason = planned.reason or "it could not be planned"
        return ApplyResult(root, ApplyOutcome.FAILED, diagnostics=planned.diagnostics, reason=reason)
    result = _apply(planned, workspace, means)
    attempts, cause = 0, _cause(result, workspace, means.again, attempts=0)
    while cause is not None:
        attempts += 1
        means.journal.retrying(root.name, cause)
        means.observer.progress(root.name, f"{cause}; planning anew (attempt {attempts + 1})")
        if not means.children.pause(retries.delay(attempts)):
            return replace(result, outcome=ApplyOutcome.INTERRUPTED, reason=f"stopped while waiting, since {cause}")
        result = _added(result, _anew(planned.changes, workspace, means), cause)
        cause = _cause(result, workspace, means.again, attempts)
    return result


def _cause(result: ApplyResult, workspace: Workspace, again: Again, attempts: int) -> str | None:
    """Return why planning anew could help; None when it could not, or was tried often enough."""
    if result.outcome is not ApplyOutcome.FAILED or unsaved.recovery(workspace) is not None:
        return None
    if attempts == 0 and again.when_stale and _is_stale(result.diagnostics):
        return "the state has changed since the plan was made"
    return retries.cause(result.diagnostics) if attempts < again.retries else None


def _anew(agreed: Sequence[ResourceChange], workspace: Workspace, means: _Means) -> ApplyResult:
    """Plan a root anew, and apply that if it does nothing that was not agreed to."""
    root = workspace.root
    planned = plan_root(workspace, means.again.folder, means.children, means.observer)
    match planned.outcome:
        case PlanOutcome.CLEAN:
            return ApplyResult(root, ApplyOutcome.APPLIED, seconds=planned.seconds)
        case PlanOutcome.INTERRUPTED:
            return ApplyResult(root, ApplyOutcome.INTERRUPTED, reason="stopped while it was planned anew")
        case PlanOutcome.FAILED:
            reason = planned.reason or "it could not be planned anew"
            return ApplyResult(root, ApplyOutcome.FAILED, diagnostics=planned.diagnostics, reason=reason)
    if beyond := retries.beyond(agreed, planned.changes):
        listed = ", ".join(f"{change.action} {change.address}" for change in beyond)
        return ApplyResult(
            root, ApplyOutcome.FAILED, reason=f"planned anew, it would do what was not agreed to: {listed}; plan again"
        )
    return _apply(planned, workspace, means)


def _added(first: ApplyResult, then: ApplyResult, cause: str) -> ApplyResult:
    return replace(
        then,
        add=first.add + then.add,
        change=first.change + then.change,
        destroy=first.destroy + then.destroy,
        imported=first.imported + then.imported,
        seconds=first.seconds + then.seconds,
        reason=then.reason or f"planned anew, since {cause}",
    )


def _apply(planned: PlanResult, workspace: Workspace, means: _Means) -> ApplyResult:
    root, children = planned.root, means.children
    if planned.plan_file is None:
        raise InternalError(f"no plan file of {root.name}")
    if children.stopping():
        return ApplyResult(root, ApplyOutcome.INTERRUPTED, reason="not started")
    try:
        means.journal.applying(root.name, planned.digest, (each.address for each in planned.changes if each.makes))
    except CrosskeysError as error:
        return ApplyResult(root, ApplyOutcome.FAILED, reason=f"not started: {error.message}")
    means.observer.started("apply", root.name)
    begin = time.monotonic()
    run = terraform.apply(
        workspace, planned.plan_file, children, means.observer, on_start=lambda pid: means.journal.child(root.name, pid)
    )
    seconds = time.monotonic() - begin
    if run.code != 0:
        means.journal.made(root.name, run.transcript.begun)
    outcome, reason = ApplyOutcome.FAILED, None
    if run.code == 0:
        outcome = ApplyOutcome.APPLIED
    elif (recovery := unsaved.recovery(workspace)) is not None:
        reason = recovery
    elif children.stopping():
        outcome, reason = ApplyOutcome.INTERRUPTED, "stopped by Terraform in good order; plan again to see what is left"
    elif _is_stale(run.diagnostics):
        reason = "the state has changed since the plan was made; plan again"
    else:
        reason = about_state(run.diagnostics, workspace)
    done = run.transcript.done
    return ApplyResult(
        root,
        outcome,
        add=done["add"],
        change=done["change"],
        destroy=done["destroy"],
        imported=done["import"],
        diagnostics=run.diagnostics,
        seconds=seconds,
        reason=reason,
    )


def _is_stale(diagnostics: Sequence[TerraformDiagnostic]) -> bool:
    return any(diagnostic.summary == _STALE for diagnostic in diagnostics)
