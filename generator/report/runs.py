"""What a run over many Terraform roots came to: one row a root, as a table or as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from generator.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

_STYLES = {
    "changes": "yellow",
    "applied": "green",
    "failed": "bold red",
    "skipped": "red",
    "interrupted": "red",
}
# A table for a file or a pipe must not be cut to the 80 columns that rich assumes there.
_WIDTH_WITHOUT_TERMINAL = 120


@dataclass(frozen=True, slots=True)
class TerraformDiagnostic:
    """Something Terraform complained about, whole.

    Args:
        severity: Error or warning.
        summary: Terraform's one line.
        detail: Terraform's explanation, possibly many lines.
        address: The resource it is about, when Terraform says so.
        path: The file, below the folder of rendered roots: ``accounts/123456789012/vault/client-payments.tf``.
        line: Its line, from 1; 0 without a file.
    """

    severity: Severity
    summary: str
    detail: str = ""
    address: str | None = None
    path: str | None = None
    line: int = 0

    @property
    def place(self) -> str:
        """``file:line, address``, as far as they are known."""
        where = f"{self.path}:{self.line}" if self.path else None
        return ", ".join(part for part in (where, self.address) if part)


@dataclass(frozen=True, slots=True, order=True)
class ResourceChange:
    """One change that a plan makes.

    Args:
        address: The resource's address in its root.
        action: Terraform's word: create, update, delete, replace, move, import, or remove (forgotten, not destroyed).
    """

    address: str
    action: str

    @property
    def destroys(self) -> bool:
        """Whether the object that exists goes away, be it for a new one."""
        return self.action in {"delete", "replace"}


@dataclass(frozen=True, slots=True)
class Row:
    """One root's line in the report of a run.

    Args:
        step: ``plan`` or ``apply``.
        root: The root's name.
        outcome: How it ended, one word.
        add: Objects created (to be created, in a plan); a replacement counts here and under destroy.
        change: Objects updated in place.
        destroy: Objects destroyed.
        seconds: Wall-clock time.
        reason: Why the outcome is not the wished-for one, when Terraform's own words do not say it.
        changes: The planned changes; empty for an apply.
        diagnostics: What Terraform complained about.
    """

    step: str
    root: str
    outcome: str
    add: int
    change: int
    destroy: int
    seconds: float
    reason: str | None
    changes: tuple[ResourceChange, ...]
    diagnostics: tuple[TerraformDiagnostic, ...]


def printable(text: str) -> str:
    """Return the text with control characters shown instead of obeyed; line breaks and tabs stay."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)


def print_summary(rows: Sequence[Row], stream: TextIO) -> None:
    """Print Terraform's diagnostics, the reasons and the table, ending with the total."""
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    if not stream.isatty():
        console.width = _WIDTH_WITHOUT_TERMINAL
    for row in rows:
        for diagnostic in row.diagnostics:
            console.print(_diagnostic_text(row.root, diagnostic), soft_wrap=True)
        if row.reason is not None:
            console.print(Text(f"{row.root} {row.outcome}: {printable(row.reason)}\n"), soft_wrap=True)
    console.print(_table(rows))


def to_json(rows: Sequence[Row]) -> str:
    """Return the run as one JSON object: every row with its changes and diagnostics, and the totals."""
    total = {key: sum(getattr(row, key) for row in rows) for key in ("add", "change", "destroy")}
    return json.dumps({"roots": [asdict(row) for row in rows], "total": total}, indent=2, ensure_ascii=False)


def _diagnostic_text(root: str, diagnostic: TerraformDiagnostic) -> Text:
    style = "bold red" if diagnostic.severity is Severity.ERROR else "bold yellow"
    text = Text.assemble((diagnostic.severity.value, style), f": {printable(diagnostic.summary)}\n")
    text.append(f"  {printable(diagnostic.place or root)}\n", style="dim")
    for line in printable(diagnostic.detail).splitlines():
        text.append(f"  {line}\n" if line else "\n")
    return text


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("root", overflow="fold")
    table.add_column("outcome")
    for heading in ("add", "change", "destroy", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        outcome = Text(row.outcome, style=_STYLES.get(row.outcome, ""))
        counts = [str(number) for number in (row.add, row.change, row.destroy)]
        table.add_row(Text(row.root), outcome, *counts, f"{row.seconds:.1f}")
    table.add_section()
    total = [str(sum(getattr(row, key) for row in rows)) for key in ("add", "change", "destroy")]
    table.add_row(f"total: {len(rows)} root{'s' if len(rows) != 1 else ''}", "", *total, "")
    return table
