"""The fleet that is operated is one that no rule complains about, and the table says what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.operations import Operation, Operations, table
from generator import pipeline

if TYPE_CHECKING:
    from pathlib import Path


def test_the_fleet_has_three_clients_an_account_and_is_in_order(tmp_path: Path) -> None:
    Operations(tmp_path, accounts=12, jobs=1)
    validated = pipeline.validate(tmp_path / "fleet")
    assert validated.findings == ()
    assert {account.managed for account in validated.fleet.accounts} == {True}
    assert [len(account.clients) for account in validated.fleet.accounts] == [3] * 12


def test_the_table_has_a_row_an_operation() -> None:
    assert table([Operation("apply all", 401, 2802, 0, 0, 0, 1234.5, 99.0, 1200)]).splitlines()[-1] == (
        "| apply all | 401 | 2802 | 0 | 0 | 1234.5 | 99.0 | 1200 |"
    )
