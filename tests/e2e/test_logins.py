"""Every client of the example fleet against every door: what it can reach is its own, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from generator.sandbox.login import token_of
from generator.sandbox.vault_contents import connect
from tests.e2e.fleets import POISON, REPOSITORY, client_of, is_allowed, reachable

if TYPE_CHECKING:
    from generator.sandbox.world import World
    from tests.e2e.fleets import FleetFolder

pytestmark = pytest.mark.toolchain

CLIENTS = sorted(path.stem for path in (REPOSITORY / "clients").glob("*.yaml"))


def test_second_plan_is_empty(example: FleetFolder) -> None:
    example.run("-vv", "plan", "--check", environment=POISON)


@pytest.mark.parametrize("name", CLIENTS)
def test_client_reads_its_own_certificate_and_the_shared_paths_granted_to_it_and_nothing_else(
    world: World, example: FleetFolder, name: str
) -> None:
    me = client_of(world, name)
    vault, _ = token_of(world, me)
    assert set(vault.auth.token.lookup_self()["data"]["policies"]) == {"default", me.vault_policy}

    found = vault.read(f"secret/data/{me.directory}/tls")["data"]["data"]["certificate"]
    subject = x509.load_pem_x509_certificate(found.encode()).subject
    assert subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == name

    for other in world.fleet.clients:
        assert set(reachable(vault, other.directory).values()) == {other.name == name}, other.name
    granted = [grant["path"] for grant in example.manifest(f"clients/{name}.yaml").get("grants", ())]
    for shared in world.fleet.settings.shared_paths:
        assert set(reachable(vault, shared.path).values()) == {shared.path in granted}, shared.path


@pytest.mark.parametrize("name", CLIENTS)
def test_client_changes_nothing_and_looks_into_no_folder_above_or_beside_its_own(world: World, name: str) -> None:
    me = client_of(world, name)
    vault, _ = token_of(world, me)
    certificate = f"{me.directory}/tls"
    for write in (
        lambda: vault.write_data(f"secret/data/{certificate}", data={"data": {"certificate": "forged"}}),
        lambda: vault.write_data(f"secret/metadata/{certificate}", data={"max_versions": 1}),
        lambda: vault.delete(f"secret/data/{certificate}"),
        lambda: vault.delete(f"secret/metadata/{certificate}"),
        lambda: vault.write_data(f"auth/aws/role/{me.vault_role}", data={"token_policies": "root"}),
        lambda: vault.write_data(f"sys/policies/acl/{me.vault_policy}", data={"policy": 'path "*" {}'}),
    ):
        assert not is_allowed(write)
    for folder in ("", "/certs", f"/certs/{me.account_id}", f"/{me.directory}2", "/shared"):
        assert not is_allowed(vault.list, f"secret/metadata{folder}"), folder


def test_the_shared_path_is_granted_to_someone_and_not_to_everyone(world: World) -> None:
    granted = {client.name for client in world.fleet.clients if client.grants}
    assert granted == {"reports-us"}


def test_login_verb_shows_every_door_and_that_each_is_as_it_should_be(example: FleetFolder) -> None:
    shown = example.run("sandbox", "login", "payments").out
    assert "payments logged in to Vault as payments-app, being arn:aws:iam::111111111111:role/payments-app" in shown
    lines = [line.split() for line in shown.splitlines() if "certs/" in line or "shared/" in line]
    assert {line[0] for line in lines} == {*CLIENTS, "shared"}
    assert shown.count("as it should be") == len(lines)
    assert shown.count("403 permission denied") == len(lines) - 1
    assert "WRONG" not in shown


def test_login_verb_fails_when_a_policy_was_widened_in_vault(example: FleetFolder, world: World) -> None:
    policies = connect(world.services).sys
    text = policies.read_policy("payments-policy")["data"]["rules"]
    beside = client_of(world, "ledger").directory
    widened = f'{text}\npath "secret/data/{beside}/*" {{ capabilities = ["read"] }}\n'
    policies.create_or_update_policy("payments-policy", widened)
    try:
        shown = example.run("sandbox", "login", "payments", code=1).out
    finally:
        policies.create_or_update_policy("payments-policy", text)
    assert [line.split()[0] for line in shown.splitlines() if "WRONG" in line] == ["ledger"]


def test_login_verb_fails_when_the_client_cannot_read_its_own_certificate(example: FleetFolder, world: World) -> None:
    policies = connect(world.services).sys
    text = policies.read_policy("payments-policy")["data"]["rules"]
    policies.create_or_update_policy("payments-policy", text.replace("payments-app", "payments-ap"))
    try:
        shown = example.run("sandbox", "login", "payments", code=1).out
    finally:
        policies.create_or_update_policy("payments-policy", text)
    assert [line.split()[0] for line in shown.splitlines() if "WRONG" in line] == ["payments"]
