"""Splitting a run over several machines: which roots each takes. Pure, and the same wherever it is computed.

An account's roots stay together, for its AWS side is applied before its Vault side. The longest job first, each to the
machine that has the least so far (R. L. Graham, Bounds on Multiprocessing Timing Anomalies, 1969: the last machine ends
no later than 4/3 of the best possible).
"""

from __future__ import annotations

import hashlib
import heapq
import json
import re
from dataclasses import dataclass
from statistics import median_low
from typing import TYPE_CHECKING

from generator.errors import RefusedError, UsageError
from generator.render.layout import RootKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from generator.render.layout import Root

DEFAULT_COSTS = {RootKind.PLATFORM: 400, RootKind.AWS: 2800, RootKind.VAULT: 400}
"""Milliseconds of a plan where none was measured (docs/scale-out.md says how these were)."""

MOST = 1000
"""So many shards can be asked for."""

_SHARD = re.compile(r"([0-9]{1,4})/([0-9]{1,4})(?:@([0-9a-f]{12}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shard:
    """One part of a run.

    Args:
        number: From 1.
        total: Of how many.
        split: The digest that the whole split must have; None leaves that unchecked.
    """

    number: int
    total: int
    split: str | None = None

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``3/16``, or ``3/16@`` and the digest of the split, as ``crosskeys matrix`` writes it.

        Raises:
            UsageError: When it is neither.
        """
        found = _SHARD.fullmatch(text)
        shard = cls(int(found[1]), int(found[2]), found[3]) if found else None
        if shard is None or not 1 <= shard.number <= shard.total <= MOST:
            raise UsageError(
                f"`{text}` is no shard", help=f"write the third of sixteen as 3/16; there can be {MOST} at most"
            )
        return shard

    def __str__(self) -> str:
        label = f"{self.number}/{self.total}"
        return f"{label}@{self.split}" if self.split else label

    def of(self, roots: Sequence[Root], costs: Mapping[str, int]) -> tuple[Root, ...]:
        """Return this part of the roots, in their order.

        Raises:
            RefusedError: When the split is another than the one that this shard is of.
        """
        parts = split(roots, costs, self.total)
        found = digest(parts)
        if self.split not in {None, found}:
            raise RefusedError(
                f"shard {self.number}/{self.total} is of the split {self.split}, and here the split is {found}: roots "
                "would be left out, or run twice",
                help="give every shard the tree, the costs and the options that `crosskeys matrix` was given",
            )
        return parts[self.number - 1]


def costs_of(roots: Iterable[Root], measured: Mapping[str, int]) -> dict[str, int]:
    """Return what each root costs, by its name.

    Args:
        roots: The roots.
        measured: Milliseconds by root. One that was not measured costs what its kind usually does (the median), by
            default when none of its kind was measured.
    """
    everything = tuple(roots)
    by_kind: dict[RootKind, list[int]] = {}
    for root in everything:
        if root.name in measured:
            by_kind.setdefault(root.kind, []).append(measured[root.name])
    usual = DEFAULT_COSTS | {kind: median_low(each) for kind, each in by_kind.items()}
    return {root.name: measured.get(root.name, usual[root.kind]) for root in everything}


def split(roots: Sequence[Root], costs: Mapping[str, int], total: int) -> tuple[tuple[Root, ...], ...]:
    """Split roots into so many parts, some of them empty where there are fewer accounts.

    Args:
        roots: The roots, in their order.
        costs: Milliseconds by root.
        total: How many parts.

    Returns:
        The parts, each in the order of the roots; every root is in exactly one.
    """
    units: dict[str, list[Root]] = {}
    for root in roots:
        units.setdefault(root.account_id or root.name, []).append(root)
    weights = {unit: sum(costs[root.name] for root in members) for unit, members in units.items()}
    loads = [(0, number) for number in range(total)]
    taken: dict[str, int] = {}
    for unit in sorted(units, key=lambda name: (-weights[name], name)):
        load, number = loads[0]
        taken[unit] = number
        heapq.heapreplace(loads, (load + weights[unit], number))
    parts: tuple[list[Root], ...] = tuple([] for _ in range(total))
    for root in roots:
        parts[taken[root.account_id or root.name]].append(root)
    return tuple(map(tuple, parts))


def useful(roots: Sequence[Root], costs: Mapping[str, int], most: int) -> tuple[tuple[Root, ...], ...]:
    """Split roots into as few parts as end as early as ``most`` parts would; none where there are no roots."""
    if not roots:
        return ()
    earliest = longest(split(roots, costs, most), costs)
    fewest = -(-sum(costs[root.name] for root in roots) // earliest)
    for total in range(fewest, most):
        parts = split(roots, costs, total)
        if longest(parts, costs) <= earliest:
            return parts
    return split(roots, costs, most)


def longest(parts: Iterable[Iterable[Root]], costs: Mapping[str, int]) -> int:
    """Return how many milliseconds the longest part takes, a root after the other."""
    return max((sum(costs[root.name] for root in part) for part in parts), default=0)


def digest(parts: Iterable[Iterable[Root]]) -> str:
    """Return what tells one split from another: 12 hex digits of the SHA-256 of its roots' names."""
    names = [[root.name for root in part] for part in parts]
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()[:12]
