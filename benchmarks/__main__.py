"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import cases, machine, measure, programs, pull_request, report, stand
from generator.errors import CrosskeysError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.stand import Stand

_PAGE = Path(__file__).parents[1] / "docs/benchmarks.md"
_STARTS = 15
_LARGE = 10_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write the results, and return the exit status: 0 whether or not the goals are met."""
    options = _options(arguments)
    begin = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="crosskeys-bench-") as work:
            results = _measured(Path(work), options).beside(options.page)
        report.write(results, options.page)
    except CrosskeysError as error:
        _say(f"error: {error.message}")
        if error.help:
            _say(f"help: {error.help}")
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    for goal in results.goals:
        value = "" if goal.value is None else f"{goal.value:.2f} {goal.unit}, at most {goal.limit:g}"
        _say(f"{goal.outcome:<12}  {goal.title}: {value}")
    _say(f"wrote {options.page} and its folder in {time.monotonic() - begin:.0f} s")
    return ExitCode.CLEAN


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--sizes", type=_sizes, default=(100, 1_000, 10_000), metavar="N,N,…", help="numbers of clients"
    )
    parser.add_argument("--repeats", type=int, metavar="N", help="repeats of each; by default fewer of larger ones")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another one makes up another fleet")
    parser.add_argument("--page", type=Path, default=_PAGE, metavar="FILE", help="the page that gets the results")
    parser.add_argument("--without-peers", action="store_true", help="leave out Terramate and Terraform")
    return parser.parse_args(arguments)


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(sorted({int(word) for word in text.split(",")}))


def _measured(work: Path, options: argparse.Namespace) -> report.Results:
    found = programs.find(work, _say, peers=not options.without_peers)
    starting = measure.interleaved(cases.starting(work), options.repeats or _STARTS, _say, work)
    sizes: dict[int, report.Size] = {}
    for clients in options.sizes:
        _say(f"writing, rendering and committing fleets of {clients:,} clients")
        beside = found if clients < cases.HUGE else replace(found, terramate=None, terraform=None)
        here = stand.build(work / f"{clients}", clients, options.seed, beside)
        repeats = options.repeats or (1 if clients >= cases.HUGE else 3 if clients >= _LARGE else 5)
        taken = measure.interleaved(cases.of_size(here), repeats, _say, work)
        if found.terraform and clients == pull_request.AT:
            taken["pull request"] = pull_request.measured(here, min(repeats, 3), _say, work)
        theirs = stand.volume(here.terramate) if beside.terramate else None
        sizes[clients] = report.Size(stand.volume(here.ours), theirs, taken, _stages(here))
        here.remove()
    absent = dict(found.absent) | {f"crosskeys {verb}": "no such verb" for verb in cases.absent_verbs()}
    return report.Results(machine.describe(work, found), absent, starting, sizes)


def _stages(here: Stand) -> dict[str, float]:
    """Return the seconds of each part of a first render with an empty cache, by its log."""
    here.unrender()
    argv = [programs.CROSSKEYS, "-C", str(here.ours), "-v", "--log-format", "json", "render"]
    begin = time.perf_counter()
    done = subprocess.run(argv, env=dict(here.environment), capture_output=True, text=True, check=False)
    whole = time.perf_counter() - begin
    said = [json.loads(line) for line in done.stderr.splitlines()]
    stages = {str(line["message"]): float(line["seconds"]) for line in said if "seconds" in line}
    return stages | {"everything else": round(whole - sum(stages.values()), 3)}


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main())
