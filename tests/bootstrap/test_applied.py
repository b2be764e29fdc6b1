"""A fleet's whole life with what the bootstrap folder grants: it suffices, and all of it is used."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import hvac
import pytest

from tests.bootstrap.iam import allows, statements, without_each
from tests.bootstrap.recorded import Asked, Recorder, iam_requests, recording, s3_requests, vault_policy
from tests.bootstrap.templates import ACCOUNT, FOLDER, RUNNER, make, resources
from tests.e2e.fleets import HEADER, digest_in, ended, new_fleet
from tests.e2e.s3 import backend, run_as_live
from tests.run.proxy import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from generator.sandbox.toolchain import Toolchain
    from generator.sandbox.world import World
    from tests.e2e.fleets import Done, FleetFolder

pytestmark = pytest.mark.toolchain

BUCKET = "fleet-state"
LOGIN_MOUNT = "runners"
PARAMETERS = {"RunnerArn": RUNNER, "StsRoleName": "hcp-vault-lookup"}
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/crosskeys-boundary"
STS = {"role": "hcp-vault-lookup", "external_id": "crosskeys-555555555555-one"}
CLIENT = {"name": "app", "account_id": ACCOUNT, "role_name": "app", "aws": {"role_path": "/crosskeys/"}}
OLD = {"name": "old", "account_id": ACCOUNT, "role_name": "old", "aws": {"role_path": "/crosskeys/"}}
ACCOUNT_MANIFEST = {
    "name": "example",
    "owner": "team@example.com",
    "provisioning": "managed",
    "provisioner_role": f"arn:aws:iam::{ACCOUNT}:role/crosskeys-provisioner",
    "sts": STS,
}
AWS = {"permissions_boundary": "arn:aws:iam::{account_id}:policy/crosskeys-boundary", "tags": {"a": "1"}}
CHANGED = {
    **CLIENT,
    "owner": "team@example.com",
    "vault": {"token_ttl": "10m"},
    "grants": [{"path": "shared/ca", "access": "read"}],
    "aws": {
        "role_path": "/crosskeys/",
        "max_session_duration": 7200,
        "trusted_services": ["ecs-tasks.amazonaws.com"],
    },
}
SETTINGS: dict[str, object] = {
    "shared_paths": [{"path": "shared/ca", "owner": "pki@example.com"}],
    "vault": {"principals": ["arn:aws:iam::999999999999:role/hcp-vault"], "server_id_header": HEADER},
    "aws": AWS,
    "platform": {"auth_mount": True, "client_config": True, "kv_mount": True},
    "terraform": {"backend": backend(BUCKET, "crosskeys/")},
    "run": {"retries": 0},
}


@dataclass
class Life:
    """A fleet and the recorders in front of its Vault and its AWS."""

    fleet: FleetFolder
    world: World
    vault: Recorder
    aws: Recorder
    token: str = ""

    def run(self, *arguments: str, code: int = 0) -> Done:
        environment = {
            "VAULT_ADDR": self.vault.address,
            "VAULT_TOKEN": self.token,
            "AWS_ENDPOINT_URL": self.aws.address,
        }
        return run_as_live(self.fleet, self.world, *arguments, code=code, environment=environment)

    @property
    def root(self) -> hvac.Client:
        return hvac.Client(url=self.world.services.vault_address, token=self.world.services.vault_token)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[Life]:
    """A fleet whose account and bucket were made by the templates; nothing of it is applied."""
    folder = tmp_path_factory.mktemp("bootstrap")
    with ended(new_fleet(folder, toolchain, SETTINGS, CLIENT, OLD)) as fleet:
        fleet.write(f"clients/accounts/{ACCOUNT}.yaml", ACCOUNT_MANIFEST)
        fleet.call("render")
        fleet.call("sandbox", "up")
        world = fleet.world()
        owner = world.accounts.owner_of(ACCOUNT)
        # The sandbox makes a role of that name, which may do anything.
        world.accounts.client("iam", owner).delete_role(RoleName="crosskeys-provisioner")
        outputs = make(world.accounts.client("cloudformation", owner), "provisioner-role.yaml", PARAMETERS)
        assert outputs["ProvisionerRole"] == ACCOUNT_MANIFEST["provisioner_role"]
        assert outputs["PermissionsBoundary"] == BOUNDARY
        states = {"BucketName": BUCKET, "VaultRunnerArn": RUNNER, "AwsRunnerArn": f"{RUNNER}-aws"}
        make(world.accounts.client("cloudformation"), "state-bucket.yaml", states)
        with recording(world.services.vault_address) as vault, recording(world.services.aws_endpoint) as aws:
            yield Life(fleet, world, vault, aws)


def written(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


@pytest.fixture(scope="module")
def runner(life: Life) -> str:
    """The token of a runner that has logged in with its own IAM role, through a mount that is not the clients'."""
    vault, endpoint = life.root, life.world.services.aws_endpoint
    for name in ("runner", "platform", "reader"):
        vault.sys.create_or_update_policy(f"crosskeys-{name}", written(f"{name}-vault.hcl"))
    vault.sys.enable_auth_method("aws", path=LOGIN_MOUNT)
    config = {"sts_endpoint": endpoint, "sts_region": "us-east-1", "iam_server_id_header_value": HEADER}
    vault.write_data(f"auth/{LOGIN_MOUNT}/config/client", data=config)
    role = {
        "auth_type": "iam",
        "bound_iam_principal_arn": RUNNER,
        "resolve_aws_unique_ids": False,
        "token_policies": "crosskeys-runner",
        "token_ttl": "1h",
    }
    vault.write_data(f"auth/{LOGIN_MOUNT}/role/crosskeys-runner", data=role)
    keys = life.world.accounts.assume(RUNNER, "run")
    answer = hvac.Client(url=life.world.services.vault_address).auth.aws.iam_login(
        keys.access_key_id,
        keys.secret_access_key,
        keys.session_token,
        header_value=HEADER,
        role="crosskeys-runner",
        region="us-east-1",
        mount_point=LOGIN_MOUNT,
    )
    assert answer["auth"]["policies"] == ["crosskeys-runner", "default"]
    token: str = answer["auth"]["client_token"]
    return token


def replayed(life: Life, asked: list[Asked], policy: str) -> set[str]:
    """Send recorded requests again with a token of a policy; return those that Vault denies.

    Vault decides whether a request creates or updates by what is there, so they are sent in their order.
    """
    life.root.sys.create_or_update_policy("crosskeys-tried", policy)
    token = life.root.auth.token.create(policies=["crosskeys-tried"], ttl="5m")["auth"]["client_token"]
    client = hvac.Client(url=life.world.services.vault_address, token=token)
    denied = set()
    for each in asked:
        headers = {"X-Vault-Token": token, "Content-Type": "application/json"}
        url = f"{life.world.services.vault_address}{each.path}"
        answer = client.session.request(each.method, url, data=each.body, headers=headers, timeout=30)
        if answer.status_code == 403:
            denied.add(f"{each.method} {each.path}")
    return denied


def once(asked: list[Asked]) -> list[Asked]:
    """Leave out what the token `default` policy allows anyway, and all but three of each request, the last included."""
    kept: list[Asked] = []
    for each in asked:
        if "/sys/health" in each.path or "/sys/seal-status" in each.path or "-self" in each.path:
            continue
        alike = [other for other in kept if (other.method, other.path) == (each.method, each.path)]
        if len(alike) < 3 or each.method in {"PUT", "POST", "DELETE"}:
            kept.append(each)
    return kept


def each_is_needed(
    life: Life, asked: list[Asked], name: str, beside: str = "", before: Callable[[], None] = lambda: None
) -> None:
    """Require that a policy allows all requests, and that with any capability of it fewer something is denied.

    Args:
        life: Whose Vault decides.
        asked: The requests, in their order.
        name: The policy's file.
        beside: Another policy that the same token has.
        before: Makes Vault as it was before the first request.
    """
    rules = vault_policy(written(name))
    assert len(rules) == written(name).count("\npath "), "a rule is written otherwise"
    before()
    assert replayed(life, asked, f"{written(name)}\n{beside}") == set()
    unused = []
    for path, capabilities in rules:
        for capability in capabilities:
            fewer = [(p, [c for c in cs if (p, c) != (path, capability)]) for p, cs in rules]
            text = "\n".join(f'path "{p}" {{ capabilities = {json.dumps(cs)} }}' for p, cs in fewer if cs)
            before()
            if not replayed(life, asked, text + "\n" + beside):
                unused.append(f"{path} {capability}")
    assert unused == []


def test_the_platform_is_applied_with_the_runners_and_the_platforms_policies(life: Life, runner: str) -> None:
    assert runner
    policies = ["crosskeys-runner", "crosskeys-platform"]
    life.token = life.root.auth.token.create(policies=policies, ttl="30m")["auth"]["client_token"]
    life.run("apply", "--yes", "--side", "platform")


def test_each_line_of_the_platforms_policy_is_needed(life: Life) -> None:
    asked = once(life.vault.asked)
    life.vault.asked.clear()

    def unconfigured() -> None:
        life.root.delete("auth/aws/config/client")

    # The second time there is something to be changed.
    each_is_needed(life, [*asked, *asked], "platform-vault.hcl", written("runner-vault.hcl"), unconfigured)


def test_the_accounts_are_made_with_the_runners_token_and_the_provisioners_role(life: Life, runner: str) -> None:
    life.token = runner
    life.run("apply", "--yes")


def looked_at(life: Life, *policies: str, token: str = "", code: int = 0) -> dict[str, dict[str, str]]:
    """Run the doctor with a token of policies, or with another, and return its checks by area and name.

    What it asks is no part of what a runner must be able to ask.
    """
    made = life.root.auth.token.create(policies=list(policies), ttl="30m")["auth"]["client_token"]
    life.token = token or made
    before = [(recorder, list(recorder.asked)) for recorder in (life.vault, life.aws)]
    done = life.run("doctor", "--format", "json", code=code)
    for recorder, asked in before:
        recorder.asked[:] = asked
    assert life.token not in done.out + done.err
    return {f"{each['area']} {each['name']}": each for each in json.loads(done.out)["checks"]}


def test_the_doctor_finds_the_runner_in_order(life: Life) -> None:
    found = looked_at(life, "crosskeys-runner")
    assert {name: each["status"] for name, each in found.items() if each["area"] in {"vault", "aws", "state"}} == {
        "vault server": "ok",
        "vault cluster": "ok",
        "vault clock": "ok",
        "vault token": "ok",
        "vault clients: token": "ok",
        "vault platform: token": "ok",
        "vault auth mount": "ok",
        "vault KV mount": "ok",
        "vault server id": "ok",
        "aws credentials": "ok",
        "aws clock": "ok",
        "aws accounts": "ok",
        "state backend": "ok",
    }
    assert found["fleet lock files"]["status"] == "ok"
    assert "sys/auth/aws lacks update, sudo" in found["vault platform: token"]["said"]


def test_the_doctor_looks_at_a_sandbox_that_is_up(life: Life) -> None:
    checks = json.loads(life.fleet.call("doctor", "--format", "json").out)["checks"]
    assert {each["status"] for each in checks if each["area"] in {"vault", "aws"}} == {"ok"}
    assert "token" not in {each["name"] for each in checks}, "its only one is its administrator's"


def test_the_doctor_knows_a_token_that_only_reads(life: Life) -> None:
    found = looked_at(life, "crosskeys-reader")
    assert found["vault auth mount"]["status"] == found["vault KV mount"]["status"] == "ok"
    # The provider's child token is what it lacks beside.
    assert found["vault clients: token"]["status"] == "warning"


def test_the_doctor_says_all_that_is_broken_at_once(life: Life) -> None:
    settings = {**SETTINGS, "live": {"cluster_id": "another"}, "terraform": {"backend": backend("no-such-bucket")}}
    settings["vault"] = {"kv_mount": "nowhere", "server_id_header": "other.example.com"}
    life.fleet.write("crosskeys.yaml", {"version": 1, **settings})
    denied = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>not authorized</Message></Error></ErrorResponse>"
    life.aws.fault = Fault(403, denied, lambda _method, _path, body: b"Action=AssumeRole" in body)
    try:
        found = looked_at(life, "crosskeys-reader", code=4)
        unprivileged = looked_at(life, "default", code=4)
        unknown_token = looked_at(life, token="hvs.AAAAAAAAAAAAAAAAAAAAAAAA", code=4)
    finally:
        life.aws.fault = None
        life.fleet.write("crosskeys.yaml", {"version": 1, **SETTINGS})
    assert found["vault cluster"]["status"] == "failed"
    assert found["vault KV mount"]["said"] == "there is nothing at nowhere/"
    assert found["vault server id"]["said"] == (
        "Vault asks logins for the server id vault.example.com, and the settings say other.example.com"
    )
    assert found[f"aws {ACCOUNT}"]["status"] == "failed"
    assert "access denied" in found[f"aws {ACCOUNT}"]["said"]
    assert found["state backend"]["status"] == "unknown"
    assert unprivileged["vault clients: token"]["status"] == "failed"
    assert "auth/aws/role/app lacks create, read, update, delete" in unprivileged["vault clients: token"]["said"]
    assert unprivileged["vault auth mount"]["status"] == "unknown"
    assert unknown_token["vault token"]["status"] == "failed"


def test_an_external_id_that_changed_reaches_vault(life: Life, runner: str) -> None:
    life.token = runner
    sts = {**STS, "external_id": "crosskeys-555555555555-two"}
    life.fleet.write(f"clients/accounts/{ACCOUNT}.yaml", {**ACCOUNT_MANIFEST, "sts": sts})
    life.fleet.call("render")
    life.run("apply", "--yes", "--side", "vault")
    assert life.root.read(f"auth/aws/config/sts/{ACCOUNT}")["data"]["external_id"] == sts["external_id"]


def test_what_changed_in_manifests_and_by_somebodys_hand_is_put_right_and_what_is_retired_is_destroyed(
    life: Life,
) -> None:
    fleet, iam = life.fleet, life.world.accounts.client("iam", life.world.accounts.owner_of(ACCOUNT))
    fleet.write("clients/app.yaml", CHANGED)
    retire = {"approved_until": "2099-01-01", "reason": "moved away"}
    fleet.write("clients/old.yaml", {**OLD, "owner": "team@example.com", "retire": retire})
    without_sts = {key: each for key, each in ACCOUNT_MANIFEST.items() if key != "sts"}
    fleet.write(f"clients/accounts/{ACCOUNT}.yaml", without_sts)
    fleet.write("crosskeys.yaml", {"version": 1, **SETTINGS, "aws": {**AWS, "tags": {"b": "2"}}})
    fleet.call("render")
    iam.delete_role_permissions_boundary(RoleName="app")
    iam.update_role_description(RoleName="app", Description="somebody's own")
    said = life.run("plan", "--out", "plans")
    life.run("apply", "plans", "--yes", "--destroy", digest_in(said.out + said.err))
    assert iam.get_role(RoleName="app")["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == BOUNDARY
    assert {role["RoleName"] for role in iam.list_roles()["Roles"]} == {"app", "crosskeys-provisioner"}
    assert life.root.list("auth/aws/role")["data"]["keys"] == ["app"]
    assert life.root.list("auth/aws/config/sts") is None
    life.run("plan", "--check", "--side", "vault")


def test_each_line_of_the_runners_policy_is_needed(life: Life) -> None:
    each_is_needed(life, once(life.vault.asked), "runner-vault.hcl")


def test_the_provisioner_may_do_all_that_was_asked_of_iam_and_each_of_its_actions_was(life: Life) -> None:
    (policy,) = resources("provisioner-role.yaml", PARAMETERS)["Provisioner"]["Policies"]
    document = statements(policy["PolicyDocument"])
    asked = iam_requests(life.aws.asked, ACCOUNT)
    assert [str(each) for each in asked if not allows(document, each)] == []
    unused = [name for name, fewer in without_each(document) if all(allows(fewer, each) for each in asked)]
    assert unused == []


def test_each_side_reaches_its_states_by_the_buckets_policy_and_each_of_its_actions_was_asked(life: Life) -> None:
    states = {"BucketName": BUCKET, "VaultRunnerArn": RUNNER, "AwsRunnerArn": f"{RUNNER}-aws"}
    document = statements(resources("state-bucket.yaml", states)["Access"]["PolicyDocument"])
    asked = s3_requests(life.aws.asked, BUCKET)
    assert {each.resource for each in asked} >= {f"arn:aws:s3:::{BUCKET}/crosskeys/platform.tfstate"}
    assert [str(each) for each in asked if not allows(document, each)] == []
    unused = [name for name, fewer in without_each(document) if all(allows(fewer, each) for each in asked)]
    assert unused == []
