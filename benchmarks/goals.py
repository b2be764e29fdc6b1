"""What the tool has to reach, judged by what was measured. Most are ratios of two things measured in the same run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.pull_request import AT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.measure import Measured

_JUDGED = (10_000, 1_000)
"""The size at which ratios are judged: the first of these that was measured, else the largest."""
_AUDITED = 1_000
_TENFOLD = 10
PROVING = ("read what was rendered back", "proved")
"""The parts of a render, as its log names them, that prove what it is about to write."""
_TERRAMATE = ("terramate cold", "terramate warm", "terramate changed")


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal and how it went.

    Args:
        title: What is compared.
        limit: What it may be at most.
        value: What it is; None when it was not measured.
        unit: Of both: ``x``, times, or ``s``, seconds.
    """

    title: str
    limit: float
    value: float | None
    unit: str = "x"

    @property
    def outcome(self) -> str:
        """``met``, ``missed`` or ``not measured``."""
        if self.value is None:
            return "not measured"
        return "met" if self.value <= self.limit else "missed"


def judge(
    sizes: Mapping[int, Mapping[str, Measured]],
    starting: Mapping[str, Measured],
    stages: Mapping[int, Mapping[str, float]],
) -> tuple[Goal, ...]:
    """Judge every goal.

    Args:
        sizes: What was measured, by clients and case.
        starting: What was measured without a fleet, by case.
        stages: Seconds of each part of a first render with an empty cache, by clients.
    """
    at = next((size for size in _JUDGED if size in sizes), max(sizes, default=0))
    return (
        *_unproven(at, sizes.get(at, {}), stages.get(at, {})),
        *_ratios(at, sizes.get(at, {})),
        *_growth(sizes),
        _ratio("--version to python -c pass", 2.5, starting, "version", "python"),
        _ratio("--help to a bare typer program's", 1.3, starting, "help", "typer"),
        Goal(
            f"one client's pull request at {AT:,} clients: check, and plan of its Vault root less Terraform's own",
            2,
            _seconds(sizes.get(AT, {}), "pull request"),
            "s",
        ),
        Goal(f"audit of {_AUDITED:,} clients, empty cache", 5, _seconds(sizes.get(_AUDITED, {}), "audit cold"), "s"),
        Goal(f"audit of {_AUDITED:,} clients, warm cache", 0.5, _seconds(sizes.get(_AUDITED, {}), "audit warm"), "s"),
    )


def _unproven(at: int, cases: Mapping[str, Measured], stages: Mapping[str, float]) -> Iterator[Goal]:
    """Yield the goals of loading, judging, rendering and writing: a first render less its share of proving."""
    cold = _seconds(cases, "render cold")
    proving = sum(stages.get(name, 0) for name in PROVING)
    without = cold * (1 - proving / sum(stages.values())) if cold and proving else None
    for name, limit, other in (("terramate generate", 0.3, _TERRAMATE[0]), ("the floor", 8, "floor")):
        value = _divided(without, _seconds(cases, other))
        yield Goal(f"first render less its proof, to {name} at {at:,} clients", limit, value)


def _ratios(at: int, cases: Mapping[str, Measured]) -> Iterator[Goal]:
    where = f"at {at:,} clients"
    cold, warm, check = "render cold", "render warm", "render check"
    yield _ratio(f"first render with its proof to terramate generate {where}", 0.5, cases, cold, _TERRAMATE[0])
    yield _ratio(f"render --check, nothing to do, to terramate's {where}", 0.05, cases, check, _TERRAMATE[1])
    yield _ratio(f"render --check, nothing to do, to git status {where}", 6, cases, check, "git status")
    changed = _sum(cases, "changed check", "changed render")
    title = f"check and render, one manifest changed, to the same with nothing to do {where}"
    yield Goal(title, 1.3, _divided(changed, _sum(cases, "check warm", warm)))
    ours = [measured.memory for key, measured in cases.items() if key.partition(" ")[0] in _OURS]
    theirs = [cases[key].memory for key in _TERRAMATE if key in cases]
    memory = max(ours) / max(theirs) if ours and theirs else None
    yield Goal(f"peak memory of any verb to terramate's {where}", 1, memory)


_OURS = frozenset({"validate", "audit", "access", "roots", "check", "render", "changed"})


def _growth(sizes: Mapping[int, Mapping[str, Measured]]) -> Iterator[Goal]:
    for size in sorted(sizes):
        if size * _TENFOLD in sizes:
            for key, title in (("render cold", "first render with its proof"), ("render check", "render --check")):
                few, many = _seconds(sizes[size], key), _seconds(sizes[size * _TENFOLD], key)
                yield Goal(f"{title}: {size * _TENFOLD:,} clients to {size:,}", 11, _divided(many, few))


def _ratio(title: str, limit: float, cases: Mapping[str, Measured], key: str, other: str) -> Goal:
    return Goal(title, limit, _divided(_seconds(cases, key), _seconds(cases, other)))


def _seconds(cases: Mapping[str, Measured], key: str) -> float | None:
    return cases[key].seconds if key in cases else None


def _sum(cases: Mapping[str, Measured], *keys: str) -> float | None:
    return sum(cases[key].seconds for key in keys) if all(key in cases for key in keys) else None


def _divided(value: float | None, other: float | None) -> float | None:
    return None if value is None or not other else value / other
