"""Import blocks against real servers: what was made by hand is taken over as it is, once, and nothing is made anew."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from generator import pipeline
from generator.audit.imports import import_files, import_id
from generator.sandbox.login import token_of
from generator.sandbox.vault_contents import connect, endpoints
from tests.e2e.fleets import HEADER, client_of, ended, new_fleet, reachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.sandbox.toolchain import Toolchain
    from generator.sandbox.world import World
    from tests.e2e.fleets import Done, FleetFolder

pytestmark = pytest.mark.toolchain

ACCOUNT = "111111111111"
LOOKUP, EXTERNAL_ID = "hcp-vault-lookup", "crosskeys-111111111111"
PRINCIPAL = "arn:aws:iam::999999999999:role/hcp-vault"
SETTINGS = {
    "vault": {"server_id_header": HEADER, "principals": [PRINCIPAL]},
    "platform": {"auth_mount": True, "client_config": True, "kv_mount": True},
    "defaults": {"token_ttl": "1h", "token_max_ttl": "4h"},
}
REGISTERED = {
    "name": "retail",
    "owner": "retail@example.com",
    "provisioning": "managed",
    "provisioner_role": f"arn:aws:iam::{ACCOUNT}:role/crosskeys-provisioner",
    "sts": {"role": LOOKUP, "external_id": EXTERNAL_ID},
}
PAYMENTS = {"name": "payments", "account_id": ACCOUNT, "role_name": "payments-app"}
LEDGER = {"name": "ledger", "account_id": ACCOUNT, "role_name": "ledger-app", "vault": {"resolve_unique_ids": True}}
SEARCH = {"name": "search", "account_id": "222222222222", "role_name": "search-app"}
OBJECTS = 4 + 5 + 6  # of the platform, of the account's Vault root and of its AWS root
UPDATED = 1 + 4 + 6  # that differ in small things, such as comments in policies, lifetimes and tags


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[FleetFolder]:
    """The fleet, rendered, beside servers in which people have made all of it by hand."""
    with ended(new_fleet(tmp_path_factory.mktemp("adopted"), toolchain, SETTINGS, PAYMENTS)) as fleet:
        fleet.write(f"clients/accounts/{ACCOUNT}.yaml", REGISTERED)
        fleet.write("clients/ledger.yaml", {"owner": "team@example.com", **LEDGER})
        fleet.call("render")
        make_by_hand(fleet.world())
        yield fleet


def make_by_hand(world: World) -> None:
    world.prepare_accounts()  # or the first run takes them for accounts that lost their memory
    iam = world.accounts.client("iam", world.accounts.owner_of(ACCOUNT))

    def make_role(name: str, principal: dict[str, str], **more: object) -> None:
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **more}
        trust = {"Version": "2012-10-17", "Statement": [statement]}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))

    make_role(LOOKUP, {"AWS": PRINCIPAL}, Condition={"StringEquals": {"sts:ExternalId": EXTERNAL_ID}})
    statement = {"Effect": "Allow", "Action": ["iam:GetRole", "ec2:DescribeInstances"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=LOOKUP, PolicyName=LOOKUP, PolicyDocument=policy)
    for name in ("payments-app", "ledger-app"):
        make_role(name, {"Service": "ec2.amazonaws.com"})
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)

    vault = connect(world.services)
    vault.sys.enable_auth_method("aws", path="aws")
    vault.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
    config = {**endpoints(world.services, "us-east-1"), "iam_server_id_header_value": HEADER}
    vault.write_data("auth/aws/config/client", data=config)
    vault.write_data("auth/aws/config/identity", data={"iam_alias": "role_id"})
    lookup = f"arn:aws:iam::{ACCOUNT}:role/{LOOKUP}"
    vault.write_data(f"auth/aws/config/sts/{ACCOUNT}", data={"sts_role": lookup, "external_id": EXTERNAL_ID})
    for name in ("payments", "ledger"):
        directory = f"certs/{ACCOUNT}/{name}-app"
        vault.sys.create_or_update_policy(
            f"{name}-policy",
            f'path "secret/data/{directory}/*" {{ capabilities = ["read", "list"] }}\n'
            f'path "secret/metadata/{directory}/*" {{ capabilities = ["list", "read"] }}\n',
        )
        registration = {
            "auth_type": "iam",
            "bound_iam_principal_arn": f"arn:aws:iam::{ACCOUNT}:role/{name}-app",
            "resolve_aws_unique_ids": name == "ledger",
            "policies": f"{name}-policy",
        }
        vault.write_data(f"auth/aws/role/{name}-app", data=registration)


def write_imports(fleet: FleetFolder, *addresses: str) -> None:
    """Write the import files of these objects of the fleet, of all without any."""
    rendered = pipeline.render(fleet.folder, pipeline.validate(fleet.folder).fleet, None)
    chosen = [
        key
        for key, item in rendered.declared.objects.items()
        if import_id(rendered.declared, item) and (not addresses or key[1] in addresses)
    ]
    for path, text in import_files(rendered.fleet, rendered.declared, chosen).items():
        (fleet.folder / path).write_text(text, "utf-8")


def counts(done: Done) -> dict[str, int]:
    found: dict[str, int] = json.loads(done.out)["total"]
    return found


def planned(fleet: FleetFolder) -> list[dict[str, Any]]:
    """What the last run with a report had planned, root by root."""
    report = json.loads((fleet.folder / "run.json").read_text("utf-8"))
    return [row for row in report["roots"] if row["step"] == "plan"]


def vault_ids(world: World) -> dict[str, object]:
    """What is made once and would be another if it were made anew."""
    vault = connect(world.services)
    found: dict[str, object] = {
        name: vault.read(f"auth/aws/role/{name}")["data"]["role_id"] for name in ("payments-app", "ledger-app")
    }
    found |= {f"auth {path}": each["uuid"] for path, each in vault.sys.list_auth_methods()["data"].items()}
    found |= {path: each["uuid"] for path, each in vault.sys.list_mounted_secrets_engines()["data"].items()}
    return found


def aws_ids(world: World) -> dict[str, str]:
    iam = world.accounts.client("iam", world.accounts.owner_of(ACCOUNT))
    found = {each["RoleName"]: each["RoleId"] for each in iam.list_roles()["Roles"]}
    profiles = iam.list_instance_profiles()["InstanceProfiles"]
    return found | {f"profile {each['InstanceProfileName']}": each["InstanceProfileId"] for each in profiles}


def test_without_import_files_what_is_there_is_refused(fleet: FleetFolder) -> None:
    refused = fleet.call("apply", "--yes", "--side", "vault", "--account", ACCOUNT, code=3)
    assert "vault_policy.payments" in refused.err


def test_all_that_is_there_is_imported_as_it_is_and_nothing_else_happens_but_updates(fleet: FleetFolder) -> None:
    write_imports(fleet)
    world = fleet.world()
    before = vault_ids(world), aws_ids(world)
    applied = fleet.call("apply", "--yes", "--report", "run.json", "--format", "json")
    assert (vault_ids(world), aws_ids(world)) == before
    expected = {"add": 0, "change": UPDATED, "destroy": 0, "imported": OBJECTS}
    assert counts(applied) == expected
    assert {key: sum(row[key] for row in planned(fleet)) for key in expected} == expected
    changes = [change for row in planned(fleet) for change in row["changes"]]
    assert all(change["imported"] for change in changes)
    assert {change["action"] for change in changes} == {"import", "update"}


def test_what_was_taken_over_lets_in_whom_it_let_in(fleet: FleetFolder) -> None:
    world = fleet.world()
    role = connect(world.services).read("auth/aws/role/payments-app")["data"]
    assert (role["token_ttl"], role["token_policies"]) == (3600, ["payments-policy"])
    for name in ("payments", "ledger"):
        token, _ = token_of(world, client_of(world, name))
        assert set(reachable(token, f"certs/{ACCOUNT}/{name}-app").values()) == {True}


def test_once_applied_the_blocks_do_nothing(fleet: FleetFolder) -> None:
    assert counts(fleet.call("plan", "--check", "--format", "json"))["imported"] == 0


def test_prune_removes_what_has_done_its_work(fleet: FleetFolder) -> None:
    files = [path for path in fleet.tree() if "/import-" in path]
    assert len(files) == 7
    checked = fleet.call("prune", "--check", code=1)
    assert [line for line in checked.out.splitlines() if line.startswith("would remove ")] == [
        f"would remove {path}: what it imports is in the state" for path in files
    ]
    fleet.call("prune")
    assert not [path for path in fleet.tree() if "/import-" in path]
    fleet.call("plan", "--check", "--side", "vault")
    assert fleet.call("prune").out == "no root is left over\n"


def test_an_import_of_what_is_not_there_says_what_to_do(fleet: FleetFolder) -> None:
    fleet.write("clients/search.yaml", {"owner": "team@example.com", **SEARCH})
    fleet.call("render")
    write_imports(fleet, "vault_aws_auth_backend_role.search")
    path = "terraform/accounts/222222222222/vault/import-client-search.tf"
    kept = fleet.call("prune", code=1)
    assert kept.out == f"kept {path}: not in the state yet: vault_aws_auth_backend_role.search\n"
    failed = fleet.call("plan", "--side", "vault", "--account", "222222222222", code=4)
    assert "Cannot import non-existent remote object" in failed.out
    assert f"is to be imported and is not there: delete {path} and plan again" in failed.out


def test_what_was_imported_at_a_live_vault_the_sandbox_cannot_tell(fleet: FleetFolder) -> None:
    settings = fleet.manifest("crosskeys.yaml")
    fleet.write("crosskeys.yaml", {**settings, "live": {"vault_address": "https://vault.example.com:8200"}})
    refused = fleet.call("prune", code=3)
    fleet.write("crosskeys.yaml", settings)
    assert "what accounts/222222222222/vault has imported at https://vault.example.com:8200" in refused.err


def test_what_would_be_imported_only_to_be_replaced_is_refused(fleet: FleetFolder) -> None:
    """The provider cannot turn unique ids off in place."""
    world = fleet.world()
    vault = connect(world.services)
    iam = world.accounts.client("iam", world.accounts.owner_of("222222222222"))
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
    for name in ("lookup", "search-app"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [statement]}))
    vault.write_data("auth/aws/config/sts/222222222222", data={"sts_role": "arn:aws:iam::222222222222:role/lookup"})
    registration = {
        "auth_type": "iam",
        "bound_iam_principal_arn": "arn:aws:iam::222222222222:role/search-app",
        "resolve_aws_unique_ids": True,
        "policies": "search-policy",
    }
    vault.write_data("auth/aws/role/search-app", data=registration)
    role_id = vault.read("auth/aws/role/search-app")["data"]["role_id"]
    refused = fleet.call("apply", "--yes", "--side", "vault", "--account", "222222222222", code=3)
    assert "-/+ import vault_aws_auth_backend_role.search" in refused.out
    assert "vault_aws_auth_backend_role.search" in refused.err
    assert vault.read("auth/aws/role/search-app")["data"]["role_id"] == role_id
