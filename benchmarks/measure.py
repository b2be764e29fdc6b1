"""Cases, and how they are measured: interleaved repeats, each in a process of its own."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from generator.errors import CrosskeysError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_CHILD = Path(__file__).with_name("child.py")
_SHOWN = 2000


class FailedError(CrosskeysError):
    """A command that is measured did not end as it must."""

    exit_code = ExitCode.USAGE


def nothing() -> None:
    """Prepare nothing."""


@dataclass(frozen=True, slots=True)
class Case:
    """One command to measure.

    Args:
        key: Its name in the results.
        title: What people read.
        argv: The command; its program is an absolute path.
        folder: Where it runs.
        environment: All of its environment.
        prepare: Brings about what the command shall find; not measured.
        warm: Run the command once before, unmeasured.
        code: The exit code that it must end with.
        most: Repeats at most.
    """

    key: str
    title: str
    argv: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    prepare: Callable[[], object] = field(default=nothing)
    warm: bool = False
    code: int = 0
    most: int = 1000


@dataclass(frozen=True, slots=True)
class Run:
    """One measurement.

    Args:
        seconds: From start to end.
        processor: Seconds of processor time, children included.
        memory: Peak in bytes: of the largest process as the kernel counts it, or, where several work together, of
            their sum as it is seen by looking every 20 ms; pages that they share are counted in each.
        processes: Most processes seen at a time.
    """

    seconds: float
    processor: float
    memory: int
    processes: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What all runs of a case come to.

    Args:
        runs: How many they were.
        seconds: The median; `fastest` and `slowest` are the ends.
        processor: The median of the processor's seconds.
        memory: The largest peak, in bytes.
        processes: Most processes seen at a time.
    """

    title: str
    runs: int
    seconds: float
    fastest: float
    slowest: float
    processor: float
    memory: int
    processes: int

    @classmethod
    def of(cls, title: str, runs: Sequence[Run]) -> Measured:
        """Sum up the runs of a case."""
        times = [run.seconds for run in runs]
        return cls(
            title=title,
            runs=len(runs),
            seconds=round(statistics.median(times), 4),
            fastest=round(min(times), 4),
            slowest=round(max(times), 4),
            processor=round(statistics.median(run.processor for run in runs), 4),
            memory=max(run.memory for run in runs),
            processes=max(run.processes for run in runs),
        )


def interleaved(cases: Sequence[Case], repeats: int, say: Callable[[str], None], work: Path) -> dict[str, Measured]:
    """Run all cases in turn, again and again: what slows the machine for a while slows all of them.

    Args:
        cases: In the order in which they run; one may build on what those before it leave.
        repeats: How often.
        say: Shows one line of progress.
        work: Where outputs are kept for a while.

    Raises:
        FailedError: When a command ends otherwise than it must.
    """
    runs: dict[str, list[Run]] = {case.key: [] for case in cases}
    for repeat in range(repeats):
        for case in cases:
            if repeat >= case.most:
                continue
            case.prepare()
            if case.warm:
                run(case, work)
            measured = run(case, work)
            runs[case.key].append(measured)
            say(f"{repeat + 1}/{repeats}  {case.title:<60} {measured.seconds:9.3f} s {measured.memory / 1e6:7.0f} MB")
    return {case.key: Measured.of(case.title, runs[case.key]) for case in cases}


def run(case: Case, work: Path) -> Run:
    """Run a case once and return what it took.

    Raises:
        FailedError: When it ends otherwise than it must.
    """
    result, output = work / "result.json", work / "output"
    with output.open("wb") as file:
        subprocess.run(
            [sys.executable, "-I", "-S", _CHILD, result, *case.argv],
            cwd=case.folder,
            env=dict(case.environment),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            check=True,
        )
    measured = json.loads(result.read_text("utf-8"))
    code = measured.pop("code")
    if code != case.code:
        said = output.read_text("utf-8", errors="replace")[-_SHOWN:]
        raise FailedError(
            f"`{' '.join(case.argv)}` ended with {code}, not {case.code}:\n{said}",
            help="what is measured must work: run that by hand in a fleet of your own",
        )
    return Run(**measured)
