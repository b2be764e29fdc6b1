"""What became of each root: the results of planning and of applying."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from generator.errors import ExitCode, worst
from generator.report.runs import ResourceChange, Row, TerraformDiagnostic

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from generator.render.layout import Root


class PlanOutcome(StrEnum):
    """How planning a root ended."""

    CLEAN = "clean"
    CHANGES = "changes"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class ApplyOutcome(StrEnum):
    """How applying a root ended."""

    UNCHANGED = "unchanged"
    APPLIED = "applied"
    FAILED = "failed"
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class PlanResult:
    """What a root's plan would do.

    Args:
        root: The root.
        outcome: How planning ended.
        add: Objects to create; a replacement counts here and under destroy.
        change: Objects to update in place.
        destroy: Objects to destroy.
        imported: Objects to import, those included that are changed too.
        changes: The changes, by address.
        diagnostics: What Terraform complained about.
        seconds: Wall-clock time.
        plan_file: The saved plan; only when there are changes.
        digest: The plan file's SHA-256, in hex.
        reason: Why it was not planned, where Terraform's words do not say it.
    """

    root: Root
    outcome: PlanOutcome
    add: int = 0
    change: int = 0
    destroy: int = 0
    changes: tuple[ResourceChange, ...] = ()
    diagnostics: tuple[TerraformDiagnostic, ...] = ()
    seconds: float = 0.0
    plan_file: Path | None = None
    digest: str | None = None
    reason: str | None = None
    imported: int = 0

    @property
    def row(self) -> Row:
        """The result as the report shows it."""
        return Row(
            step="plan",
            root=self.root.name,
            outcome=self.outcome.value,
            add=self.add,
            change=self.change,
            destroy=self.destroy,
            imported=self.imported,
            seconds=self.seconds,
            reason=self.reason,
            changes=self.changes,
            diagnostics=self.diagnostics,
            clients=self.root.clients,
        )


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What applying a root's saved plan did.

    Args:
        root: The root.
        outcome: How it ended.
        add: Objects created, also where the apply failed later on.
        change: Objects updated in place.
        destroy: Objects destroyed.
        imported: Objects imported; not known where the apply failed.
        diagnostics: What Terraform complained about.
        seconds: Wall-clock time.
        reason: Why it was skipped, or what to do about the failure.
    """

    root: Root
    outcome: ApplyOutcome
    add: int = 0
    change: int = 0
    destroy: int = 0
    diagnostics: tuple[TerraformDiagnostic, ...] = ()
    seconds: float = 0.0
    reason: str | None = None
    imported: int = 0

    @property
    def row(self) -> Row:
        """The result as the report shows it."""
        return Row(
            step="apply",
            root=self.root.name,
            outcome=self.outcome.value,
            add=self.add,
            change=self.change,
            destroy=self.destroy,
            imported=self.imported,
            seconds=self.seconds,
            reason=self.reason,
            changes=(),
            diagnostics=self.diagnostics,
            clients=self.root.clients,
        )


class Interrupted(KeyboardInterrupt):
    """The run was told to stop, and has stopped: no Terraform process is left.

    Raised instead of returning, so that no caller goes on to the next step by oversight.

    Args:
        results: What was done until then; roots that were cut short or never started say so.
    """

    def __init__(self, results: tuple[PlanResult, ...] | tuple[ApplyResult, ...]) -> None:
        super().__init__("interrupted")
        self.results = results


def exit_code(results: Iterable[PlanResult | ApplyResult], *, check: bool = False) -> ExitCode:
    """Return the exit code of a run.

    Args:
        results: Every root's result.
        check: Whether pending changes count as findings.
    """
    return worst(_code(result.outcome, check=check) for result in results)


def _code(outcome: PlanOutcome | ApplyOutcome, *, check: bool) -> ExitCode:
    match outcome:
        case PlanOutcome.INTERRUPTED | ApplyOutcome.INTERRUPTED:
            return ExitCode.INTERRUPTED
        case PlanOutcome.FAILED | ApplyOutcome.FAILED | ApplyOutcome.SKIPPED:
            return ExitCode.REMOTE
        case PlanOutcome.CHANGES if check:
            return ExitCode.FINDINGS
        case _:
            return ExitCode.CLEAN
