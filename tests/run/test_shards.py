"""Splitting a run over machines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.errors import RefusedError, UsageError
from generator.render.layout import Root, RootKind
from generator.run.costs import measured
from generator.run.shards import DEFAULT_COSTS, Shard, costs_of, digest, longest, split, useful

if TYPE_CHECKING:
    from pathlib import Path

AWS, VAULT = DEFAULT_COSTS[RootKind.AWS], DEFAULT_COSTS[RootKind.VAULT]


def fleet(*accounts: tuple[bool, bool], platform: bool = False) -> tuple[Root, ...]:
    """Return the roots of accounts that have an AWS root, a Vault root or both."""
    roots = [Root("platform", RootKind.PLATFORM, None, (), handover=False)] if platform else []
    for number, has in enumerate(accounts):
        account = f"{number:012d}"
        for kind, there in zip((RootKind.AWS, RootKind.VAULT), has, strict=True):
            if there:
                roots.append(Root(f"accounts/{account}/{kind.value}", kind, account, (), handover=False))
    return tuple(roots)


fleets = st.builds(
    lambda accounts, platform: fleet(*accounts, platform=platform),
    st.lists(st.sampled_from([(True, True), (True, False), (False, True)]), max_size=40),
    st.booleans(),
)
times = st.dictionaries(
    st.builds("accounts/{:012d}/{}".format, st.integers(0, 39), st.sampled_from(["aws", "vault"])),
    st.integers(1, 10**6),
)


@settings(deadline=None)  # a busy machine
@given(fleets, times, st.integers(1, 24))
def test_every_root_is_in_exactly_one_shard_and_an_account_in_one(
    roots: tuple[Root, ...], seconds: dict[str, int], total: int
) -> None:
    costs = costs_of(roots, seconds)
    parts = [Shard(number, total).of(roots, costs) for number in range(1, total + 1)]
    assert sorted(root.name for part in parts for root in part) == sorted(root.name for root in roots)
    for part in parts:
        assert part == tuple(root for root in roots if root in part), "in the order of the roots"
    homes = [
        {number for number, part in enumerate(parts) for r in part if r.account_id == a}
        for a in {root.account_id for root in roots}
    ]
    assert all(len(home) == 1 for home in homes)


@settings(deadline=None)  # a busy machine
@given(fleets, times, st.integers(1, 24), st.randoms(use_true_random=False))
def test_the_split_does_not_depend_on_the_order_in_which_roots_are_found(
    roots: tuple[Root, ...], seconds: dict[str, int], total: int, chance: object
) -> None:
    shuffled = list(roots)
    chance.shuffle(shuffled)  # type: ignore[attr-defined] # a random.Random
    costs = costs_of(roots, seconds)
    there = [{root.name for root in part} for part in split(roots, costs, total)]
    assert there == [{root.name for root in part} for part in split(shuffled, costs_of(shuffled, seconds), total)]


@settings(deadline=None)  # a busy machine
@given(fleets, times, st.integers(1, 24))
def test_no_shard_is_empty_or_of_no_use_and_the_longest_is_within_grahams_bound(
    roots: tuple[Root, ...], seconds: dict[str, int], most: int
) -> None:
    costs = costs_of(roots, seconds)
    parts = useful(roots, costs, most)
    assert len(parts) <= min(most, len({root.account_id for root in roots}))
    assert all(parts)
    if not roots:
        assert parts == ()
        return
    accounts: dict[str | None, int] = {}
    for root in roots:
        accounts[root.account_id] = accounts.get(root.account_id, 0) + costs[root.name]
    best = max(*accounts.values(), -(-sum(accounts.values()) // most), 0)  # no split ends before this
    assert longest(parts, costs) <= longest(split(roots, costs, most), costs)
    # LPT is within (4/3 - 1/3m) of the optimum; of this lower bound of it, list scheduling is within 2 - 1/m.
    assert longest(parts, costs) * most <= best * (2 * most - 1)


def test_equal_accounts_are_spread_evenly() -> None:
    roots = fleet(*[(True, True)] * 16)
    parts = useful(roots, costs_of(roots, {}), 4)
    assert [len(part) for part in parts] == [8, 8, 8, 8]


def test_one_account_that_outweighs_the_others_leaves_the_rest_to_one_shard() -> None:
    roots = fleet((True, True), *[(False, True)] * 5)
    parts = useful(roots, costs_of(roots, {}), 16)
    assert [[root.name for root in part if root.kind is RootKind.AWS] for part in parts] == [[roots[0].name], []]


def test_an_aws_root_counts_as_seven_of_vault_where_nothing_was_measured() -> None:
    roots = fleet((True, True))
    assert costs_of(roots, {}) == {roots[0].name: 7 * VAULT, roots[1].name: VAULT}


def test_a_root_that_was_not_measured_costs_what_its_kind_did() -> None:
    roots = fleet(*[(True, True)] * 4)
    names = [root.name for root in roots]
    costs = costs_of(roots, {names[0]: 1000, names[2]: 3000, names[4]: 90_000})
    assert list(costs.values()) == [1000, VAULT, 3000, VAULT, 90_000, VAULT, 3000, VAULT]


def test_a_shard_of_another_split_is_refused() -> None:
    roots = fleet(*[(True, True)] * 5)
    costs = costs_of(roots, {})
    right = digest(split(roots, costs, 3))
    assert Shard(2, 3, right).of(roots, costs) == Shard(2, 3).of(roots, costs)
    with pytest.raises(RefusedError, match="shard 2/3 is of the split"):
        Shard(2, 3, right).of(roots[:-1], costs_of(roots[:-1], {}))


@pytest.mark.parametrize("text", ["3/16", "1/1", "2/3@0123456789ab"])
def test_a_shard_reads_back_as_it_is_written(text: str) -> None:
    assert str(Shard.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "0/4", "5/4", "1", "1/", "-1/4", "1/4@", "1/4@xyz", "1/1001", "1/\u0664", "1/4\n"]
)
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no shard"):
        Shard.parse(text)


def test_a_thousand_shards_of_ten_thousand_accounts_are_found_at_once() -> None:
    roots = fleet(*[(True, True)] * 10_000)
    assert len(useful(roots, costs_of(roots, {}), 1000)) == 1000


def test_the_steps_of_a_root_add_up_and_what_was_not_run_says_nothing(tmp_path: Path) -> None:
    rows = [("plan", "a", 1.25), ("apply", "a", 2.0), ("plan", "b", 0.0)]
    report = {"version": 1, "roots": [{"step": step, "root": root, "seconds": s} for step, root, s in rows]}
    (tmp_path / "run.json").write_text(json.dumps(report))
    assert measured(tmp_path / "run.json") == {"a": 3250}


@pytest.mark.parametrize("text", ["", "[]", '{"roots": [{"root": "a", "seconds": -1}]}', '{"roots": [{"root": "a"}]}'])
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(UsageError, match="is no report of a run"):
        measured(tmp_path / "run.json")
    with pytest.raises(UsageError, match="cannot be read"):
        measured(tmp_path / "absent.json")
