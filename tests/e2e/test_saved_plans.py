"""Plans that are kept for review: exactly those are applied, or nothing. One story, in order."""

from __future__ import annotations

import json
import shutil
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.e2e.fleets import ended, new_fleet, vault_objects

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from generator.sandbox.toolchain import Toolchain
    from tests.e2e.fleets import FleetFolder

pytestmark = pytest.mark.toolchain

PLATFORM = {"platform": {"auth_mount": True, "client_config": True, "kv_mount": True}}
NEAR = {"name": "near", "account_id": "101010101010", "role_name": "near", "aws": {"role": "existing"}}
FAR = {**NEAR, "name": "far", "account_id": "202020202020", "role_name": "far", "owner": "team@example.com"}
# Of a plan that is kept it does not matter what it is of, and one with the AWS provider takes seven times as long.
VAULT = ("--side", "vault")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[FleetFolder]:
    """A fleet that waits to be applied; nobody has brought its sandbox up."""
    with ended(new_fleet(tmp_path_factory.mktemp("saved"), toolchain, PLATFORM, NEAR)) as fleet:
        yield fleet


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, fleet: FleetFolder) -> Path:
    """Plans of everything that waits in Vault."""
    folder = tmp_path_factory.mktemp("kept") / "plans"
    fleet.call("plan", "--out", str(folder), *VAULT)
    return folder


@pytest.fixture
def plans(kept: Path, tmp_path: Path) -> Path:
    """A copy of the kept plans."""
    return shutil.copytree(kept, tmp_path / "plans")


def test_stale_tree_ends_an_apply_before_anything_is_started(fleet: FleetFolder) -> None:
    page = fleet.folder / "terraform/platform/platform.tf"
    rendered = page.read_text()
    page.write_text(rendered.replace('"kv"', '"transit"'))
    try:
        done = fleet.call("apply", "--yes", code=1)
    finally:
        page.write_text(rendered)
    assert "terraform/platform/platform.tf" in done.out
    assert "CK703" in done.out
    assert not fleet.sandbox.exists()


def test_plans_are_for_the_user_alone_and_hold_no_secret(fleet: FleetFolder, kept: Path) -> None:
    assert kept.stat().st_mode & 0o777 == 0o700
    files = sorted(kept.iterdir())
    assert [path.name for path in files if path.suffix != ".tfplan"] == ["plans.json"]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    token = fleet.world().services.vault_token.encode()
    for path in files:
        if path.suffix == ".tfplan":
            with zipfile.ZipFile(path) as plan:
                contents = [plan.read(name) for name in plan.namelist()]
        else:
            contents = [path.read_bytes()]
        assert not any(token in content for content in contents)


def test_plan_file_that_was_tampered_with_is_refused(fleet: FleetFolder, plans: Path) -> None:
    path = min(plans.glob("*vault.tfplan"))
    path.write_bytes(path.read_bytes() + b"\0")
    refused = fleet.call("apply", str(plans), "--yes", code=3)
    assert "the plan file is not the one that was planned: accounts/101010101010/vault" in refused.err


def test_plans_of_one_world_are_refused_for_the_other(fleet: FleetFolder, plans: Path) -> None:
    refused = fleet.call("apply", str(plans), "--yes", "--target", "live", code=3)
    assert f"the plans in {plans} are for sandbox, not for live" in refused.err


def test_plans_are_refused_once_the_rendered_tree_is_another(fleet: FleetFolder, plans: Path) -> None:
    fleet.write("crosskeys.yaml", {"version": 1, **PLATFORM, "vault": {"kv_mount": "kv"}})
    try:
        fleet.call("render")
        refused = fleet.call("apply", str(plans), "--yes", code=3)
    finally:
        fleet.write("crosskeys.yaml", {"version": 1, **PLATFORM})
        fleet.call("render")
    assert f"the rendered roots have changed since {plans} was planned" in refused.err


def test_nothing_is_applied_when_nobody_is_there_to_be_asked(fleet: FleetFolder, plans: Path) -> None:
    for arguments in (("apply", *VAULT), ("apply", str(plans))):
        refused = fleet.run(*arguments, code=3)
        assert "nobody is there to be asked" in refused.err
        assert "--yes" in refused.err


def test_all_these_refusals_have_applied_nothing(fleet: FleetFolder, kept: Path) -> None:
    assert kept.is_dir()
    found = vault_objects(fleet.world())
    assert [path for path in found if "/role/" in path or path.endswith("near-policy")] == []
    assert not (fleet.sandbox / "state/platform.tfstate").exists()


def test_kept_plans_are_applied_once(fleet: FleetFolder, plans: Path) -> None:
    fleet.call("apply", str(plans), "--yes")
    assert "auth/aws/role/near" in vault_objects(fleet.world())
    again = fleet.call("apply", str(plans), "--yes", code=3)
    assert "objects that would be made are there already:" in again.err
    assert "help: plan again, if these plans were applied already; else" in again.err
    fleet.call("plan", "--check", *VAULT)


def test_kept_plans_of_one_account_leave_the_other_alone(fleet: FleetFolder, tmp_path: Path) -> None:
    fleet.write("clients/near.yaml", {**NEAR, "owner": "team@example.com", "vault": {"token_ttl": "10m"}})
    fleet.write("clients/far.yaml", FAR)
    fleet.call("render")
    fleet.call("plan", "--out", str(tmp_path / "plans"), "--account", "101010101010", *VAULT)
    index = json.loads((tmp_path / "plans/plans.json").read_text())
    assert {plan["root"] for plan in index["plans"]} == {"accounts/101010101010/vault"}
    fleet.call("apply", str(tmp_path / "plans"), "--yes")
    stale = fleet.call("apply", str(tmp_path / "plans"), "--yes", code=4)
    assert "failed: the state has changed since the plan was made; plan again" in stale.out
    found = vault_objects(fleet.world())
    assert {path for path in found if "/role/" in path} == {"auth/aws/role/near"}
    near = found["auth/aws/role/near"]
    assert isinstance(near, dict)
    assert near["token_ttl"] == 600
