"""Results as JSON, as Markdown and as charts."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from benchmarks.goals import judge
from benchmarks.measure import Measured
from benchmarks.plot import chart
from benchmarks.stand import Volume

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from benchmarks.goals import Goal

_BEGIN, _END = "<!-- results: written by make bench -->\n", "<!-- end of results -->\n"
_KILOBYTE, _MEGABYTE = 1e3, 1e6
_SHOWN = {
    "render cold": "crosskeys render, empty cache",
    "render check": "crosskeys render --check, nothing to do",
    "terramate cold": "terramate generate",
    "terramate warm": "terramate generate, nothing to do",
    "terraform plan": "terraform plan, one root",
    "floor": "read manifests, write files",
    "git status": "git status",
}
"""The cases that are drawn."""


@dataclass(frozen=True, slots=True)
class Size:
    """What was measured at one size.

    Args:
        ours: What crosskeys writes.
        terramate: What Terramate writes; None when it is absent.
        cases: By key.
        stages: Seconds of each part of a first render with an empty cache, in one more run.
    """

    ours: Volume
    terramate: Volume | None
    cases: Mapping[str, Measured]
    stages: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Results:
    """One run of the benchmarks.

    Args:
        machine: What the figures depend on, by name.
        absent: What was not measured, and why.
        starting: What needs no fleet, by key.
        sizes: By clients.
    """

    machine: Mapping[str, str]
    absent: Mapping[str, str]
    starting: Mapping[str, Measured]
    sizes: Mapping[int, Size]

    @property
    def goals(self) -> tuple[Goal, ...]:
        """The goals, judged."""
        cases = {clients: size.cases for clients, size in self.sizes.items()}
        return judge(cases, self.starting, {clients: size.stages for clients, size in self.sizes.items()})

    def beside(self, page: Path) -> Results:
        """Return these results with the sizes that an earlier run on a machine like this one has written beside a page.

        A size that both have measured is this run's.
        """
        path = _folder(page) / "results.json"
        if not path.is_file():
            return self
        earlier = json.loads(path.read_text("utf-8"))
        if earlier["machine"] != self.machine:
            return self
        sizes = {int(clients): _size(said) for clients, said in earlier["sizes"].items()} | dict(self.sizes)
        return replace(self, sizes=dict(sorted(sizes.items())))


def _size(said: Mapping[str, Any]) -> Size:
    cases = {key: Measured(**measured) for key, measured in said["cases"].items()}
    theirs = said["terramate"] and Volume(**said["terramate"])
    return Size(Volume(**said["ours"]), theirs, cases, said["stages"])


def write(results: Results, page: Path) -> None:
    """Write the results into a Markdown page, between its two marks, and JSON and charts into a folder beside it.

    The folder has the page's name, and is made where it is missing.
    """
    folder = _folder(page)
    folder.mkdir(parents=True, exist_ok=True)
    said = asdict(results) | {"goals": [asdict(goal) | {"outcome": goal.outcome} for goal in results.goals]}
    texts = {folder / "results.json": json.dumps(said, indent=1, ensure_ascii=False) + "\n"}
    times = {title: _values(results, key, "seconds") for key, title in _SHOWN.items()}
    memory = {title: _values(results, key, "memory") for key, title in _SHOWN.items()}
    texts[folder / "time.svg"] = chart("Time (median)", "s", times)
    texts[folder / "memory.svg"] = chart("Peak memory", "MB", memory)
    before, _, rest = page.read_text("utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    texts[page] = f"{before}{_BEGIN}\n{markdown(results, folder.name)}\n{_END}{after}"
    for path, text in texts.items():
        aside = path.with_name(f".{path.name}.new")
        aside.write_text(text, "utf-8")
        aside.replace(path)


def _folder(page: Path) -> Path:
    return page.parent / page.stem


def markdown(results: Results, charts: str) -> str:
    """Return the results as Markdown, without a heading above the third level."""
    return "\n".join(_markdown(results, charts))


def _markdown(results: Results, charts: str) -> Iterator[str]:
    facts = "; ".join(f"{name} {value}" for name, value in results.machine.items())
    yield f"Measured with {facts}.\n"
    for name, why in results.absent.items():
        yield f"Not measured: {name}: {' '.join(why.split())}.\n"
    yield f"![Time by number of clients]({charts}/time.svg)\n"
    yield f"![Peak memory by number of clients]({charts}/memory.svg)\n"
    yield "### Goals\n"
    yield "| Goal | At most | Measured | |"
    yield "|---|---|---|---|"
    for goal in results.goals:
        measured = "" if goal.value is None else f"{goal.value:.2f} {goal.unit}"
        yield f"| {goal.title} | {goal.limit:g} {goal.unit} | {measured} | {goal.outcome} |"
    yield "\n### Starting\n"
    yield from _table(results.starting)
    for clients, size in results.sizes.items():
        yield f"\n### {clients:,} clients\n"
        theirs = f"; Terramate writes {_volume(size.terramate)}" if size.terramate else ""
        yield f"crosskeys writes {_volume(size.ours)}{theirs}.\n"
        yield from _table(size.cases)
        if size.stages:
            stages = "; ".join(f"{stage} {seconds:.3f} s" for stage, seconds in size.stages.items())
            yield f"\nWhere a first render with an empty cache spends its time, in one more run: {stages}."


def _table(cases: Mapping[str, Measured]) -> Iterator[str]:
    yield "| | median s | fastest to slowest | processor s | peak MB | runs |"
    yield "|---|---|---|---|---|---|"
    for measured in cases.values():
        yield (
            f"| {measured.title} | {measured.seconds:.3f} | {measured.fastest:.3f} to {measured.slowest:.3f} "
            f"| {measured.processor:.3f} | {measured.memory / _MEGABYTE:.0f} | {measured.runs} |"
        )


def _volume(volume: Volume) -> str:
    return f"{volume.files:,} files, {volume.bytes / _KILOBYTE:,.0f} kB"


def _values(results: Results, key: str, field: str) -> dict[int, float]:
    scale = _MEGABYTE if field == "memory" else 1
    return {
        clients: getattr(size.cases[key], field) / scale for clients, size in results.sizes.items() if key in size.cases
    }
