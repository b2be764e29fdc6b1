from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from generator.errors import ExitCode, InternalError, RefusedError
from generator.run import retries
from generator.run.children import Children
from generator.run.plan import plan_all
from generator.run.results import ApplyOutcome, exit_code

if TYPE_CHECKING:
    from pathlib import Path

    from tests.run.conftest import Recorder, World

pytestmark = pytest.mark.toolchain

ONE = 'resource "terraform_data" "a" {}\n'
FAILS = """
resource "terraform_data" "first" {}
resource "terraform_data" "bad" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" { command = "exit 7" }
}
"""


def names(account: int) -> tuple[str, str]:
    return f"accounts/{str(account) * 12}/aws", f"accounts/{str(account) * 12}/vault"


def test_the_platform_is_first_and_vault_follows_aws(world: World, recorder: Recorder, tmp_path: Path) -> None:
    aws, vault = names(1)
    # Given in the wrong order on purpose.
    workspaces = [world.root(name, ONE) for name in (vault, aws, "platform")]
    plans = plan_all(workspaces, tmp_path / "plans", 2, recorder)
    recorder.events.clear()
    results = world.apply(plans, workspaces, 2, recorder)
    assert [(result.root.name, result.outcome, result.add) for result in results] == [
        (name, ApplyOutcome.APPLIED, 1) for name in (vault, aws, "platform")
    ]
    assert [root for event, root in recorder.events if event == "apply started"] == ["platform", aws, vault]
    assert all(recorder.events[i + 1] == ("apply finished", recorder.events[i][1]) for i in (0, 2, 4))
    assert f"{aws} terraform_data.a: Creating..." in recorder.lines


def test_a_removal_takes_the_trust_before_the_role(world: World, recorder: Recorder, tmp_path: Path) -> None:
    aws, vault = names(1)
    workspaces = [world.root(name, ONE) for name in (aws, vault)]
    world.apply(plan_all(workspaces, tmp_path / "plans", 2, recorder), workspaces, 2, recorder)
    for name in (aws, vault):
        world.root(name, "")
    plans = plan_all(workspaces, tmp_path / "plans", 2, recorder)
    recorder.events.clear()
    results = world.apply(plans, workspaces, 2, recorder)
    assert [root for event, root in recorder.events if event == "apply started"] == [vault, aws]
    assert [result.destroy for result in results] == [1, 1]


def test_a_client_that_comes_has_its_role_before_its_trust_also_where_another_goes(
    world: World, recorder: Recorder, tmp_path: Path
) -> None:
    aws, vault = names(1)
    workspaces = [world.root(name, ONE) for name in (aws, vault)]
    world.apply(plan_all(workspaces, tmp_path / "plans", 2, recorder), workspaces, 2, recorder)
    for name in (aws, vault):
        world.root(name, ONE.replace('"a"', '"b"'))
    plans = plan_all(workspaces, tmp_path / "plans", 2, recorder)
    recorder.events.clear()
    results = world.apply(plans, workspaces, 2, recorder)
    assert [(result.add, result.destroy) for result in results] == [(1, 1), (1, 1)]
    # With unique ids Vault looks for the new role; what the old one may is gone some seconds after it.
    assert [root for event, root in recorder.events if event == "apply started"] == [aws, vault]


def test_a_role_stays_while_vault_still_trusts_it(world: World, recorder: Recorder, tmp_path: Path) -> None:
    aws, vault = names(1)
    workspaces = [world.root(name, ONE) for name in (aws, vault)]
    world.apply(plan_all(workspaces, tmp_path / "plans", 2, recorder), workspaces, 2, recorder)
    world.root(aws, "")
    world.root(vault, FAILS)
    plans = plan_all(workspaces, tmp_path / "plans", 2, recorder)
    removed, trust = world.apply(plans, workspaces, 2, recorder)
    assert trust.outcome is ApplyOutcome.FAILED
    assert (removed.outcome, removed.reason) == (ApplyOutcome.SKIPPED, f"{vault} failed")
    assert world.resources(aws) == {"a": "ok"}


def test_a_failed_aws_root_skips_its_vault_root_and_nothing_else(
    world: World, recorder: Recorder, tmp_path: Path
) -> None:
    bad_aws, bad_vault = names(1)
    good_aws, good_vault = names(2)
    workspaces = [world.root(name, FAILS if name == bad_aws else ONE) for name in (*names(1), *names(2))]
    plans = plan_all(workspaces, tmp_path / "plans", 2, recorder)
    results = {result.root.name: result for result in world.apply(plans, workspaces, 1, recorder)}

    failed = results[bad_aws]
    assert (failed.outcome, failed.add) == (ApplyOutcome.FAILED, 1)
    (diagnostic,) = failed.diagnostics
    assert (diagnostic.summary, diagnostic.address) == ("local-exec provisioner error", "terraform_data.bad")
    assert "exit status 7" in diagnostic.detail
    assert (diagnostic.path, diagnostic.line) == (f"{bad_aws}/client-payments.tf", 5)
    assert (results[bad_vault].outcome, results[bad_vault].reason) == (ApplyOutcome.SKIPPED, f"{bad_aws} failed")
    assert world.resources(bad_vault) == {}
    assert results[good_aws].outcome is results[good_vault].outcome is ApplyOutcome.APPLIED
    assert exit_code(results.values()) is ExitCode.REMOTE


def test_a_failed_platform_skips_everything_with_changes(world: World, recorder: Recorder, tmp_path: Path) -> None:
    aws, vault = names(1)
    workspaces = [world.root("platform", FAILS), world.root(aws, ONE), world.root(vault, "")]
    plans = plan_all(workspaces, tmp_path / "plans", 2, recorder)
    results = world.apply(plans, workspaces, 2, recorder)
    assert [result.outcome for result in results] == [
        ApplyOutcome.FAILED,
        ApplyOutcome.SKIPPED,
        ApplyOutcome.UNCHANGED,
    ]
    assert results[1].reason == "platform failed"


def test_a_root_that_could_not_be_planned_counts_as_failed(world: World, recorder: Recorder, tmp_path: Path) -> None:
    aws, vault = names(1)
    workspaces = [world.root(aws, "nonsense"), world.root(vault, ONE)]
    plans = plan_all(workspaces, tmp_path / "plans", 2, recorder)
    unplanned, skipped = world.apply(plans, workspaces, 2, recorder)
    assert (unplanned.outcome, unplanned.reason) == (ApplyOutcome.FAILED, "it could not be planned")
    assert unplanned.diagnostics == plans[0].diagnostics
    assert (skipped.outcome, skipped.reason) == (ApplyOutcome.SKIPPED, f"{aws} failed")


def test_no_account_waits_for_another(world: World, recorder: Recorder, tmp_path: Path) -> None:
    slow_aws, _ = names(1)
    fast_aws, fast_vault = names(2)
    # The slow AWS root ends only when the other account's Vault root has: with a barrier this would time out.
    done = tmp_path / "done"
    wait = f"for i in $(seq 200); do test -e {done} && exit 0; sleep 0.05; done; exit 1"
    bodies = {
        slow_aws: f'resource "terraform_data" "a" {{\n  provisioner "local-exec" {{ command = "{wait}" }}\n}}\n',
        fast_aws: ONE,
        fast_vault: f'resource "terraform_data" "a" {{\n  provisioner "local-exec" {{ command = "touch {done}" }}\n}}',
    }
    workspaces = [world.root(name, body) for name, body in bodies.items()]
    plans = plan_all(workspaces, tmp_path / "plans", 2, recorder)
    results = world.apply(plans, workspaces, 2, recorder)
    assert {result.outcome for result in results} == {ApplyOutcome.APPLIED}


def test_an_empty_plan_is_not_applied(world: World, recorder: Recorder, tmp_path: Path) -> None:
    workspace, calls = world.count_calls(world.root(names(1)[1], ""))
    plans = plan_all([workspace], tmp_path / "plans", 1, recorder)
    calls.unlink()
    (result,) = world.apply(plans, [workspace], 1, recorder)
    assert result.outcome is ApplyOutcome.UNCHANGED
    assert not calls.exists()


def test_a_stale_plan_is_named_as_such(world: World, recorder: Recorder, tmp_path: Path) -> None:
    workspace = world.root(names(1)[1], ONE)
    early = plan_all([workspace], tmp_path / "early", 1, recorder)
    late = plan_all([workspace], tmp_path / "late", 1, recorder)
    world.apply(late, [workspace], 1, recorder)
    (result,) = world.apply(early, [workspace], 1, recorder)
    assert result.outcome is ApplyOutcome.FAILED
    assert [diagnostic.summary for diagnostic in result.diagnostics] == ["Saved plan is stale"]
    assert "plan again" in (result.reason or "")


def test_a_plan_file_that_was_touched_stops_the_whole_apply(world: World, recorder: Recorder, tmp_path: Path) -> None:
    workspaces = [world.root(name, ONE) for name in names(1)]
    plans = plan_all(workspaces, tmp_path / "plans", 2, recorder)
    assert plans[1].plan_file is not None
    with plans[1].plan_file.open("ab") as file:
        file.write(b"x")
    with pytest.raises(RefusedError, match=names(1)[1]):
        world.apply(plans, workspaces, 2, recorder)
    plans[1].plan_file.unlink()
    with pytest.raises(RefusedError, match=names(1)[1]):
        world.apply(plans, workspaces, 2, recorder)
    assert world.resources(names(1)[0]) == {}


def test_what_was_planned_is_applied_whatever_the_files_say_now(
    world: World, recorder: Recorder, tmp_path: Path
) -> None:
    name = names(1)[1]
    workspace = world.root(name, ONE)
    plans = plan_all([workspace], tmp_path / "plans", 1, recorder)
    world.root(name, 'resource "terraform_data" "slipped_in" {}\n')
    world.apply(plans, [workspace], 1, recorder)
    assert world.resources(name) == {"a": "ok"}


def test_a_plan_without_a_workspace_is_a_contradiction(world: World, recorder: Recorder, tmp_path: Path) -> None:
    plans = plan_all([world.root(names(1)[1], ONE)], tmp_path / "plans", 1, recorder)
    with pytest.raises(InternalError, match="without a workspace"):
        world.apply(plans, [], 1, recorder)


def once_refused(folder: Path) -> str:
    """Return a root whose first apply fails as if a server had just restarted."""
    command = f"test -e {folder}/seen || {{ touch {folder}/seen; echo connection refused; exit 7; }}"
    return f"""
resource "terraform_data" "first" {{}}
resource "terraform_data" "flaky" {{
  depends_on = [terraform_data.first]
  provisioner "local-exec" {{ command = "{command}" }}
}}
"""


def test_a_failure_that_may_pass_is_not_tried_again_beyond_what_was_agreed_to(
    world: World, recorder: Recorder, tmp_path: Path
) -> None:
    name = names(1)[1]
    workspace = world.root(name, once_refused(tmp_path))
    plans = plan_all([workspace], tmp_path / "plans", 1, recorder)
    (result,) = world.apply(plans, [workspace], 1, recorder, retries=3)
    assert result.outcome is ApplyOutcome.FAILED
    # Terraform has tainted what it made by half, and would replace it, which is to destroy it.
    assert "what was not agreed to: replace terraform_data.flaky; plan again" in (result.reason or "")
    assert world.resources(name)["flaky"] == "tainted"
    assert result.add == 1


def test_how_often_a_root_is_tried_again_is_bounded(
    world: World, recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "delay", float)
    pauses: list[float] = []

    def pause(_self: Children, seconds: float) -> bool:
        pauses.append(seconds)
        return True

    monkeypatch.setattr(Children, "pause", pause)
    fails = 'data "terraform_remote_state" "x" {\n  backend = "http"\n  config = { address = "http://127.0.0.1:9/" }\n'
    body = 'resource "terraform_data" "a" {}\n' + fails + "  depends_on = [terraform_data.a]\n}\n"
    name = names(1)[1]
    workspace = world.root(name, body)
    plans = plan_all([workspace], tmp_path / "plans", 1, recorder)
    (result,) = world.apply(plans, [workspace], 1, recorder, retries=2)
    assert (result.outcome, result.add) == (ApplyOutcome.FAILED, 1)
    assert pauses == [1.0, 2.0]
