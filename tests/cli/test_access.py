"""The verb access."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from generator.errors import ExitCode
from tests.cli.conftest import edit

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

PAYMENTS = "terraform/accounts/111111111111/vault/client-payments.tf"


def test_a_client_is_shown_with_its_owner_account_principal_and_rules(run: Run) -> None:
    ended = run("access", "--client", "payments")
    assert ended.code == ExitCode.CLEAN
    head, login, *rules = ended.out.splitlines()
    assert head == "payments (payments-team@example.com), account 111111111111 retail-production"
    assert login == "  arn:aws:iam::111111111111:role/payments-app by the Vault role payments-app of auth/aws"
    assert rules[0].split() == [
        "read,", "list", "secret/data/certs/111111111111/payments-app/*", "own", f"{PAYMENTS}:11"
    ]  # fmt: skip
    assert "1 client, 2 rules." in ended.out
    assert "Not seen here: what their tokens may do by default." in ended.out


def test_the_place_that_is_named_holds_the_rule(run: Run, fleet: Path) -> None:
    for line in run("access", "--path", "secret/data/shared/ca/x", "--format", "concise").out.splitlines():
        place, _, rest = line.partition(": ")
        path, _, number = place.rpartition(":")
        assert f'path "{rest.split()[-1]}"' in (fleet / path).read_text("utf-8").splitlines()[int(number) - 1]


def test_who_reads_a_shared_path_is_who_was_granted_it(run: Run) -> None:
    ended = run("access", "--path", "secret/data/shared/ca/root", "--operation", "read")
    assert "shared by pki@example.com" in ended.out
    assert "1 client may read secret/data/shared/ca/root; 1 rule about it." in ended.out


def test_json_has_everything_and_the_masked_rules_apart(run: Run, fleet: Path) -> None:
    rule = '    path "secret/data/certs/111111111111/payments-app/*"'
    edit(fleet / PAYMENTS, rule, f'    path "secret/*" {{ capabilities = ["read"] }}\n{rule}')
    ended = run("access", "--path", "secret/data/certs/111111111111/payments-app/tls", "--format", "json")
    said = json.loads(ended.out)
    assert said["clients"] == ["payments"]
    assert said["undeclared_policies"] == ["default"]
    assert [(each["path"], each["decides"], each["operations"], each["sharing"]) for each in said["rules"]] == [
        ("secret/*", False, [], "other"),
        ("secret/data/certs/111111111111/payments-app/*", True, ["read", "list"], "own"),
    ]
    assert said["rules"][0]["owner"] == "payments-team@example.com"
    assert (said["rules"][0]["file"], said["rules"][0]["line"]) == (PAYMENTS, 11)


def test_nobody_is_an_answer(run: Run) -> None:
    ended = run("access", "--path", "secret/data/nobodys/x")
    assert (ended.code, ended.err) == (ExitCode.CLEAN, "")
    assert ended.out == "By what terraform/ declares, nobody reaches secret/data/nobodys/x.\n"
    narrowed = run("access", "--path", "secret/data/nobodys/x", "--client", "payments", "--operation", "read")
    assert "nobody of those that were asked about may read secret/data/nobodys/x." in narrowed.out
    assert json.loads(run("access", "--path", "x", "--format", "json").out)["rules"] == []


def test_a_path_without_the_area_of_the_engine_is_hinted_at(run: Run) -> None:
    assert "secret/data/…" in run("access", "--path", "secret/certs/111111111111/payments-app/tls").err


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("secret/data/certs/111111111111/*", "a request has no wildcards"),
        ("secret/data/certs/+/x", "a request has no wildcards"),
        ("/v1/secret/data/certs/111111111111/payments-app/tls", "leave out v1/"),
    ],
)
def test_nobody_is_explained_where_the_question_is_the_likely_reason(run: Run, path: str, hint: str) -> None:
    ended = run("access", "--path", path)
    assert (ended.code, hint in ended.err) == (ExitCode.CLEAN, True)
    assert "nobody reaches" in ended.out


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("secret/data/certs/111111111111/payments-app/../../222222222222/x", "Vault redirects"),
        ("secret/data/certs/111111111111/payments-app//x", "Vault redirects"),
        ("secret/data/certs/111111111111/payments-app/\x1b[31m", "is no path"),
        ("", "is no path"),
    ],
)
def test_no_answer_is_given_about_a_path_of_which_vault_decides_nothing(run: Run, path: str, said: str) -> None:
    ended = run("access", "--path", path)
    assert (ended.code, ended.out) == (ExitCode.USAGE, "")
    assert said in ended.err


def test_it_is_said_where_a_newer_vault_lists_otherwise(run: Run, fleet: Path) -> None:
    rule = '    path "secret/data/certs/111111111111/payments-app/*"'
    denied = "secret/metadata/certs/111111111111/payments-app/a"
    edit(fleet / PAYMENTS, rule, f'    path "{denied}/*" {{ capabilities = ["deny"] }}\n{rule}')
    assert "from 2.0.3 on it decides otherwise to list for payments" in run("access", "--path", denied).err
    assert run("access", "--path", denied, "--operation", "read").err == ""
    assert run("access", "--path", f"{denied}/b").err == ""


def test_a_suspended_and_a_retired_client_reach_nothing_and_it_is_said_why(run: Run, fleet: Path) -> None:
    for name, key in (
        ("payments", "suspend: {reason: x}"),
        ("ledger", 'retire: {approved_until: "2099-01-01", reason: x}'),
    ):
        with (fleet / f"clients/{name}.yaml").open("a") as file:
            file.write(f"\n{key}\n")
    assert run("render").code == ExitCode.CLEAN
    suspended, retired = run("access", "--client", "payments"), run("access", "--client", "ledger")
    assert suspended.code == retired.code == ExitCode.CLEAN
    assert "payments is suspended" in suspended.err
    assert "ledger is retired" in retired.err


@pytest.mark.parametrize(
    ("option", "name", "near"),
    [
        ("--client", "paymets", "payments"),
        ("--account", "111111111112", "111111111111"),
        ("--principal", "arn:aws:iam::111111111111:role/payment-app", "arn:aws:iam::111111111111:role/payments-app"),
    ],
)
def test_a_name_that_is_unknown_is_a_usage_error_with_the_nearest(run: Run, option: str, name: str, near: str) -> None:
    ended = run("access", option, name)
    assert (ended.code, ended.out) == (ExitCode.USAGE, "")
    assert f"`{name}`" in ended.err
    assert f"did you mean {near}" in ended.err


def test_asking_about_nothing_is_a_usage_error(run: Run) -> None:
    for arguments in ((), ("--operation", "read")):
        ended = run("access", *arguments)
        assert ended.code == ExitCode.USAGE
        assert "--client, --path, --principal, --account" in ended.err


def test_a_tree_that_cannot_be_read_is_findings(run: Run, fleet: Path) -> None:
    edit(fleet / PAYMENTS, '"iam"', "var.auth")
    ended = run("access", "--client", "payments")
    assert ended.code == ExitCode.FINDINGS
    assert PAYMENTS in ended.out


def test_manifests_with_errors_leave_the_tree_readable(run: Run, fleet: Path) -> None:
    edit(fleet / "clients/payments.yaml", "owner:", "owned_by:")
    ended = run("access", "--client", "payments")
    assert ended.code == ExitCode.CLEAN
    assert "payments (no manifest names it)" in ended.out
    assert "warning: the manifests have errors" in ended.err
