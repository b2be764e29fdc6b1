"""A run over many roots for people: what is the same in many of them is said once, and fits on a screen or two."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from generator.diagnostics import Severity
from generator.report import groups
from generator.report.runs import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.report.runs import ResourceChange, Row, TerraformDiagnostic

SIGNS = {"create": "+", "update": "~", "delete": "-", "replace": "-/+"}
"""How Terraform marks an action; others are said by their word."""

_STYLES = {
    "changes": "yellow",
    "applied": "green",
    "failed": "bold red",
    "skipped": "red",
    "interrupted": "red",
    "create": "green",
    "update": "yellow",
    "delete": "bold red",
    "replace": "bold red",
}
# A table for a file or a pipe must not be cut to the 80 columns that rich assumes there.
_WIDTH_WITHOUT_TERMINAL = 120
_COUNTED = ("add", "change", "destroy")
_TABLE_ROWS = 24  # roots that are listed each: as many as are read at a glance
_NAMED = 2  # roots that stand for all that have the same
_DESTROYS_NAMED = 20
_CHANGES = 24  # lines of what goes away, and as many of all else
_COMPLAINTS = 8
_TO_LOOK_AT = ("failed", "interrupted")


def print_summary(rows: Sequence[Row], stream: TextIO, *, brief: bool = False, detail: bool = False) -> None:
    """Print Terraform's diagnostics, the reasons, the changes and the table, ending with the total.

    Args:
        rows: One a root.
        stream: Where to.
        brief: Leave out the table.
        detail: Leave nothing out: every complaint, every change by its address, every root.
    """
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    if not stream.isatty():
        console.width = _WIDTH_WITHOUT_TERMINAL
    for text in (*_complaints(rows, detail=detail), *_reasons(rows, detail=detail), *_changes(rows, detail=detail)):
        console.print(text, soft_wrap=True)
    console.print(_table(rows, brief=brief, detail=detail))


def named(roots: Sequence[str], most: int = _NAMED) -> str:
    """Return the first few of the roots by name and how many there are beyond them."""
    shown = ", ".join(roots[:most])
    return shown if len(roots) <= most else f"{shown} and {len(roots) - most:,} more"


def number_of(number: int, noun: str) -> str:
    """Return a number with its noun, such as ``1,998 roots``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _complaints(rows: Sequence[Row], *, detail: bool) -> Iterator[Text]:
    if detail:
        yield from (_diagnostic_text(row.root, diagnostic) for row in rows for diagnostic in row.diagnostics)
        return
    found = groups.complaints(rows)
    for group in found[:_COMPLAINTS]:
        text = _diagnostic_text(group.members[0][0], group.example)
        if more := group.roots[1:]:
            text.append(f"  the same in {number_of(len(more), 'more root')}: {printable(named(more))}\n", style="bold")
        yield text
    if left := found[_COMPLAINTS:]:
        yield Text(f"and {number_of(len(left), 'complaint')} of other kinds: --detail shows them all\n")


def _reasons(rows: Sequence[Row], *, detail: bool) -> Iterator[Text]:
    if detail:
        yield from (Text(f"{row.root} {row.outcome}: {printable(row.reason)}\n") for row in rows if row.reason)
        return
    for group in groups.reasons(rows):
        more = f" (and {number_of(len(group.roots) - 1, 'more root')})" if len(group.roots) > 1 else ""
        yield Text(f"{group.roots[0]} {group.outcome}: {printable(group.reason)}{more}\n")


def _changes(rows: Sequence[Row], *, detail: bool) -> Iterator[Text]:
    if detail:
        yield from (_change_text(row.root, change) for row in rows for change in row.changes)
    else:
        found = groups.changes(rows)
        yield from _cut([line for group in found if group.destroys for line in _destroy_texts(group)])
        yield from _cut([_group_text(group) for group in found if not group.destroys])
    if any(row.changes for row in rows):
        yield Text()


def _destroy_texts(group: groups.ChangeGroup) -> list[Text]:
    """Return what goes away object by object, as long as anybody would read it."""
    if len(group.members) > _DESTROYS_NAMED:
        return [_group_text(group)]
    return [_change_text(root, change) for root, change in group.members]


def _cut(lines: Sequence[Text]) -> Iterator[Text]:
    yield from lines[:_CHANGES]
    if left := lines[_CHANGES:]:
        yield Text(f"and {number_of(len(left), 'more line')} like these: --detail shows them all")


def _change_text(root: str, change: ResourceChange) -> Text:
    return Text.assemble(_sign(change.what), f" {printable(change.address)}  in {printable(root)}")


def _group_text(group: groups.ChangeGroup) -> Text:
    if len(group.members) == 1:
        return _change_text(*group.members[0])
    count = number_of(len(group.members), "time")
    where = f"{count} in {number_of(len(group.roots), 'root')}: {named(group.roots)}"
    return Text.assemble(_sign(group.action), f" {printable(group.pattern)}  {printable(where)}")


def _sign(what: str) -> tuple[str, str]:
    action, _, more = what.partition(", ")
    signs = f"{SIGNS.get(action, printable(action))} {printable(more)}".rstrip()
    return f"{signs:<3}", _STYLES.get(action, "")


def _diagnostic_text(root: str, diagnostic: TerraformDiagnostic) -> Text:
    style = "bold red" if diagnostic.severity is Severity.ERROR else "bold yellow"
    text = Text.assemble((diagnostic.severity.value, style), f": {printable(diagnostic.summary)}\n")
    text.append(f"  {printable(diagnostic.place or root)}\n", style="dim")
    for line in printable(diagnostic.detail).splitlines():
        text.append(f"  {line}\n" if line else "\n")
    return text


def _table(rows: Sequence[Row], *, brief: bool, detail: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("root", overflow="fold")
    table.add_column("outcome")
    counted = [*_COUNTED, *(["imported"] if any(row.imported for row in rows) else [])]
    for heading in (*counted, "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    listed, folded = _listed(rows, brief=brief, detail=detail)
    for row in listed:
        _add(table, row.root, row.outcome, [row], counted=counted, seconds=f"{row.seconds:.1f}")
    for outcome, number in Counter(row.outcome for row in folded).items():
        of_it = [row for row in folded if row.outcome == outcome]
        _add(table, number_of(number, "root"), outcome, of_it, counted=counted)
    table.add_section()
    _add(table, f"total: {number_of(len(rows), 'root')}", "", rows, counted=counted)
    return table


def _listed(rows: Sequence[Row], *, brief: bool, detail: bool) -> tuple[Sequence[Row], Sequence[Row]]:
    """Return the rows that have a line each, and those of which there is one for each outcome."""
    if detail or (not brief and len(rows) <= _TABLE_ROWS):
        return rows, ()
    listed = [row for row in rows if row.outcome in _TO_LOOK_AT][:_TABLE_ROWS]
    names = {row.root for row in listed}
    return listed, [row for row in rows if row.root not in names]


def _add(
    table: Table, name: str, outcome: str, rows: Sequence[Row], *, counted: Sequence[str], seconds: str = ""
) -> None:
    counts = [str(sum(getattr(row, key) for row in rows)) for key in counted]
    table.add_row(Text(printable(name)), Text(outcome, style=_STYLES.get(outcome, "")), *counts, seconds)
