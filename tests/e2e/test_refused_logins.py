"""Logins that Vault must refuse, in its own words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import hvac
import pytest

from tests.e2e.fleets import HEADER, log_in

if TYPE_CHECKING:
    from generator.sandbox.world import World

pytestmark = pytest.mark.toolchain

HEADER_NAME = "X-Vault-AWS-IAM-Server-ID"


def refusal(world: World, arn: str, role: str, *, header: str | None = HEADER, session: str = "workload") -> str:
    """Return why Vault refuses a login in this role."""
    with pytest.raises(hvac.exceptions.VaultError) as refused:
        log_in(world, world.accounts.assume(arn, session), role, header)
    return str(refused.value).partition(", on post ")[0]


def test_the_same_login_is_granted_when_everything_is_right(world: World) -> None:
    keys = world.accounts.assume("arn:aws:iam::111111111111:role/payments-app", "workload")
    assert log_in(world, keys, "payments-app")[1]["policies"] == ["default", "payments-policy"]


def test_unknown_role(world: World) -> None:
    message = refusal(world, "arn:aws:iam::111111111111:role/payments-app", "nobody")
    assert message == "entry for role nobody not found"


@pytest.mark.parametrize(
    ("account_id", "iam_role", "vault_role"),
    [
        pytest.param("111111111111", "payments-app", "ledger-app", id="another client of the account"),
        pytest.param("111111111111", "payments-app", "search-indexer", id="a client of another account"),
        pytest.param("333333333333", "payments-app", "payments-app", id="same name in another account"),
        pytest.param("222222222222", "reports", "reports-us", id="same name in another account of the fleet"),
        pytest.param("111111111111", "Payments-app", "payments-app", id="same name in other letters"),
        pytest.param("111111111111", "payments-app2", "payments-app", id="longer name"),
        pytest.param("222222222222", "hcp-vault-lookup", "scanner", id="the role that Vault itself assumes"),
    ],
)
def test_principal_that_the_role_is_not_bound_to(world: World, account_id: str, iam_role: str, vault_role: str) -> None:
    message = refusal(world, f"arn:aws:iam::{account_id}:role/{iam_role}", vault_role)
    principal = f"arn:aws:sts::{account_id}:assumed-role/{iam_role}/workload"
    assert message == f'IAM Principal "{principal}" does not belong to the role "{vault_role}"'


def test_login_that_names_no_role_gets_the_one_of_its_iam_role(world: World) -> None:
    keys = world.accounts.assume("arn:aws:iam::111111111111:role/payments-app", "workload")
    assert log_in(world, keys, "")[1]["metadata"]["canonical_arn"] == "arn:aws:iam::111111111111:role/payments-app"
    assert refusal(world, "arn:aws:iam::111111111111:role/stranger", "") == "entry for role stranger not found"


def test_login_signed_for_another_server(world: World) -> None:
    message = refusal(world, "arn:aws:iam::111111111111:role/payments-app", "payments-app", header="vault.example.org")
    assert message == f'error validating {HEADER_NAME} header: expected "{HEADER}" but got "vault.example.org"'


def test_login_signed_for_no_server(world: World) -> None:
    message = refusal(world, "arn:aws:iam::111111111111:role/payments-app", "payments-app", header=None)
    assert message == f'error validating {HEADER_NAME} header: missing header "{HEADER_NAME}"'


@pytest.mark.parametrize("session", ["workload", "i-0123456789abcdef0"])
def test_client_bound_to_instances_that_is_on_none_of_its_account(world: World, session: str) -> None:
    message = refusal(world, "arn:aws:iam::222222222222:role/scanner", "scanner", session=session)
    assert re.match(f"failed to verify {session} as a valid EC2 instance in region eu-central-1", message)
