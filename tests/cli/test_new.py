"""A new client: from flags, from answers, and never over or beside what must not be."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from generator.errors import ExitCode
from tests.cli.conftest import edit
from tests.cli.terminal import typed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

FLAGS = ("--account-id", "111111111111", "--role-name", "invoices-app", "--owner", "billing@example.com")


def contents(fleet: Path) -> dict[str, bytes]:
    return {
        path.relative_to(fleet).as_posix(): path.read_bytes()
        for path in fleet.rglob("*")
        if path.is_file() and ".crosskeys" not in path.parts
    }


def test_flags_make_a_manifest_and_the_next_command_is_said(run: Run, fleet: Path) -> None:
    before = contents(fleet)
    ended = run("new", "invoices", *FLAGS, "--description", "no: it is #1", "--change-ref", "CHG-7")
    assert (ended.code, ended.out) == (ExitCode.CLEAN, "+ clients/invoices.yaml\n")
    assert "crosskeys render" in ended.err
    assert (fleet / "clients/invoices.yaml").read_text() == (
        "# yaml-language-server: $schema=../schemas/client.schema.json\n"
        "name: invoices\n"
        'account_id: "111111111111"\n'
        "role_name: invoices-app\n"
        "owner: billing@example.com\n"
        'description: "no: it is #1"\n'
        "change_ref: CHG-7\n"
    )
    assert contents(fleet).keys() - before.keys() == {"clients/invoices.yaml"}
    assert run("validate").code == ExitCode.CLEAN


def test_render_renders_at_once(run: Run) -> None:
    ended = run("new", "invoices", *FLAGS, "--render")
    assert "+ clients/invoices.yaml\n" in ended.out
    assert "+ terraform/accounts/111111111111/vault/client-invoices.tf\n" in ended.out
    assert run("check").code == ExitCode.CLEAN


def test_a_team_has_a_folder(run: Run, fleet: Path) -> None:
    assert run("new", "invoices", *FLAGS, "--team", "billing/eu").out == "+ clients/billing/eu/invoices.yaml\n"
    assert "$schema=../../../schemas/" in (fleet / "clients/billing/eu/invoices.yaml").read_text()
    assert run("validate").code == ExitCode.CLEAN


@pytest.mark.parametrize("team", ["..", "/tmp", "a/../b", "accounts", "accounts/x", "", "a//b", "-x", ".git", "ä"])
def test_a_team_that_is_no_folder_of_clients_is_refused(run: Run, fleet: Path, team: str) -> None:
    before = contents(fleet)
    assert run("new", "invoices", *FLAGS, "--team", team).code == ExitCode.USAGE
    assert contents(fleet) == before


def test_an_account_can_be_registered_with_its_first_client(run: Run, fleet: Path) -> None:
    edit(fleet / "crosskeys.yaml", "accounts: any", "accounts: registered")
    flags = ("--account-id", "555555555555", *FLAGS[2:])
    refused = run("new", "invoices", *flags)
    assert refused.code == ExitCode.USAGE
    assert "--register-account NAME" in refused.err
    ended = run("new", "invoices", *flags, "--register-account", "billing: production")
    assert ended.out == "+ clients/invoices.yaml\n+ clients/accounts/555555555555.yaml\n"
    account = (fleet / "clients/accounts/555555555555.yaml").read_text()
    assert account.endswith('name: "billing: production"\nowner: billing@example.com\n')
    assert run("validate").code == ExitCode.CLEAN


def test_json_says_what_was_written(run: Run) -> None:
    assert json.loads(run("new", "invoices", *FLAGS, "--format", "json").out) == {"added": ["clients/invoices.yaml"]}


def test_without_anybody_to_ask_all_that_is_missing_is_named(run: Run, fleet: Path) -> None:
    before = contents(fleet)
    ended = run("new", "--role-name", "x")
    assert ended.code == ExitCode.USAGE
    assert "NAME, --account-id, --owner are missing" in ended.err
    assert contents(fleet) == before


@pytest.mark.parametrize("name", ["../x", "Payments", "a/b", "", "a\n", "a\udcff"])
def test_a_name_that_would_be_another_file_is_refused(run: Run, fleet: Path, name: str) -> None:
    before = contents(fleet)
    assert run("new", name, *FLAGS).code == ExitCode.USAGE
    assert contents(fleet) == before


def test_what_exists_is_not_overwritten(run: Run, fleet: Path) -> None:
    before = contents(fleet)
    ended = run("new", "payments", *FLAGS)
    assert ended.code == ExitCode.REFUSED
    assert "clients/payments.yaml" in ended.err
    assert contents(fleet) == before


def test_a_folder_that_is_a_link_is_not_followed(run: Run, fleet: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (fleet / "clients/team").symlink_to(tmp_path / "elsewhere")
    assert run("new", "invoices", *FLAGS, "--team", "team").code != ExitCode.CLEAN
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_collision_is_shown_at_both_ends_and_nothing_is_written(run: Run, fleet: Path) -> None:
    before = contents(fleet)
    ended = run("new", "invoices", *FLAGS[:2], "--role-name", "payments-app", *FLAGS[4:])
    assert ended.code == ExitCode.FINDINGS
    assert "error[CK313]" in ended.out
    assert "--> clients/invoices.yaml:4:12\n" in ended.out
    assert "--> clients/payments.yaml:4:12\n" in ended.out
    assert ended.out.count("4 | role_name: payments-app") >= 2
    assert "help: " in ended.out
    assert "nothing was written" in ended.err
    assert contents(fleet) == before


def test_all_that_is_wrong_with_the_flags_is_shown_at_once(run: Run, fleet: Path) -> None:
    before = contents(fleet)
    ended = run("new", "invoices", *FLAGS[:2], "--role-name", "a b", "--owner", "a\u202eb", "--format", "concise")
    assert ended.code == ExitCode.FINDINGS
    ended = run("new", "invoices", *FLAGS[:2], "--role-name", "a b", "--owner", "x" * 300, "--format", "concise")
    assert len(ended.out.splitlines()) == 2
    assert contents(fleet) == before


def test_a_fleet_that_is_not_in_order_does_not_grow(run: Run, fleet: Path) -> None:
    edit(fleet / "clients/search.yaml", "owner:", "ownr:")
    before = contents(fleet)
    ended = run("new", "invoices", *FLAGS)
    assert ended.code == ExitCode.FINDINGS
    assert "clients/search.yaml" in ended.out
    assert contents(fleet) == before
    edit(fleet / "crosskeys.yaml", "version: 1", "version: 2")
    assert run("new", "invoices", *FLAGS).code == ExitCode.USAGE


def test_a_folder_that_is_no_fleet_stays_empty(run: Run, fleet: Path) -> None:
    (fleet / "empty").mkdir()
    ended = run("-C", str(fleet / "empty"), "new", "invoices", *FLAGS)
    assert ended.code == ExitCode.USAGE
    assert "crosskeys init" in ended.err
    assert list((fleet / "empty").iterdir()) == []


def test_a_fleet_that_is_being_written_to_is_left_alone(run: Run, fleet: Path) -> None:
    from generator.render import tree  # noqa: PLC0415 - the lock alone

    with tree.lock(fleet):
        assert run("new", "invoices", *FLAGS).code == ExitCode.REFUSED
    assert not (fleet / "clients/invoices.yaml").exists()


def test_questions_are_asked_until_each_answer_fits(fleet: Path) -> None:
    edit(fleet / "crosskeys.yaml", "accounts: any", "accounts: registered")
    answers = [
        *("Invoices", "payments", "invoices"),
        *("12345", '"555555555555"'),
        *("invoices/app", ""),
        *("", "billing@example.com"),
        *("Rechnungen für alle: täglich", "CHG-7"),
        *("billing-production", ""),
    ]
    ended = typed(fleet, "new", answers=answers)
    assert ended.code == ExitCode.CLEAN, ended.err
    assert ended.out == "+ clients/invoices.yaml\n+ clients/accounts/555555555555.yaml\n"
    assert "expected lower-case letters" in ended.err
    assert "clients/payments.yaml has that name already" in ended.err
    assert "  111111111111  retail-production\n" in ended.err
    assert "twelve digits" in ended.err
    assert "[invoices]: " in ended.err
    assert "registered accounts only" in ended.err
    text = (fleet / "clients/invoices.yaml").read_text()
    assert "role_name: invoices\n" in text
    assert 'description: "Rechnungen für alle: täglich"\n' in text
    assert "owner: billing@example.com\n" in (fleet / "clients/accounts/555555555555.yaml").read_text()


def test_what_flags_say_is_not_asked_and_what_is_optional_need_not_be_answered(fleet: Path) -> None:
    ended = typed(fleet, "new", "invoices", "--account-id", "111111111111", answers=["", "", "", ""])
    assert ended.code == ExitCode.CLEAN, ended.err
    questions = re.findall(r": $", ended.err, re.MULTILINE)
    assert len(questions) == 4
    text = (fleet / "clients/invoices.yaml").read_text()
    assert "owner: retail-platform@example.com\n" in text, "the registered account's owner is the default"
    assert "description" not in text


def test_ending_the_input_writes_nothing(fleet: Path) -> None:
    before = contents(fleet)
    ended = typed(fleet, "new", "invoices", answers=["111111111111"])
    assert ended.code == ExitCode.INTERRUPTED
    assert contents(fleet) == before
