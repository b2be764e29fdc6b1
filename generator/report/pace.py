"""How far a run over many roots is, and how long it will yet take; the time is handed in."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MINUTE, _HOUR = 60, 3600


class Pace:
    """Counts roots and estimates the time left from those that are done; for many threads at once.

    Roots of a kind cost about the same, and other kinds many times that: an AWS root loads a large provider. So the
    estimate is made by kind, the last part of a root's name, and only when some of each kind that is left are done.

    Args:
        roots: The names of all roots of the run.
        now: When it begins; seconds of any clock that only goes forward, as in all that follows.
    """

    def __init__(self, roots: Iterable[str], now: float) -> None:
        # Re-entrant: one question is answered by way of another.
        self._lock = threading.RLock()
        self._left = Counter(map(_kind, roots))
        self._total = self._left.total()
        self._begin = now
        self._running: dict[str, float] = {}
        self._most_running = 1
        self._taken: defaultdict[str, list[float]] = defaultdict(list)

    @property
    def done(self) -> int:
        """How many roots are done."""
        return self._total - self._left.total()

    def start(self, root: str, now: float) -> None:
        """Note that a root's turn has come."""
        with self._lock:
            self._running[root] = now
            self._most_running = max(self._most_running, len(self._running))

    def finish(self, root: str, seconds: float) -> None:
        """Note that a root is done, and how long it took."""
        with self._lock:
            self._running.pop(root, None)
            self._taken[_kind(root)].append(seconds)
            self._left[_kind(root)] -= 1

    def seconds_left(self, now: float) -> float | None:
        """Return the estimate; None while there is nothing to make it from."""
        with self._lock:
            kinds = [kind for kind, number in self._left.items() if number > 0]
            if not kinds or any(not self._taken[kind] for kind in kinds):
                return None
            usual = {kind: sum(self._taken[kind]) / len(self._taken[kind]) for kind in kinds}
            work = sum(usual[kind] * self._left[kind] for kind in kinds)
            spent = sum(min(now - since, usual.get(_kind(root), 0.0)) for root, since in self._running.items())
            return (work - spent) / self._most_running

    def status(self, now: float) -> str:
        """Return one line: ``12 of 400 roots done, 1.5 a second, about 4 min left; running: …``."""
        with self._lock:
            parts = [f"{self.done:,} of {self._total:,} roots done"]
            if self.done and now > self._begin:
                parts.append(_rate(self.done / (now - self._begin)))
            if (left := self.seconds_left(now)) is not None:
                parts.append(f"{duration(left)} left")
            line = ", ".join(parts)
            if not self._running:
                return line
            oldest = min(self._running, key=lambda root: self._running[root])
            others = f" and {len(self._running) - 1} more" if len(self._running) > 1 else ""
            return f"{line}; running: {oldest} for {now - self._running[oldest]:.0f} s{others}"

    def remaining(self, now: float) -> str:
        """Return the rate and the time left in a few words; empty while they are unknown."""
        left = self.seconds_left(now)
        return "" if left is None else f"{_rate(self.done / max(now - self._begin, 1e-3))}, {duration(left)} left"


def duration(seconds: float) -> str:
    """Return a length of time as an estimate is told: ``about 4 min``."""
    if seconds < _MINUTE:
        return "less than a minute"
    if seconds < _HOUR:
        return f"about {round(seconds / _MINUTE)} min"
    return f"about {seconds / _HOUR:.1f} h"


def _rate(a_second: float) -> str:
    return f"{a_second:.1f} a second" if a_second >= 1 else f"{a_second * _MINUTE:.1f} a minute"


def _kind(root: str) -> str:
    return root.rpartition("/")[2]
