"""Every verb ends with the code that the contract names, as far as neither Terraform nor a server is needed for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from generator.errors import ExitCode, worst
from generator.render import tree
from tests.cli.conftest import edit

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

PAYMENTS = "clients/payments.yaml"
RENDERED = "terraform/accounts/111111111111/vault/client-payments.tf"


def break_a_manifest(fleet: Path) -> None:
    edit(fleet / PAYMENTS, "owner:", "owned_by:")


@pytest.mark.parametrize("verb", [["validate"], ["check"], ["render", "--check"], ["render", "--diff"], ["render"]])
def test_a_fleet_in_order_is_clean(run: Run, verb: list[str]) -> None:
    assert run(*verb).code == ExitCode.CLEAN


VERBS_THAT_READ_THE_FLEET = (
    ["validate"],
    ["check"],
    ["render"],
    ["render", "--check"],
    ["render", "--diff"],
    ["plan"],
    ["plan", "--check"],
    ["apply", "--yes"],
    ["sandbox", "up"],
    ["sandbox", "login", "payments"],
)


@pytest.mark.parametrize("verb", VERBS_THAT_READ_THE_FLEET, ids=" ".join)
def test_a_finding_in_a_manifest_is_1(run: Run, fleet: Path, verb: list[str]) -> None:
    break_a_manifest(fleet)
    ended = run(*verb)
    assert ended.code == ExitCode.FINDINGS
    assert "owned_by" in ended.out + ended.err


@pytest.mark.parametrize("verb", VERBS_THAT_READ_THE_FLEET, ids=" ".join)
def test_a_finding_in_the_settings_is_2(run: Run, fleet: Path, verb: list[str]) -> None:
    edit(fleet / "crosskeys.yaml", "version: 1", "version: 2")
    assert run(*verb).code == ExitCode.USAGE


@pytest.mark.parametrize("verb", [["check"], ["render", "--check"], ["plan"], ["apply", "--yes"]], ids=" ".join)
def test_a_stale_tree_is_1_and_starts_nothing(run: Run, fleet: Path, verb: list[str]) -> None:
    edit(fleet / PAYMENTS, "owner: payments-team@example.com", "owner: others@example.com")
    ended = run(*verb)
    assert ended.code == ExitCode.FINDINGS
    assert RENDERED in ended.out
    assert not (fleet / ".crosskeys/sandbox").exists()


@pytest.mark.parametrize("verb", [["check"], ["render", "--check"], ["render"], ["plan"]], ids=" ".join)
def test_a_foreign_file_in_a_root_is_1_and_stays(run: Run, fleet: Path, verb: list[str]) -> None:
    foreign = fleet / "terraform/platform/extra_override.tf"
    foreign.write_text("# mine\n")
    ended = run(*verb)
    assert ended.code == ExitCode.FINDINGS
    assert "terraform/platform/extra_override.tf" in ended.out
    assert foreign.read_text() == "# mine\n"


def test_render_repairs_a_stale_tree(run: Run, fleet: Path) -> None:
    before = (fleet / RENDERED).read_text()
    (fleet / RENDERED).write_text(f"{before}# by hand\n")
    assert run("check").code == ExitCode.FINDINGS
    assert run("render").code == ExitCode.CLEAN
    assert (fleet / RENDERED).read_text() == before


@pytest.mark.parametrize(
    "line",
    [
        [],
        ["nosuch"],
        ["validate", "--nosuch"],
        ["validate", "--format", "xml"],
        ["plan", "--target", "moon"],
        ["plan", "--jobs", "0"],
        ["plan", "--account", "999"],
        ["plan", "--client", "paymens"],
        ["apply", "plans", "--client", "payments"],
        ["schema", "nosuch"],
        ["schema", "--write", "crosskeys.yaml"],
        ["--log-format", "xml", "validate"],
    ],
    ids=" ".join,
)
def test_a_command_line_that_cannot_be_is_2_and_starts_nothing(run: Run, fleet: Path, line: list[str]) -> None:
    ended = run(*line)
    assert ended.code == ExitCode.USAGE
    assert "Traceback" not in ended.err
    assert not (fleet / ".crosskeys/sandbox").exists()


def test_a_misspelt_client_is_answered_with_the_one_that_is_there(run: Run) -> None:
    assert "did you mean payments?" in run("plan", "--client", "paymens").err


def test_a_folder_that_is_not_there_is_2(run: Run, fleet: Path) -> None:
    ended = run("-C", str(fleet / "nosuch"), "validate")
    assert ended.code == ExitCode.USAGE
    assert "name the fleet's folder with -C DIR" in ended.err


def test_a_template_that_prints_a_bare_value_is_2_and_nothing_is_written(run: Run, fleet: Path) -> None:
    (fleet / "templates/vault").mkdir(parents=True)
    (fleet / "templates/vault/client.tf.j2").write_text("{{ client.name }}\n")
    before = (fleet / RENDERED).read_text()
    ended = run("render")
    assert ended.code == ExitCode.USAGE
    assert "vault/client.tf.j2" in ended.err
    assert (fleet / RENDERED).read_text() == before


def test_a_template_that_says_something_else_than_the_manifest_is_2_and_nothing_is_written(
    run: Run, fleet: Path
) -> None:
    from generator.resources import data  # noqa: PLC0415 - where the package's own templates are

    (fleet / "templates/vault").mkdir(parents=True)
    own = (data("templates") / "vault/client.tf.j2").read_text()
    (fleet / "templates/vault/client.tf.j2").write_text(own.replace('["read", "list"]', '["read", "list", "update"]'))
    before = (fleet / RENDERED).read_text()
    ended = run("render")
    assert ended.code == ExitCode.USAGE
    assert RENDERED in ended.err
    assert "update" in ended.err
    assert (fleet / RENDERED).read_text() == before


def test_another_writer_on_the_same_fleet_is_3(run: Run, fleet: Path) -> None:
    with tree.lock(fleet):
        for verb in ("render", "plan", "apply"):
            ended = run(verb)
            assert ended.code == ExitCode.REFUSED
            assert "another crosskeys" in ended.err


def test_reading_verbs_do_not_wait_for_a_writer(run: Run, fleet: Path) -> None:
    with tree.lock(fleet):
        assert run("check").code == ExitCode.CLEAN


def test_plans_are_not_kept_over_something_else(run: Run, fleet: Path) -> None:
    (fleet / "plans").mkdir()
    (fleet / "plans/notes.txt").write_text("mine")
    ended = run("plan", "--out", "plans")
    assert ended.code == ExitCode.REFUSED
    assert (fleet / "plans/notes.txt").read_text() == "mine"
    assert not (fleet / ".crosskeys/sandbox").exists()


def test_a_folder_that_holds_no_plans_is_not_applied(run: Run, fleet: Path) -> None:
    assert run("apply", "clients", "--yes").code == ExitCode.REFUSED
    assert not (fleet / ".crosskeys/sandbox").exists()


def test_a_sandbox_that_is_down_is_4(run: Run) -> None:
    assert run("sandbox", "status").code == ExitCode.REMOTE


def test_taking_down_what_is_not_up_is_clean(run: Run) -> None:
    assert run("sandbox", "down").code == ExitCode.CLEAN


def test_of_several_codes_the_gravest_is_told() -> None:
    falling = [ExitCode.INTERRUPTED, ExitCode.USAGE, ExitCode.REFUSED, ExitCode.REMOTE, ExitCode.FINDINGS]
    for index, code in enumerate(falling):
        assert worst([ExitCode.CLEAN, *reversed(falling[index:])]) == code
