"""A root whose state a server keeps: planned, applied, locked, by the real Terraform over its backend `http`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from generator.run import terraform
from generator.run.plan import plan_all
from generator.run.results import ApplyOutcome, PlanOutcome
from tests.run.states import serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.run.conftest import Recorder, World

pytestmark = pytest.mark.toolchain

ROOT = "accounts/111111111111/vault"


def test_state_and_lock_of_a_root_are_the_servers(
    world: World, recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terraform, "_LOCK_TIMEOUT", "0s")
    with serving() as server:
        workspace = world.root(ROOT, 'resource "terraform_data" "payments" {}\n')
        address = f"{server.address}/{ROOT}"
        (workspace.directory / "root.tf").write_text(
            f'terraform {{\n  backend "http" {{\n    address = "{address}"\n    lock_address = "{address}"\n'
            f'    unlock_address = "{address}"\n  }}\n}}\n'
        )
        planned = plan_all([workspace], tmp_path / "plans", 1, recorder)
        (applied,) = world.apply(planned, [workspace], 1, recorder)
        assert applied.outcome is ApplyOutcome.APPLIED
        before = server.states[f"/{ROOT}"]
        assert [each["name"] for each in json.loads(before)["resources"]] == ["payments"]
        assert not server.locks
        (again,) = plan_all([workspace], tmp_path / "plans", 1, recorder)
        assert again.outcome is PlanOutcome.CLEAN
        server.locks[f"/{ROOT}"] = json.dumps({"ID": "6a1b2c3d", "Who": "ops@runner"}).encode()
        (locked,) = plan_all([workspace], tmp_path / "plans", 1, recorder)
        assert locked.outcome is PlanOutcome.FAILED
        assert locked.reason is not None
        assert locked.reason.startswith("the state is locked by somebody; let that run end")
        assert f"terraform -chdir={workspace.directory} force-unlock 6a1b2c3d" in locked.reason
        assert server.states == {f"/{ROOT}": before}
        # Where the backend is another one from now on, the state is not taken for lost.
        text = (workspace.directory / "root.tf").read_text()
        (workspace.directory / "root.tf").write_text(text.replace(ROOT, "elsewhere"))
        (elsewhere,) = plan_all([workspace], tmp_path / "plans", 1, recorder)
        assert elsewhere.outcome is PlanOutcome.FAILED
        assert "crosskeys state --migrate-from" in (elsewhere.reason or "")
