"""A leftover root whose state is in S3, and one whose state only its owner has. One story, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.fleets import digest_in, ended, new_fleet, vault_objects
from tests.e2e.s3 import Bucket, backend, run_as_live

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.sandbox.toolchain import Toolchain
    from generator.sandbox.world import World
    from tests.e2e.fleets import FleetFolder

pytestmark = pytest.mark.toolchain

BUCKET = "left-state"
NEAR = {"name": "near", "account_id": "101010101010", "role_name": "near"}
FAR = {"name": "far", "account_id": "202020202020", "role_name": "far"}
LEFT = "accounts/202020202020"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[FleetFolder]:
    settings = {"terraform": {"backend": backend(BUCKET)}}
    with ended(new_fleet(tmp_path_factory.mktemp("left"), toolchain, settings, NEAR, FAR)) as fleet:
        fleet.call("sandbox", "up")
        yield fleet


@pytest.fixture(scope="module")
def world(fleet: FleetFolder) -> World:
    return fleet.world()


def test_a_leftover_root_destroys_by_its_own_backend_and_is_kept_until_it_has(fleet: FleetFolder, world: World) -> None:
    bucket = Bucket.made(world, BUCKET)
    run_as_live(fleet, world, "apply", "--yes")
    fleet.remove("clients/far.yaml")
    fleet.call("render")
    kept = run_as_live(fleet, world, "prune", code=1)
    assert f"kept {LEFT}/vault: vault_aws_auth_backend_role.far, vault_policy.far" in kept.out
    alone = ("apply", "--yes", "--account", "202020202020")
    refused = run_as_live(fleet, world, *alone, code=3)
    run_as_live(fleet, world, *alone, "--destroy", digest_in(refused.err))
    assert "auth/aws/role/far" not in vault_objects(world)
    assert bucket.state(f"{LEFT}/vault")["resources"] == []


def test_what_was_handed_over_is_pruned_on_its_owners_word_alone(fleet: FleetFolder, world: World) -> None:
    kept = run_as_live(fleet, world, "prune", code=1)
    assert f"removed {LEFT}/vault" in kept.out
    assert f"kept {LEFT}/aws: handed over, so that it cannot be seen" in kept.out
    assert f"terraform/{LEFT}/aws/root.tf" in fleet.tree()
    assert "of 101010101010" in run_as_live(fleet, world, "prune", "--handed-over", "101010101010", code=2).err
    run_as_live(fleet, world, "prune", "--handed-over", "202020202020")
    assert not [path for path in fleet.tree() if LEFT in path]
