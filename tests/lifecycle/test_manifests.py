"""The three keys as they stand in a manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from generator.manifest.faults import AMBIGUOUS_SCALAR
from generator.manifest.fleet import resolve
from generator.manifest.load import load
from generator.manifest.validate import INVALID_VALUE, MISSING_FIELD, UNKNOWN_FIELD, WRONG_TYPE
from tests.lifecycle.fleets import RETIRED, client, judged, write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("line", "rule", "says"),
    [
        ("suspend: {}", MISSING_FIELD, "`reason` is missing"),
        ("suspend: true", WRONG_TYPE, "`suspend` must be a map"),
        ("suspend: {reason: x, until: later}", UNKNOWN_FIELD, "unknown key `until`"),
        ("retire: {reason: x}", MISSING_FIELD, "`approved_until` is missing"),
        ('retire: {approved_until: "2027-01-31"}', MISSING_FIELD, "`reason` is missing"),
        ('retire: {approved_until: "2027-02-29", reason: x}', INVALID_VALUE, "a day that the calendar has"),
        ('retire: {approved_until: "2027-13-01", reason: x}', INVALID_VALUE, "a day that the calendar has"),
        ('retire: {approved_until: "0000-01-01", reason: x}', INVALID_VALUE, "a day that the calendar has"),
        ('retire: {approved_until: "27-01-31", reason: x}', INVALID_VALUE, 'such as "2027-01-31"'),
        ('retire: {approved_until: "20270131", reason: x}', INVALID_VALUE, 'such as "2027-01-31"'),
        ('retire: {approved_until: "2027-W05-1", reason: x}', INVALID_VALUE, 'such as "2027-01-31"'),
        ('retire: {approved_until: "2027-01-31T00:00", reason: x}', INVALID_VALUE, 'such as "2027-01-31"'),
        ("retire: {approved_until: 2027-01-31, reason: x}", AMBIGUOUS_SCALAR, "2027-01-31"),
        ("previously: Pay", INVALID_VALUE, "lower-case letters"),
        ("previously: [pay]", WRONG_TYPE, "`previously` must be a string"),
    ],
)
def test_a_key_that_says_something_else_is_refused_where_it_stands(
    tmp_path: Path, line: str, rule: str, says: str
) -> None:
    (finding,) = judged(tmp_path, {"clients/a.yaml": client("a", f"{line}\n"), "clients/b.yaml": client("b")})
    assert (finding.rule, finding.span.path, finding.span.line) == (rule, "clients/a.yaml", 5)
    assert says in finding.message


@pytest.mark.parametrize("key", ["suspend", "retire", "previously"])
def test_null_is_the_same_as_leaving_a_key_out(tmp_path: Path, key: str) -> None:
    write(tmp_path, {"clients/a.yaml": client("a")})
    without = resolve(load(tmp_path)[0])
    write(tmp_path, {"clients/a.yaml": client("a", f"{key}: null\n")})
    assert resolve(load(tmp_path)[0]) == without


def test_a_retired_client_stays_in_the_fleet_and_has_no_objects(tmp_path: Path) -> None:
    write(tmp_path, {"clients/a.yaml": client("a", RETIRED), "clients/b.yaml": client("b", "suspend: {reason: x}\n")})
    fleet = resolve(load(tmp_path)[0])
    assert [each.name for each in fleet.clients] == ["a", "b"]
    assert [each.name for each in fleet.declared] == ["b"]
    assert [each.name for each in fleet.accounts[0].declared] == ["b"]
