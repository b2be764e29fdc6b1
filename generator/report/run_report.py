"""The report of a run: what was asked for, what became of each root, and how it ended. Addresses, never values."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from generator.log import redacted
from generator.report.machine import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from generator.report.runs import ResourceChange, Row, TerraformDiagnostic

VERSION = 1
"""Of the form; a field more does not raise it, one that goes or means something else does."""

_COUNTS = ("add", "change", "destroy", "imported")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What is reported of a run.

    Args:
        verb: ``plan`` or ``apply``.
        target: ``sandbox`` or ``live``.
        run: The run's id in its journal; None for a run without one.
        tree: SHA-256 of the rendered tree, hex; empty when the run ended before it was known.
        selection: What narrowed the run down, by the option's name without its dashes.
        started: When, in UTC, ISO 8601.
        seconds: How long it took.
        exit_code: How it ended.
        error: Why it ended before it was through; empty otherwise.
        rows: What became of each root, step by step.
    """

    verb: str
    target: str
    run: str | None = None
    tree: str = ""
    selection: Mapping[str, Sequence[str]] = field(default_factory=dict)
    started: str
    seconds: float
    exit_code: int
    error: str = ""
    rows: tuple[Row, ...] = ()

    def of(self, step: str) -> tuple[Row, ...]:
        """Return the rows of a step."""
        return tuple(row for row in self.rows if row.step == step)

    @property
    def last(self) -> tuple[Row, ...]:
        """The rows of the last step that there was."""
        return self.of("apply") or self.of("plan")


def render(report: RunReport) -> str:
    """Return the report as a JSON object in plain ASCII; ``schemas/run.schema.json`` says what is in it."""
    return to_json(
        {
            "version": VERSION,
            "run": report.run,
            "verb": report.verb,
            "target": report.target,
            "tree": report.tree,
            "selection": {name: list(values) for name, values in report.selection.items()},
            "started": report.started,
            "seconds": round(report.seconds, 1),
            "exit_code": report.exit_code,
            "error": redacted(report.error) or None,
            "total": {step: _total(rows) for step in ("plan", "apply") if (rows := report.of(step))},
            "destroys": [
                {"root": row.root, **_change(change)}
                for row in report.rows
                for change in row.changes
                if change.destroys
            ],
            "roots": [_row(row) for row in report.rows],
        }
    )


def rows_as_json(rows: Sequence[Row]) -> str:
    """Return the rows of one step as a JSON object, with the totals: what ``--format json`` prints."""
    return to_json({"roots": [_row(row) for row in rows], "total": _counts(rows)})


def _total(rows: Sequence[Row]) -> dict[str, Any]:
    return {"roots": len(rows), **_counts(rows), "outcomes": dict(Counter(row.outcome for row in rows))}


def _counts(rows: Iterable[Row]) -> dict[str, int]:
    rows = tuple(rows)
    return {key: sum(getattr(row, key) for row in rows) for key in _COUNTS}


def _row(row: Row) -> dict[str, Any]:
    found = asdict(row)
    found["reason"] = row.reason and redacted(row.reason)
    found["changes"] = [_change(change) for change in row.changes]
    found["diagnostics"] = [_diagnostic(diagnostic) for diagnostic in row.diagnostics]
    return found


def _change(change: ResourceChange) -> dict[str, Any]:
    return {"address": change.address, "action": change.action, "imported": change.imported}


def _diagnostic(diagnostic: TerraformDiagnostic) -> dict[str, Any]:
    # Providers quote what a server answered, and that may quote what it was sent.
    found = asdict(diagnostic)
    return found | {"summary": redacted(diagnostic.summary), "detail": redacted(diagnostic.detail)}
