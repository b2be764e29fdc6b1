from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from generator.diagnostics import Severity
from generator.errors import ExitCode, RemoteError, UsageError
from generator.report.runs import ResourceChange
from generator.run.plan import plan_all
from generator.run.results import PlanOutcome, exit_code

if TYPE_CHECKING:
    from pathlib import Path

    from generator.sandbox.toolchain import Toolchain
    from tests.run.conftest import Recorder, World

pytestmark = pytest.mark.toolchain

VAULT = "accounts/111111111111/vault"
BEFORE = """
resource "terraform_data" "updated" { input = "old" }
resource "terraform_data" "replaced" { triggers_replace = "old" }
resource "terraform_data" "deleted" {}
resource "terraform_data" "kept" {}
resource "terraform_data" "old_name" {}
"""
AFTER = """
resource "terraform_data" "updated" { input = "new" }
resource "terraform_data" "replaced" { triggers_replace = "new" }
resource "terraform_data" "created" {}
resource "terraform_data" "kept" {}
resource "terraform_data" "new_name" {}
moved {
  from = terraform_data.old_name
  to   = terraform_data.new_name
}
"""


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_every_kind_of_change_is_counted_and_named(world: World, recorder: Recorder, tmp_path: Path) -> None:
    workspace = world.root(VAULT, BEFORE)
    first = plan_all([workspace], tmp_path / "plans", 1, recorder)
    assert (first[0].outcome, first[0].add, first[0].change, first[0].destroy) == (PlanOutcome.CHANGES, 5, 0, 0)
    world.apply(first, [workspace], 1, recorder)

    world.root(VAULT, AFTER)
    (second,) = plan_all([workspace], tmp_path / "plans", 1, recorder)

    assert (second.add, second.change, second.destroy) == (2, 1, 2)
    assert second.changes == (
        ResourceChange("terraform_data.created", "create"),
        ResourceChange("terraform_data.deleted", "delete"),
        ResourceChange("terraform_data.new_name", "move"),
        ResourceChange("terraform_data.replaced", "replace"),
        ResourceChange("terraform_data.updated", "update"),
    )
    assert [change.address for change in second.changes if change.destroys] == [
        "terraform_data.deleted",
        "terraform_data.replaced",
    ]
    (applied,) = world.apply([second], [workspace], 1, recorder)
    assert (applied.add, applied.change, applied.destroy) == (2, 1, 2)

    (third,) = plan_all([workspace], tmp_path / "plans", 1, recorder)
    assert (third.outcome, third.changes, third.plan_file) == (PlanOutcome.CLEAN, (), None)
    assert list((tmp_path / "plans").iterdir()) == []


def test_an_output_alone_is_a_change(world: World, recorder: Recorder, tmp_path: Path) -> None:
    workspace = world.root(VAULT, 'output "x" { value = 1 }')
    (result,) = plan_all([workspace], tmp_path / "plans", 1, recorder)
    assert (result.outcome, result.changes) == (PlanOutcome.CHANGES, ())


def test_plans_are_readable_by_their_owner_only(world: World, recorder: Recorder, tmp_path: Path) -> None:
    plans = tmp_path / "plans"
    plans.mkdir(mode=0o755)
    workspace = world.root(VAULT, BEFORE)
    results = plan_all([workspace], plans, 1, recorder)
    plan_file = results[0].plan_file
    assert plan_file is not None
    assert (mode(plans), mode(plan_file)) == (0o700, 0o600)
    assert results[0].digest == hashlib.sha256(plan_file.read_bytes()).hexdigest()
    world.apply(results, [workspace], 1, recorder)
    assert mode(world.state_file(VAULT)) == 0o600


def test_a_broken_root_is_reported_whole_and_stops_no_other(world: World, recorder: Recorder, tmp_path: Path) -> None:
    good = world.root(VAULT, BEFORE)
    broken = world.root("accounts/222222222222/vault", 'resource "terraform_data" "a" {\n  nosuch = 1\n}\n')
    failing = world.root(
        "accounts/333333333333/vault",
        """
resource "terraform_data" "a" {
  lifecycle {
    precondition {
      condition     = length(terraform_data.b.input) > 3
      error_message = "too short"
    }
  }
}
resource "terraform_data" "b" { input = "x" }
""",
    )
    results = plan_all([broken, failing, good], tmp_path / "plans", 2, recorder)

    assert [result.outcome for result in results] == [PlanOutcome.FAILED, PlanOutcome.FAILED, PlanOutcome.CHANGES]
    assert exit_code(results) is ExitCode.REMOTE
    (unsupported,) = results[0].diagnostics
    assert (unsupported.severity, unsupported.summary) == (Severity.ERROR, "Unsupported argument")
    assert "nosuch" in unsupported.detail
    assert (unsupported.path, unsupported.line) == ("accounts/222222222222/vault/client-payments.tf", 2)
    (condition,) = results[1].diagnostics
    assert (condition.summary, condition.detail, condition.line) == ("Resource precondition failed", "too short", 5)
    assert results[1].plan_file is None
    assert [path.name for path in (tmp_path / "plans").iterdir()] == ["accounts-111111111111-vault.tfplan"]


def test_pending_changes_are_a_finding_only_when_checked(world: World, recorder: Recorder, tmp_path: Path) -> None:
    results = plan_all([world.root(VAULT, BEFORE)], tmp_path / "plans", 1, recorder)
    assert exit_code(results) is ExitCode.CLEAN
    assert exit_code(results, check=True) is ExitCode.FINDINGS


def test_init_runs_once_and_again_when_its_work_no_longer_fits(
    world: World, recorder: Recorder, tmp_path: Path
) -> None:
    workspace, calls = world.count_calls(world.root(VAULT, BEFORE))

    def commands() -> list[str]:
        plan_all([workspace], tmp_path / "plans", 1, recorder)
        words = [line.split()[1] for line in calls.read_text().splitlines()]
        calls.unlink()
        return words

    assert commands() == ["init", "plan"]
    assert commands() == ["plan"]
    world.root(VAULT, AFTER)
    assert commands() == ["plan"], "a client's file is no business of init"

    override = workspace.directory / "backend_override.tf"
    override.write_text('terraform {\n  required_version = ">= 1.11"\n}\n')
    assert commands() == ["init", "plan"]

    (tmp_path / "terraform.rc").write_text("disable_checkpoint = true\n")
    assert commands() == ["init", "plan"]

    (workspace.directory / ".terraform.lock.hcl").write_text("# another copy of the root\n")
    assert commands() == ["init", "plan"]
    assert commands() == ["plan"]

    mirror = tmp_path / "mirror"
    mirror.mkdir()
    link = workspace.data_dir / "providers/example.com/a/b/1.0.0/linux_amd64"
    link.parent.mkdir(parents=True)
    link.symlink_to(mirror)
    assert commands() == ["init", "plan"]
    assert commands() == ["plan"]
    mirror.rmdir()
    assert commands() == ["init", "plan"]


@pytest.mark.parametrize("checks", [True, False])
def test_providers_are_compared_with_the_lock_file_unless_the_workspace_does_without(
    checks: bool, world: World, recorder: Recorder, toolchain: Toolchain, tmp_path: Path
) -> None:
    body = """
terraform {
  required_providers {
    vault = { source = "hashicorp/vault" }
  }
}
"""
    workspace, calls = world.count_calls(world.root(VAULT, body))
    environment = {**workspace.environment, "TF_CLI_CONFIG_FILE": str(toolchain.terraform_config)}
    workspace = replace(workspace, environment=environment, checks_providers=checks)
    for _ in range(2):
        (result,) = plan_all([workspace], tmp_path / "plans", 1, recorder)
        assert result.outcome is PlanOutcome.CLEAN
    assert [line.split()[1] for line in calls.read_text().splitlines()] == ["init", "plan", "plan"]
    lock_file = (workspace.directory / ".terraform.lock.hcl").read_text()
    assert "  version = " in lock_file
    assert ("h1:" in lock_file) == checks


def test_a_failed_init_is_reported_and_tried_again(world: World, recorder: Recorder, tmp_path: Path) -> None:
    workspace = world.root(VAULT, BEFORE)
    root_file = workspace.directory / "root.tf"
    good = root_file.read_text()
    root_file.write_text('terraform {\n  backend "nosuch" {}\n}\n')
    (result,) = plan_all([workspace], tmp_path / "plans", 1, recorder)
    assert result.outcome is PlanOutcome.FAILED
    assert result.diagnostics[0].summary == "Unsupported backend type"
    root_file.write_text(good)
    (result,) = plan_all([workspace], tmp_path / "plans", 1, recorder)
    assert result.outcome is PlanOutcome.CHANGES


def test_terraform_sees_the_given_environment_and_nothing_else(
    world: World, recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CLI_ARGS_plan", "-nosuch")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "leaked")
    workspace = world.root(VAULT, BEFORE)
    shim = tmp_path / "bin" / "terraform"
    shim.parent.mkdir()
    shim.write_text(f"#!/bin/sh\n/usr/bin/env > {tmp_path}/seen\necho 'a crash, not JSON'\nexit 3\n")
    shim.chmod(0o755)
    workspace = replace(workspace, environment={"PATH": str(shim.parent), "VAULT_ADDR": "http://127.0.0.1:1"})
    (result,) = plan_all([workspace], tmp_path / "plans", 1, recorder)
    seen = dict(line.split("=", 1) for line in (tmp_path / "seen").read_text().splitlines())
    assert {name for name in seen if name not in {"PWD", "SHLVL", "_", "OLDPWD"}} == {
        "PATH",
        "VAULT_ADDR",
        "TF_DATA_DIR",
        "TF_IN_AUTOMATION",
        "CHECKPOINT_DISABLE",
    }
    assert seen["TF_DATA_DIR"] == str(workspace.data_dir)
    (unexplained,) = result.diagnostics
    assert unexplained.summary == "terraform init ended with exit status 3 without saying why"
    assert unexplained.detail == "a crash, not JSON"


def test_a_missing_terraform_is_said_before_anything_is_done(world: World, recorder: Recorder, tmp_path: Path) -> None:
    workspace = replace(world.root(VAULT, BEFORE), environment={"PATH": str(tmp_path)})
    with pytest.raises(RemoteError, match="no terraform on PATH"):
        plan_all([workspace], tmp_path / "plans", 1, recorder)
    assert not (tmp_path / "plans").exists()


def test_a_terraform_that_does_not_start_fails_its_root(world: World, recorder: Recorder, tmp_path: Path) -> None:
    shim = tmp_path / "bin" / "terraform"
    shim.parent.mkdir()
    shim.write_text("#!/nosuch/interpreter\n")
    shim.chmod(0o755)
    workspace = replace(world.root(VAULT, BEFORE), environment={"PATH": str(shim.parent)})
    (result,) = plan_all([workspace], tmp_path / "plans", 1, recorder)
    assert result.outcome is PlanOutcome.FAILED
    assert "could not be started" in result.diagnostics[0].summary


def test_a_folder_that_cannot_take_plans_is_refused(world: World, recorder: Recorder, tmp_path: Path) -> None:
    (tmp_path / "plans").touch()
    with pytest.raises(UsageError, match="plans cannot be written"):
        plan_all([world.root(VAULT, BEFORE)], tmp_path / "plans", 1, recorder)


def test_roots_are_planned_side_by_side_and_returned_in_order(world: World, recorder: Recorder, tmp_path: Path) -> None:
    names = [f"accounts/{number}11111111111/vault" for number in range(1, 5)]
    workspaces = [world.root(name, BEFORE) for name in names]
    results = plan_all(workspaces, tmp_path / "plans", 2, recorder)
    assert [result.root.name for result in results] == names
    running = most = 0
    for event, _ in recorder.events:
        running += {"plan started": 1, "plan finished": -1}[event]
        most = max(most, running)
    assert most == 2
