"""Progress of a run over many Terraform roots, on stderr: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from generator.report.pace import Pace
from generator.report.runs import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from rich.progress import Task

    from generator.report.runs import Row


_NOTHING_TO_TELL = frozenset({"clean", "unchanged"})


class Observer(Protocol):
    """Told what a run does, from many threads at once; must not raise."""

    def started(self, step: str, root: str) -> None:
        """A root's turn has come; step is ``plan`` or ``apply``."""

    def progress(self, root: str, line: str) -> None:
        """Terraform said what it is doing in a root."""

    def finished(self, row: Row) -> None:
        """A root is done, or will not be run."""

    def interrupted(self, running: int) -> None:
        """The run was asked to stop, and waits for so many Terraform processes."""


SILENCE = 30.0
"""Seconds without a line after which a log gets one that says that the run goes on."""


@contextmanager
def progress(roots: Collection[str], stream: TextIO, silence: float = SILENCE) -> Iterator[Observer]:
    """Yield the observer that suits the stream, and leave the terminal as it was.

    Args:
        roots: The names of the roots that the run is about.
        stream: Where to write; anything but a terminal gets one plain line a finished root with something to tell.
        silence: Seconds after which anything but a terminal is told that the run goes on.
    """
    console = Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True)
    pace = Pace(roots, time.monotonic())
    # Not console.is_terminal: FORCE_COLOR makes that true for a file.
    if not stream.isatty() or console.is_dumb_terminal:
        with PlainProgress(stream, pace).speaking_every(silence) as plain:
            yield plain
        return
    columns = (
        SpinnerColumn(finished_text=" "),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        _Remaining(pace),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        yield LiveProgress(bars, len(roots), pace)


class PlainProgress:
    """One line for each finished root with something to tell: ``plan  accounts/123456789012/vault  +2 ~0 -0  0.4 s``.

    Args:
        stream: Where to write.
        pace: Is told of each root, and says how far the run is.
    """

    def __init__(self, stream: TextIO, pace: Pace) -> None:
        self._stream = stream
        self._pace = pace
        self._lock = threading.RLock()
        self._last = time.monotonic()

    @contextmanager
    def speaking_every(self, silence: float) -> Iterator[PlainProgress]:
        """While inside, write how far the run is whenever nothing was written for so many seconds."""
        done = threading.Event()
        speaker = threading.Thread(target=self._speak, args=(silence, done), name="progress", daemon=True)
        speaker.start()
        try:
            yield self
        finally:
            done.set()
            speaker.join()

    def started(self, step: str, root: str) -> None:  # noqa: ARG002 - as the observer has it
        """Say nothing: a log wants results."""
        with self._lock:
            self._pace.start(root, time.monotonic())

    def progress(self, root: str, line: str) -> None:
        """Say nothing: a log wants results."""

    def finished(self, row: Row) -> None:
        """Write the root's line when there is something to know."""
        with self._lock:
            self._pace.finish(row.root, row.seconds)
            if row.outcome not in _NOTHING_TO_TELL:
                self._write(summary_line(row))

    def interrupted(self, running: int) -> None:
        """Say what is being waited for."""
        self._write(_waiting(running))

    def _speak(self, silence: float, done: threading.Event) -> None:
        while not done.wait(max(self._last + silence - time.monotonic(), 0.01)):
            with self._lock:
                now = time.monotonic()
                if now - self._last >= silence:
                    self._write(self._pace.status(now))

    def _write(self, line: str) -> None:
        # A closed stderr must not fail the run that it reports on.
        with self._lock, suppress(OSError):
            self._last = time.monotonic()
            self._stream.write(f"{line}\n")
            self._stream.flush()


class _Remaining(ProgressColumn):
    """Rate and time left, beside the bar over all roots."""

    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self._pace = pace

    def render(self, task: Task) -> Text:
        """Return the words; none beside a single root."""
        return Text(self._pace.remaining(time.monotonic()) if task.total is not None else "", style="dim")


class LiveProgress:
    """A bar over all roots, and below it what each running root is doing."""

    def __init__(self, bars: Progress, total: int, pace: Pace) -> None:
        self._bars = bars
        self._pace = pace
        self._all = bars.add_task("roots", total=total)
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.RLock()

    def started(self, step: str, root: str) -> None:
        """Show the root as running."""
        with self._lock:
            self._pace.start(root, time.monotonic())
            self._tasks[root] = self._bars.add_task(f"{step}  {root}", total=None)

    def progress(self, root: str, line: str) -> None:
        """Show the root's latest line."""
        with self._lock:
            if root in self._tasks:
                self._bars.update(self._tasks[root], description=f"{root}  {printable(line)}")

    def finished(self, row: Row) -> None:
        """Take the root off, and leave a line when there is something to know."""
        with self._lock:
            if row.root in self._tasks:
                self._bars.remove_task(self._tasks.pop(row.root))
            self._pace.finish(row.root, row.seconds)
            self._bars.advance(self._all)
            if row.outcome not in _NOTHING_TO_TELL:
                self._print(summary_line(row))

    def interrupted(self, running: int) -> None:
        """Say what is being waited for."""
        self._print(_waiting(running))

    def _print(self, line: str) -> None:
        # A terminal that was closed must not fail the run that is reported on it.
        with suppress(OSError):
            self._bars.console.print(line)


def summary_line(row: Row) -> str:
    """Return a root's result in one line."""
    counts = row.counts
    if row.outcome in {"failed", "skipped", "interrupted"}:
        counts = row.outcome if row.reason is None else f"{row.outcome}: {printable(row.reason)}"
    return f"{row.step:<5} {row.root}  {counts}  {row.seconds:.1f} s"


def _waiting(running: int) -> str:
    if not running:
        return "interrupted: nothing new is started"
    return f"interrupted: waiting for Terraform to stop in {running} root{'s' if running > 1 else ''}; do not kill it"
