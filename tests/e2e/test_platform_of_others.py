"""A fleet that manages clients alone: the platform is somebody else's, and state lies in S3."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import hvac
import pytest

from generator.run.environment import allowed
from generator.sandbox.login import token_of
from generator.sandbox.vault_contents import connect
from tests.e2e.fleets import client_of, ended, new_fleet, reachable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from generator.sandbox.toolchain import Toolchain
    from tests.e2e.fleets import FleetFolder

pytestmark = pytest.mark.toolchain

BUCKET, KEY = "fleet-state", "crosskeys/accounts/666666666666/vault.tfstate"
SETTINGS = {
    "vault": {"server_id_header": "vault.example.com", "auth_mount": "aws-clients"},
    "terraform": {
        "backend": {
            "type": "s3",
            "bucket": BUCKET,
            "key": "crosskeys/{root}.tfstate",
            "region": "us-east-1",
            "use_lockfile": True,
            "use_path_style": True,
        }
    },
}
# Whose the platform is makes no difference to the AWS side, so that it is left out.
VAULT = ("--side", "vault")
ORDERS = {"name": "orders", "account_id": "666666666666", "role_name": "orders-app", "aws": {"role": "existing"}}
ELSEWHERE = {
    **ORDERS,
    "name": "elsewhere",
    "role_name": "elsewhere",
    "vault": {"token_bound_cidrs": ["10.20.0.0/16"]},
}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[FleetFolder]:
    """The fleet, applied in the sandbox, where state is local whatever the roots say."""
    folder = tmp_path_factory.mktemp("others")
    with ended(new_fleet(folder, toolchain, SETTINGS, ORDERS, ELSEWHERE)) as fleet:
        fleet.call("apply", "--yes", *VAULT)
        yield fleet


def test_no_platform_is_rendered_and_the_sandbox_makes_it_by_its_api(fleet: FleetFolder) -> None:
    assert not (fleet.folder / "terraform/platform").exists()
    assert (fleet.sandbox / "state/accounts/666666666666/vault.tfstate").is_file()
    vault = connect(fleet.world().services)
    assert "aws-clients/" in vault.sys.list_auth_methods()["data"]
    config = vault.read("auth/aws-clients/config/client")["data"]
    assert config["iam_server_id_header_value"] == "vault.example.com"
    fleet.call("plan", "--check", *VAULT)


def test_its_client_reads_its_certificate(fleet: FleetFolder) -> None:
    fleet.call("sandbox", "login", "orders")
    world = fleet.world()
    vault, _ = token_of(world, client_of(world, "orders"))
    assert set(reachable(vault, "certs/666666666666/orders-app").values()) == {True}
    assert set(reachable(vault, "certs/666666666666/elsewhere").values()) == {False}


def test_client_bound_to_other_addresses_is_refused(fleet: FleetFolder) -> None:
    world = fleet.world()
    with pytest.raises(hvac.exceptions.Forbidden, match="permission denied"):
        token_of(world, client_of(world, "elsewhere"))
    vault = connect(world.services)
    role = vault.read("auth/aws-clients/role/elsewhere")["data"]
    assert role["token_bound_cidrs"] == ["10.20.0.0/16"]
    vault.write_data("auth/aws-clients/role/elsewhere", data={"token_bound_cidrs": "127.0.0.0/8"})
    try:
        token_of(world, client_of(world, "elsewhere"))
    finally:
        vault.write_data("auth/aws-clients/role/elsewhere", data={"token_bound_cidrs": "10.20.0.0/16"})


def test_rendered_s3_backend_keeps_and_locks_its_state(
    fleet: FleetFolder, toolchain: Toolchain, tmp_path: Path
) -> None:
    """The root as it stands in the tree, run by Terraform alone: nothing overrides its backend."""
    world = fleet.world()
    root = tmp_path / "root"
    shutil.copytree(fleet.folder / "terraform/accounts/666666666666/vault", root)

    def terraform(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [toolchain.terraform, f"-chdir={root}", *arguments],
            env=allowed(world.variables()),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    s3 = world.accounts.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    init = terraform("init", "-input=false", "-no-color")
    assert init.returncode == 0, init.stderr
    s3.put_object(Bucket=BUCKET, Key=f"{KEY}.tflock", Body=json.dumps({"ID": "held", "Who": "someone"}))
    locked = terraform("apply", "-input=false", "-no-color", "-auto-approve")
    assert locked.returncode == 1
    assert "Error acquiring the state lock" in locked.stderr
    s3.delete_object(Bucket=BUCKET, Key=f"{KEY}.tflock")

    applied = terraform("apply", "-input=false", "-no-color", "-auto-approve")
    assert applied.returncode == 0, applied.stderr
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == [KEY]
    state = json.loads(s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read())
    assert {f"{each['type']}.{each['name']}" for each in state["resources"]} == {
        "vault_aws_auth_backend_role.elsewhere",
        "vault_aws_auth_backend_role.orders",
        "vault_policy.elsewhere",
        "vault_policy.orders",
    }
    assert terraform("plan", "-input=false", "-no-color", "-detailed-exitcode").returncode == 0
    assert not list(root.glob("*.tfstate*"))
