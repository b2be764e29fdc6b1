"""What a look at everything that a fleet needs found: a line for each thing, with what to do about it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from generator.errors import ExitCode, worst
from generator.report import machine
from generator.report.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence


class Status(StrEnum):
    """How something is."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Args:
        area: Where it belongs: ``machine``, ``fleet``, ``environment``, ``vault``, ``aws`` or ``state``.
        name: What was looked at, in a word or two.
        status: How it is.
        said: What was found, without a full stop.
        help: What to do about it; nothing to do where it is None.
    """

    area: str
    name: str
    status: Status
    said: str
    help: str | None = None


_CODES = {Status.FAILED: ExitCode.FINDINGS, Status.UNKNOWN: ExitCode.REMOTE}
_STYLES = {Status.OK: "green", Status.WARNING: "yellow", Status.FAILED: "bold red", Status.UNKNOWN: "magenta"}
_WIDTH_WITHOUT_TERMINAL = 160


def exit_code(checks: Sequence[Check]) -> ExitCode:
    """Return 4 where something could not be looked at, else 1 where something must be mended, else 0."""
    return worst(_CODES.get(check.status, ExitCode.CLEAN) for check in checks)


def print_checks(checks: Sequence[Check], stream: TextIO) -> None:
    """Print a line for each check, what to do below it, and how many there are of each status."""
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    if not stream.isatty():
        console.width = _WIDTH_WITHOUT_TERMINAL
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for name in ("status", "area", "name"):
        table.add_column(name, no_wrap=True)
    table.add_column("said", overflow="fold")
    for check in checks:
        said = visible(check.said) + (f"\nhelp: {visible(check.help)}" if check.help else "")
        table.add_row(Text(check.status.value, style=_STYLES[check.status]), check.area, check.name, Text(said))
    console.print(table)
    console.print(_total(checks))


def concise(checks: Sequence[Check]) -> str:
    """Return a line for each check that is not ok, and how many there are of each status."""
    lines = [
        visible(f"{check.status}: {check.area}: {check.name}: {check.said}")
        for check in checks
        if check.status is not Status.OK
    ]
    return "\n".join([*lines, _total(checks)]) + "\n"


def to_json(checks: Sequence[Check]) -> str:
    """Return the checks as one JSON object."""
    return machine.to_json({"checks": [asdict(check) for check in checks]})


def _total(checks: Sequence[Check]) -> str:
    counted = Counter(check.status for check in checks)
    return ", ".join(f"{counted[status]} {status}" for status in Status)
