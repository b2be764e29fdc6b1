"""The CloudFormation template: what the rendered root declares, and nothing that CloudFormation takes otherwise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.errors import InternalError
from generator.report.kit import cloudformation
from tests.report.kits import ACCOUNT_ID, CLIENT, SETTINGS, STS, declared_by, fleet_of, kit

LOOKUP = {**SETTINGS, "vault": {**SETTINGS["vault"], "principals": ["arn:aws:iam::999999999999:role/hcp-vault"]}}
EVERYTHING = {
    **CLIENT,
    "role_name": "a+b=c,.@-",
    "vault": {"role": "gateway", "resolve_unique_ids": True},
    "aws": {
        "role_path": "/apps/",
        "instance_profile": "profile,=@",
        "trusted_services": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"],
        "permissions_boundary": f"arn:aws:iam::{ACCOUNT_ID}:policy/boundary",
        "max_session_duration": 7200,
        "tags": {"cost-center": "0815", "on": "no", "Team": "Пограничный шлюз"},
    },
}


def template(name: str, *clients: dict[str, Any], **fleet: Any) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(kit(name, *clients, **fleet)["cloudformation.yaml"])
    return found


def test_says_every_argument_of_every_object() -> None:
    resources = template("gateway", EVERYTHING, account=STS, settings=LOOKUP)["Resources"]
    assert list(resources) == ["GatewayRole", "GatewayInstanceProfile", "VaultStsRole", "VaultStsPolicy"]
    assert resources["GatewayRole"]["Properties"] == {
        "RoleName": "a+b=c,.@-",
        "Path": "/apps/",
        "Description": "Logs in to HCP Vault as gateway",
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "WorkloadAssumesItsRole",
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"Service": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]},
                }
            ],
        },
        "PermissionsBoundary": f"arn:aws:iam::{ACCOUNT_ID}:policy/boundary",
        "MaxSessionDuration": 7200,
        "Tags": [
            {"Key": "Team", "Value": "Пограничный шлюз"},
            {"Key": "cost-center", "Value": "0815"},
            {"Key": "managed-by", "Value": "crosskeys"},
            {"Key": "on", "Value": "no"},
        ],
    }
    assert resources["GatewayInstanceProfile"]["Properties"] == {
        "InstanceProfileName": "profile,=@",
        "Path": "/apps/",
        "Roles": [{"Ref": "GatewayRole"}],
    }
    assert resources["VaultStsRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Sid": "VaultAssumesThisRole",
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"AWS": "arn:aws:iam::999999999999:role/hcp-vault"},
            "Condition": {"StringEquals": {"sts:ExternalId": "id-1"}},
        }
    ]
    assert resources["VaultStsPolicy"]["Properties"] == {
        "PolicyName": "vault-lookup",
        "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {"Sid": "FindInstances", "Effect": "Allow", "Action": "ec2:DescribeInstances", "Resource": "*"},
                {
                    "Sid": "ReadRoles",
                    "Effect": "Allow",
                    "Action": "iam:GetRole",
                    "Resource": f"arn:aws:iam::{ACCOUNT_ID}:role/*",
                },
            ],
        },
        "Roles": [{"Ref": "VaultStsRole"}],
    }


def test_makes_nothing_in_another_account_and_keeps_nothing_of_a_deleted_stack() -> None:
    found = template("gateway", CLIENT)
    assert found["Conditions"] == {"InItsAccount": {"Fn::Equals": [{"Ref": "AWS::AccountId"}, ACCOUNT_ID]}}
    for resource in found["Resources"].values():
        assert (resource["Condition"], resource["DeletionPolicy"]) == ("InItsAccount", "Delete")


def test_takes_neither_parameters_nor_anything_that_cloudformation_would_look_up() -> None:
    found = kit("gateway", EVERYTHING, account=STS, settings=LOOKUP)["cloudformation.yaml"]
    assert "Parameters" not in found
    assert "{{" not in found
    assert "${" not in found
    assert not [token for token in yaml.scan(found) if isinstance(token, yaml.AnchorToken | yaml.TagToken)]


@pytest.mark.parametrize(("one", "other"), [("a-1", "a1"), ("vault-sts", "vault"), ("a--b", "a-b"), ("a-b-c", "a-bc")])
def test_a_logical_id_is_of_one_object_alone(one: str, other: str) -> None:
    clients = [{**CLIENT, "name": name, "role_name": name} for name in (one, other)]
    resources = template(ACCOUNT_ID, *clients, account=STS, settings=LOOKUP)["Resources"]
    roles = [each["Properties"]["RoleName"] for each in resources.values() if each["Type"] == "AWS::IAM::Role"]
    assert sorted(roles) == sorted([one, other, "vault-lookup"])
    assert all(name.isascii() and name.isalnum() for name in resources)
    for each in resources.values():
        if each["Type"] == "AWS::IAM::InstanceProfile":
            (role,) = each["Properties"]["Roles"]
            assert resources[role["Ref"]]["Properties"]["RoleName"] == each["Properties"]["InstanceProfileName"]


def test_a_logical_id_does_not_depend_on_the_other_clients() -> None:
    others = [{**CLIENT, "name": name, "role_name": name} for name in ("a", "z")]
    alone, together = template("gateway", CLIENT), template(ACCOUNT_ID, CLIENT, *others)
    assert alone["Resources"].items() <= together["Resources"].items()


def test_an_object_that_it_knows_nothing_of_is_not_left_out() -> None:
    fleet = fleet_of(CLIENT)
    declared = declared_by(fleet)
    (policy,) = [item for item in declared.objects.values() if item.address == "vault_policy.gateway"]
    with pytest.raises(InternalError, match="vault_policy"):
        cloudformation.template(declared, f"accounts/{ACCOUNT_ID}/aws", [policy])  # type: ignore[list-item] # any resource


def test_an_account_with_more_than_cloudformation_takes_has_terraform_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cloudformation.MOST_RESOURCES == 500
    monkeypatch.setattr(cloudformation, "MOST_RESOURCES", 5)
    clients = [{**CLIENT, "name": f"c{number}", "role_name": f"c{number}"} for number in range(3)]
    found = kit(ACCOUNT_ID, *clients)
    assert "cloudformation.yaml" not in found
    assert "terraform/client-c2.tf" in found
    assert "more than CloudFormation takes" in found["README.md"]
    assert "cloudformation.yaml" in kit(ACCOUNT_ID, *clients[:2])


def test_a_template_that_is_too_large_to_be_sent_goes_through_a_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "--s3-bucket" not in kit("gateway", CLIENT)["README.md"]
    monkeypatch.setattr(cloudformation, "LARGEST_BODY", 1000)
    assert "--s3-bucket" in kit("gateway", CLIENT)["README.md"]


def test_a_linter_of_cloudformation_finds_nothing(tmp_path: Path) -> None:
    found = kit("gateway", EVERYTHING, account=STS, settings=LOOKUP)
    files = (tmp_path / "kit.yaml", tmp_path / "launch.yaml")
    files[0].write_text(found["cloudformation.yaml"], "utf-8")
    files[1].write_text(found["launch.md"].partition("```yaml\n")[2].partition("```")[0], "utf-8")
    linter = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([linter, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
