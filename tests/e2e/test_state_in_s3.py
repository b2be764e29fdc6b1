"""State in S3, each root's under a key of its own, with S3's own locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.fleets import ended, new_fleet
from tests.e2e.s3 import Bucket, backend, run_as_live

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.sandbox.toolchain import Toolchain
    from generator.sandbox.world import World
    from tests.e2e.fleets import FleetFolder

pytestmark = pytest.mark.toolchain

BUCKET = "fleet-state"
SETTINGS = {"terraform": {"backend": backend(BUCKET)}}
NEAR = {"name": "near", "account_id": "101010101010", "role_name": "near"}
FAR = {"name": "far", "account_id": "202020202020", "role_name": "far"}
NEAR_ROOT, FAR_ROOT = "accounts/101010101010/vault", "accounts/202020202020/vault"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[FleetFolder]:
    """A fleet of two accounts that are handed over: only Vault's side is this fleet's to apply."""
    with ended(new_fleet(tmp_path_factory.mktemp("s3"), toolchain, SETTINGS, NEAR, FAR)) as fleet:
        fleet.run("sandbox", "up")
        yield fleet


@pytest.fixture(scope="module")
def world(fleet: FleetFolder) -> World:
    return fleet.world()


@pytest.fixture(scope="module")
def bucket(world: World) -> Bucket:
    return Bucket.made(world, BUCKET)


def test_a_fleet_is_applied_with_its_state_in_s3_and_the_second_plan_is_empty(
    fleet: FleetFolder, world: World, bucket: Bucket
) -> None:
    run_as_live(fleet, world, "apply", "--yes")
    assert bucket.keys() == [f"{NEAR_ROOT}.tfstate", f"{FAR_ROOT}.tfstate"]
    for root in (NEAR_ROOT, FAR_ROOT):
        kinds = {each["type"] for each in bucket.state(root)["resources"]}
        assert kinds == {"vault_policy", "vault_aws_auth_backend_role"}
    run_as_live(fleet, world, "plan", "--check")
    assert not list(fleet.folder.glob("terraform/**/*.tfstate*"))
