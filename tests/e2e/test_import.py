"""From three hundred registrations made by hand to a fleet: nothing there is destroyed, made anew or lost."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from generator.manifest.fleet import Fleet
from generator.manifest.settings import FleetSettings
from generator.sandbox import services
from generator.sandbox.vault_contents import connect, seed_platform
from generator.sandbox.world import World
from tests.e2e import registrations
from tests.e2e.as_live import open_gate
from tests.e2e.fleets import FleetFolder, client_of, ended, log_in, reachable, vault_objects
from tests.e2e.registrations import ACCOUNTS, STYLES, Registration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.sandbox.toolchain import Toolchain

pytestmark = pytest.mark.toolchain

MANAGED, *OTHERS = ACCOUNTS
VAULT = "arn:aws:iam::999999999999:role/hcp-vault"
OWNER = ("--owner", "team@example.com")
APPLIED, *PLANNED = OTHERS
# Two in each style are applied; all are planned.
EXPRESSIBLE = [
    registrations.expressible(number, APPLIED if number < 2 * len(STYLES) else PLANNED[number % len(PLANNED)])
    for number in range(270)
]
INEXPRESSIBLE = list(registrations.inexpressible(OTHERS[0]))
BY_HAND = {
    "shared-policy": registrations.seeds(OTHERS[0], "share"),
    "another-policy": registrations.seeds(OTHERS[0], "another"),
    "9lives": registrations.seeds(OTHERS[0], "9lives"),
}
SELECTIONS = {
    "vault": ("--side", "vault", "--account", MANAGED, "--account", APPLIED),
    "aws": ("--side", "aws", "--account", MANAGED),
}
REST = ("--side", "vault", *(f"--account={account}" for account in PLANNED))
IN_AWS = ("aws-plain", "aws-rich", "aws-odd", "aws-unique", "aws-instance")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[FleetFolder]:
    """An empty folder, and a Vault and an AWS account in which people have been at work for years."""
    with ended(FleetFolder(tmp_path_factory.mktemp("adopted"), toolchain)) as folder:
        up = services.up(folder.sandbox, toolchain, folder.said.append)
        world = World(folder.sandbox, Fleet(FleetSettings(), ()), up, toolchain)
        vault = connect(up)
        seed_platform(vault, up, world.fleet)
        world.prepare_accounts()
        _at_work_in_aws(world)
        vault.write_data(
            f"auth/aws/config/sts/{MANAGED}",
            data={"sts_role": f"arn:aws:iam::{MANAGED}:role/vault-lookup", "external_id": "crosskeys-1"},
        )
        for name, text in BY_HAND.items():
            vault.sys.create_or_update_policy(name, text)
        registrations.write(vault, [*EXPRESSIBLE, *INEXPRESSIBLE, *_in_aws()])
        yield folder


@pytest.fixture(scope="module")
def before(fleet: FleetFolder) -> dict[str, object]:
    """Everything in Vault before anything was imported."""
    return vault_objects(fleet.world())


def _in_aws() -> Iterator[Registration]:
    for name in (*IN_AWS, "aws-gone"):
        arguments: dict[str, object] = {
            "auth_type": "iam",
            "bound_iam_principal_arn": f"arn:aws:iam::{MANAGED}:role/{name}",
            "resolve_aws_unique_ids": name == "aws-unique",
            "policies": f"{name}-policy",
        }
        if name == "aws-instance":
            arguments |= {"inferred_entity_type": "ec2_instance", "inferred_aws_region": "us-east-1"}
        reason = "missing-iam-role" if name == "aws-gone" else ""
        policies = {f"{name}-policy": registrations.seeds(MANAGED, name)}
        yield Registration(name, MANAGED, name, arguments, policies, reason)


def _at_work_in_aws(world: World) -> None:
    iam = world.accounts.client("iam", world.accounts.owner_of(MANAGED))

    def role(name: str, principal: dict[str, object], path: str = "/", profile: str | None = None, **more: Any) -> None:
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more.pop("trust", {})}
        trust = json.dumps({"Version": "2012-10-17", "Statement": statement})
        iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=trust, **more)
        if profile:
            iam.create_instance_profile(InstanceProfileName=profile, Path=path)
            iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=name)

    ec2: dict[str, object] = {"Service": "ec2.amazonaws.com"}
    role("aws-plain", ec2, profile="aws-plain", Description="Made by hand")
    tags = [{"Key": "Owner", "Value": "rich@example.com"}, {"Key": "cost-center", "Value": "4711"}]
    services_: dict[str, object] = {"Service": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]}
    role("aws-rich", services_, "/apps/", "rich-profile", MaxSessionDuration=7200, Tags=tags)
    role("aws-odd", {"AWS": f"arn:aws:iam::{MANAGED}:root"}, "/odd/")
    role("aws-unique", ec2)
    role("aws-instance", ec2, profile="aws-instance")
    condition = {"Condition": {"StringEquals": {"sts:ExternalId": "crosskeys-1"}}}
    role("vault-lookup", {"AWS": VAULT}, trust=condition)
    permissions = {"Effect": "Allow", "Action": ["iam:GetRole", "ec2:DescribeInstances"], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [permissions]})
    iam.put_role_policy(RoleName="vault-lookup", PolicyName="vault-lookup", PolicyDocument=document)


def _files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".crosskeys" not in path.parts
    }


def _imported(fleet: FleetFolder, *arguments: str, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(fleet.call("import", *arguments, "--format", "json", code=code).out)
    return found


def test_a_dry_run_says_what_would_be_written_and_writes_nothing(fleet: FleetFolder) -> None:
    found = _imported(fleet, *OWNER, "--dry-run")
    assert {"crosskeys.yaml", "clients/app-000.yaml"} <= set(found["written"])
    assert _files(fleet.folder) == {}


def test_without_settings_an_owner_must_be_said(fleet: FleetFolder) -> None:
    assert "--owner" in fleet.call("import", code=2).err
    assert _files(fleet.folder) == {}


def test_an_import_that_was_killed_is_taken_up_by_the_next(
    fleet: FleetFolder, tmp_path: Path, undisturbed: dict[str, str]
) -> None:
    found = [0]
    for renames in (12, 28, 20):
        assert _killed(fleet, tmp_path, renames) == -signal.SIGKILL
        found.append(len(_files(tmp_path)))
    assert found == sorted(set(found)), "one was killed before it came further than the last"
    assert _files(tmp_path) != undisturbed
    _run_elsewhere(fleet, tmp_path)
    assert _files(tmp_path) == undisturbed
    assert not list((tmp_path / ".crosskeys").glob("*-*"))


@pytest.fixture(scope="module")
def undisturbed(fleet: FleetFolder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The files that an import writes that nothing disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    _run_elsewhere(fleet, folder)
    files = _files(folder)
    assert len([path for path in files if "/import-" in path]) == 10
    return files


def test_what_cannot_be_read_is_named_and_is_not_taken_for_absent(
    fleet: FleetFolder, tmp_path: Path, undisturbed: dict[str, str]
) -> None:
    vault = connect(services.up(fleet.sandbox, fleet.toolchain, fleet.said.append))
    paths = {"*": ["read", "list"], "sys/policies/acl/app-100-policy": ["deny"], "auth/aws/role/app-101": ["deny"]}
    vault.sys.create_or_update_policy("blind", json.dumps({"path": {p: {"capabilities": c} for p, c in paths.items()}}))
    token = vault.auth.token.create(policies=["blind"])["auth"]["client_token"]
    said = _run_elsewhere(fleet, tmp_path, code=4, token=token)
    assert "auth/aws/role/app-101: permission denied" in said
    assert "sys/policies/acl/app-100-policy: permission denied" in said
    lacking = {path for path in undisturbed.keys() - _files(tmp_path).keys() if path.startswith("clients/")}
    assert lacking == {"clients/app-100.yaml", "clients/app-101.yaml"}
    vault.auth.token.revoke(token)
    vault.sys.delete_policy("blind")


TEN = ("import", "--target", "live", *OWNER, "--match", "*app-10?", "--rate", "0")


def _run_elsewhere(fleet: FleetFolder, folder: Path, code: int = 0, token: str | None = None) -> str:
    """Import ten registrations into another folder; return what was said."""
    up = services.up(fleet.sandbox, fleet.toolchain, fleet.said.append)
    variables = {"VAULT_ADDR": up.vault_address, "VAULT_TOKEN": token or up.vault_token}
    with open_gate(), patch.dict(os.environ, variables):
        done = FleetFolder(folder, fleet.toolchain).call(*TEN, code=code)
    return done.out + done.err


def _killed(fleet: FleetFolder, folder: Path, renames: int) -> int:
    """Begin to import ten registrations into another folder, and die at a rename; return the exit status."""
    up = services.up(fleet.sandbox, fleet.toolchain, fleet.said.append)
    script = str(Path(__file__).with_name("import_killed.py"))
    return subprocess.run(
        [sys.executable, script, str(renames), "-C", str(folder), *TEN],
        env={**os.environ, "VAULT_ADDR": up.vault_address, "VAULT_TOKEN": up.vault_token},
        capture_output=True,
        check=False,
    ).returncode


@pytest.fixture(scope="module")
def announced() -> list[dict[str, Any]]:
    """What all imports have said that an apply will change."""
    return []


def test_settings_are_drafted_by_what_most_have(fleet: FleetFolder) -> None:
    fleet.call("import", *OWNER, "--match", "no-such-role")
    settings = fleet.manifest("crosskeys.yaml")
    assert settings["vault"]["directory"] == "certs/{account_id}/{role_name}"
    assert settings["vault"]["policy"] == "{name}-policy"
    assert settings["vault"]["role"] == "{role_name}"
    assert [shared["path"] for shared in settings["shared_paths"]] == ["shared/ca"]
    settings["vault"]["principals"] = [VAULT]
    settings["live"] = {"local_state": True}
    fleet.write("crosskeys.yaml", settings)


def test_a_client_that_cannot_be_imported_is_a_finding_when_it_is_asked_for_by_name(fleet: FleetFolder) -> None:
    assert _imported(fleet, "--client", "WILD", code=1)["left"][0]["reason"] == "wildcard-principal"
    assert "did you mean wild" in fleet.call("import", "--client", "wildd", code=2).err


def test_the_aws_side_of_accounts_that_can_be_looked_into_is_imported_too(
    fleet: FleetFolder, announced: list[dict[str, Any]]
) -> None:
    found = _imported(fleet, *OWNER, "--account", MANAGED, "--provisioner-role", "crosskeys-provisioner")
    announced += found["changes"]
    assert sorted(found["clients"]) == sorted(IN_AWS)
    left = {each["object"]: each["reason"] for each in found["left"]}
    assert left == {"role aws-gone": "missing-iam-role", f"IAM role aws-odd in {MANAGED}": "aws-side"}
    rich = fleet.manifest("clients/aws-rich.yaml")
    assert rich["owner"] == "rich@example.com"
    assert rich["aws"] == {
        "role_path": "/apps/",
        "instance_profile": "rich-profile",
        "trusted_services": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"],
        "max_session_duration": 7200,
        "tags": {"Owner": "rich@example.com", "cost-center": "4711"},
    }
    assert fleet.manifest("clients/aws-odd.yaml")["aws"] == {"role": "existing", "role_path": "/odd/"}
    assert fleet.manifest(f"clients/accounts/{MANAGED}.yaml")["sts"]["external_id"] == "crosskeys-1"


def test_everything_else_is_imported_or_named_with_the_reason(
    fleet: FleetFolder, before: dict[str, object], announced: list[dict[str, Any]]
) -> None:
    found = _imported(fleet, *OWNER)
    announced += found["changes"]
    left = {each["object"]: each["reason"] for each in found["left"]}
    wanted = {f"role {each.role}": each.reason for each in INEXPRESSIBLE if each.reason != "token-limits"}
    assert left == {**wanted, "role aws-gone": "missing-iam-role"}
    assert len(found["clients"]) == len(EXPRESSIBLE) + 1
    assert vault_objects(fleet.world()) == before


def test_a_manifest_that_somebody_wrote_takes_up_what_is_there(
    fleet: FleetFolder, announced: list[dict[str, Any]]
) -> None:
    manifest = {"name": "lives", "account_id": OTHERS[0], "role_name": "9lives", "owner": "cats@example.com"}
    vault = {"role": "9lives", "policy": "9lives"}
    fleet.write("clients/lives.yaml", {**manifest, "vault": vault, "aws": {"role": "existing"}})
    fleet.call("render")
    found = _imported(fleet, "--client", "lives")
    assert (found["adopted"], found["objects"]) == (["lives"], 2)
    announced += found["changes"]


@pytest.fixture(scope="module")
def planned(fleet: FleetFolder) -> list[dict[str, Any]]:
    """What the first plans do, root by root: Vault's side of all accounts, and the AWS side of the managed one."""
    kept = [(*selection, "--out", f"plans-{name}") for name, selection in SELECTIONS.items()]
    return [
        row
        for selection in (*kept, REST)
        for row in json.loads(fleet.call("plan", *selection, "--format", "json").out)["roots"]
    ]


def test_the_plans_import_what_is_there_and_make_and_destroy_nothing(planned: list[dict[str, Any]]) -> None:
    assert {row["outcome"] for row in planned} == {"changes"}
    assert {row["add"] for row in planned} == {row["destroy"] for row in planned} == {0}
    imported = [change for row in planned for change in row["changes"] if change["imported"]]
    # A role and a policy of each client, the STS entry, its IAM role and policy, four IAM roles, three profiles.
    clients = len(EXPRESSIBLE) + 1 + len(IN_AWS) + 1
    assert len(imported) == sum(row["imported"] for row in planned) == 2 * clients + 3 + 4 + 3
    assert {change["action"] for row in planned for change in row["changes"]} == {"import", "update"}


def test_what_an_import_announces_is_what_the_plans_change(
    planned: list[dict[str, Any]], announced: list[dict[str, Any]]
) -> None:
    changed = {
        (row["root"], change["address"]) for row in planned for change in row["changes"] if change["action"] == "update"
    }
    assert changed == {(each["root"], each["address"]) for each in announced}


@pytest.mark.usefixtures("planned")
def test_applied_nothing_is_left_to_plan(fleet: FleetFolder) -> None:
    for name, selection in SELECTIONS.items():
        fleet.call("apply", f"plans-{name}", "--yes")
        fleet.call("plan", *selection, "--check")


@pytest.mark.parametrize("style", STYLES)
def test_a_client_of_each_style_logs_in_and_reads_its_own_alone(fleet: FleetFolder, style: str) -> None:
    world = fleet.world()
    number, registration = next((i, each) for i, each in enumerate(EXPRESSIBLE) if each.style == style)
    client, other = client_of(world, f"app-{number:03}"), client_of(world, f"app-{number + 1:03}")
    keys = world.accounts.assume(f"arn:aws:iam::{registration.account_id}:role/{registration.iam_role}", "workload")
    vault, auth = log_in(world, keys, registration.role, None)
    assert set(auth["policies"]) == {"default", client.vault_policy}
    assert set(reachable(vault, client.directory).values()) == {True}
    assert set(reachable(vault, other.directory).values()) == {False}


def test_nothing_that_was_left_alone_was_touched(fleet: FleetFolder, before: dict[str, object]) -> None:
    now = vault_objects(fleet.world())
    assert now.keys() == before.keys()
    for each in INEXPRESSIBLE:
        for path in (f"auth/aws/role/{each.role}", *(f"sys/policies/acl/{name}" for name in each.policies)):
            if each.reason != "token-limits":
                assert now[path] == before[path]


def test_again_there_is_nothing_to_import(fleet: FleetFolder) -> None:
    tree = fleet.tree()
    found = _imported(fleet, *OWNER)
    assert (found["clients"], found["adopted"], found["objects"], found["written"]) == ([], [], 0, [])
    assert fleet.tree() == tree
