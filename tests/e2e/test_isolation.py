"""Nothing of the sandbox gets out: not into the tree, not into another world, and no secret into any text.

That nothing gets in is shown by the fixture, which applies the example fleet with a shell's leftovers set that would
each make it fail, and by the tests that plan and log in with them.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from generator.sandbox.login import token_of
from tests.e2e.fleets import POISON, REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from generator.sandbox.toolchain import Toolchain
    from generator.sandbox.world import World
    from tests.e2e.fleets import FleetFolder

pytestmark = pytest.mark.toolchain


def test_the_leftovers_are_poison_to_terraform(example: FleetFolder, toolchain: Toolchain) -> None:
    root = example.sandbox / "roots/platform"
    done = subprocess.run(
        [toolchain.terraform, f"-chdir={root}", "validate"],
        env={**os.environ, **POISON},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0


def test_login_and_status_heed_no_leftovers(example: FleetFolder) -> None:
    example.run("-vv", "sandbox", "login", "scanner", environment=POISON)
    example.run("-vv", "sandbox", "status", environment=POISON)


def test_rendered_tree_is_untouched_by_everything_that_ran(example: FleetFolder) -> None:
    git = ["git", "-C", str(example.folder), "status", "--porcelain", "--ignored"]
    assert subprocess.run(git, capture_output=True, text=True, check=True).stdout == "!! .crosskeys/\n"


def test_the_checkout_of_these_tests_is_untouched(example: FleetFolder) -> None:
    assert example.folder != REPOSITORY
    kept = [
        path for path in (REPOSITORY / "terraform").rglob("*") if ".terraform" in path.name or "tfstate" in path.name
    ]
    assert kept == []


def secrets(world: World) -> dict[str, str]:
    """Return every secret there is, by what it is; those of certificates are their keys' first lines."""
    found = {"root token": world.services.vault_token, "any token": "hvs.", "any private key": "PRIVATE KEY"}
    for client in world.fleet.clients:
        own, _ = token_of(world, client)
        key = own.read(f"secret/data/{client.directory}/tls")["data"]["data"]["private_key"]
        found |= {f"token of {client.name}": own.token, f"key of {client.name}": key.splitlines()[1]}
    return found


def files_with(secret: str, folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.parts and secret.encode() in path.read_bytes()
    }


def test_no_secret_is_in_any_file_but_the_one_with_vaults_keys(example: FleetFolder, world: World) -> None:
    found = {what: files_with(secret, example.folder) for what, secret in secrets(world).items()}
    keys = {".crosskeys/sandbox/vault-keys.json"}
    assert found.pop("root token") == found.pop("any token") == keys
    assert {what: files for what, files in found.items() if files} == {}


def test_no_secret_was_printed_by_any_run_however_talkative(example: FleetFolder, world: World) -> None:
    said = "\n".join(example.said)
    assert "accounts/111111111111/vault" in said
    assert [what for what, secret in secrets(world).items() if secret in said] == []


def test_sandbox_is_for_the_user_alone(example: FleetFolder) -> None:
    assert example.sandbox.stat().st_mode & 0o777 == 0o700
    keys = example.sandbox / "vault-keys.json"
    states = sorted((example.sandbox / "state").rglob("*.tfstate"))
    assert len(states) >= 9
    assert {path.stat().st_mode & 0o777 for path in (keys, *states)} == {0o600}
