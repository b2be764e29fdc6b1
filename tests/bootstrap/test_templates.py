"""What the CloudFormation templates allow and what they refuse, decided on the policies that they make."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from cfnlint import ManualArgs, api  # type: ignore[import-untyped]  # ships no types
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count

from tests.bootstrap.iam import Request, allows, many, statements
from tests.bootstrap.templates import ACCOUNT, FOLDER, RUNNER, make, read, resources

if TYPE_CHECKING:
    from collections.abc import Iterator

ARN = f"arn:aws:iam::{ACCOUNT}:"
BOUNDARY = f"{ARN}policy/crosskeys-boundary"
UNDER = {"iam:PermissionsBoundary": BOUNDARY}
OTHER = {"iam:PermissionsBoundary": f"{ARN}policy/AdministratorAccess"}
CLIENT, STS, PROFILE = f"{ARN}role/crosskeys/app", f"{ARN}role/hcp-vault-lookup", f"{ARN}instance-profile/crosskeys/app"
ITSELF = f"{ARN}role/crosskeys-provisioner"
PARAMETERS = {"RunnerArn": RUNNER, "StsRoleName": "hcp-vault-lookup"}


def provisioner(**parameters: str) -> list[dict[str, Any]]:
    (policy,) = resources("provisioner-role.yaml", PARAMETERS | parameters)["Provisioner"]["Policies"]
    return statements(policy["PolicyDocument"])


@pytest.mark.parametrize("template", sorted(path.name for path in FOLDER.glob("*.yaml")))
def test_the_templates_are_without_a_finding_of_cfn_lint(template: str) -> None:
    config = ManualArgs(regions=["us-east-1"])
    assert [str(each) for each in api.lint((FOLDER / template).read_text("utf-8"), config=config)] == []


ATTACKS = [
    # a role of its own making that may do more than the boundary
    Request("iam:CreateRole", CLIENT),
    Request("iam:CreateRole", CLIENT, OTHER),
    Request("iam:PutRolePermissionsBoundary", CLIENT, OTHER),
    Request("iam:DeleteRolePermissionsBoundary", CLIENT, UNDER),
    Request("iam:PutRolePolicy", STS),
    Request("iam:PutRolePolicy", STS, OTHER),
    Request("iam:PutRolePolicy", CLIENT, UNDER),
    Request("iam:AttachRolePolicy", CLIENT, UNDER),
    Request("iam:AttachRolePolicy", STS, UNDER),
    # a wider boundary
    Request("iam:CreatePolicyVersion", BOUNDARY),
    Request("iam:SetDefaultPolicyVersion", BOUNDARY),
    Request("iam:DeletePolicy", BOUNDARY),
    Request("iam:CreatePolicy", f"{ARN}policy/crosskeys/x"),
    # itself
    Request("iam:UpdateAssumeRolePolicy", ITSELF),
    Request("iam:PutRolePolicy", ITSELF, UNDER),
    Request("iam:DeleteRole", ITSELF),
    Request("iam:TagRole", ITSELF),
    # somebody else's roles and profiles
    Request("iam:UpdateAssumeRolePolicy", f"{ARN}role/admin"),
    Request("iam:CreateRole", f"{ARN}role/admin", UNDER),
    Request("iam:TagRole", f"{ARN}role/crosskeys"),
    Request("iam:AddRoleToInstanceProfile", f"{ARN}instance-profile/admin"),
    Request("iam:GetRolePolicy", CLIENT),
    # a role handed to a service that runs code, and another role to an instance
    Request("iam:PassRole", CLIENT, {"iam:PassedToService": "lambda.amazonaws.com"}),
    Request("iam:PassRole", CLIENT),
    Request("iam:PassRole", f"{ARN}role/admin", {"iam:PassedToService": "ec2.amazonaws.com"}),
    Request("iam:PassRole", STS, {"iam:PassedToService": "ec2.amazonaws.com"}),
    # beyond IAM's roles
    Request("sts:AssumeRole", CLIENT),
    Request("iam:CreateAccessKey", f"{ARN}user/somebody"),
    Request("iam:CreateUser", f"{ARN}user/crosskeys/x"),
    Request("ec2:RunInstances", "*"),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_what_would_let_the_provisioner_grow_is_refused(attack: Request) -> None:
    assert not allows(provisioner(), attack)


def test_the_same_requests_within_its_bounds_are_allowed() -> None:
    for action, resource, context in (
        ("iam:CreateRole", CLIENT, UNDER),
        ("iam:PutRolePermissionsBoundary", CLIENT, UNDER),
        ("iam:UpdateAssumeRolePolicy", CLIENT, {}),
        ("iam:PutRolePolicy", STS, UNDER),
        ("iam:PassRole", CLIENT, {"iam:PassedToService": "ec2.amazonaws.com"}),
        ("iam:AddRoleToInstanceProfile", PROFILE, {}),
    ):
        assert allows(provisioner(), Request(action, resource, context)), action


def test_a_prefix_that_takes_in_the_provisioner_itself_does_not_let_it_touch_itself() -> None:
    assert not allows(provisioner(ClientRoles="crosskeys-*"), Request("iam:UpdateAssumeRolePolicy", ITSELF))
    assert allows(
        provisioner(ClientRoles="crosskeys-*"), Request("iam:UpdateAssumeRolePolicy", f"{ARN}role/crosskeys-app")
    )


def test_without_an_sts_role_no_policy_of_any_role_can_be_written() -> None:
    document = provisioner(StsRoleName="")
    actions = {action for each in document if each["Effect"] == "Allow" for action in many(each["Action"])}
    assert not any("Policy" in action and "Assume" not in action and "List" not in action for action in actions)
    assert all(resource != f"{ARN}role/" for each in document for resource in many(each["Resource"]))


def test_a_boundary_of_ones_own_is_the_one_that_is_required_and_none_is_made() -> None:
    own = f"{ARN}policy/own"
    made = resources("provisioner-role.yaml", PARAMETERS | {"BoundaryArn": own})
    assert set(made) == {"Provisioner"}
    document = provisioner(BoundaryArn=own)
    assert allows(document, Request("iam:CreateRole", CLIENT, {"iam:PermissionsBoundary": own}))
    assert not allows(document, Request("iam:CreateRole", CLIENT, UNDER))


def test_what_the_made_boundary_allows_is_what_rendered_roles_need() -> None:
    boundary = statements(resources("provisioner-role.yaml", PARAMETERS)["Boundary"]["PolicyDocument"])
    allowed = {action for each in boundary for action in many(each["Action"])}
    assert allowed == {"sts:GetCallerIdentity", "ec2:DescribeInstances", "iam:GetRole"}


def test_only_the_runner_may_assume_it_and_only_from_the_organisation() -> None:
    def trust(**parameters: str) -> Any:
        made = resources("provisioner-role.yaml", PARAMETERS | parameters)
        return made["Provisioner"]["AssumeRolePolicyDocument"]["Statement"][0]

    assert trust()["Principal"] == {"AWS": RUNNER}
    assert "Condition" not in trust()
    assert trust(OrganizationId="o-abcdefghij")["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        (
            "RunnerArn",
            [RUNNER],
            ["*", "arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:role/*", "123456789012"],
        ),
        ("ClientRoles", ["crosskeys/*", "client-*", "a/b/*"], ["*", "/*", "", "crosskeys/", "a*b*"]),
        ("BoundaryArn", ["", BOUNDARY], ["*", f"{ARN}policy/*", f"{ARN}role/x"]),
        ("OrganizationId", ["", "o-abcdefghij"], ["*", "o-*"]),
        ("StsRoleName", ["", "hcp-vault-lookup"], ["*", "a/b"]),
    ],
)
def test_a_parameter_that_would_open_the_role_is_refused(parameter: str, good: list[str], bad: list[str]) -> None:
    pattern = read("provisioner-role.yaml")["Parameters"][parameter]["AllowedPattern"]
    assert [each for each in good if not re.fullmatch(pattern, each)] == []
    assert [each for each in bad if re.fullmatch(pattern, each)] == []


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """CloudFormation of an account, in this process."""
    monkeypatch.setenv("MOTO_ACCOUNT_ID", ACCOUNT)
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield boto3.client("cloudformation", region_name="us-east-1")


def test_cloudformation_makes_of_it_what_was_decided_on(stacks: Any) -> None:
    outputs = make(stacks, "provisioner-role.yaml", PARAMETERS)
    assert outputs == {"ProvisionerRole": ITSELF, "PermissionsBoundary": BOUNDARY}
    iam = boto3.client("iam", region_name="us-east-1")
    policy: Any = iam.get_role_policy(RoleName="crosskeys-provisioner", PolicyName="clients")["PolicyDocument"]
    # moto keeps what CloudFormation gives it as Python would print it.
    made = ast.literal_eval(policy) if isinstance(policy, str) else policy
    assert statements(made) == provisioner()


@pytest.mark.usefixtures("stacks")
def test_a_simulator_that_is_not_ours_refuses_the_same() -> None:
    """moto judges requests about roles by action and resource; conditions and other resources it does not know."""
    iam = boto3.client("iam", region_name="us-east-1")
    ec2 = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [ec2]})
    iam.create_role(RoleName="crosskeys-provisioner", AssumeRolePolicyDocument=trust)
    iam.create_role(RoleName="app", Path="/crosskeys/", AssumeRolePolicyDocument=trust)
    iam.create_role(RoleName="admin", AssumeRolePolicyDocument=trust)
    document = json.dumps({"Version": "2012-10-17", "Statement": provisioner()})
    iam.put_role_policy(RoleName="crosskeys-provisioner", PolicyName="clients", PolicyDocument=document)
    keys = boto3.client("sts", region_name="us-east-1").assume_role(RoleArn=ITSELF, RoleSessionName="attacker")[
        "Credentials"
    ]
    session = boto3.session.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], "us-east-1")
    attacker: Any = session.client("iam")

    @set_initial_no_auth_action_count(0)
    def refused() -> list[str]:
        found = []
        for action, arguments in (
            ("get_role", {"RoleName": "app"}),
            ("update_assume_role_policy", {"RoleName": "app", "PolicyDocument": trust}),
            ("delete_role", {"RoleName": "admin"}),
            ("update_assume_role_policy", {"RoleName": "admin", "PolicyDocument": trust}),
            ("update_assume_role_policy", {"RoleName": "crosskeys-provisioner", "PolicyDocument": trust}),
            ("delete_role", {"RoleName": "crosskeys-provisioner"}),
            ("attach_role_policy", {"RoleName": "app", "PolicyArn": BOUNDARY}),
            ("delete_role_permissions_boundary", {"RoleName": "app"}),
        ):
            try:
                getattr(attacker, action)(**arguments)
            except ClientError as error:
                found.append(f"{error.response['Error']['Code']}: {action} {arguments['RoleName']}")
        return found

    assert refused() == [
        "AccessDenied: delete_role admin",
        "AccessDenied: update_assume_role_policy admin",
        "AccessDenied: update_assume_role_policy crosskeys-provisioner",
        "AccessDenied: delete_role crosskeys-provisioner",
        "AccessDenied: attach_role_policy app",
        "AccessDenied: delete_role_permissions_boundary app",
    ]


STATES = "arn:aws:s3:::fleet-state"
VAULT_KEY, AWS_KEY = f"{STATES}/crosskeys/accounts/1/vault.tfstate", f"{STATES}/crosskeys/accounts/1/aws.tfstate"
RUNNERS = {"VaultRunnerArn": RUNNER, "AwsRunnerArn": f"{RUNNER}-aws"}
TLS = {"aws:SecureTransport": "true"}


def bucket_policy(principal: str) -> list[dict[str, Any]]:
    """The statements of the bucket's policy that are about somebody."""
    made = resources("state-bucket.yaml", {"BucketName": "fleet-state", **RUNNERS})
    document = statements(made["Access"]["PolicyDocument"])
    return [each for each in document if each["Principal"] == "*" or principal in many(each["Principal"]["AWS"])]


@pytest.mark.parametrize(
    ("who", "own", "other"),
    [(RUNNER, VAULT_KEY, AWS_KEY), (f"{RUNNER}-aws", AWS_KEY, VAULT_KEY)],
    ids=["vault", "aws"],
)
def test_each_runner_reaches_its_own_sides_states_and_locks_alone(who: str, own: str, other: str) -> None:
    document = bucket_policy(who)
    for action in ("s3:GetObject", "s3:PutObject"):
        assert allows(document, Request(action, own, TLS))
        assert allows(document, Request(action, f"{own}.tflock", TLS))
        assert not allows(document, Request(action, other, TLS))
        assert not allows(document, Request(action, f"{other}.tflock", TLS))
    assert allows(document, Request("s3:DeleteObject", f"{own}.tflock", TLS))
    assert not allows(document, Request("s3:DeleteObject", own, TLS)), "a state is overwritten, never deleted"
    assert not allows(document, Request("s3:DeleteObjectVersion", f"{own}.tflock", TLS))
    assert not allows(document, Request("s3:PutBucketPolicy", STATES, TLS))


def test_nothing_is_read_in_the_clear_and_nobody_else_reads_at_all() -> None:
    assert not allows(bucket_policy(RUNNER), Request("s3:GetObject", VAULT_KEY, {"aws:SecureTransport": "false"}))
    assert not allows(bucket_policy("arn:aws:iam::123456789012:role/other"), Request("s3:GetObject", VAULT_KEY, TLS))


def test_the_bucket_is_versioned_encrypted_closed_and_forgets_old_states(stacks: Any) -> None:
    bucket = resources("state-bucket.yaml", {"BucketName": "fleet-state", **RUNNERS})["States"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": "90"}
    assert read("state-bucket.yaml")["Resources"]["States"]["DeletionPolicy"] == "Retain"
    with pytest.warns(UserWarning, match="AWS::S3::BucketPolicy"):
        assert "fleet-state" in make(stacks, "state-bucket.yaml", {"BucketName": "fleet-state", **RUNNERS})["Backend"]
    encryption = boto3.client("s3", region_name="us-east-1").get_bucket_encryption(Bucket="fleet-state")
    (rule,) = encryption["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
