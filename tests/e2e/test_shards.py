"""Several machines apply one fleet at the same time, with its state in one bucket: every root once, and only once.

The tests of this module tell one story, in order. Each shard is a process in a clone of its own, as it is in CI.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from generator.run.shards import digest
from tests.e2e.fleets import REPOSITORY, FleetFolder, ended, new_fleet, vault_objects
from tests.e2e.s3 import Bucket, backend, command_as_live, live_environment, run_as_live

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from generator.sandbox.toolchain import Toolchain
    from generator.sandbox.world import World

pytestmark = pytest.mark.toolchain

BUCKET = "shared-state"
CLIENTS = [
    {"name": f"client-{digit}", "account_id": str(digit) * 12, "role_name": f"role-{digit}"} for digit in range(1, 5)
]
ROOTS = {f"accounts/{client['account_id']}/vault" for client in CLIENTS}
"""Of accounts that are handed over only Vault's side is applied."""


def git(fleet: FleetFolder, *arguments: str) -> str:
    who = ("-c", "user.name=tests", "-c", "user.email=tests@example.com")
    done = subprocess.run(["git", "-C", fleet.folder, *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(fleet: FleetFolder) -> str:
    git(fleet, "add", "--all")
    git(fleet, "commit", "--quiet", "--message", "x")
    return git(fleet, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[FleetFolder]:
    settings = {"terraform": {"backend": backend(BUCKET)}}
    with ended(new_fleet(tmp_path_factory.mktemp("shards"), toolchain, settings, *CLIENTS)) as fleet:
        (fleet.folder / ".gitignore").write_text(".crosskeys/\n.terraform.lock.hcl\n")
        git(fleet, "init", "--quiet")
        commit(fleet)
        fleet.call("sandbox", "up")
        yield fleet


@pytest.fixture(scope="module")
def world(fleet: FleetFolder) -> World:
    return fleet.world()


@pytest.fixture(scope="module")
def bucket(world: World) -> Bucket:
    return Bucket.made(world, BUCKET)


def run_shards(
    fleet: FleetFolder, world: World, folder: Path, verb: list[str], *narrowing: str, most: int
) -> list[dict[str, Any]]:
    """Split a run as CI does, run all shards at the same time, and return what each has reported."""
    split = run_as_live(fleet, world, "matrix", *narrowing, "--max-jobs", str(most), "--format", "github")
    include = json.loads(split.out)["include"]
    assert len(include) == most
    running = []
    for number, job in enumerate(include):
        clone = FleetFolder(folder / f"{verb[0]}-{number}", fleet.toolchain)
        subprocess.run(["git", "clone", "--quiet", fleet.folder, clone.folder], check=True)
        shard = ("--shard", f"{job['shard']}@{job['split']}", "--report", "run.json")
        running.append(
            (
                clone,
                subprocess.Popen(
                    command_as_live(clone, *verb, *narrowing, "--target", "live", "-j", "2", *shard),
                    env={**os.environ, **live_environment(world)},
                    cwd=REPOSITORY,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                ),
            )
        )
    said = [process.communicate(timeout=240)[0] for _, process in running]
    assert [process.returncode for _, process in running] == [0] * most, said
    return [json.loads((clone.folder / "run.json").read_text("utf-8")) for clone, _ in running]


def outcomes(reports: list[dict[str, Any]], step: str) -> list[tuple[str, str]]:
    """Return what became of each root in each shard that had it."""
    return sorted((row["root"], row["outcome"]) for report in reports for row in report["roots"] if row["step"] == step)


def roles(world: World) -> dict[str, Any]:
    """Return the Vault roles, by name."""
    found = vault_objects(world)
    return {path.rpartition("/")[2]: role for path, role in found.items() if path.startswith("auth/aws/role/")}


def test_two_shards_apply_a_whole_fleet_once_and_only_once(
    fleet: FleetFolder, world: World, bucket: Bucket, tmp_path: Path
) -> None:
    assert bucket.keys() == []
    reports = run_shards(fleet, world, tmp_path, ["apply", "--yes"], most=2)
    assert outcomes(reports, "apply") == sorted((root, "applied") for root in ROOTS)
    assert [len({row["root"] for row in report["roots"]}) for report in reports] == [2, 2]
    assert bucket.keys() == sorted(f"{root}.tfstate" for root in ROOTS), "and no lock is left"
    assert roles(world).keys() == {client["role_name"] for client in CLIENTS}


def test_three_shards_apply_what_a_branch_has_changed_and_leave_the_rest_alone(
    fleet: FleetFolder, world: World, bucket: Bucket, tmp_path: Path
) -> None:
    base = git(fleet, "rev-parse", "HEAD")
    before = {root: bucket.state(root)["serial"] for root in ROOTS}
    changed = CLIENTS[:3]
    for client in changed:
        manifest = {**client, "owner": "team@example.com", "vault": {"token_ttl": "10m", "token_max_ttl": "20m"}}
        fleet.write(f"clients/{client['name']}.yaml", manifest)
    fleet.call("render")
    commit(fleet)
    reports = run_shards(fleet, world, tmp_path, ["apply", "--yes"], "--since", base, most=3)
    touched = {f"accounts/{client['account_id']}/vault" for client in changed}
    assert outcomes(reports, "apply") == sorted((root, "applied") for root in touched)
    assert {root for root in ROOTS if bucket.state(root)["serial"] != before[root]} == touched
    ttls = {name: role["token_ttl"] for name, role in roles(world).items()}
    assert ttls == {client["role_name"]: 600 if client in changed else 0 for client in CLIENTS}


def test_a_second_run_finds_nothing_to_do_in_any_shard(fleet: FleetFolder, world: World, tmp_path: Path) -> None:
    reports = run_shards(fleet, world, tmp_path, ["plan", "--check"], most=2)
    assert outcomes(reports, "plan") == sorted((root, "clean") for root in ROOTS)


def test_a_shard_of_a_split_by_another_commit_is_refused(fleet: FleetFolder, world: World) -> None:
    split = digest([[]])
    ended = run_as_live(fleet, world, "apply", "--yes", "--shard", f"1/2@{split}", code=3)
    assert re.search(rf"is of the split {split}, and here the split is [0-9a-f]{{12}}", ended.err)
