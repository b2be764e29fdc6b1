"""State in S3, each root's under a key of its own, with S3's own locks."""

from __future__ import annotations

import json
import shutil
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
SETTINGS: dict[str, dict[str, object]] = {"terraform": {"backend": backend(BUCKET)}, "run": {"retries": 0}}
NEAR = {"name": "near", "account_id": "101010101010", "role_name": "near"}
FAR = {"name": "far", "account_id": "202020202020", "role_name": "far"}
NEAR_ROOT, FAR_ROOT = "accounts/101010101010/vault", "accounts/202020202020/vault"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[FleetFolder]:
    """A fleet of two accounts that are handed over: only Vault's side is this fleet's to apply."""
    with ended(new_fleet(tmp_path_factory.mktemp("s3"), toolchain, SETTINGS, NEAR, FAR)) as fleet:
        fleet.call("sandbox", "up")
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


def test_a_state_that_somebody_works_on_is_left_alone_and_they_are_named(
    fleet: FleetFolder, world: World, bucket: Bucket
) -> None:
    lock = bucket.hold_lock(NEAR_ROOT, "ops@runner-7")
    before = bucket.state(NEAR_ROOT)
    try:
        done = run_as_live(fleet, world, "plan", code=4)
        said = run_as_live(fleet, world, "state", "--read").out
    finally:
        bucket.release_lock(NEAR_ROOT)
    assert f"{NEAR_ROOT} failed: " in done.out
    assert "the state is locked by ops@runner-7 since 2026-01-31 10:00:00" in done.out
    assert f"terraform -chdir={fleet.folder}/terraform/{NEAR_ROOT} force-unlock {lock}" in done.out
    assert "ops@runner-7" in next(line for line in said.splitlines() if line.startswith(NEAR_ROOT))
    assert "ops@runner-7" not in next(line for line in said.splitlines() if line.startswith(FAR_ROOT))
    assert bucket.state(NEAR_ROOT) == before
    run_as_live(fleet, world, "plan", "--check")


def test_where_each_state_is_and_how_much_it_holds_is_said_and_nothing_of_it(fleet: FleetFolder, world: World) -> None:
    done = run_as_live(fleet, world, "state", "--read", "--format", "json")
    rows = json.loads(done.out)["roots"]
    assert [(row["address"], row["outcome"], row["objects"], row["locked_by"]) for row in rows] == [
        (f"s3://{BUCKET}/{root}.tfstate", "read", 2, None) for root in (NEAR_ROOT, FAR_ROOT)
    ]
    assert "capabilities" not in done.out


def settings(fleet: FleetFolder, terraform: dict[str, object], live: dict[str, object]) -> None:
    """Keep the present settings aside as old-settings.yaml, set others, and render."""
    present = (fleet.folder / "crosskeys.yaml").read_text()
    (fleet.folder / "old-settings.yaml").write_text(present)
    fleet.write("crosskeys.yaml", {"version": 1, "terraform": terraform, "live": live, "run": {"retries": 0}})
    fleet.call("render")


def test_states_move_to_files_and_back_and_nothing_is_planned_to_be_made_again(
    fleet: FleetFolder, world: World, bucket: Bucket
) -> None:
    in_s3 = {root: bucket.state(root) for root in (NEAR_ROOT, FAR_ROOT)}
    settings(fleet, {"backend": {"type": "local", "path": "states/{root}.tfstate"}}, {"local_state": True})
    # Not moved yet, a plan is stopped on a machine that has worked with the old backend.
    stopped = run_as_live(fleet, world, "plan", code=4)
    assert "crosskeys state --migrate-from" in stopped.out
    move = ("state", "--migrate-from", "old-settings.yaml")
    refused = fleet.call(*move, code=2)
    assert "say --target live" in refused.err
    # One is locked: the other moves all the same, and the next run finds it there.
    bucket.hold_lock(NEAR_ROOT, "ops@runner-7")
    done = run_as_live(fleet, world, *move, code=3)
    bucket.release_lock(NEAR_ROOT)
    assert f"{NEAR_ROOT} refused: the old state is locked by ops@runner-7" in done.out
    rows = json.loads(run_as_live(fleet, world, *move, "--format", "json").out)["roots"]
    assert [row["outcome"] for row in rows] == ["moved", "there"]
    run_as_live(fleet, world, "plan", "--check")
    assert {root: bucket.state(root) for root in in_s3} == in_s3
    # And back, into the bucket as it would be new.
    for root in in_s3:
        bucket.s3.delete_object(Bucket=BUCKET, Key=f"{root}.tfstate")
    settings(fleet, SETTINGS["terraform"], {})
    rows = json.loads(run_as_live(fleet, world, *move, "--format", "json").out)["roots"]
    assert [row["outcome"] for row in rows] == ["moved", "moved"]
    run_as_live(fleet, world, "plan", "--check")
    assert {root: bucket.state(root)["resources"] for root in in_s3} == {
        root: state["resources"] for root, state in in_s3.items()
    }
    assert (fleet.folder / f"states/{NEAR_ROOT}.tfstate").stat().st_mode & 0o077 == 0


def test_an_unfinished_run_comes_before_a_move(fleet: FleetFolder, world: World) -> None:
    settings(fleet, {"backend": {"type": "local", "path": "states/{root}.tfstate"}}, {"local_state": True})
    run = fleet.folder / ".crosskeys/runs/20990101T000000-000000"
    run.mkdir()
    began = {"event": "began", "verb": "apply", "target": "live", "roots": [NEAR_ROOT]}
    (run / "journal.jsonl").write_text(f"{json.dumps(began)}\n")
    refused = run_as_live(fleet, world, "state", "--migrate-from", "old-settings.yaml", code=3)
    assert f"was not finished in {NEAR_ROOT}" in refused.err


def test_settings_that_are_none_or_the_same_are_refused(fleet: FleetFolder, world: World) -> None:
    same = run_as_live(fleet, world, "state", "--migrate-from", "crosskeys.yaml", code=3)
    assert "was not finished" in same.err
    shutil.rmtree(fleet.folder / ".crosskeys/runs/20990101T000000-000000")
    same = run_as_live(fleet, world, "state", "--migrate-from", "crosskeys.yaml", code=2)
    assert "the same place" in same.err
    (fleet.folder / "wrong.yaml").write_text("terraform: {backend: s3}\n")
    wrong = run_as_live(fleet, world, "state", "--migrate-from", "wrong.yaml", code=2)
    assert "wrong.yaml:1:22" in wrong.out
    run_as_live(fleet, world, "state", "--migrate-from", "none.yaml", code=2)
