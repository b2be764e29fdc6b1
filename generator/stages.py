"""What a run spends its time on: stages with their seconds and counts, in the log and, for --profile, in a table."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Stage:
    """One stage of a run.

    Args:
        name: What was done, in the past tense.
        counts: Of what, and how many.
        seconds: How long it took, by the clock on the wall.
    """

    name: str
    counts: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


_BEGIN = time.perf_counter()
_done: list[Stage] = []
_logged = 0


@contextmanager
def stage(name: str, *, held: bool = False, **counts: int) -> Iterator[dict[str, int]]:
    """Time what is done within, and log it; yields the counts, to be added to.

    Args:
        name: What is done, in the past tense.
        held: Leave it to ``log`` to log it: how the fleet wants its log is known only when it was read.
        counts: What is known beforehand.
    """
    done = Stage(name, dict(counts))
    begin = time.perf_counter()
    yield done.counts
    done.seconds = time.perf_counter() - begin
    _done.append(done)
    if not held:
        log()


def log() -> None:
    """Log the stages that were not logged yet."""
    global _logged  # noqa: PLW0603 - as many runs as processes
    for done in _done[_logged:]:
        _log.info(done.name, extra={**done.counts, "seconds": round(done.seconds, 3)})
    _logged = len(_done)


def table() -> str:
    """Return every stage of this process so far, one a line, and how long it has run altogether."""
    lines = [
        (each.name, each.seconds, " ".join(f"{key}={number}" for key, number in each.counts.items())) for each in _done
    ]
    rest = time.perf_counter() - _BEGIN - sum(each.seconds for each in _done)
    width = max(len(name) for name, _, _ in (*lines, ("everything else", rest, "")))
    shown = [f"{seconds:8.3f} s  {name:<{width}}  {counts}".rstrip() for name, seconds, counts in lines]
    return "\n".join((*shown, f"{rest:8.3f} s  everything else"))
