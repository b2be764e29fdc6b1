"""What Terraform makes of a manifest is what the registration by hand makes: same role, same policy."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from generator.run.environment import allowed
from generator.sandbox.vault_contents import connect
from tests.e2e.fleets import client_of

if TYPE_CHECKING:
    from pathlib import Path

    from generator.sandbox.toolchain import Toolchain
    from generator.sandbox.world import World

pytestmark = pytest.mark.toolchain

# What the plain registration leaves at Vault's defaults, as the manifests and the fleet's settings limit it.
LIMITS = {"token_ttl": 3600, "token_max_ttl": 14400}
KINDS = [
    pytest.param("payments", "payments-app", LIMITS, (), id="plain"),
    pytest.param("search", "search-indexer", LIMITS, (), id="IAM path"),
    pytest.param("legacy-crm", "CRM.Production", LIMITS, (), id="existing role"),
    pytest.param("partner-gateway", "partner-gateway", LIMITS, (), id="account handed over"),
    pytest.param("reports-us", "reports", LIMITS, (), id="Vault role of another name, shared grant"),
    pytest.param(
        "ledger",
        "ledger-app",
        {"token_ttl": 900, "token_max_ttl": 3600, "token_bound_cidrs": ["10.20.0.0/16", "127.0.0.0/8"]},
        (),
        id="token limits",
    ),
    pytest.param(
        "scanner",
        "scanner",
        LIMITS,
        ("inferred_entity_type=ec2_instance", "inferred_aws_region=eu-central-1"),
        id="EC2 inference",
    ),
    pytest.param("vault-backup", "vault-backup", LIMITS, ("resolve_aws_unique_ids=true",), id="unique id"),
]
REGISTERED_POLICY = """\
# list or read the actual certificates
path "secret/data/certs/{account_id}/{role_name}/*" {{ capabilities = ["read", "list"] }}
# list metadata for the directory or its certificates
path "secret/metadata/certs/{account_id}/{role_name}/*" {{ capabilities = ["list", "read"] }}
"""


def vault_write(world: World, toolchain: Toolchain, *arguments: str) -> None:
    """Run `vault write`, as the registration does."""
    environment = allowed({"VAULT_ADDR": world.services.vault_address, "VAULT_TOKEN": world.services.vault_token})
    done = subprocess.run(
        [toolchain.vault, "write", *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def comparable(role: dict[str, Any]) -> dict[str, Any]:
    """Leave out the random id, and the alias under which `policies=` is echoed; lists are sets to Vault."""
    return {
        key: sorted(value) if isinstance(value, list) else value
        for key, value in role.items()
        if key not in {"role_id", "policies"}
    }


@pytest.mark.parametrize(("name", "iam_role", "limits", "lookups"), KINDS)
def test_role_equals_the_registration_but_for_the_token_limits_that_the_fleet_sets(
    world: World,
    toolchain: Toolchain,
    *,
    name: str,
    iam_role: str,
    limits: dict[str, object],
    lookups: tuple[str, ...],
) -> None:
    client, vault = client_of(world, name), connect(world.services)
    assert client.role_name == iam_role
    registered = f"auth/aws/role/registered-{name}"
    vault_write(
        world,
        toolchain,
        registered,
        "auth_type=iam",
        f"bound_iam_principal_arn=arn:aws:iam::{client.account_id}:role/{iam_role}",
        *(lookups if name == "vault-backup" else ("resolve_aws_unique_ids=false", *lookups)),
        f"policies={name}-policy",
    )
    try:
        by_hand = comparable(vault.read(registered)["data"])
    finally:
        vault.delete(registered)
    by_terraform = comparable(vault.read(f"auth/aws/role/{client.vault_role}")["data"])
    assert by_terraform.keys() == by_hand.keys()
    different = {key: value for key, value in by_terraform.items() if value != by_hand[key]}
    assert different == limits


@pytest.mark.parametrize(("name", "iam_role"), [kind.values[:2] for kind in KINDS])
def test_policy_is_the_text_of_the_registration(
    world: World, toolchain: Toolchain, tmp_path: Path, name: str, iam_role: str
) -> None:
    client, vault = client_of(world, name), connect(world.services)
    text = tmp_path / "policy.hcl"
    text.write_text(REGISTERED_POLICY.format(account_id=client.account_id, role_name=iam_role))
    registered = f"sys/policies/acl/registered-{name}"
    vault_write(world, toolchain, registered, f"policy=@{text}")
    try:
        by_hand = vault.read(registered)["data"]["policy"]
    finally:
        vault.delete(registered)
    by_terraform = vault.read(f"sys/policies/acl/{name}-policy")["data"]["policy"]
    if client.grants:
        by_terraform, _, grants = by_terraform.partition("\n# shared: ")
        assert 'path "secret/data/shared/ca/*"' in grants
    assert by_terraform == by_hand == text.read_text()
