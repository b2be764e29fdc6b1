"""What a run shows when a step is over: whole for a few roots, and a screen or two for thousands."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from generator.diagnostics import Severity
from generator.report import groups
from generator.report.progress import summary_line
from generator.report.runs import ResourceChange, TerraformDiagnostic
from generator.report.summary import print_summary
from tests.report.runs import CLEAN, FAILED, PLANNED, SKIPPED, Terminal, many

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.report.runs import Row


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


def shown(rows: Sequence[Row], *, brief: bool = False, detail: bool = False) -> str:
    stream = io.StringIO()
    print_summary(rows, stream, brief=brief, detail=detail)
    return stream.getvalue()


def test_the_table_has_a_line_a_root_and_ends_with_the_total() -> None:
    lines = [line.split() for line in shown([PLANNED, replace(PLANNED, root="platform", add=1)]).splitlines()]
    assert ["root", "outcome", "add", "change", "destroy", "seconds"] in lines
    assert ["accounts/111111111111/vault", "changes", "2", "0", "1", "0.4"] in lines
    assert lines[-1] == ["total:", "2", "roots", "3", "0", "2"]


def test_imports_have_a_column_where_there_are_any_and_stand_beside_what_changes() -> None:
    changes = (
        ResourceChange("vault_policy.pay", "update", imported=True),
        ResourceChange("vault_policy.ledger", "import", imported=True),
    )
    row = replace(PLANNED, add=0, change=1, destroy=0, changes=changes, imported=2)
    lines = [line.split() for line in shown([row, PLANNED]).splitlines()]
    assert ["root", "outcome", "add", "change", "destroy", "imported", "seconds"] in lines
    assert ["accounts/111111111111/vault", "changes", "0", "1", "0", "2", "0.4"] in lines
    assert lines[-1] == ["total:", "2", "roots", "2", "1", "1", "2"]
    out = shown([row])
    assert "~ import vault_policy.pay  in" in out
    assert "\nimport vault_policy.ledger  in" in out
    assert "imported" not in shown([PLANNED])
    assert summary_line(row) == "plan  accounts/111111111111/vault  +0 ~1 -0, 2 imported  0.4 s"


def test_an_update_of_what_is_imported_is_another_change_than_one_of_what_is_known() -> None:
    rows = [
        replace(PLANNED, changes=(ResourceChange("vault_policy.x", "update", imported=imported),))
        for imported in (True, False, True)
    ]
    assert [(group.action, len(group.members)) for group in groups.changes(rows)] == [
        ("update, import", 2),
        ("update", 1),
    ]


def test_terraform_is_quoted_whole_and_takes_no_hold_of_the_terminal() -> None:
    out = shown([FAILED])
    assert out.startswith(
        "error: Error writing [red]x[/red]\n"
        "  accounts/333333333333/vault/client-payments.tf:8, vault_policy.payments\n"
        "  first line\n\n  \\x1b[2Jsecond line " + "long " * 40
    )
    assert "warning: Deprecated\n  accounts/333333333333/vault\n" in out
    assert "\x1b" not in out


def test_a_skipped_root_says_why() -> None:
    assert "accounts/222222222222/vault skipped: accounts/222222222222/aws failed\n" in shown([SKIPPED])


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    coloured, plain = Terminal(), Terminal()
    print_summary([FAILED], coloured)
    assert "\x1b[1;31m" in coloured.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    print_summary([FAILED], plain)
    assert "31m" not in plain.getvalue()


def test_a_change_of_one_root_is_shown_by_its_address() -> None:
    assert shown([PLANNED]).startswith("+   vault_policy.payments  in accounts/111111111111/vault\n")


def test_the_same_change_in_many_roots_is_said_once() -> None:
    out = shown(many(212))
    assert out.splitlines()[0] == (
        "+   vault_policy.<client>  212 times in 212 roots: "
        "accounts/000000000000/vault, accounts/000000000001/vault and 210 more"
    )
    assert out.count("vault_policy") == 1


def test_thousands_of_roots_fit_on_two_screens_with_everything_wrong_at_once() -> None:
    down = TerraformDiagnostic(Severity.ERROR, "connection refused", 'Put "http://127.0.0.1:8200/v1/sys/x"')
    rows = [
        *many(1000),
        *many(500, outcome="failed", changes=(), diagnostics=(down,)),
        *many(500, outcome="skipped", reason="platform failed", changes=()),
    ]
    out = shown(rows)
    assert len(out.splitlines()) < 48
    assert "the same in 499 more roots: accounts/000000000001/vault, accounts/000000000002/vault and 497 more" in out
    assert "accounts/000000000000/vault skipped: platform failed (and 499 more roots)\n" in out
    assert out.splitlines()[-1].split() == ["total:", "2,000", "roots", "2000", "0", "0"]


def test_what_goes_away_comes_first_and_by_name() -> None:
    rows = [*many(40), *many(3, changes=(ResourceChange("vault_policy.old", "delete"),), destroy=1)]
    lines = shown(rows).splitlines()
    assert lines[:3] == [f"-   vault_policy.old  in accounts/{index:012}/vault" for index in range(3)]
    assert lines[3].startswith("+   vault_policy.<client>  40 times")


def test_of_too_many_to_read_what_goes_away_is_counted() -> None:
    out = shown(many(21, changes=(ResourceChange("vault_policy.old", "replace"),)))
    assert out.startswith("-/+ vault_policy.old  21 times in 21 roots: ")


def test_a_hundred_deleted_clients_are_cut_and_it_is_said_so() -> None:
    rows = [
        replace(row, changes=(ResourceChange(f"vault_policy.gone-{index}", action),))
        for index, row in enumerate(many(100))
        for action in ("delete", "move")
    ]
    lines = shown(rows).splitlines()
    assert lines[23] == "-   vault_policy.gone-23  in accounts/000000000023/vault"
    assert lines[24] == "and 76 more lines like these: --detail shows them all"
    assert lines[25] == "move vault_policy.gone-0  in accounts/000000000000/vault"
    assert lines[49] == lines[24]


def test_failed_roots_are_listed_among_thousands() -> None:
    lines = [line.split() for line in shown([*many(2000), FAILED], brief=True).splitlines()]
    assert ["accounts/333333333333/vault", "failed", "0", "0", "0", "0.4"] in lines
    assert ["2,000", "roots", "changes", "2000", "0", "0"] in lines


def test_detail_leaves_nothing_out() -> None:
    rows = [*many(60), *many(30, outcome="failed", diagnostics=(TerraformDiagnostic(Severity.ERROR, "x"),))]
    out = shown([*rows, SKIPPED, CLEAN], detail=True)
    for row in rows:
        assert f"{row.root} " in out
        assert f"+   {row.changes[0].address}  in {row.root}\n" in out
    assert out.count("error: x") == 30
    assert "skipped: accounts/222222222222/aws failed" in out
