"""Vault looks into a client's account through the account's STS role, with the permissions that Terraform gave it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import hvac
import pytest
import requests

from generator.sandbox.vault_contents import connect
from tests.e2e.fleets import client_of, log_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.sandbox.aws_accounts import Credentials
    from generator.sandbox.world import World

pytestmark = pytest.mark.toolchain

ACCOUNT = "222222222222"
STS_ROLE = "hcp-vault-lookup"
CONFIG = "auth/aws/config/client"
MAY_ASSUME = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": f"arn:aws:iam::{ACCOUNT}:role/{STS_ROLE}"}
    ],
}


@dataclass(frozen=True)
class Lookups:
    """A Vault whose requests AWS checks against the policies of whoever makes them.

    Args:
        iam: IAM in the clients' account, as its owner.
        scanner: Credentials as on the scanner's instance.
    """

    world: World
    vault: hvac.Client
    iam: Any
    scanner: Credentials

    def permissions(self) -> Any:
        return self.iam.get_role_policy(RoleName=STS_ROLE, PolicyName=STS_ROLE)["PolicyDocument"]

    def permit(self, policy: Any) -> None:
        self.iam.put_role_policy(RoleName=STS_ROLE, PolicyName=STS_ROLE, PolicyDocument=json.dumps(policy))

    def without(self, action: str) -> Any:
        policy = self.permissions()
        kept = [statement for statement in policy["Statement"] if statement["Action"] != action]
        assert len(kept) == len(policy["Statement"]) - 1
        return {**policy, "Statement": kept}

    def forget_sessions(self) -> None:
        """Let Vault forget its AWS sessions, which it does only when its configuration changes."""
        endpoint = self.vault.read(CONFIG)["data"]["endpoint"]
        for value in (f"{endpoint}/flush", endpoint):
            self.vault.write_data(CONFIG, data={"endpoint": value})

    def log_scanner_in(self) -> list[str]:
        self.forget_sessions()
        with checked(self.world):
            policies: list[str] = log_in(self.world, self.scanner, "scanner")[1]["policies"]
        return policies

    def bind_to_unique_id(self) -> str:
        """Write the role of vault-backup anew under another name, and return the id that Vault found."""
        self.forget_sessions()
        arn = client_of(self.world, "vault-backup").principal_arn
        role = {"auth_type": "iam", "bound_iam_principal_arn": arn, "resolve_aws_unique_ids": True}
        try:
            with checked(self.world):
                self.vault.write_data("auth/aws/role/looked-up", data=role)
            (found,) = self.vault.read("auth/aws/role/looked-up")["data"]["bound_iam_principal_id"]
        finally:
            self.vault.delete("auth/aws/role/looked-up")
        return str(found)


class checked:  # noqa: N801 - reads as a word in `with checked(world):`
    """While inside, AWS checks every request against the policies of whoever makes it."""

    def __init__(self, world: World) -> None:
        self._url = f"{world.services.aws_endpoint}/moto-api/reset-auth"

    def _after(self, requests_to_let_pass: int) -> None:
        body = str(requests_to_let_pass)
        requests.post(self._url, body, headers={"Content-Type": "text/plain"}, timeout=10).raise_for_status()

    def __enter__(self) -> None:
        self._after(0)

    def __exit__(self, *_: object) -> None:
        self._after(10**9)


@pytest.fixture
def lookups(world: World) -> Iterator[Lookups]:
    """Vault acts as a user of its own that can assume the STS role, and nothing else; all is put back afterwards."""
    vault, own = connect(world.services), world.accounts.client("iam")
    own.create_user(UserName="vault")
    own.put_user_policy(UserName="vault", PolicyName="assume", PolicyDocument=json.dumps(MAY_ASSUME))
    key = own.create_access_key(UserName="vault")["AccessKey"]
    vault.write_data(CONFIG, data={"access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"]})
    scanner = client_of(world, "scanner")
    lookups = Lookups(
        world,
        vault,
        world.accounts.client("iam", world.accounts.owner_of(ACCOUNT)),
        world.accounts.assume(scanner.principal_arn, world.accounts.instance_of(scanner)),
    )
    rendered = lookups.permissions()
    try:
        yield lookups
    finally:
        lookups.permit(rendered)
        vault.write_data(CONFIG, data={"access_key": "", "secret_key": ""})
        lookups.forget_sessions()
        own.delete_access_key(UserName="vault", AccessKeyId=key["AccessKeyId"])
        own.delete_user_policy(UserName="vault", PolicyName="assume")
        own.delete_user(UserName="vault")


def test_rendered_permissions_are_enough_for_ec2_inference(lookups: Lookups) -> None:
    assert lookups.log_scanner_in() == ["default", "scanner-policy"]


def test_ec2_inference_needs_its_permission_and_no_other(lookups: Lookups) -> None:
    rendered = lookups.permissions()
    lookups.permit(lookups.without("ec2:DescribeInstances"))
    with pytest.raises(hvac.exceptions.InvalidRequest, match="as a valid EC2 instance in region eu-central-1"):
        lookups.log_scanner_in()
    lookups.permit(rendered)
    lookups.permit(lookups.without("iam:GetRole"))
    assert lookups.log_scanner_in() == ["default", "scanner-policy"]


def test_unique_ids_need_their_permission_and_no_other(lookups: Lookups) -> None:
    rendered = lookups.permissions()
    lookups.permit(lookups.without("iam:GetRole"))
    with pytest.raises(hvac.exceptions.InvalidRequest, match=r'unable to resolve ARN ".*:role/vault-backup"'):
        lookups.bind_to_unique_id()
    lookups.permit(rendered)
    lookups.permit(lookups.without("ec2:DescribeInstances"))
    assert lookups.bind_to_unique_id() == lookups.iam.get_role(RoleName="vault-backup")["Role"]["RoleId"]


def test_vault_that_may_not_assume_the_role_sees_nothing(lookups: Lookups) -> None:
    own = lookups.world.accounts.client("iam")
    elsewhere = json.dumps(MAY_ASSUME).replace(STS_ROLE, "another")
    own.put_user_policy(UserName="vault", PolicyName="assume", PolicyDocument=elsewhere)
    with pytest.raises(hvac.exceptions.InvalidRequest, match="failed to verify"):
        lookups.log_scanner_in()


def test_lookups_go_through_the_entry_that_terraform_made_for_the_account(world: World) -> None:
    vault, scanner = connect(world.services), client_of(world, "scanner")
    entry = f"auth/aws/config/sts/{ACCOUNT}"
    rendered = vault.read(entry)["data"]
    assert rendered["sts_role"] == f"arn:aws:iam::{ACCOUNT}:role/{STS_ROLE}"
    assert rendered["external_id"] == "crosskeys-222222222222-5f1d"
    assert vault.list("auth/aws/config/sts")["data"]["keys"] == [ACCOUNT]
    keys = world.accounts.assume(scanner.principal_arn, world.accounts.instance_of(scanner))
    vault.delete(entry)
    try:
        with pytest.raises(hvac.exceptions.InvalidRequest, match="failed to verify"):
            log_in(world, keys, "scanner")
    finally:
        vault.write_data(entry, data=rendered)
    assert log_in(world, keys, "scanner")
