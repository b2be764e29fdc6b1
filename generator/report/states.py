"""Where state is kept and what was read or moved of it: a line a root, as a table or as JSON. Never what is in it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from generator.report.runs import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

_STYLES = {"refused": "bold red", "failed": "bold red", "interrupted": "red", "moved": "green"}
_WIDTH_WITHOUT_TERMINAL = 160


@dataclass(frozen=True, slots=True)
class StateRow:
    """One root's state.

    Args:
        root: The root's name.
        backend: The backend's type.
        address: Where in it the state is.
        outcome: ``known`` when only that was asked; ``read``, ``none`` when there is no state, or ``failed``; when it
            was to be moved, ``moved``, ``there`` when it was there already, ``none``, ``refused``, ``failed``,
            ``interrupted``.
        serial: The state's serial number.
        lineage: What all snapshots of the state have in common.
        objects: How many objects of Vault or AWS it knows.
        modified: When it was last written, in UTC; only of local files.
        locked_by: Who holds its lock, since when and for what.
        lock_id: The id of that lock.
        reason: Why the outcome is not the wished-for one, and what to do about it.
    """

    root: str
    backend: str
    address: str
    outcome: str = "known"
    serial: int | None = None
    lineage: str | None = None
    objects: int | None = None
    modified: str | None = None
    locked_by: str | None = None
    lock_id: str | None = None
    reason: str | None = None


def print_states(rows: Sequence[StateRow], stream: TextIO) -> None:
    """Print the reasons, then the table."""
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    if not stream.isatty():
        console.width = _WIDTH_WITHOUT_TERMINAL
    for row in rows:
        if row.reason:
            console.print(Text(f"{row.root} {row.outcome}: {printable(row.reason)}\n"), soft_wrap=True)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("root", overflow="fold")
    table.add_column("backend", no_wrap=True)
    table.add_column("state", overflow="fold")
    known = all(row.outcome == "known" for row in rows)
    if not known:
        table.add_column("outcome", no_wrap=True)
        for heading in ("serial", "objects"):
            table.add_column(heading, justify="right", no_wrap=True)
        table.add_column("locked by", overflow="fold")
    for row in rows:
        cells: list[str | Text] = [row.root, row.backend, Text(printable(row.address))]
        if not known:
            cells += [
                Text(row.outcome, style=_STYLES.get(row.outcome, "")),
                *("" if number is None else str(number) for number in (row.serial, row.objects)),
                Text(printable(row.locked_by or "")),
            ]
        table.add_row(*cells)
    console.print(table)


def to_json(rows: Sequence[StateRow]) -> str:
    """Return the rows as one JSON object."""
    return json.dumps({"roots": [asdict(row) for row in rows]}, indent=2, ensure_ascii=False)
