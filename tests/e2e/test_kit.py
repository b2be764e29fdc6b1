"""A kit, followed to the letter by somebody who has nothing but the kit, from an empty account to the certificate."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from generator.run.environment import allowed
from generator.sandbox.vault_contents import connect
from tests.e2e import aws_command
from tests.e2e.fleets import aws_objects, client_of, ended, new_fleet
from tests.e2e.instances import instance
from tests.e2e.pages import commands, typed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.sandbox.toolchain import Toolchain
    from generator.sandbox.world import World
    from tests.e2e.fleets import FleetFolder
    from tests.e2e.instances import Instance

pytestmark = pytest.mark.toolchain

ACCOUNT = "444444444444"
SETTINGS: dict[str, Any] = {
    "vault": {"server_id_header": "vault.example.com", "principals": ["arn:aws:iam::999999999999:role/hcp-vault"]},
    "aws": {"permissions_boundary": "arn:aws:iam::{account_id}:policy/boundary"},
    "limits": {"destroy_percent": 100},
}
GATEWAY = {
    "name": "gateway",
    "account_id": ACCOUNT,
    "role_name": "a+b=c,.@-",
    "description": "Пограничный шлюз",
    "vault": {"role": "gateway"},
    "aws": {"role_path": "/apps/", "max_session_duration": 7200, "tags": {"cost-center": "4711", "on": "no"}},
}
TASK = {
    "name": "task",
    "account_id": ACCOUNT,
    "role_name": "task-app",
    "aws": {"instance_profile": "none", "trusted_services": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]},
}
EDGE = {
    "name": "edge",
    "owner": "edge@example.com",
    "sts": {"role": "vault-lookup", "external_id": "edge-1"},
    "tags": {"environment": "production"},
}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[FleetFolder]:
    """A fleet whose own side is applied, and nothing in the account that is handed over."""
    with ended(new_fleet(tmp_path_factory.mktemp("kit"), toolchain, SETTINGS, GATEWAY, TASK)) as fleet:
        fleet.write(f"clients/accounts/{ACCOUNT}.yaml", EDGE)
        address = fleet.world().services.vault_address
        fleet.write("crosskeys.yaml", {"version": 1, **SETTINGS, "live": {"vault_address": address}})
        fleet.call("render")
        fleet.call("apply", "--yes", "--side", "vault")
        fleet.call("kit", "--account", ACCOUNT, "--out", "kit.zip")
        yield fleet


@pytest.fixture(scope="module")
def world(fleet: FleetFolder) -> World:
    return fleet.world()


@pytest.fixture
def kit(fleet: FleetFolder, tmp_path: Path) -> Path:
    """The account's kit as its owner has unpacked it."""
    shutil.unpack_archive(fleet.folder / "kit.zip", tmp_path / "kit")
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path / "kit", check=True)
    return tmp_path / "kit"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Path:
    """What the pages take for granted on a machine; what changes the machine itself is written down instead."""
    folder = tmp_path_factory.mktemp("programs")
    aws = Path(aws_command.__file__)
    scripts = {
        "aws": f'exec {shlex.quote(sys.executable)} {shlex.quote(str(aws))} "$@"',
        "vault": f'exec {shlex.quote(str(toolchain.vault))} "$@"',
        "terraform": f'exec {shlex.quote(str(toolchain.terraform))} "$@"',
        "sudo": 'exec "$@"',
        "systemctl": 'echo "systemctl $*"',
    }
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return folder


def as_owner(world: World, programs: Path) -> dict[str, str]:
    """Return the environment of the account's administrator."""
    keys = world.accounts.owner_of(ACCOUNT)
    return allowed(
        {
            **world.variables(),
            "AWS_ACCESS_KEY_ID": keys.access_key_id,
            "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
            "AWS_SESSION_TOKEN": keys.session_token,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "VAULT_ADDR": "",
            "VAULT_TOKEN": "",
        }
    )


def comparable(found: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what AWS gives every object anew, and the order of what are sets to it, such as principals."""
    text = json.dumps(found, default=str)
    kept: dict[str, Any] = json.loads(
        text, object_hook=lambda item: {key: ordered(value) for key, value in item.items() if key not in NEW}
    )
    return {arn: {**item, "Tags": {tag["Key"]: tag["Value"] for tag in item["Tags"]}} for arn, item in kept.items()}


def ordered(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) and all(isinstance(item, str) for item in value) else value


NEW = {"CreateDate", "RoleId", "InstanceProfileId", "RoleLastUsed", "InstanceProfileList", "Roles"}


def holders(world: World) -> dict[str, list[str]]:
    """Return the roles in each instance profile of the account."""
    profiles = world.accounts.client("iam", world.accounts.owner_of(ACCOUNT)).list_instance_profiles()
    return {
        each["InstanceProfileName"]: [role["RoleName"] for role in each["Roles"]]
        for each in profiles["InstanceProfiles"]
    }


def sessions(world: World) -> dict[str, tuple[int, str]]:
    """Return the longest session and the description of each role, which authorization details leave out."""
    iam = world.accounts.client("iam", world.accounts.owner_of(ACCOUNT))
    roles = [iam.get_role(RoleName=role["RoleName"])["Role"] for role in iam.list_roles()["Roles"]]
    return {role["RoleName"]: (role["MaxSessionDuration"], role["Description"]) for role in roles}


class TestTheAccount:
    """In the order of the file: each way begins with an account that has nothing."""

    made: dict[str, Any] = {}  # noqa: RUF012 - what the first way has made, for the second to be compared with

    def test_cloudformation_makes_what_the_page_says_and_takes_it_with_the_stack(
        self, world: World, programs: Path, kit: Path
    ) -> None:
        assert aws_objects(world, ACCOUNT) == {}
        owner = as_owner(world, programs)
        check, _, deploy = commands(kit / "README.md", "1. The IAM roles, once")
        assert typed(check, kit, owner).strip() == ACCOUNT
        typed(deploy, kit, owner)
        self.made |= {"objects": aws_objects(world, ACCOUNT), "holders": holders(world), "sessions": sessions(world)}
        assert len(self.made["objects"]) == 4
        stacks = world.accounts.client("cloudformation", world.accounts.owner_of(ACCOUNT))
        stacks.delete_stack(StackName=f"vault-clients-{ACCOUNT}")
        assert aws_objects(world, ACCOUNT) == {}

    def test_cloudformation_makes_nothing_in_another_account(self, world: World, kit: Path) -> None:
        stacks = world.accounts.client("cloudformation", world.accounts.owner_of("555555555555"))
        body = (kit / "cloudformation.yaml").read_text("utf-8")
        stacks.create_stack(StackName="wrong", TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
        assert aws_objects(world, "555555555555") == {}

    def test_terraform_makes_the_same(self, world: World, programs: Path, kit: Path) -> None:
        _, apply, _ = commands(kit / "README.md", "1. The IAM roles, once")
        typed(apply, kit, as_owner(world, programs), answer="yes\n")
        by_terraform, by_cloudformation = (
            comparable(found) for found in (aws_objects(world, ACCOUNT), self.made["objects"])
        )
        for arn, item in by_cloudformation.items():
            if ":instance-profile/" in arn:
                assert item["Tags"] == {}  # CloudFormation cannot: the template and docs/kit.md say so
                item["Tags"] = by_terraform[arn]["Tags"]
        assert by_terraform == by_cloudformation
        assert holders(world) == self.made["holders"] == {"a+b=c,.@-": ["a+b=c,.@-"]}
        assert sessions(world) == self.made["sessions"]
        assert (kit / "terraform/terraform.tfstate").is_file()


@contextmanager
def machine(world: World, programs: Path, home: Path, role: str, claimed: str = "") -> Iterator[Instance]:
    """Yield an instance with a role of the account, which may claim to have another."""
    keys = world.accounts.assume(f"arn:aws:iam::{ACCOUNT}:role/{role}", "i-0123456789abcdef0")
    with instance(programs, home, claimed or role.rpartition("/")[2], keys) as made:
        yield made


@pytest.fixture
def workload(world: World, programs: Path, tmp_path: Path) -> Iterator[Instance]:
    """The machine that the kit is for."""
    with machine(world, programs, tmp_path, "apps/a+b=c,.@-") as made:
        yield made


@pytest.fixture
def folder(kit: Path) -> Path:
    """The client's folder of the kit."""
    return kit / "clients/gateway"


def test_what_is_shown_of_terraform_is_written_as_terraform_writes_it(
    world: World, programs: Path, kit: Path, folder: Path
) -> None:
    shown = (folder / "launch.md").read_text("utf-8").partition("```hcl\n")[2].partition("```")[0]
    for text in (shown, (kit / "terraform/backend.tf").read_text("utf-8")):
        typed("terraform fmt -check -", kit, as_owner(world, programs), answer=text)


def test_the_instance_is_as_the_page_says(world: World, programs: Path, folder: Path) -> None:
    ec2 = world.accounts.client("ec2", world.accounts.owner_of(ACCOUNT))
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    (script,) = commands(folder / "launch.md", "An instance that runs")
    typed(script.replace("YOUR-INSTANCE", made), folder, as_owner(world, programs))
    (found,) = ec2.describe_instances(InstanceIds=[made])["Reservations"][0]["Instances"]
    assert found["MetadataOptions"]["HttpTokens"] == "required"
    assert found["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    (association,) = ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"]
    assert association["IamInstanceProfile"]["Arn"].endswith(":instance-profile/apps/a+b=c,.@-")


def test_the_smoke_test_passes_as_the_page_says(workload: Instance, folder: Path, tmp_path: Path) -> None:
    (look,), (smoke,) = (commands(folder / "README.md", step) for step in ("3. The programs", "4. Does it work?"))
    done = workload.run(look + smoke, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[1:] == [
        "ok    this machine has the role a+b=c,.@-",
        "ok    Vault lets it in as gateway",
        "ok    it can list its directory",
        "ok    it can read tls",
        "ok    it is refused what belongs to others",
        "ok    the agent writes: tls/certificate tls/private_key",
        "all is well",
    ]
    assert not {path.name for path in tmp_path.iterdir()} - {"kit"}


def test_the_service_keeps_the_certificate_in_files_of_its_own(
    workload: Instance, folder: Path, tmp_path: Path
) -> None:
    def here(text: str) -> str:
        return re.sub(r"(?<![\w.])/(etc|run)/", f"{tmp_path}/machine/\\1/", text)

    (tmp_path / "machine/etc/systemd/system").mkdir(parents=True)
    (install,) = commands(folder / "README.md", "5. Let it run")
    done = workload.run(here(install), folder / "workload")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "systemctl enable --now vault-agent-gateway"

    unit = configparser.ConfigParser(interpolation=None)
    unit.read_string(here((tmp_path / "machine/etc/systemd/system/vault-agent-gateway.service").read_text("utf-8")))
    service = unit["Service"]
    home = Path(service["WorkingDirectory"])
    home.mkdir(parents=True, mode=int(service["RuntimeDirectoryMode"], 8))
    with (tmp_path / "log").open("w") as log:
        agent = subprocess.Popen(
            shlex.split(service["ExecStart"]),
            cwd=home,
            env=workload.environment(),
            umask=int(service["UMask"], 8),
            stdout=log,
            stderr=log,
        )
        try:
            until = time.monotonic() + 30
            while not (home / "certificates.txt").exists() and agent.poll() is None and time.monotonic() < until:
                time.sleep(0.05)
        finally:
            agent.terminate()
            agent.wait(30)
    assert (home / "certificates.txt").exists(), (tmp_path / "log").read_text()
    assert (home / "certificates.txt").read_text("utf-8").split() == ["tls/certificate", "tls/private_key"]
    subject = x509.load_pem_x509_certificate((home / "tls/certificate").read_bytes()).subject
    assert subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "gateway"
    modes = {path.name: path.stat().st_mode & 0o777 for path in home.rglob("*")}
    assert modes.pop("tls") == 0o700
    assert set(modes) == {"token", "certificates.txt", "certificate", "private_key"}
    assert set(modes.values()) == {0o600}


class TestWhatTheSmokeTestSays:
    def test_a_machine_with_another_role(self, world: World, programs: Path, folder: Path, tmp_path: Path) -> None:
        with machine(world, programs, tmp_path, "task-app") as other:
            said = failed(other, folder)
        assert "this machine has the role task-app, and must have a+b=c,.@-" in said
        assert "who: you" in said

    def test_a_vault_role_that_is_for_another_iam_role(
        self, world: World, programs: Path, folder: Path, tmp_path: Path
    ) -> None:
        with machine(world, programs, tmp_path, "task-app", claimed="a+b=c,.@-") as other:
            said = failed(other, folder)
        assert "it is for another IAM role than this machine has" in said
        assert f'IAM Principal "arn:aws:sts::{ACCOUNT}:assumed-role/task-app/i-0123456789abcdef0"' in said

    def test_a_machine_that_is_none(self, workload: Instance, folder: Path) -> None:
        nobody = type(workload)(workload.programs, workload.home, "http://127.0.0.1:1")
        assert "IMDSv2 does not answer" in failed(nobody, folder)

    def test_a_vault_that_knows_nothing_of_the_client_yet(self, world: World, workload: Instance, folder: Path) -> None:
        vault = connect(world.services)
        role = vault.read("auth/aws/role/gateway")["data"]
        vault.delete("auth/aws/role/gateway")
        try:
            said = failed(workload, folder)
        finally:
            kept = ("auth_type", "bound_iam_principal_arn", "resolve_aws_unique_ids", "token_policies", "token_ttl")
            vault.write_data("auth/aws/role/gateway", data={key: role[key] for key in kept})
        assert "Vault has no role gateway\n      who: whoever handed you this kit" in said

    @pytest.mark.parametrize(
        ("before", "after", "says"),
        [
            ("vault.example.com", "other.example.com", "the server id of this kit is not the one"),
            ("auth/aws", "auth/nosuch", "Vault refuses to let it in"),
            (r"http://127\.0\.0\.1:[0-9]+", "http://127.0.0.1:1", "Vault does not answer at http://127.0.0.1:1"),
        ],
    )
    def test_a_kit_that_is_not_for_this_vault(
        self, workload: Instance, folder: Path, before: str, after: str, says: str
    ) -> None:
        for name in ("agent/login.hcl", "smoke-test.sh"):
            file = folder / "workload" / name
            file.write_text(re.sub(before, after, file.read_text("utf-8")), "utf-8")
        assert says in failed(workload, folder)

    def test_a_policy_that_gives_too_little_or_too_much(self, world: World, workload: Instance, folder: Path) -> None:
        policies = connect(world.services).sys
        text = policies.read_policy("gateway-policy")["data"]["rules"]
        wide = f'path "secret/metadata/certs/{ACCOUNT}/*" {{ capabilities = ["list"] }}'
        try:
            policies.create_or_update_policy("gateway-policy", "# nothing")
            narrow_said = failed(workload, folder)
            policies.create_or_update_policy("gateway-policy", f"{text}\n{wide}")
            wide_said = failed(workload, folder)
        finally:
            policies.create_or_update_policy("gateway-policy", text)
        assert "Vault refuses to list its directory" in narrow_said
        assert f"tell them at once: list secret/metadata/certs/{ACCOUNT}/" in wide_said

    def test_a_directory_without_a_certificate(self, world: World, workload: Instance, folder: Path) -> None:
        vault = connect(world.services)
        path = f"{client_of(world, 'gateway').directory}/tls"
        kept = vault.secrets.kv.v2.read_secret_version(path, raise_on_deleted_version=True)["data"]["data"]
        vault.secrets.kv.v2.delete_metadata_and_all_versions(path)
        try:
            said = failed(workload, folder)
        finally:
            vault.secrets.kv.v2.create_or_update_secret(path, kept)
        assert "the directory has no certificate yet" in said

    def test_a_program_that_is_missing(self, workload: Instance, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "few").mkdir()
        for name in ("curl", "cat", "sh"):
            (tmp_path / "few" / name).symlink_to(str(shutil.which(name)))
        done = workload.run(f"PATH={tmp_path}/few exec sh smoke-test.sh", folder / "workload")
        assert (done.returncode, done.stdout) == (2, "FAIL  the program vault is not on PATH: install it\n")


def failed(machine: Instance, folder: Path) -> str:
    """Return what the smoke test says where it must fail."""
    done = machine.run("sh smoke-test.sh", folder / "workload")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "all is well" not in done.stdout
    assert not done.stderr
    return done.stdout
