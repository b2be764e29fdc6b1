"""The roots of a fleet, and why a run would take them: for people, or as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from generator.report.machine import to_json
from generator.report.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_NOTHING_OF_ITS_OWN = "another version of crosskeys, or by hand"


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that differs.

    Args:
        path: Relative to the fleet's folder.
        change: ``added``, ``changed`` or ``removed``.
        client: Whose file it is; None for what a root's clients share.
        sources: Manifests, settings and templates that it is made of and that differ too.
    """

    path: str
    change: str
    client: str | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RootChange:
    """A root that differs.

    Args:
        name: Its path below ``terraform/``.
        change: ``added``, ``changed`` or ``removed``.
        files: The files that differ, by path.
    """

    name: str
    change: str
    files: tuple[FileChange, ...]


@dataclass(frozen=True, slots=True)
class RootRow:
    """One root.

    Args:
        name: Its path below ``terraform/``.
        kind: ``platform``, ``aws`` or ``vault``.
        account_id: Its account; None for the platform.
        clients: Its clients; of a root that is no more those whose files went.
        provisioning: ``managed`` when this fleet's runs apply it, ``handover`` when its account's owner does; None for
            a root that is no more, of which nobody can say it here.
        directory: Relative to the fleet's folder.
        change: What became of it, when that was asked for.
    """

    name: str
    kind: str
    account_id: str | None
    clients: tuple[str, ...]
    provisioning: str | None
    directory: str
    change: RootChange | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What is listed.

    Args:
        rows: In the order in which the roots are laid out.
        since: What they are compared with: what the command line named; None when they are not.
    """

    rows: tuple[RootRow, ...]
    since: str | None = None


def full(listing: Listing, *, with_reasons: bool) -> str:
    """Return the roots as a table, each with what differs below it when that is wanted, and their number."""
    lines = []
    cells = [_cells(row, compared=listing.since is not None) for row in listing.rows]
    for row, line in zip(listing.rows, _table(cells), strict=True):
        lines.append(line)
        if with_reasons and row.change is not None:
            lines += (f"  {reason}" for reason in _reasons(row.change))
    against = f" against where HEAD left {visible(listing.since)}" if listing.since is not None else ""
    return "\n".join((*lines, f"{len(listing.rows)} root{'s' if len(listing.rows) != 1 else ''}{against}")) + "\n"


def concise(listing: Listing) -> str:
    """Return the name of each root that stands in the tree, a line each."""
    return "".join(f"{row.name}\n" for row in listing.rows if row.provisioning is not None)


def as_json(listing: Listing) -> str:
    """Return the roots as a JSON object."""
    return to_json({"since": listing.since, "roots": [asdict(row) for row in listing.rows]})


def why(change: RootChange) -> str:
    """Return a root's name, what became of it, and what differs in it, a line each."""
    return "\n".join((f"{change.name} {change.change}", *(f"  {reason}" for reason in _reasons(change))))


def _reasons(change: RootChange) -> Iterator[str]:
    for file in change.files:
        made_of = ", ".join(map(visible, file.sources)) or _NOTHING_OF_ITS_OWN
        name = visible(file.path.removeprefix(f"terraform/{change.name}/"))
        yield f"{name} {file.change}: {made_of}"


def _cells(row: RootRow, *, compared: bool) -> tuple[str, ...]:
    change = (row.change.change if row.change else "",) if compared else ()
    return (row.name, *change, row.provisioning or "not rendered any more", _clients(row.clients))


def _clients(names: Sequence[str]) -> str:
    shown = ", ".join(map(visible, names[:4]))
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"  # noqa: PLR2004 - as many as shown


def _table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    rows = tuple(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
