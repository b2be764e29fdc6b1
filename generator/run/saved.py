"""Plan sets: what ``plan --out DIR`` leaves for a later ``apply DIR``, and nothing else may be applied from there."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from generator.errors import RefusedError, UsageError
from generator.report.runs import ResourceChange
from generator.run.apply import require_unchanged
from generator.run.plan import plan_file_name
from generator.run.results import PlanOutcome, PlanResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.render.layout import Root

_INDEX = "plans.json"
_PLAN_AGAIN = "plan again into this folder"

Target = Literal["sandbox", "live"]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _Change(_Strict):
    address: str
    action: str
    imported: bool = False
    was: str = ""


class _Plan(_Strict):
    root: str
    outcome: PlanOutcome
    plan_file: str | None
    sha256: str | None
    add: int
    change: int
    destroy: int
    imported: int = 0
    changes: list[_Change]


class _PlanSet(_Strict):
    version: Literal[1] = 1
    target: Target
    tree: str
    plans: list[_Plan]


def require_free(folder: Path) -> None:
    """Check that a plan set can be written to a folder: absent, empty, or an earlier plan set.

    Raises:
        RefusedError: If something else is there.
        UsageError: If it cannot be looked at.
    """
    try:
        if not folder.exists():
            return
        names = {path.name for path in folder.iterdir()}
    except OSError as error:
        raise UsageError(f"{folder} cannot be used for plans: {error.strerror}", help="name another folder") from error
    foreign = sorted(name for name in names if name != _INDEX and not name.endswith(".tfplan"))
    if names and (foreign or _INDEX not in names):
        found = foreign[0] if foreign else min(names)
        raise RefusedError(
            f"{folder} holds something that is not a plan set ({found}), and is not overwritten",
            help="name a new or an empty folder",
        )


def save(results: Sequence[PlanResult], folder: Path, tree_digest: str, target: Target) -> None:
    """Write a plan set: all of it or nothing. It is readable by its owner only, as plans hold secrets.

    Args:
        results: The plans; their files are copied, so they must lie elsewhere.
        folder: Where to; absent, empty or an earlier plan set, which is replaced.
        tree_digest: Digest of the rendered tree that was planned.
        target: The world that was planned against.

    Raises:
        RefusedError: If the folder holds something else, or a plan file is not the one that was planned.
        UsageError: If it cannot be written.
    """
    require_free(folder)
    require_unchanged(results)
    folder = folder.resolve()
    plan_set = _PlanSet(target=target, tree=tree_digest, plans=[_entry(result) for result in results])
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # mkdtemp makes it 0700.
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            _fill(aside / "new", plan_set, results)
            _swap_in(aside / "new", folder, aside / "old")
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise UsageError(
            f"the plans cannot be written to {folder}: {error.strerror}", help="name another folder"
        ) from error


def load(folder: Path, tree_digest: str, target: Target, roots: Iterable[Root]) -> tuple[PlanResult, ...]:
    """Read a plan set back, after checking that it is whole and still about the same tree and world.

    Args:
        folder: Where it is.
        tree_digest: Digest of the rendered tree as it stands now.
        target: The world that is to be applied to.
        roots: All roots of the tree.

    Raises:
        RefusedError: If anything differs from what was planned; says what.
    """
    try:
        plan_set = _PlanSet.model_validate_json((folder / _INDEX).read_bytes())
    except OSError as error:
        raise RefusedError(f"{folder} is not a plan set: {_INDEX}: {error.strerror}", help=_PLAN_AGAIN) from error
    except ValidationError as error:
        raise RefusedError(f"{folder / _INDEX} is not a plan set of this version", help=_PLAN_AGAIN) from error
    if plan_set.target != target:
        raise RefusedError(
            f"the plans in {folder} are for {plan_set.target}, not for {target}", help=f"plan again for {target}"
        )
    if plan_set.tree != tree_digest:
        raise RefusedError(f"the rendered roots have changed since {folder} was planned", help=_PLAN_AGAIN)
    by_name = {root.name: root for root in roots}
    if unknown := [plan.root for plan in plan_set.plans if plan.root not in by_name]:
        raise RefusedError(f"{folder} has plans for roots that are not there: {', '.join(unknown)}", help=_PLAN_AGAIN)
    results = tuple(_result(plan, by_name[plan.root], folder) for plan in plan_set.plans)
    require_unchanged(results)
    return results


def _entry(result: PlanResult) -> _Plan:
    if result.outcome is PlanOutcome.INTERRUPTED:
        raise RefusedError(f"planning {result.root.name} was interrupted", help=_PLAN_AGAIN)
    return _Plan(
        root=result.root.name,
        outcome=result.outcome,
        plan_file=None if result.plan_file is None else plan_file_name(result.root.name),
        sha256=result.digest,
        add=result.add,
        change=result.change,
        destroy=result.destroy,
        imported=result.imported,
        changes=[
            _Change(address=change.address, action=change.action, imported=change.imported, was=change.was)
            for change in result.changes
        ],
    )


def _fill(folder: Path, plan_set: _PlanSet, results: Sequence[PlanResult]) -> None:
    folder.mkdir(mode=0o700)
    for result in results:
        if result.plan_file is not None:
            _write_private(folder / plan_file_name(result.root.name), result.plan_file.read_bytes())
    _write_private(folder / _INDEX, plan_set.model_dump_json(indent=2).encode())


def _swap_in(new: Path, folder: Path, old: Path) -> None:
    if folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except BaseException:
        if old.exists():
            old.rename(folder)
        raise


def _write_private(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _result(plan: _Plan, root: Root, folder: Path) -> PlanResult:
    has_changes = plan.outcome is PlanOutcome.CHANGES
    expected = plan_file_name(root.name) if has_changes else None
    if plan.plan_file != expected or (plan.sha256 is None) == has_changes:
        raise RefusedError(f"{folder / _INDEX} contradicts itself about {root.name}", help=_PLAN_AGAIN)
    return PlanResult(
        root,
        plan.outcome,
        add=plan.add,
        change=plan.change,
        destroy=plan.destroy,
        imported=plan.imported,
        changes=tuple(
            ResourceChange(change.address, change.action, change.imported, change.was) for change in plan.changes
        ),
        plan_file=None if expected is None else folder.absolute() / expected,
        digest=plan.sha256,
    )
