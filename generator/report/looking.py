"""Progress of a look at many live objects, on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from generator.report.pace import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

_SILENCE = 10.0  # seconds


class Plain:
    """Says every so often how far the look is; told from one thread.

    Args:
        stream: Where it is said.
        silence: Seconds between two lines.
    """

    def __init__(self, stream: TextIO, silence: float = _SILENCE) -> None:
        self._stream = stream
        self._silence = silence
        self._begin = self._last = time.monotonic()
        self._done = self._total = 0

    def more(self, number: int) -> None:
        """So many objects more are to be looked at."""
        self._total += number

    def done(self) -> None:
        """One of them was."""
        self._done += 1
        now = time.monotonic()
        if now - self._last < self._silence:
            return
        self._last = now
        rate = self._done / (now - self._begin)
        left = duration((self._total - self._done) / rate)
        # A closed stderr must not fail the look that it reports on.
        with suppress(OSError):
            self._stream.write(f"{self._done:,} of {self._total:,} objects, {rate:.0f} a second, {left} left\n")
            self._stream.flush()


class Bar:
    """A bar over all objects that are known so far."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._task = bars.add_task("objects", total=0)

    def more(self, number: int) -> None:
        """So many objects more are to be looked at."""
        self._bars.update(self._task, total=(self._bars.tasks[0].total or 0) + number)

    def done(self) -> None:
        """One of them was."""
        self._bars.advance(self._task)


@contextmanager
def looking(stream: TextIO) -> Iterator[Plain | Bar]:
    """Yield what a look tells how far it is."""
    if not stream.isatty():
        yield Plain(stream)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=stream, highlight=False, emoji=False), transient=True) as bars:
        yield Bar(bars)
