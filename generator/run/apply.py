"""Applying saved plans in the order that keeps access safe.

The platform comes first. Then each account goes its own way: its AWS root before its Vault root, so that Vault never
trusts a role that is not there yet; but where the AWS root only removes, Vault first, so that nobody can recreate the
IAM role while Vault still trusts its ARN.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from generator.errors import InternalError, RefusedError
from generator.render.layout import RootKind
from generator.run import terraform
from generator.run.children import Children
from generator.run.plan import sha256
from generator.run.results import ApplyOutcome, ApplyResult, Interrupted, PlanOutcome, PlanResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.report.progress import Observer
    from generator.run.roots import Workspace

_STALE = "Saved plan is stale"


def apply_all(
    results: Sequence[PlanResult], workspaces: Sequence[Workspace], jobs: int, observer: Observer
) -> tuple[ApplyResult, ...]:
    """Apply the saved plans of a run, and nothing else.

    A root that fails stops what depends on it: the rest of its account, or everything after the platform. Roots
    without changes are not applied; roots whose plan failed count as failed.

    Args:
        results: The plans.
        workspaces: Where to run; one for each result.
        jobs: How many accounts to work on at once.
        observer: Told of progress.

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
    applied: dict[str, ApplyResult] = {}

    def apply_chain(chain: Sequence[PlanResult], blocked_by: str | None) -> str | None:
        """Apply one after the other up to a failure; return what failed, for those that depend on it."""
        for planned in chain:
            result = _apply(planned, by_name[planned.root.name], children, observer, blocked_by)
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


def _apply(
    planned: PlanResult, workspace: Workspace, children: Children, observer: Observer, blocked_by: str | None
) -> ApplyResult:
    root = planned.root
    if planned.outcome is PlanOutcome.CLEAN:
        return ApplyResult(root, ApplyOutcome.UNCHANGED)
    if blocked_by is not None:
        return ApplyResult(root, ApplyOutcome.SKIPPED, reason=f"{blocked_by} failed")
    if planned.plan_file is None:
        return ApplyResult(root, ApplyOutcome.FAILED, diagnostics=planned.diagnostics, reason="it could not be planned")
    if children.stopping():
        return ApplyResult(root, ApplyOutcome.INTERRUPTED, reason="not started")
    observer.started("apply", root.name)
    begin = time.monotonic()
    run = terraform.apply(workspace, planned.plan_file, children, observer)
    seconds = time.monotonic() - begin
    outcome, reason = ApplyOutcome.FAILED, None
    if run.code == 0:
        outcome = ApplyOutcome.APPLIED
    elif children.stopping():
        outcome, reason = ApplyOutcome.INTERRUPTED, "stopped by Terraform in good order; plan again to see what is left"
    elif any(diagnostic.summary == _STALE for diagnostic in run.diagnostics):
        reason = "the state has changed since the plan was made; plan again"
    done = run.transcript.done
    return ApplyResult(
        root,
        outcome,
        add=done["add"],
        change=done["change"],
        destroy=done["destroy"],
        diagnostics=run.diagnostics,
        seconds=seconds,
        reason=reason,
    )
