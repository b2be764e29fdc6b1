"""Reading and moving the states of many roots at once."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from generator.errors import ExitCode, RemoteError, worst
from generator.render.layout import Page
from generator.report.states import StateRow
from generator.run.children import Children
from generator.run.migration import Migration, Outcome, migrate
from generator.run.state import Keeper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from generator.render.render import Renderer
    from generator.run.state import Place, Snapshot

_CODES = {"failed": ExitCode.REMOTE, "refused": ExitCode.REFUSED, "interrupted": ExitCode.INTERRUPTED}


@dataclass(frozen=True, slots=True)
class Access:
    """What it takes to reach states.

    Args:
        aside: An empty folder, readable by its owner alone; it holds states in clear text while they are copied.
        renderer: Renders roots of nothing but a backend.
        jobs: How many roots are worked on at once.
        interrupted: Called once when the run is told to stop, with the number of processes that still run.
    """

    aside: Path
    renderer: Renderer
    jobs: int
    interrupted: Callable[[int], None]


def known(place: Place) -> StateRow:
    """Return where a state is, and nothing of it."""
    return StateRow(place.root, place.backend.type, place.address)


def read_all(places: Sequence[Place], environment: Mapping[str, str], access: Access) -> tuple[StateRow, ...]:
    """Read every state; one that cannot be read does not stop the others.

    Args:
        places: Where they are.
        environment: The environment of the backend's Terraform.
        access: What it takes.
    """
    children = Children()

    def read(place: Place) -> StateRow:
        return _read(place, _keeper(place, "state", environment, children, access))

    with children.stopped_by_signals(access.interrupted), ThreadPoolExecutor(access.jobs) as pool:
        return tuple(pool.map(read, places))


def objects_of(places: Sequence[Place], environment: Mapping[str, str], access: Access) -> dict[str, frozenset[str]]:
    """Return the addresses of the objects that each state knows, by the root's name.

    Args:
        places: Where the states are.
        environment: The environment of the backend's Terraform.
        access: What it takes.

    Raises:
        RemoteError: When one of them cannot be read.
    """
    children = Children()

    def read(place: Place) -> frozenset[str]:
        keeper = _keeper(place, "state", environment, children, access)
        keeper.connect()
        found = keeper.snapshot(keeper.pull())
        return frozenset(found.objects if found else ())

    with children.stopped_by_signals(access.interrupted), ThreadPoolExecutor(access.jobs) as pool:
        found = dict(zip((place.root for place in places), pool.map(read, places), strict=True))
    if children.stopping():
        raise KeyboardInterrupt
    return found


def migrate_all(
    moves: Sequence[tuple[Place, Place]],
    environments: tuple[Mapping[str, str], Mapping[str, str]],
    access: Access,
    settled: Callable[[str], None],
) -> tuple[StateRow, ...]:
    """Copy every state from its old place to its new one; one that cannot be copied does not stop the others.

    Args:
        moves: Old and new place of each root.
        environments: The environments of the old and of the new backend's Terraform.
        access: What it takes.
        settled: Called with a root's name as soon as its new place can be used.
    """
    children = Children()

    def move(places: tuple[Place, Place]) -> StateRow:
        old, new = (
            _keeper(place, side, environment, children, access)
            for place, side, environment in zip(places, ("old", "new"), environments, strict=True)
        )
        done = migrate(old, new) if not children.stopping() else Migration(Outcome.INTERRUPTED, reason="not started")
        if done.settled:
            settled(new.root)
        row = replace(known(places[1]), outcome=done.outcome.value, reason=done.reason)
        return row if done.snapshot is None else _with(row, done.snapshot)

    with children.stopped_by_signals(access.interrupted), ThreadPoolExecutor(access.jobs) as pool:
        return tuple(pool.map(move, moves))


def exit_code(rows: Iterable[StateRow]) -> ExitCode:
    """Return the exit code of reading or moving states."""
    return worst(_CODES.get(row.outcome, ExitCode.CLEAN) for row in rows)


def _keeper(place: Place, side: str, environment: Mapping[str, str], children: Children, access: Access) -> Keeper:
    folder = access.aside / side / place.root
    folder.mkdir(mode=0o700, parents=True)
    page = Page("root.tf", "state.tf.j2", "crosskeys.yaml", {"backend": place.backend})
    (folder / "root.tf").write_text(access.renderer.render([page])["root.tf"], "utf-8")
    return Keeper(place.root, folder, environment, children)


def _read(place: Place, keeper: Keeper) -> StateRow:
    row = known(place)
    try:
        keeper.connect()
        found = keeper.snapshot(keeper.pull())
        lock = keeper.lock()
    except RemoteError as error:
        outcome = "interrupted" if keeper.children.stopping() else "failed"
        return replace(row, outcome=outcome, reason=error.message)
    if lock:
        row = replace(row, locked_by=str(lock), lock_id=lock.id)
    if found is None:
        return replace(row, outcome="none")
    return replace(_with(row, found), outcome="read", modified=_modified(place))


def _with(row: StateRow, snapshot: Snapshot) -> StateRow:
    return replace(row, serial=snapshot.serial, lineage=snapshot.lineage, objects=len(snapshot.objects))


def _modified(place: Place) -> str | None:
    if place.file is None:
        return None
    try:
        when = place.file.stat().st_mtime
    except OSError:
        return None
    return dt.datetime.fromtimestamp(when, dt.UTC).isoformat(timespec="seconds")
