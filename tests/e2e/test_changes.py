"""Clients come and go beside others that stay as they are.

The tests of this module tell one story on the example fleet, in order, and leave it as they found it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from generator.sandbox.login import token_of
from tests.e2e.fleets import REPOSITORY, aws_objects, client_of, digest_in, vault_objects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.sandbox.world import World
    from tests.e2e.fleets import FleetFolder

pytestmark = pytest.mark.toolchain

ORDERS = {"name": "orders", "account_id": "333333333333", "role_name": "orders-app", "owner": "orders@example.com"}
AUDIT = {
    "name": "audit",
    "account_id": "555555555555",
    "role_name": "audit",
    "owner": "audit@example.com",
    "aws": {"role": "existing"},
}


def everything(world: World) -> dict[str, object]:
    """Return all that Vault and the accounts of the fleet have."""
    found = vault_objects(world)
    for account in world.fleet.accounts:
        found |= aws_objects(world, account.id)
    return found


def outcomes(said: str) -> dict[str, str]:
    """Return each root's last outcome in the tables of a run."""
    rows = (line.split() for line in said.splitlines())
    return {row[0]: row[1] for row in rows if len(row) == 6 and row[0] not in {"root", "total:"}}


def order_of_applies(said: str) -> list[str]:
    """Return the roots in the order in which their applies ended."""
    return [line.split()[1] for line in said.splitlines() if line.startswith("apply ")]


@pytest.fixture(scope="module")
def before(example: FleetFolder, world: World) -> Iterator[dict[str, object]]:
    """All that there was before the story began."""
    found = everything(world)
    yield found
    for name in ("orders", "audit", "accounts/555555555555"):
        (example.folder / f"clients/{name}.yaml").unlink(missing_ok=True)
    for folder in (example.folder / "terraform", example.sandbox / "roots", example.sandbox / "state"):
        shutil.rmtree(folder / "accounts/555555555555", ignore_errors=True)
    example.call("render")


def owner_iam(world: World, account_id: str) -> Any:
    return world.accounts.client("iam", world.accounts.owner_of(account_id))


def test_root_that_fails_is_reported_in_terraforms_words_and_stops_its_account_alone(
    example: FleetFolder, world: World, before: dict[str, object]
) -> None:
    assert before
    example.write("clients/orders.yaml", ORDERS)
    example.write("clients/audit.yaml", AUDIT)
    example.call("render")
    racing = (sys.executable, "-m", "tests.e2e.racing", world.services.aws_endpoint, "333333333333", "orders-app")
    done = subprocess.run(
        [*racing, "-C", example.folder, "apply", "--yes", "--client", "orders", "--client", "audit"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    owner_iam(world, "333333333333").delete_role(RoleName="orders-app")
    assert done.returncode == 4, f"{done.stdout}\n{done.stderr}"
    assert outcomes(done.stdout) == {
        "accounts/333333333333/aws": "failed",
        "accounts/333333333333/vault": "skipped",
        "accounts/555555555555/aws": "unchanged",
        "accounts/555555555555/vault": "applied",
    }
    assert "error: creating IAM Role (orders-app)" in done.stdout
    assert "EntityAlreadyExists" in done.stdout
    assert "accounts/333333333333/aws/client-orders.tf:" in done.stdout
    assert "accounts/333333333333/vault skipped: accounts/333333333333/aws failed" in done.stdout
    assert "Traceback" not in done.stderr


def test_next_apply_makes_what_is_missing_and_touches_nothing_else(
    example: FleetFolder, before: dict[str, object]
) -> None:
    done = example.call("apply", "--yes", "--client", "orders")
    applied = order_of_applies(done.err)
    assert applied.index("accounts/333333333333/aws") < applied.index("accounts/333333333333/vault")
    world = example.world()
    after = everything(world)
    assert {key: after[key] for key in before} == before
    assert after.keys() - before.keys() == {
        "auth/aws/role/audit",
        "auth/aws/role/orders-app",
        "sys/policies/acl/audit-policy",
        "sys/policies/acl/orders-policy",
        "arn:aws:iam::333333333333:instance-profile/orders-app",
        "arn:aws:iam::333333333333:role/orders-app",
        "arn:aws:iam::555555555555:role/audit",
    }
    for name in ("orders", "audit"):
        token = token_of(world, client_of(world, name))[0].auth.token.lookup_self()["data"]
        assert set(token["policies"]) == {"default", f"{name}-policy"}


def test_client_that_is_removed_loses_its_access_before_its_iam_role_and_nobody_else_loses_anything(
    example: FleetFolder, before: dict[str, object]
) -> None:
    example.remove("clients/orders.yaml")
    example.call("render")
    refused = example.call("apply", "--yes", "--account", "333333333333", code=3)
    assert "4 objects would go that no manifest announces" in refused.err
    assert "auth/aws/role/orders-app" in vault_objects(example.world())
    done = example.call("apply", "--yes", "--account", "333333333333", "--destroy", digest_in(refused.err))
    # Nobody may make the IAM role anew while Vault still trusts its ARN.
    assert order_of_applies(done.err) == ["accounts/333333333333/vault", "accounts/333333333333/aws"]
    after = everything(example.world())
    assert {key: after[key] for key in before} == before
    assert {key for key in after.keys() - before.keys() if "orders" in key} == set()
    example.call("plan", "--check", "--account", "333333333333", "--side", "vault")


def test_last_client_of_an_account_leaves_roots_that_destroy_what_it_had(
    example: FleetFolder, before: dict[str, object]
) -> None:
    example.remove("clients/audit.yaml")
    example.call("render")
    example.call("check")
    # Its AWS root never made anything: the role is not the fleet's.
    alone = ("--yes", "--account", "555555555555", "--side", "vault")
    refused = example.call("apply", *alone, code=3)
    for address in ("vault_policy.audit", "vault_aws_auth_backend_role.audit"):
        assert f"accounts/555555555555/vault {address}" in refused.err
    assert "auth/aws/role/audit" in vault_objects(example.world())
    example.call("apply", *alone, "--destroy", digest_in(refused.err))
    assert everything(example.world()) == before
    # What the live Vault has of it, the sandbox does not know.
    assert "crosskeys prune --target live" in example.call("prune", code=3).err
