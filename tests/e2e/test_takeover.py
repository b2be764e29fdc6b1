"""What is there already is refused and left as it is: everything made by hand before the first apply. One story."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from generator.render.layout import Root, RootKind
from generator.run import runs
from generator.sandbox.vault_contents import connect
from tests.e2e.fleets import aws_objects, digest_in, ended, new_fleet, vault_objects
from tests.e2e.s3 import run_as_live

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from generator.sandbox.toolchain import Toolchain
    from generator.sandbox.world import World
    from tests.e2e.fleets import FleetFolder

pytestmark = pytest.mark.toolchain

ACCOUNT = "101010101010"
VAULT, AWS = f"accounts/{ACCOUNT}/vault", f"accounts/{ACCOUNT}/aws"
SIDE = ("--side", "vault", "--account", ACCOUNT)
ROOT = Root(VAULT, RootKind.VAULT, ACCOUNT, ("pay",), handover=False)
PAY = {"name": "pay", "account_id": ACCOUNT, "role_name": "pay-app"}
SETTINGS = {
    "platform": {"auth_mount": True, "client_config": True, "kv_mount": True},
    "vault": {"server_id_header": "vault.example.com", "principals": ["arn:aws:iam::999999999999:role/hcp-vault"]},
}
LOOKUP = {
    "name": "near",
    "owner": "near@example.com",
    "sts": {"role": "vault-lookup", "external_id": "crosskeys-101010101010"},
}
BY_HAND = '# made by hand\npath "secret/data/by/hand/*" {\n\tcapabilities = ["read"]\n}\n'
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)
SEES = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:GetRole", "Resource": "*"}]}
)
ADDRESSES = {
    "platform vault_auth_backend.aws": "an auth method of type aws",
    "platform vault_aws_auth_backend_client.aws": "sets endpoint, iam_server_id_header_value",
    "platform vault_aws_auth_backend_config_identity.aws": "sets iam_metadata",
    "platform vault_mount.kv": "a secrets engine of type kv",
    f"{VAULT} vault_aws_auth_backend_sts_role.account-{ACCOUNT}": "lets Vault assume arn:aws:iam::",
    f"{VAULT} vault_policy.pay": "a policy for secret/data/by/hand/*",
    f"{VAULT} vault_aws_auth_backend_role.pay": f"lets arn:aws:iam::{ACCOUNT}:role/elsewhere log in with other-policy",
    f"{AWS} aws_iam_role.pay": f"arn:aws:iam::{ACCOUNT}:role/hand/pay-app, AROA",
    f"{AWS} aws_iam_instance_profile.pay": f"arn:aws:iam::{ACCOUNT}:instance-profile/pay-app with pay-app",
    f"{AWS} aws_iam_role.vault_sts": f"arn:aws:iam::{ACCOUNT}:role/vault-lookup, AROA",
    f"{AWS} aws_iam_role_policy.vault_sts": f"a policy of arn:aws:iam::{ACCOUNT}:role/vault-lookup",
}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[FleetFolder]:
    """A fleet that was never applied, in a world in which somebody has made all of it by hand, otherwise."""
    with ended(new_fleet(tmp_path_factory.mktemp("takeover"), toolchain, SETTINGS, PAY)) as fleet:
        fleet.write(f"clients/accounts/{ACCOUNT}.yaml", LOOKUP)
        fleet.call("render")
        fleet.call("sandbox", "up")
        _make_by_hand(fleet.world())
        yield fleet


@pytest.fixture(scope="module")
def world(fleet: FleetFolder) -> World:
    return fleet.world()


def _make_by_hand(world: World) -> None:
    vault = connect(world.services)
    vault.sys.enable_auth_method("aws", path="aws")
    vault.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
    vault.write_data("auth/aws/config/client", data={"iam_server_id_header_value": "by.hand", "endpoint": "http://x"})
    vault.write_data("auth/aws/config/identity", data={"iam_metadata": ["account_id"]})
    vault.sys.create_or_update_policy("pay-policy", BY_HAND)
    elsewhere = {"auth_type": "iam", "bound_iam_principal_arn": f"arn:aws:iam::{ACCOUNT}:role/elsewhere"}
    vault.write_data(
        "auth/aws/role/Pay-App", data={**elsewhere, "policies": "other-policy", "resolve_aws_unique_ids": False}
    )
    vault.write_data(f"auth/aws/config/sts/{ACCOUNT}", data={"sts_role": f"arn:aws:iam::{ACCOUNT}:role/other"})
    iam = world.accounts.client("iam", world.accounts.owner_of(ACCOUNT))
    iam.create_role(RoleName="pay-app", Path="/hand/", AssumeRolePolicyDocument=TRUST)
    iam.create_instance_profile(InstanceProfileName="pay-app")
    iam.add_role_to_instance_profile(InstanceProfileName="pay-app", RoleName="pay-app")
    iam.create_role(RoleName="vault-lookup", AssumeRolePolicyDocument=TRUST)
    iam.put_role_policy(RoleName="vault-lookup", PolicyName="vault-lookup", PolicyDocument=SEES)


def _unmake_by_hand_in_vault(world: World) -> None:
    vault = connect(world.services)
    vault.sys.disable_auth_method("aws")
    vault.sys.disable_secrets_engine("secret")
    vault.sys.delete_policy("pay-policy")


def objects(world: World) -> tuple[dict[str, object], dict[str, object]]:
    return vault_objects(world), aws_objects(world, ACCOUNT)


def state_of(fleet: FleetFolder, root: str) -> Path:
    return fleet.sandbox / f"state/{root}.tfstate"


def named(said: str) -> dict[str, str]:
    """Return what is said to be there, by root and address."""
    found = {}
    for line in said.splitlines():
        if line.startswith(("  pay  ", "  -  ")):
            _, _, root, address, what = line.split(maxsplit=4)
            found[f"{root} {address}"] = what
    return found


def test_plan_names_everything_that_is_there_and_apply_of_that_plan_is_refused(
    fleet: FleetFolder, world: World, tmp_path: Path
) -> None:
    before = objects(world)
    planned = fleet.call("plan", "--out", str(tmp_path / "plans"))
    assert "an apply of this would be refused: 11 objects that would be made are there already" in planned.err
    refused = fleet.call("apply", str(tmp_path / "plans"), "--yes", "--report", "run.json", code=3)
    for said in (planned.err, refused.err):
        found = named(said)
        assert set(found) == set(ADDRESSES)
        for address, what in ADDRESSES.items():
            assert found[address].startswith(what), address
        for meant in ("--client pay", f"--account {ACCOUNT}", "--platform"):
            assert f"crosskeys import --target sandbox {meant}" in said
    assert "nothing was applied: 11 objects" in refused.err
    assert "vault_policy.pay" in json.loads((fleet.folder / "run.json").read_text())["error"]
    assert objects(world) == before
    assert connect(world.services).sys.read_policy("pay-policy")["data"]["rules"] == BY_HAND
    assert not list((fleet.sandbox / "state").rglob("*.tfstate"))


def weak_token(world: World, *readable: str) -> str:
    """Return a token that may write what the fleet is about, and read only the paths that are given."""
    vault = connect(world.services)
    rules = [f'path "{path}" {{ capabilities = ["create", "update", "read"] }}' for path in readable]
    rules += ['path "sys/policies/acl/*" { capabilities = ["create", "update"] }']
    rules += ['path "auth/aws/+/*" { capabilities = ["create", "update"] }']
    rules += ['path "auth/token/create" { capabilities = ["update"] }']
    vault.sys.create_or_update_policy("weak", "\n".join(rules))
    token: str = vault.auth.token.create(policies=["weak"])["auth"]["client_token"]
    return token


def test_what_cannot_be_read_is_not_taken_for_absent(fleet: FleetFolder, world: World) -> None:
    blind = {"VAULT_TOKEN": weak_token(world)}
    before = vault_objects(world)
    unknown = run_as_live(
        fleet, world, "apply", "--yes", "--client", "pay", "--side", "vault", code=4, environment=blind
    )
    assert "nothing was applied: whether 3 objects that would be made are there cannot be told" in unknown.err
    assert "  sys/policies/acl/pay-policy: permission denied" in unknown.err
    assert "let the token read auth/aws/role/pay-app" in unknown.err
    one_eyed = {"VAULT_TOKEN": weak_token(world, "auth/aws/role/*")}
    both = run_as_live(
        fleet, world, "apply", "--yes", "--client", "pay", "--side", "vault", code=3, environment=one_eyed
    )
    assert set(named(both.err)) == {f"{VAULT} vault_aws_auth_backend_role.pay"}
    assert "whether 2 objects that would be made are there cannot be told" in both.err
    assert "crosskeys import --target live --client pay" in both.err
    connect(world.services).sys.delete_policy("weak")
    del before["sys/policies/acl/weak"]
    assert vault_objects(world) == before


def test_what_is_gone_is_made(fleet: FleetFolder, world: World) -> None:
    _unmake_by_hand_in_vault(world)
    fleet.call("apply", "--yes", "--side", "vault")
    role = vault_objects(world)["auth/aws/role/pay-app"]
    assert isinstance(role, dict)
    assert role["bound_iam_principal_arn"] == [f"arn:aws:iam::{ACCOUNT}:role/pay-app"]


def test_what_would_be_replaced_under_a_name_that_is_taken_is_refused(fleet: FleetFolder, world: World) -> None:
    vault = connect(world.services)
    vault.sys.create_or_update_policy("taken-policy", BY_HAND)
    fleet.write("clients/pay.yaml", {**PAY, "owner": "team@example.com", "vault": {"policy": "taken-policy"}})
    fleet.call("render")
    try:
        digest = digest_in(fleet.call("apply", "--yes", *SIDE, code=3).err)
        before = vault_objects(world)
        refused = fleet.call("apply", "--yes", *SIDE, "--destroy", digest, code=3)
        assert vault_objects(world) == before
        assert set(named(refused.err)) == {f"{VAULT} vault_policy.pay"}
        assert "crosskeys import" not in refused.err
        assert "give what is to be made another name in its manifest" in refused.err
        vault.sys.delete_policy("taken-policy")
        assert "would be refused: 1 object that would be made" not in fleet.call("plan", *SIDE).err
    finally:
        fleet.write("clients/pay.yaml", {**PAY, "owner": "team@example.com"})
        fleet.call("render")
        vault.sys.delete_policy("taken-policy")


def test_objects_whose_state_is_lost_are_refused_unless_a_run_of_this_fleet_has_made_them(
    fleet: FleetFolder, world: World
) -> None:
    state_of(fleet, VAULT).unlink()
    refused = fleet.call("apply", "--yes", *SIDE, code=3)
    assert set(named(refused.err)) == {address for address in ADDRESSES if address.startswith(VAULT)}
    before = vault_objects(world)
    # As a run leaves it whose machine died while Terraform was at work.
    with runs.begin(fleet.folder / ".crosskeys/runs") as journal:
        journal.began("apply", "sandbox", tree="", roots=[ROOT], resumes=None)
        journal.applying(VAULT, None, ("vault_policy.pay", "vault_aws_auth_backend_role.pay"))
    refused = fleet.call("apply", "--resume", "--yes", code=3)
    assert set(named(refused.err)) == {f"{VAULT} vault_aws_auth_backend_sts_role.account-{ACCOUNT}"}
    connect(world.services).delete(f"auth/aws/config/sts/{ACCOUNT}")
    fleet.call("apply", "--resume", "--yes")
    assert vault_objects(world) == before
    fleet.call("plan", "--check", *SIDE)
