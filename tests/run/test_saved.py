from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from generator.errors import RefusedError, UsageError
from generator.render.layout import Root, RootKind
from generator.report.runs import ResourceChange
from generator.run.plan import plan_all, plan_file_name, sha256
from generator.run.results import ApplyOutcome, PlanOutcome, PlanResult
from generator.run.saved import load, require_free, save

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.run.conftest import Recorder, World

ROOT = Root("accounts/111111111111/vault", RootKind.VAULT, "111111111111", ("payments",), handover=False)
CLEAN = Root("accounts/111111111111/aws", RootKind.AWS, "111111111111", ("payments",), handover=False)
FAILED = Root("accounts/222222222222/vault", RootKind.VAULT, "222222222222", ("billing",), handover=False)
ROOTS = (ROOT, CLEAN, FAILED)


@pytest.fixture
def results(tmp_path: Path) -> tuple[PlanResult, ...]:
    plan_file = tmp_path / "fresh.tfplan"
    plan_file.write_text("the plan")
    changes = (ResourceChange("vault_policy.payments", "replace", was="pay-policy"),)
    return (
        PlanResult(ROOT, PlanOutcome.CHANGES, 1, 0, 1, changes=changes, plan_file=plan_file, digest=sha256(plan_file)),
        PlanResult(CLEAN, PlanOutcome.CLEAN),
        PlanResult(FAILED, PlanOutcome.FAILED),
    )


def modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())}


def test_a_plan_set_comes_back_as_it_was(results: tuple[PlanResult, ...], tmp_path: Path) -> None:
    folder = tmp_path / "some" / "set"
    save(results, folder, "tree-1", "sandbox")
    saved = folder / plan_file_name(ROOT.name)
    loaded = load(folder, "tree-1", "sandbox", ROOTS)
    assert loaded == (replace(results[0], plan_file=saved), *results[1:])
    assert loaded[0].changes[0].was == "pay-policy"
    assert modes(folder) == {"set": 0o700, "plans.json": 0o600, saved.name: 0o600}
    assert [path.name for path in folder.parent.iterdir()] == ["set"]


def test_an_earlier_plan_set_is_replaced_as_a_whole(results: tuple[PlanResult, ...], tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    save(results, folder, "tree-1", "sandbox")
    save(results[1:], folder, "tree-2", "live")
    assert [path.name for path in folder.iterdir()] == ["plans.json"]
    assert load(folder, "tree-2", "live", ROOTS) == results[1:]


@pytest.mark.parametrize("names", [["notes.txt"], ["plans.json", "notes.txt"], ["stray.tfplan"], ["plans.json.bak"]])
def test_a_folder_with_anything_else_is_not_overwritten(
    results: tuple[PlanResult, ...], tmp_path: Path, names: list[str]
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for name in names:
        (folder / name).write_text("precious")
    with pytest.raises(RefusedError, match="not overwritten"):
        save(results, folder, "tree-1", "sandbox")
    assert {path.name: path.read_text() for path in folder.iterdir()} == dict.fromkeys(names, "precious")


def test_a_file_where_the_folder_should_be_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "set").touch()
    with pytest.raises(UsageError, match="Not a directory"):
        require_free(tmp_path / "set")


def test_a_failed_write_leaves_the_earlier_set_and_no_rest(
    results: tuple[PlanResult, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out" / "set"
    save(results, folder, "tree-1", "sandbox")
    rename = Path.rename

    def fail_for_the_new(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_for_the_new)
    with pytest.raises(UsageError, match="No space left"):
        save(results[1:], folder, "tree-2", "sandbox")
    assert len(load(folder, "tree-1", "sandbox", ROOTS)) == 3
    assert [path.name for path in folder.parent.iterdir()] == ["set"]


def test_an_interrupted_run_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="interrupted"):
        save([PlanResult(ROOT, PlanOutcome.INTERRUPTED)], tmp_path / "set", "tree-1", "sandbox")
    assert not (tmp_path / "set").exists()


def test_a_plan_file_changed_before_saving_is_refused(results: tuple[PlanResult, ...], tmp_path: Path) -> None:
    (tmp_path / "fresh.tfplan").write_text("another plan")
    with pytest.raises(RefusedError, match=ROOT.name):
        save(results, tmp_path / "set", "tree-1", "sandbox")
    assert not (tmp_path / "set").exists()


def test_plans_for_another_tree_or_world_are_refused(results: tuple[PlanResult, ...], tmp_path: Path) -> None:
    folder = tmp_path / "set"
    save(results, folder, "tree-1", "sandbox")
    with pytest.raises(RefusedError, match="rendered roots have changed") as caught:
        load(folder, "tree-2", "sandbox", ROOTS)
    assert "plan again" in (caught.value.help or "")
    with pytest.raises(RefusedError, match="for sandbox, not for live"):
        load(folder, "tree-1", "live", ROOTS)
    with pytest.raises(RefusedError, match=FAILED.name):
        load(folder, "tree-1", "sandbox", ROOTS[:2])


def _edit(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    def apply(folder: Path) -> None:
        content = json.loads((folder / "plans.json").read_text())
        change(content)
        (folder / "plans.json").write_text(json.dumps(content))

    return apply


@pytest.mark.parametrize(
    "tamper",
    [
        lambda folder: (folder / plan_file_name(ROOT.name)).write_text("another plan"),
        lambda folder: (folder / plan_file_name(ROOT.name)).unlink(),
        lambda folder: (folder / "plans.json").unlink(),
        lambda folder: (folder / "plans.json").write_text('{"version": 1'),
        _edit(lambda content: content.update(version=2)),
        _edit(lambda content: content.update(extra=1)),
        _edit(lambda content: content["plans"][0].update(plan_file="../fresh.tfplan")),
        _edit(lambda content: content["plans"][0].update(sha256=None)),
        _edit(lambda content: content["plans"][0].update(outcome="clean")),
        _edit(lambda content: content["plans"][0].update(add="1")),
        _edit(lambda content: content["plans"][1].update(outcome="changes")),
    ],
)
def test_a_plan_set_that_was_tampered_with_is_refused(
    results: tuple[PlanResult, ...], tmp_path: Path, tamper: Callable[[Path], object]
) -> None:
    folder = tmp_path / "set"
    save(results, folder, "tree-1", "sandbox")
    tamper(folder)
    with pytest.raises(RefusedError) as caught:
        load(folder, "tree-1", "sandbox", ROOTS)
    assert "plan again" in (caught.value.help or "")


@pytest.mark.toolchain
def test_a_saved_plan_is_what_gets_applied(world: World, recorder: Recorder, tmp_path: Path) -> None:
    workspace = world.root(ROOT.name, 'resource "terraform_data" "a" {}\n')
    save(plan_all([workspace], tmp_path / "plans", 1, recorder), tmp_path / "set", "tree-1", "sandbox")
    world.root(ROOT.name, 'resource "terraform_data" "slipped_in" {}\n')
    plans = load(tmp_path / "set", "tree-1", "sandbox", [workspace.root])
    (result,) = world.apply(plans, [workspace], 1, recorder)
    assert result.outcome is ApplyOutcome.APPLIED
    assert world.resources(ROOT.name) == {"a": "ok"}
