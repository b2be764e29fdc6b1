"""The runs that were: their journals, what is left to do of them, and Terraform that one of them has left alone."""

from __future__ import annotations

import datetime as dt
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.errors import RefusedError, UsageError
from generator.run.journal import WORK, Journal, Run, read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

KEPT = 20
"""How many runs are remembered, beside those of which something is left to do."""

_POLL = 0.2  # seconds
_SAY_EVERY = 30.0


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A run of which something is left to do.

    Args:
        run: What its journal says.
        roots: Names of the roots in which it is left.
    """

    run: Run
    roots: tuple[str, ...]


def begin(folder: Path) -> Journal:
    """Begin a run's journal in a folder of its own, named after the time, for the user alone.

    Raises:
        UsageError: When it cannot be written.
    """
    now = dt.datetime.now(dt.UTC)
    own = folder / now.strftime("%Y%m%dT%H%M%S-%f")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        own.mkdir(mode=0o700)
        (own / WORK).mkdir(mode=0o700)
    except OSError as error:
        raise UsageError(
            f"the journals of runs cannot be kept in {folder}: {error.strerror}",
            help="make room there, or let CROSSKEYS_RUNS name another folder",
        ) from error
    return Journal(own)


def earlier(folder: Path, target: str) -> tuple[Run, ...]:
    """Return the runs that are remembered of a target, newest first."""
    runs = (read(path.parent) for path in sorted(folder.glob("*/journal.jsonl"), reverse=True))
    return tuple(run for run in runs if run.target == target)


def unsettled(runs: Sequence[Run]) -> tuple[Unsettled, ...]:
    """Return the runs of which something is left to do, newest first.

    What a later run has applied, or has found to be as it should, is not left to do.

    Args:
        runs: Runs of one target, newest first.
    """
    found = []
    done: set[str] = set()
    for run in runs:
        if left := tuple(root for root in run.unfinished if root not in done):
            found.append(Unsettled(run, left))
        done |= run.done
    return tuple(found)


def made(left: Sequence[Unsettled]) -> frozenset[tuple[str, str]]:
    """Return the objects that unfinished runs have made or may have, by root and address.

    Their states may not know them, as when a machine died: they are there, and are no others'.

    Args:
        left: The runs of one target of which something is left to do.
    """
    return frozenset(pair for each in left for pair in each.run.made if pair[0] in each.roots)


def to_resume(runs: Sequence[Run], name: str | None) -> Unsettled | None:
    """Return the run to go on with: the one that is named, else the newest of which something is left.

    Args:
        runs: Runs of one target, newest first.
        name: A run's id.

    Raises:
        UsageError: When there is no run of that name.
    """
    left = unsettled(runs)
    if name is None:
        return left[0] if left else None
    if name not in {run.id for run in runs}:
        known = ", ".join(each.run.id for each in left) or "none"
        raise UsageError(
            f"no run of this target is called {name}", help=f"runs of which something is left to do: {known}"
        )
    return next((each for each in left if each.run.id == name), None)


def sweep(folder: Path) -> None:
    """Forget what is not needed any more: plans of settled runs, all of the oldest of these, what killed ones left.

    Args:
        folder: With the runs; the caller holds the fleet's lock, so that none goes on.
    """
    runs = [read(path.parent) for path in sorted(folder.glob("*/journal.jsonl"), reverse=True)]
    keep = {
        each.run.id for target in ("sandbox", "live") for each in unsettled([r for r in runs if r.target == target])
    }
    for run in runs:
        # No other run goes on while this one holds the fleet's lock: a killed one has left it.
        shutil.rmtree(run.folder / WORK, ignore_errors=True)
    settled = [run for run in runs if run.id not in keep and not run.left_alone]
    for run in settled:
        shutil.rmtree(run.plans, ignore_errors=True)
    for run in settled[KEPT:]:
        shutil.rmtree(run.folder, ignore_errors=True)


def require_none_left_alone(runs: Sequence[Run]) -> None:
    """Check that no Terraform that a killed run has left alone is still at work.

    Raises:
        RefusedError: When one is, naming it.
    """
    for run in runs:
        for root, process in run.left_alone.items():
            raise RefusedError(
                f"Terraform is still at work in {root}: process {process.pid}, left alone by the run {run.id}",
                help="do not kill it; `crosskeys apply --resume` waits for it and goes on",
            )


def wait_for_left_alone(runs: Sequence[Run], seconds: float, say: Callable[[str], None]) -> None:
    """Wait until no Terraform that a killed run has left alone is at work any more.

    Args:
        runs: The runs that may have left some.
        seconds: How long at most.
        say: Shows one line.

    Raises:
        RefusedError: When one is still at work then.
    """
    end = time.monotonic() + seconds
    say_again = 0.0
    while left := {root: process for run in runs for root, process in run.left_alone.items()}:
        now = time.monotonic()
        if now >= end:
            require_none_left_alone(runs)
            return
        if now >= say_again:
            at_work = ", ".join(f"{root} (process {process.pid})" for root, process in left.items())
            say(f"waiting up to {end - now:.0f} s for Terraform, which is still at work: {at_work}")
            say_again = now + _SAY_EVERY
        time.sleep(_POLL)
