"""What a refusal of a login means: Vault's words, STS's and its core's, to the line that causes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from generator import pipeline
from generator.live.aws import time_of
from generator.live.login import Outcome, clock
from generator.live.login_causes import explain_login, principal

if TYPE_CHECKING:
    from pathlib import Path

    from generator.live.login_causes import Cause

ACCOUNT = "111111111111"
SETTINGS = """version: 1
vault:
  server_id_header: vault.example.com
  auth_mount: aws
  namespace: admin
  sts_region_from_client: true
  principals: ["arn:aws:iam::999999999999:role/hcp-vault"]
"""
MANIFEST = f"""name: pay
account_id: "{ACCOUNT}"
role_name: Pay-App
owner: team@example.com
"""
STS = "name: near\nowner: near@example.com\nsts: {role: vault-lookup, external_id: crosskeys-111111111111}\n"
CALLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/Pay-App/i-0123456789abcdef0"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "clients/accounts").mkdir(parents=True)
    (tmp_path / "crosskeys.yaml").write_text(SETTINGS)
    (tmp_path / f"clients/accounts/{ACCOUNT}.yaml").write_text(STS)
    return tmp_path


def explained(folder: Path, said: str, more: str = "", caller: str = CALLER) -> tuple[Cause, str]:
    """Return the cause, and the line that it points at."""
    (folder / "clients/pay.yaml").write_text(MANIFEST + more)
    validated = pipeline.validate(folder)
    assert not validated.has_errors, validated.findings
    fleet = validated.fleet
    cause = explain_login(said, fleet.clients[0], fleet, caller)
    if cause.span is None:
        return cause, ""
    return cause, (folder / cause.span.path).read_text().splitlines()[cause.span.line - 1].strip()


NOT_FOUND = "entry for role pay-app not found"
OTHER = 'IAM Principal "{}" does not belong to the role "Pay-App"'
EC2 = 'vault: {ec2: {region: us-east-1, vpc_ids: ["vpc-0a1b2c3d"]}}\n'
UNIQUE = "vault: {resolve_unique_ids: true}\n"
CIDRS = "vault:\n  token_bound_cidrs: [10.20.0.0/16]\n"
INSTANCE = "failed to verify i-0123456789abcdef0 as a valid EC2 instance in region us-east-1: error fetching: {}"


@pytest.mark.parametrize(
    ("said", "more", "line", "why"),
    [
        (NOT_FOUND, "", "role_name: Pay-App", "Vault has no role Pay-App"),
        (NOT_FOUND, "vault:\n  role: other\n", "role: other", "Vault has no role other"),
        (OTHER.format(f"arn:aws:iam::{ACCOUNT}:user/team/alice"), "", "role_name: Pay-App", "it is a user"),
        (OTHER.format(f"arn:aws:sts::{ACCOUNT}:assumed-role/pay-app/x"), "", "role_name: Pay-App", "case of letters"),
        (OTHER.format("arn:aws:sts::222222222222:assumed-role/Pay-App/x"), "", f'account_id: "{ACCOUNT}"',
         "it runs in account 222222222222"),
        (OTHER.format(CALLER), UNIQUE, UNIQUE.strip(), "made anew since"),
        (OTHER.format(CALLER), "", "role_name: Pay-App", "bound to another principal"),
        ('error validating X-Vault-AWS-IAM-Server-ID header: expected "a" but got "b"', "",
         "server_id_header: vault.example.com", "Vault expects the server id a"),
        ("error validating X-Vault-AWS-IAM-Server-ID header: vault header wasn't signed", "",
         "server_id_header: vault.example.com", "not part of what was signed"),
        (INSTANCE.format("AccessDenied: not authorized"), EC2, STS.splitlines()[2], "may not look into account"),
        (INSTANCE.format("InvalidInstanceID.NotFound"), EC2, EC2.strip(), "finds no running instance"),
        ('error validating instance: VPC ID "vpc-1" does not satisfy the constraint on role "pay"', EC2, EC2.strip(),
         "none of those"),
        ("permission denied", CIDRS, "token_bound_cidrs: [10.20.0.0/16]", "10.20.0.0/16"),
        ("permission denied", "", "auth_mount: aws", "no auth method at aws/"),
        ('no handler for route "auth/aws/login". route entry not found.', "", "auth_mount: aws", "no AWS auth method"),
        ("unsupported path", "", "auth_mount: aws", "no AWS auth method"),
        ("namespace not authorized", "", "namespace: admin", "no namespace admin"),
        ("auth method iam not allowed for role pay", "", "role_name: Pay-App", "of another auth type"),
        ("something else", "", "", "not known here"),
    ],
)  # fmt: skip
def test_a_refusal_is_explained_by_its_line(folder: Path, said: str, more: str, line: str, why: str) -> None:
    cause, shown = explained(folder, said, more)
    assert why in cause.why
    assert shown == line
    assert cause.help
    assert cause.reached
    assert not cause.wanted


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            "error making upstream request: received error code 403 from STS: <Code>InvalidClientTokenId</Code>",
            "revoked",
        ),
        ("error making upstream request: received error code 403 from STS: ", "STS does not accept"),
        ("error making upstream request: error making request: dial tcp: i/o timeout", "Vault cannot reach STS"),
        ("Vault is sealed", "sealed or down"),
    ],
)
def test_what_vault_could_not_judge_is_told_apart(folder: Path, said: str, why: str) -> None:
    cause, _ = explained(folder, said)
    assert why in cause.why
    assert not cause.reached


@pytest.mark.parametrize(
    "more", ["suspend: {reason: key leaked}\n", 'retire: {approved_until: "2999-01-31", reason: moved}\n']
)
def test_a_client_that_shall_not_log_in_is_refused_as_it_shall_be(folder: Path, more: str) -> None:
    cause, shown = explained(folder, NOT_FOUND, more)
    assert cause.wanted
    assert shown == more.strip()


@pytest.mark.parametrize(
    ("arn", "found"),
    [
        ("arn:aws:sts::111111111111:assumed-role/app/i-1", ("111111111111", "assumed-role", "app")),
        ("arn:aws:iam::111111111111:user/team/alice", ("111111111111", "user", "alice")),
        ("arn:aws:iam::111111111111:root", ("111111111111", "root", "")),
        ("arn:aws-cn:iam::111111111111:role/apps/app", ("111111111111", "role", "app")),
        ("nonsense", ("", "", "nonsense")),
    ],
)
def test_who_an_arn_is(arn: str, found: tuple[str, str, str]) -> None:
    assert principal(arn) == found


@pytest.mark.parametrize(
    ("seconds", "outcome", "said"),
    [(-2, "ok", "within 2 s"), (299, "ok", "within 299 s"), (400, "failed", "ahead of"), (-400, "failed", "behind")],
)
def test_a_clock_may_be_off_by_as_much_as_aws_takes(seconds: float, outcome: str, said: str) -> None:
    step = clock(seconds)
    assert step.outcome is Outcome(outcome)
    assert said in step.said


@pytest.mark.parametrize("date", [None, "", "yesterday", "Tue, 99 Nov 2026 25:00:00 GMT"])
def test_a_clock_that_nothing_can_be_compared_with_is_not_called_right(date: str | None) -> None:
    assert clock(time_of(date)).outcome is Outcome.UNKNOWN


def test_a_date_of_an_answer_is_read_in_seconds_since_1970() -> None:
    assert time_of("Thu, 01 Jan 1970 00:01:40 GMT") == 100
