"""Servers that are killed, IAM roles that are lost: what comes back by itself, and what the next apply makes again."""

from __future__ import annotations

import os
import signal
import socket
import time
from typing import TYPE_CHECKING, Any

import hvac
import pytest

from generator.sandbox import server, services
from generator.sandbox.login import token_of
from generator.sandbox.vault_contents import connect
from tests.e2e.fleets import aws_objects, client_of, copy_of_example, ended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.sandbox.services import ServerStatus
    from generator.sandbox.toolchain import Toolchain
    from generator.sandbox.world import World
    from tests.e2e.fleets import FleetFolder

pytestmark = pytest.mark.toolchain

ACCOUNT = "222222222222"


@pytest.fixture(scope="module")
def analytics(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[FleetFolder]:
    """The one account of the example fleet that Vault looks into, applied."""
    with ended(copy_of_example(tmp_path_factory.mktemp("analytics"), toolchain)) as fleet:
        for path in [*fleet.folder.glob("clients/*.yaml"), *fleet.folder.glob("clients/accounts/*.yaml")]:
            if path.stem != ACCOUNT and f'account_id: "{ACCOUNT}"' not in path.read_text():
                path.unlink()
        fleet.call("render")
        fleet.call("apply", "--yes")
        yield fleet


def kill(running: ServerStatus) -> None:
    assert running.pid is not None
    assert running.address is not None
    os.kill(running.pid, signal.SIGKILL)
    port, deadline = int(running.address.rpartition(":")[2]), time.monotonic() + 10
    # Its threads end one after the other, and the last one closes the port.
    while not server.is_free(port) and time.monotonic() < deadline:
        time.sleep(0.01)


def can_log_in(world: World) -> set[str]:
    """Return the clients that can log in."""
    granted = set()
    for client in world.fleet.clients:
        try:
            token_of(world, client)
        except hvac.exceptions.InvalidRequest:
            continue
        granted.add(client.name)
    return granted


def recreate(iam: Any, name: str) -> None:
    """Delete an IAM role and make it anew, alike but for its unique id."""
    role = iam.get_role(RoleName=name)["Role"]
    iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=name)
    iam.delete_role(RoleName=name)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    assert iam.get_role(RoleName=name)["Role"]["RoleId"] != role["RoleId"]


ALL = {"reports-eu", "scanner", "vault-backup"}


def test_killed_vault_comes_back_with_the_next_plan_which_is_empty(analytics: FleetFolder) -> None:
    kill(services.status(analytics.sandbox).vault)
    analytics.call("sandbox", "status", code=4)
    done = analytics.call("plan", "--check", "--side", "vault")
    assert "Vault is up at " in done.err
    analytics.call("sandbox", "status")
    assert can_log_in(analytics.world()) == ALL


def test_recreated_iam_role_is_locked_out_where_vault_is_bound_to_its_unique_id(analytics: FleetFolder) -> None:
    world = analytics.world()
    iam = world.accounts.client("iam", world.accounts.owner_of(ACCOUNT))
    for role in ("vault-backup", "reports"):
        recreate(iam, role)
    assert can_log_in(world) == ALL - {"vault-backup"}
    with pytest.raises(hvac.exceptions.InvalidRequest, match='does not belong to the role "vault-backup"'):
        token_of(world, client_of(world, "vault-backup"))
    # Terraform does not see it: the way back is to remove the Vault role and apply.
    connect(world.services).delete("auth/aws/role/vault-backup")
    analytics.call("apply", "--yes", "--side", "vault")
    assert can_log_in(world) == ALL


def test_killed_aws_is_seeded_again_and_the_next_apply_makes_again_what_was_lost(analytics: FleetFolder) -> None:
    before = aws_objects(analytics.world(), ACCOUNT).keys()
    kill(services.status(analytics.sandbox).aws)
    said = analytics.call("sandbox", "up").err
    assert "AWS has lost its memory" in said
    assert "removed the Vault role vault-backup" in said
    assert "prepared the AWS accounts" in said
    world = analytics.world()
    assert aws_objects(world, ACCOUNT).keys() == {f"arn:aws:iam::{ACCOUNT}:role/crosskeys-provisioner"}
    analytics.call("apply", "--yes")
    assert aws_objects(world, ACCOUNT).keys() == before
    analytics.call("plan", "--check")
    assert can_log_in(world) == ALL


def test_taken_port_is_left_to_whoever_has_it(analytics: FleetFolder) -> None:
    before = services.status(analytics.sandbox).vault
    kill(before)
    assert before.address is not None
    with socket.create_server(("127.0.0.1", int(before.address.rpartition(":")[2]))):
        analytics.call("sandbox", "up")
        after = services.status(analytics.sandbox).vault
    assert after.state == "up"
    assert after.address != before.address


def test_up_and_down_may_be_said_twice(analytics: FleetFolder) -> None:
    assert analytics.call("sandbox", "down").out == "the sandbox is down\n"
    assert analytics.call("sandbox", "down").out == "the sandbox was not up\n"
    analytics.call("sandbox", "status", code=4)
    assert "Vault is up at " in analytics.call("sandbox", "up").err
    before = services.status(analytics.sandbox)
    assert analytics.call("sandbox", "up").err == ""
    assert services.status(analytics.sandbox) == before
