"""Defaults: client before account before fleet, and names spelt out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from generator.manifest.fleet import Client, Fleet, resolve
from generator.manifest.load import load

if TYPE_CHECKING:
    from pathlib import Path

CLIENT = 'name: pay\naccount_id: "123456789012"\nrole_name: pay-app\nowner: pay@example.com\n'
ACCOUNT = "name: retail\nowner: retail@example.com\n"


def fleet(folder: Path, more: str = "", settings: str = "", account: str | None = None) -> Fleet:
    (folder / "clients" / "accounts").mkdir(parents=True, exist_ok=True)
    (folder / "clients" / "pay.yaml").write_text(CLIENT + more)
    (folder / "crosskeys.yaml").write_text(f"version: 1\n{settings}")
    if account is not None:
        (folder / "clients" / "accounts" / "123456789012.yaml").write_text(ACCOUNT + account)
    manifests, findings = load(folder)
    assert findings == ()
    return resolve(manifests)


def only(folder: Path, more: str = "", settings: str = "", account: str | None = None) -> Client:
    (client,) = fleet(folder, more, settings, account).clients
    return client


class TestTheRegistration:
    def test_four_lines_are_the_whole_of_it(self, tmp_path: Path) -> None:
        client = only(tmp_path)
        assert client.vault_role == "pay-app"
        assert client.vault_policy == "pay-policy"
        assert client.principal_arn == "arn:aws:iam::123456789012:role/pay-app"
        assert client.directory == "certs/123456789012/pay-app"
        assert (client.token_ttl, client.token_max_ttl) == (None, None)
        assert client.resolve_unique_ids is False
        assert client.needs_sts is False
        assert client.workload is not None
        assert client.workload.instance_profile == "pay-app"
        assert client.workload.trusted_services == ("ec2.amazonaws.com",)
        assert client.path == "clients/pay.yaml"

    def test_the_bound_arn_never_has_the_roles_path(self, tmp_path: Path) -> None:
        client = only(tmp_path, "aws: {role_path: /apps/}\n")
        assert client.principal_arn == "arn:aws:iam::123456789012:role/pay-app"
        assert client.workload is not None
        assert client.workload.path == "/apps/"


class TestNaming:
    def test_the_fleets_naming_is_spelt_out(self, tmp_path: Path) -> None:
        settings = "vault: {role: '{account_id}-{name}', policy: 'p.{role_name}', directory: 'tls/{name}'}\n"
        client = only(tmp_path, settings=settings)
        assert client.vault_role == "123456789012-pay"
        assert client.vault_policy == "p.pay-app"
        assert client.directory == "tls/pay"

    def test_the_clients_own_names_come_first(self, tmp_path: Path) -> None:
        client = only(tmp_path, "vault: {role: a, policy: b}\n", "vault: {role: '{name}', policy: '{name}'}\n")
        assert (client.vault_role, client.vault_policy) == ("a", "b")


class TestDefaults:
    def test_token_limits(self, tmp_path: Path) -> None:
        settings = "defaults: {token_ttl: 1h, token_max_ttl: 4h}\n"
        assert only(tmp_path, "vault: {token_ttl: 15m}\n", settings).token_ttl == 900
        assert only(tmp_path, "vault: {token_ttl: 15m}\n", settings).token_max_ttl == 14400

    @pytest.mark.parametrize(
        ("client", "account", "settings", "boundary"),
        [
            (True, True, True, "arn:aws:iam::123456789012:policy/client"),
            (False, True, True, "arn:aws:iam::123456789012:policy/account"),
            (False, False, True, "arn:aws:iam::123456789012:policy/fleet"),
            (False, False, False, None),
        ],
    )
    def test_the_boundary_is_the_clients_then_the_accounts_then_the_fleets(
        self, tmp_path: Path, *, client: bool, account: bool, settings: bool, boundary: str | None
    ) -> None:
        found = fleet(
            tmp_path,
            "aws: {permissions_boundary: 'arn:aws:iam::123456789012:policy/client'}\n" if client else "",
            "aws: {permissions_boundary: 'arn:aws:iam::{account_id}:policy/fleet'}\n" if settings else "",
            "permissions_boundary: arn:aws:iam::123456789012:policy/account\n" if account else "",
        )
        workload = found.clients[0].workload
        assert workload is not None
        assert workload.permissions_boundary == boundary

    def test_the_sts_role_is_bounded_by_the_account_never_by_a_client(self, tmp_path: Path) -> None:
        found = fleet(
            tmp_path,
            "aws: {permissions_boundary: 'arn:aws:iam::123456789012:policy/client'}\n",
            "aws: {permissions_boundary: 'arn:aws:iam::{account_id}:policy/fleet'}\n",
        )
        assert found.accounts[0].sts_boundary == "arn:aws:iam::123456789012:policy/fleet"

    def test_region_and_tags_of_an_account(self, tmp_path: Path) -> None:
        settings = "aws: {region: eu-west-1, tags: {a: fleet, b: fleet}}\n"
        assert fleet(tmp_path, settings=settings).accounts[0].region == "eu-west-1"
        (account,) = fleet(tmp_path, settings=settings, account="region: eu-west-2\ntags: {b: own}\n").accounts
        assert account.region == "eu-west-2"
        assert account.tags == {"a": "fleet", "b": "own"}

    def test_no_role_is_made_where_one_exists(self, tmp_path: Path) -> None:
        assert only(tmp_path, "aws: {role: existing}\n").workload is None

    def test_a_client_can_do_without_an_instance_profile(self, tmp_path: Path) -> None:
        client = only(tmp_path, "aws: {instance_profile: none}\n")
        assert client.workload is not None
        assert client.workload.instance_profile is None

    @pytest.mark.parametrize(
        ("partition", "region", "service"),
        [
            ("aws", "us-east-1", "ec2.amazonaws.com"),
            ("aws-us-gov", "us-gov-west-1", "ec2.amazonaws.com"),
            ("aws-cn", "cn-north-1", "ec2.amazonaws.com.cn"),
        ],
    )
    def test_arn_and_service_are_the_partitions(
        self, tmp_path: Path, partition: str, region: str, service: str
    ) -> None:
        settings = f"aws: {{partition: {partition}, region: {region}}}\n"
        client = only(tmp_path, settings=settings)
        assert client.principal_arn == f"arn:{partition}:iam::123456789012:role/pay-app"
        assert client.workload is not None
        assert client.workload.trusted_services == (service,)
        assert only(tmp_path, "aws: {role: existing}\n", settings=settings).trusted_services == (service,)


class TestAccounts:
    @pytest.mark.parametrize("more", ["vault: {resolve_unique_ids: true}\n", "vault: {ec2: {region: us-east-1}}\n"])
    def test_unique_ids_and_ec2_inference_need_a_way_into_the_account(self, tmp_path: Path, more: str) -> None:
        assert only(tmp_path, more).needs_sts

    def test_an_account_without_a_manifest_is_handed_over(self, tmp_path: Path) -> None:
        (account,) = fleet(tmp_path).accounts
        assert (account.managed, account.sts, account.owner, account.path) == (False, None, None, "crosskeys.yaml")

    def test_an_account_that_has_a_manifest_and_no_clients_is_there(self, tmp_path: Path) -> None:
        other = tmp_path / "clients" / "accounts" / "999999999999.yaml"
        other.parent.mkdir(parents=True)
        other.write_text(f"{ACCOUNT}provisioning: managed\n")
        found = fleet(tmp_path)
        assert [(account.id, account.managed, len(account.clients)) for account in found.accounts] == [
            ("123456789012", False, 1),
            ("999999999999", True, 0),
        ]
        assert found.accounts[1].path == "clients/accounts/999999999999.yaml"

    def test_clients_are_by_account_and_name(self, tmp_path: Path) -> None:
        folder = tmp_path / "clients"
        folder.mkdir()
        for name, account_id in (("b", "222222222222"), ("c", "111111111111"), ("a", "222222222222")):
            text = CLIENT.replace("name: pay\n", f"name: {name}\n", 1).replace("123456789012", account_id)
            (folder / f"{name}.yaml").write_text(text)
        assert [client.name for client in fleet(tmp_path).clients] == ["c", "pay", "a", "b"]
