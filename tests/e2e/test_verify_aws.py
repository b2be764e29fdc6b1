"""Whatever somebody changes in an account is found, at the line that declares it; nothing else ever is."""

from __future__ import annotations

import json
from collections.abc import Callable  # noqa: TC003 - a named tuple's annotations are read
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest

from generator.audit.read import read
from generator.diagnostics import Severity
from generator.live.aws import AwsAccount
from generator.live.pace import Pace
from generator.live.vault_roles import live_role, role_path
from generator.live.verify_aws import (
    EXISTING_TRUST,
    MISSING,
    PROFILE,
    RECREATED,
    SETTINGS,
    TRUST,
    WAY_IN,
    WORDS,
    by_root,
    verify_account,
)
from generator.sandbox.vault_contents import connect
from tests.e2e.accounts import Standing, remove_role, standing
from tests.e2e.fleets import client_of
from tests.e2e.test_lookups import checked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.audit.declared import Declared
    from generator.diagnostics import Diagnostic
    from generator.live.systems import Systems
    from generator.live.verified import Verified
    from generator.manifest.fleet import Account
    from generator.sandbox.world import World
    from tests.e2e.fleets import FleetFolder

pytestmark = pytest.mark.toolchain

RETAIL, ANALYTICS, SHARED, PARTNER = "111111111111", "222222222222", "333333333333", "444444444444"
LEDGER, EU, SEARCH = "ledger-app", "reports", "search-indexer"
LOOKUP, EXISTING, RESOLVED = "hcp-vault-lookup", "CRM.Production", "vault-backup"
ROLES = {
    RETAIL: (LEDGER, "payments-app"),
    ANALYTICS: (EU, LOOKUP, RESOLVED),
    SHARED: (SEARCH, EXISTING),
}
MALLORY = "arn:aws:iam::999999999999:user/mallory"
OTHER_BOUNDARY = "arn:aws:iam::111111111111:policy/other"
EVERYTHING = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'


def trusting(**more: Any) -> Callable[[Any, str], None]:
    """Add a statement to a trust policy: of AssumeRole, with what is given."""

    def change(iam: Any, role: str) -> None:
        trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        trust["Statement"].append({"Effect": "Allow", "Action": "sts:AssumeRole", **more})
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))

    return change


def instead(**more: Any) -> Callable[[Any, str], None]:
    """Change the one statement of a trust policy; None takes a key out."""

    def change(iam: Any, role: str) -> None:
        trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        (statement,) = trust["Statement"]
        trust["Statement"] = [{key: value for key, value in {**statement, **more}.items() if value is not None}]
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))

    return change


def on_role(operation: str, **arguments: Any) -> Callable[[Any, str], None]:
    return lambda iam, role: getattr(iam, operation)(RoleName=role, **arguments)


def on_profile(operation: str, **arguments: Any) -> Callable[[Any, str], None]:
    return lambda iam, role: getattr(iam, operation)(InstanceProfileName=role, **arguments)


def half_a_day(iam: Any, role: str) -> None:
    description = iam.get_role(RoleName=role)["Role"]["Description"]
    # The stand-in takes an argument that is left out for an empty one.
    iam.update_role(RoleName=role, MaxSessionDuration=43200, Description=description)


def elsewhere(iam: Any, role: str) -> None:
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    remove_role(iam, role)
    iam.create_role(RoleName=role, Path="/other/", AssumeRolePolicyDocument=json.dumps(trust))


def in_another_profile(iam: Any, role: str) -> None:
    iam.create_instance_profile(InstanceProfileName="another")
    iam.add_role_to_instance_profile(InstanceProfileName="another", RoleName=role)


def empty_profile(iam: Any, role: str) -> None:
    iam.remove_role_from_instance_profile(InstanceProfileName=role, RoleName=role)


def attach(iam: Any, role: str) -> None:
    arn = iam.create_policy(PolicyName="everything", PolicyDocument=EVERYTHING)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)


def without_profile(iam: Any, role: str) -> None:
    empty_profile(iam, role)
    iam.delete_instance_profile(InstanceProfileName=role)


def profile_elsewhere(iam: Any, role: str) -> None:
    tags = iam.get_instance_profile(InstanceProfileName=role)["InstanceProfile"].get("Tags", [])
    without_profile(iam, role)
    iam.create_instance_profile(InstanceProfileName=role, Path="/other/", Tags=tags)
    iam.add_role_to_instance_profile(InstanceProfileName=role, RoleName=role)


def another_role_in_profile(iam: Any, role: str) -> None:
    empty_profile(iam, role)
    iam.add_role_to_instance_profile(InstanceProfileName=role, RoleName="payments-app")


def lookup_policy(change: Callable[[dict[str, Any]], None]) -> Callable[[Any, str], None]:
    def changed(iam: Any, role: str) -> None:
        document = iam.get_role_policy(RoleName=role, PolicyName=role)["PolicyDocument"]
        change(document)
        iam.put_role_policy(RoleName=role, PolicyName=role, PolicyDocument=json.dumps(document))

    return changed


def also(**statement: Any) -> Callable[[Any, str], None]:
    return lookup_policy(lambda document: document["Statement"].append({"Effect": "Allow", **statement}))


class Drift(NamedTuple):
    """One thing that somebody does to a role, what is then found, and a part of what is said of it."""

    name: str
    account: str
    role: str
    change: Callable[[Any, str], object]
    rules: set[str]
    says: str


DRIFT = (
    Drift("role deleted", RETAIL, LEDGER, remove_role, {MISSING}, "is not there in account 111111111111"),
    Drift("role made anew elsewhere", SHARED, SEARCH, elsewhere, {SETTINGS, WORDS}, "`path` of the IAM role"),
    Drift(
        "trust: principal added", RETAIL, LEDGER, trusting(Principal={"AWS": MALLORY}), {TRUST}, f"AWS `{MALLORY}` may"
    ),
    Drift("trust: everybody", RETAIL, LEDGER, trusting(Principal="*"), {TRUST}, "`*` may `sts:AssumeRole`"),
    Drift(
        "trust: service added",
        RETAIL,
        LEDGER,
        trusting(Principal={"Service": "lambda.amazonaws.com"}),
        {TRUST},
        "lambda",
    ),
    Drift(
        "trust: action added",
        RETAIL,
        LEDGER,
        instead(Action=["sts:AssumeRole", "sts:TagSession"]),
        {TRUST},
        "TagSession",
    ),
    Drift(
        "trust: service lost", SHARED, SEARCH, instead(Principal={"Service": "ec2.amazonaws.com"}), {TRUST}, "no longer"
    ),
    Drift(
        "trust: everybody but",
        RETAIL,
        LEDGER,
        instead(Principal=None, NotPrincipal={"AWS": MALLORY}),
        {TRUST},
        "NotPrinc",
    ),
    Drift("trust: denied", RETAIL, LEDGER, trusting(Effect="Deny", Principal="*"), {TRUST}, "may not `sts:AssumeRole`"),
    Drift("description", RETAIL, LEDGER, on_role("update_role", Description="mine"), {WORDS}, "`description` of"),
    Drift(
        "session",
        RETAIL,
        LEDGER,
        half_a_day,
        {SETTINGS},
        "is `12h` in AWS, and `1h` was",
    ),
    Drift(
        "boundary altered",
        RETAIL,
        LEDGER,
        on_role("put_role_permissions_boundary", PermissionsBoundary=OTHER_BOUNDARY),
        {SETTINGS},
        f"is `{OTHER_BOUNDARY}` in AWS",
    ),
    Drift(
        "boundary deleted", RETAIL, LEDGER, on_role("delete_role_permissions_boundary"), {SETTINGS}, "is none in AWS"
    ),
    Drift(
        "tag altered",
        ANALYTICS,
        EU,
        on_role("tag_role", Tags=[{"Key": "cost-center", "Value": "1"}]),
        {SETTINGS},
        "`4711`",
    ),
    Drift("tag deleted", ANALYTICS, EU, on_role("untag_role", TagKeys=["environment"]), {SETTINGS}, "tag environment"),
    Drift(
        "tag added", RETAIL, LEDGER, on_role("tag_role", Tags=[{"Key": "seen", "Value": "yes"}]), {WORDS}, "tag seen"
    ),
    Drift(
        "profile deleted", RETAIL, LEDGER, without_profile, {MISSING}, "the instance profile `ledger-app` is not there"
    ),
    Drift(
        "profile empty", RETAIL, LEDGER, empty_profile, {PROFILE}, "`role` of the instance profile `ledger-app` is none"
    ),
    Drift("profile of another role", RETAIL, LEDGER, another_role_in_profile, {PROFILE}, "is `payments-app` in AWS"),
    Drift("profile elsewhere", RETAIL, LEDGER, profile_elsewhere, {PROFILE}, "`path` of the instance profile"),
    Drift(
        "profile's tag",
        ANALYTICS,
        EU,
        on_profile("tag_instance_profile", Tags=[{"Key": "cost-center", "Value": "1"}]),
        {SETTINGS},
        "tag cost-center` of the instance profile",
    ),
    Drift("profile added beside", RETAIL, LEDGER, in_another_profile, {PROFILE}, "is `ledger` to Vault"),
    Drift("profile of a role without", SHARED, SEARCH, in_another_profile, {PROFILE}, "is `search` to Vault"),
    Drift("way in: deleted", ANALYTICS, LOOKUP, remove_role, {MISSING}, "`hcp-vault-lookup` is not there"),
    Drift("way in: principal added", ANALYTICS, LOOKUP, trusting(Principal={"AWS": MALLORY}), {WAY_IN}, "mallory"),
    Drift("way in: no external id", ANALYTICS, LOOKUP, instead(Condition=None), {WAY_IN}, "no longer says"),
    Drift(
        "way in: another external id",
        ANALYTICS,
        LOOKUP,
        instead(Condition={"StringEquals": {"sts:ExternalId": "guessed"}}),
        {WAY_IN},
        "`sts:ExternalId` is `guessed`",
    ),
    Drift(
        "way in: external id like",
        ANALYTICS,
        LOOKUP,
        instead(Condition={"StringLike": {"sts:ExternalId": "*"}}),
        {WAY_IN},
        "`StringLike`",
    ),
    Drift(
        "way in: action added",
        ANALYTICS,
        LOOKUP,
        also(Action="iam:PassRole", Resource="*"),
        {WAY_IN},
        "may `iam:PassRole`",
    ),
    Drift(
        "way in: resource widened",
        ANALYTICS,
        LOOKUP,
        also(Action="iam:GetRole", Resource="*"),
        {WAY_IN},
        "may `iam:GetRole` on `*`",
    ),
    Drift(
        "way in: action lost",
        ANALYTICS,
        LOOKUP,
        lookup_policy(lambda document: document["Statement"].pop()),
        {WAY_IN},
        "no longer says",
    ),
    Drift(
        "way in: policy deleted",
        ANALYTICS,
        LOOKUP,
        on_role("delete_role_policy", PolicyName=LOOKUP),
        {MISSING},
        "policy",
    ),
    Drift(
        "way in: policy added beside",
        ANALYTICS,
        LOOKUP,
        on_role("put_role_policy", PolicyName="more", PolicyDocument=EVERYTHING),
        {WAY_IN},
        "the policy `more`, which is not declared",
    ),
    Drift(
        "way in: policy attached",
        ANALYTICS,
        LOOKUP,
        attach,
        {WAY_IN},
        ":policy/everything`, which is not declared",
    ),
    Drift("way in: session", ANALYTICS, LOOKUP, half_a_day, {SETTINGS}, "12h"),
    Drift("way in: in a profile", ANALYTICS, LOOKUP, in_another_profile, {PROFILE}, "what Vault can in this account"),
    Drift(
        "existing role deleted",
        SHARED,
        EXISTING,
        remove_role,
        {MISSING},
        "whoever makes one of this name is the client",
    ),
    Drift("existing role trusts", SHARED, EXISTING, trusting(Principal={"AWS": MALLORY}), {EXISTING_TRUST}, "mallory"),
)

HARMLESS = (
    Drift(
        "the same statement twice", RETAIL, LEDGER, trusting(Principal={"Service": ["ec2.amazonaws.com"]}), set(), ""
    ),
    Drift("a statement's id", RETAIL, LEDGER, instead(Sid="Renamed"), set(), ""),
    Drift("the team's own policy", RETAIL, LEDGER, attach, set(), ""),
)


@pytest.fixture(scope="module")
def declared(example: FleetFolder) -> Declared:
    """What the tree of the example fleet declares."""
    paths = (example.folder / "terraform").rglob("*.tf")
    return read({path.relative_to(example.folder).as_posix(): path.read_text("utf-8") for path in paths})


@pytest.fixture(scope="module")
def taken_down(world: World) -> dict[str, Standing]:
    return {
        account: standing(world.accounts.client("iam", world.accounts.owner_of(account)), *roles)
        for account, roles in ROLES.items()
    }


@pytest.fixture(scope="module")
def systems(world: World) -> Systems:
    return world.systems()


@dataclass(frozen=True)
class Look:
    """A look at the accounts, which are put back as they were."""

    world: World
    systems: Systems
    declared: Declared
    standing: dict[str, Standing]

    def account(self, account_id: str) -> Account:
        return next(account for account in self.world.fleet.accounts if account.id == account_id)

    def at(self, account_id: str) -> Verified:
        account, aws = self.account(account_id), self.systems.aws(self.account(account_id))
        assert isinstance(aws, AwsAccount)
        root = by_root(self.declared)[f"accounts/{account_id}/aws"]
        resolved = [client.vault_role for client in account.declared if client.resolve_unique_ids]
        vault = connect(self.world.services)
        live = {name: live_role("aws", name, vault.read(role_path("aws", name))["data"]) for name in resolved}
        return verify_account(account, root, aws, live)

    @contextmanager
    def changed(self, drift: Drift) -> Iterator[Verified]:
        """Yield what is found once something has been done, which is then undone."""
        stood = self.standing[drift.account]
        try:
            drift.change(stood.iam, drift.role)
            yield self.at(drift.account)
        finally:
            stood.put_back()


@pytest.fixture(scope="module")
def look(world: World, systems: Systems, declared: Declared, taken_down: dict[str, Standing]) -> Look:
    return Look(world, systems, declared, taken_down)


def assert_at_its_line(example: FleetFolder, finding: Diagnostic) -> None:
    line = (example.folder / finding.span.path).read_text("utf-8").splitlines()[finding.span.line - 1]
    assert finding.span.path.startswith(("terraform/accounts/", "clients/"))
    assert line.startswith(("resource", "data", "role_name"))


def test_what_was_applied_is_what_was_rendered(look: Look) -> None:
    verified = [look.at(account) for account in (RETAIL, ANALYTICS, SHARED, PARTNER)]
    assert [each.findings for each in verified] == [()] * 4
    assert [each.unknown for each in verified] == [()] * 4
    counted = {kind: sum(dict(each.checked).get(kind, 0) for each in verified) for kind, _ in verified[1].checked}
    assert counted == {"aws_iam_role": 10, "aws_iam_instance_profile": 7, "aws_iam_role_policy": 1}


@pytest.mark.parametrize("drift", DRIFT, ids=lambda drift: drift.name)
def test_drift_is_found(look: Look, example: FleetFolder, drift: Drift) -> None:
    with look.changed(drift) as found:
        assert {finding.rule for finding in found.findings} == drift.rules
        assert drift.says in " ".join(finding.message for finding in found.findings)
        assert found.unknown == ()
        for finding in found.findings:
            assert (finding.severity is Severity.WARNING) == (finding.rule in {WORDS, EXISTING_TRUST})
            assert_at_its_line(example, finding)


@pytest.mark.parametrize("drift", HARMLESS, ids=lambda drift: drift.name)
def test_what_changes_nothing_is_no_drift(look: Look, drift: Drift) -> None:
    with look.changed(drift) as found:
        assert found.findings == ()


@pytest.mark.parametrize(
    ("action", "what"),
    [
        ("iam:GetRole", "role/hcp-vault-lookup"),
        ("iam:ListRolePolicies", "list_role_policies of hcp-vault-lookup"),
        ("iam:GetRolePolicy", "role/hcp-vault-lookup/hcp-vault-lookup"),
        ("iam:ListAttachedRolePolicies", "list_attached_role_policies of hcp-vault-lookup"),
        ("iam:GetInstanceProfile", "instance-profile/reports"),
        ("iam:ListInstanceProfilesForRole", "list_instance_profiles_for_role of reports"),
    ],
)
def test_what_may_not_be_read_is_unknown_and_no_finding(look: Look, action: str, what: str) -> None:
    iam = look.standing[ANALYTICS].iam
    allowed = {"Effect": "Allow", "Action": ["iam:Get*", "iam:List*"], "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [allowed, {"Effect": "Deny", "Action": action, "Resource": "*"}]}
    iam.create_user(UserName="reader")
    iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    session = boto3.session.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")
    reader = AwsAccount(ANALYTICS, session, Pace(0), look.world.services.aws_endpoint)
    try:
        with checked(look.world):
            found = verify_account(look.account(ANALYTICS), look.declared, reader)
    finally:
        iam.delete_access_key(UserName="reader", AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName="reader", PolicyName="read")
        iam.delete_user(UserName="reader")
    assert found.findings == ()
    assert f"{what} in account {ANALYTICS}" in {each.what for each in found.unknown}
    assert all("iam:Get* and iam:List*" in each.help for each in found.unknown)


def test_role_made_anew_is_found_by_its_unique_id_until_vault_has_looked_it_up(look: Look) -> None:
    client, stood = client_of(look.world, RESOLVED), look.standing[ANALYTICS]
    try:
        remove_role(stood.iam, RESOLVED)
    finally:
        stood.put_back()
    (finding,) = look.at(ANALYTICS).findings
    assert finding.rule == RECREATED
    assert stood.iam.get_role(RoleName=RESOLVED)["Role"]["RoleId"] in finding.message
    assert finding.span.path == "clients/vault-backup.yaml"
    # What the finding advises.
    connect(look.world.services).write_data(
        role_path("aws", client.vault_role), data={"bound_iam_principal_arn": client.principal_arn}
    )
    assert look.at(ANALYTICS).findings == ()


def test_looks_from_day_to_day_say_what_is_new_and_what_is_gone(look: Look, example: FleetFolder) -> None:
    kept = example.folder / "look/last.json"
    assert "--since-last" in example.call("verify", "--account", RETAIL, "--since-last", code=2).err
    argv = ("verify", "--side", "aws", "--since-last", "--last", "look/last.json")
    assert "there is none yet" in example.call(*argv).out
    drift = next(drift for drift in DRIFT if drift.name == "session")
    with look.changed(drift):
        said = example.call(*argv, code=1).out
    assert (
        "1 new, 0 still there, 0 gone\n  new: error[CK962] terraform/accounts/111111111111/aws/client-ledger.tf" in said
    )
    assert "0 new, 0 still there, 1 gone\n  gone: error[CK962]" in example.call(*argv).out
    assert kept.stat().st_mode & 0o777 == 0o600


def test_all_is_as_it_was(look: Look) -> None:
    for account in ROLES:
        assert look.at(account).findings == ()
