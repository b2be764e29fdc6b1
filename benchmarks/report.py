"""Results as JSON, as Markdown and as charts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.plot import chart

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from benchmarks.goals import Goal
    from benchmarks.measure import Measured
    from benchmarks.stand import Volume

_BEGIN, _END = "<!-- results: written by make bench -->\n", "<!-- end of results -->\n"
_MEGABYTE = 1e6
_SHOWN = {
    "render cold": "crosskeys render, empty cache",
    "render proven": "crosskeys render, texts proven before",
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
        stages: Seconds until each line of the log of a check with an empty cache, since the line before.
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
    goals: tuple[Goal, ...]


def write(results: Results, page: Path, name: str) -> None:
    """Write the results beside and into a page, between its two marks.

    Args:
        results: What was measured.
        page: A Markdown page with both marks.
        name: The folder beside the page, and in it, that charts and JSON go to; made where it is missing.
    """
    folder = page.parent / name
    folder.mkdir(parents=True, exist_ok=True)
    texts = {folder / "results.json": json.dumps(as_json(results), indent=1, ensure_ascii=False) + "\n"}
    times = {title: _values(results, key, "seconds") for key, title in _SHOWN.items()}
    memory = {title: _values(results, key, "memory") for key, title in _SHOWN.items()}
    texts[folder / "time.svg"] = chart("Time (median)", "s", times)
    texts[folder / "memory.svg"] = chart("Peak memory", "MB", memory)
    before, _, rest = page.read_text("utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    texts[page] = f"{before}{_BEGIN}\n{markdown(results, name)}\n{_END}{after}"
    for path, text in texts.items():
        aside = path.with_name(f".{path.name}.new")
        aside.write_text(text, "utf-8")
        aside.replace(path)


def as_json(results: Results) -> dict[str, object]:
    """Return all that was measured; seconds and bytes."""
    return {
        "machine": results.machine,
        "absent": results.absent,
        "goals": [
            {"title": goal.title, "limit": goal.limit, "value": goal.value, "unit": goal.unit, "outcome": goal.outcome}
            for goal in results.goals
        ],
        "starting": {key: measured.as_json() for key, measured in results.starting.items()},
        "sizes": {
            str(clients): {
                "crosskeys": {"files": size.ours.files, "bytes": size.ours.bytes},
                "terramate": size.terramate and {"files": size.terramate.files, "bytes": size.terramate.bytes},
                "cases": {key: measured.as_json() for key, measured in size.cases.items()},
                "stages": size.stages,
            }
            for clients, size in results.sizes.items()
        },
    }


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
        yield f"crosskeys writes {_volume(size.ours)}."
        if size.terramate:
            yield f"Terramate writes {_volume(size.terramate)}."
        yield ""
        yield from _table(size.cases)
        if size.stages:
            stages = "; ".join(f"{stage} {seconds:.3f} s" for stage, seconds in size.stages.items())
            yield f"\nWhere a check with an empty cache spends its time, by its log: {stages}."


def _table(cases: Mapping[str, Measured]) -> Iterator[str]:
    yield "| | median s | fastest to slowest | processor s | peak MB | runs |"
    yield "|---|---|---|---|---|---|"
    for measured in cases.values():
        said = measured.as_json()
        yield (
            f"| {measured.title} | {said['seconds']:.3f} | {said['fastest']:.3f} to {said['slowest']:.3f} "
            f"| {said['processor']:.3f} | {measured.memory / _MEGABYTE:.0f} | {said['runs']} |"
        )


def _volume(volume: Volume) -> str:
    return f"{volume.files:,} files, {volume.bytes / _MEGABYTE:.1f} MB"


def _values(results: Results, key: str, field: str) -> dict[int, float]:
    scale = _MEGABYTE if field == "memory" else 1
    return {
        clients: getattr(size.cases[key], field) / scale for clients, size in results.sizes.items() if key in size.cases
    }
