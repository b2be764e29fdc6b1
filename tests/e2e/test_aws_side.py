"""What stands in the AWS accounts after an apply is what the manifests say, read back through AWS's own API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.fleets import REPOSITORY

if TYPE_CHECKING:
    from generator.sandbox.world import World
    from tests.e2e.fleets import FleetFolder

pytestmark = pytest.mark.toolchain

ACCOUNTS = sorted(path.stem for path in (REPOSITORY / "clients/accounts").glob("*.yaml"))


def iam_of(world: World, account_id: str) -> Any:
    return world.accounts.client("iam", world.accounts.owner_of(account_id))


def tags_of(found: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in found.get("Tags", ())}


def clients_in(example: FleetFolder, account_id: str) -> list[dict[str, Any]]:
    names = [path.name for path in (example.folder / "clients").glob("*.yaml")]
    clients = [example.manifest(f"clients/{name}") for name in names]
    return [client for client in clients if client["account_id"] == account_id]


@pytest.mark.parametrize("account_id", ACCOUNTS)
def test_every_client_has_the_role_and_the_profile_of_its_manifest_and_nothing_else(
    world: World, example: FleetFolder, account_id: str
) -> None:
    iam, account = iam_of(world, account_id), example.manifest(f"clients/accounts/{account_id}.yaml")
    default_tags = {"managed-by": "crosskeys", **account.get("tags", {})}
    boundary = account.get("permissions_boundary", f"arn:aws:iam::{account_id}:policy/workload-boundary")
    roles, profiles = set(), set()
    for client in clients_in(example, account_id):
        said, name = client.get("aws", {}), client["role_name"]
        roles.add(name)
        if said.get("role") == "existing":
            continue
        role = iam.get_role(RoleName=name)["Role"]
        assert role["Arn"] == f"arn:aws:iam::{account_id}:role{said.get('role_path', '/')}{name}"
        assert role["Path"] == said.get("role_path", "/")
        assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == said.get("permissions_boundary", boundary)
        assert role["MaxSessionDuration"] == said.get("max_session_duration", 3600)
        assert tags_of(role) == {**default_tags, **said.get("tags", {})}
        services = said.get("trusted_services", ["ec2.amazonaws.com"])
        assert role["AssumeRolePolicyDocument"]["Statement"] == [
            {
                "Sid": "WorkloadAssumesItsRole",
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"Service": services[0] if len(services) == 1 else services},
            }
        ]
        assert iam.list_role_policies(RoleName=name)["PolicyNames"] == []
        assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
        if said.get("instance_profile") != "none":
            profile = iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
            profiles.add(name)
            assert [each["Arn"] for each in profile["Roles"]] == [role["Arn"]]
            assert profile["Path"] == role["Path"]
            assert tags_of(profile) == tags_of(role)
    if "provisioner_role" in account:
        roles.add("crosskeys-provisioner")
    if "sts" in account:
        roles.add(account["sts"]["role"])
    assert {role["RoleName"] for role in iam.list_roles()["Roles"]} == roles
    assert {each["InstanceProfileName"] for each in iam.list_instance_profiles()["InstanceProfiles"]} == profiles


def test_the_role_that_vault_assumes_trusts_vault_alone_and_can_do_no_more_than_look(world: World) -> None:
    iam = iam_of(world, "222222222222")
    role = iam.get_role(RoleName="hcp-vault-lookup")["Role"]
    assert role["AssumeRolePolicyDocument"] == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "VaultAssumesThisRole",
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"AWS": "arn:aws:iam::999999999999:role/hcp-vault"},
                "Condition": {"StringEquals": {"sts:ExternalId": "crosskeys-222222222222-5f1d"}},
            }
        ],
    }
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == (
        "arn:aws:iam::222222222222:policy/analytics-boundary"
    )
    assert role["MaxSessionDuration"] == 3600
    assert tags_of(role) == {"managed-by": "crosskeys", "environment": "production"}
    assert iam.list_attached_role_policies(RoleName="hcp-vault-lookup")["AttachedPolicies"] == []
    assert iam.list_role_policies(RoleName="hcp-vault-lookup")["PolicyNames"] == ["hcp-vault-lookup"]
    policy = iam.get_role_policy(RoleName="hcp-vault-lookup", PolicyName="hcp-vault-lookup")["PolicyDocument"]
    assert policy["Statement"] == [
        {"Sid": "FindInstances", "Effect": "Allow", "Action": "ec2:DescribeInstances", "Resource": "*"},
        {
            "Sid": "ReadRoles",
            "Effect": "Allow",
            "Action": "iam:GetRole",
            "Resource": "arn:aws:iam::222222222222:role/*",
        },
    ]


def test_vault_has_a_way_into_no_account_but_the_one_that_says_so(world: World) -> None:
    found = {
        account_id
        for account_id in ACCOUNTS
        for role in iam_of(world, account_id).list_roles()["Roles"]
        if "999999999999" in str(role["AssumeRolePolicyDocument"])
    }
    assert found == {"222222222222"}
