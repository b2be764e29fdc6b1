"""Vault's audit log is counted by seconds, and the table says what was measured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchmarks.verify import Bench, Looked, by_second, table
from generator import pipeline

if TYPE_CHECKING:
    from pathlib import Path


def test_requests_are_counted_by_the_second_in_which_they_came_and_answers_are_not(tmp_path: Path) -> None:
    entries = [
        ("request", "10:00:00.1"),
        ("response", "10:00:00.2"),
        ("request", "10:00:00.9"),
        ("request", "10:00:01"),
    ]
    log = tmp_path / "audit.log"
    log.write_text("".join(json.dumps({"type": kind, "time": f"2026-11-24T{at}Z"}) + "\n" for kind, at in entries))
    assert sorted(by_second(log).values()) == [1, 2]


def test_no_client_of_the_fleet_needs_an_aws_that_answers_vault(tmp_path: Path) -> None:
    Bench(tmp_path, 300, 1)
    validated = pipeline.validate(tmp_path / "fleet")
    assert not validated.has_errors
    assert len(validated.fleet.clients) == 300
    assert not any(client.resolve_unique_ids for client in validated.fleet.clients)


def test_the_table_has_a_row_a_look() -> None:
    assert table([Looked(0, 20248, 424, 184.0, 47.3, 299)]).splitlines()[-1] == (
        "| none | 20248 | 424 | 184.0 | 47.3 | 299 |"
    )
