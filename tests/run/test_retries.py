from __future__ import annotations

import pytest

from generator.diagnostics import Severity
from generator.report.runs import ResourceChange, TerraformDiagnostic
from generator.run.retries import PASSING, beyond, cause, delay

VAULT = "Error making API request.\n\nURL: PUT http://127.0.0.1:8200/v1/sys/policies/acl/p\nCode: {}. Errors:\n\n* {}"
AWS = "operation error IAM: CreateRole, https response error StatusCode: {}, RequestID: 1-2-3, {}"
LOCK = (
    "Error acquiring the state lock",
    "Error message: resource temporarily unavailable\nLock Info:\n  ID:        2f0c\n  Who:       somebody@runner\n",
)

PASSES = [
    (f"error writing to Vault: {VAULT.format(503, 'Vault is sealed')}", ""),
    (f"error writing to Vault: {VAULT.format(429, 'request path: rate limit quota exceeded')}", ""),
    (f"error reading from Vault: {VAULT.format(412, 'required index state not present')}", ""),
    (f"error reading from Vault: {VAULT.format(500, 'internal error')}", ""),
    ("failed", "Error making API request.\n\nURL: GET http://x/v1/a\nCode: 502. Raw Message:\n\n<html>"),
    ("failed to lookup token", 'Get "https://vault:8200/v1/a": dial tcp 10.0.0.1:8200: connect: connection refused'),
    ("failed", 'Put "https://vault:8200/v1/a": read tcp 10.0.0.1:1->10.0.0.2:2: read: connection reset by peer'),
    ("failed", 'Get "https://vault:8200/v1/a": EOF'),
    ("creating IAM Role (payments-app)", AWS.format(400, "api error Throttling: Rate exceeded")),
    ("creating IAM Role (payments-app)", AWS.format(503, "ServiceUnavailable: try later")),
    ("creating IAM Role", AWS.format(0, "request send failed, Post: dial tcp: lookup iam: i/o timeout")),
    (
        "creating IAM Role (vault-lookup)",
        AWS.format(400, 'MalformedPolicyDocument: Invalid principal in policy: "AWS":"arn:aws:iam::1:role/x"'),
    ),
    ("adding role to profile", AWS.format(404, "api error NoSuchEntity: The role with name x cannot be found.")),
    LOCK,
]
STAYS = [
    (f"error writing to Vault: {VAULT.format(403, 'permission denied')}", ""),
    (f"error writing to Vault: {VAULT.format(400, 'invalid bound ARN')}", ""),
    (f"error writing to Vault: {VAULT.format(501, 'Vault is not initialized')}", ""),
    ("creating IAM Role (payments-app)", AWS.format(403, "api error AccessDenied: not authorized")),
    ("creating IAM Role (payments-app)", AWS.format(409, "EntityAlreadyExists: Role with name x already exists.")),
    ("creating IAM Role (payments-app)", AWS.format(409, "LimitExceeded: Cannot exceed quota for RolesPerAccount")),
    ("creating IAM Role", AWS.format(400, "MalformedPolicyDocument: Syntax errors in policy.")),
    ("Error acquiring the state lock", "Error message: AccessDenied: not authorized to perform s3:PutObject"),
    ("Failed to persist state to backend", "The error shown above has prevented Terraform from writing the state"),
    ("Saved plan is stale", "The given plan file can no longer be applied"),
    ("terraform apply was killed by signal 9 without saying why", ""),
    ("Plugin did not respond", "The plugin encountered an error, and failed to respond to the call"),
    ("Unsupported argument", 'An argument named "code_503" is not expected here. Code: 503'),
]


def error(summary: str, detail: str = "") -> TerraformDiagnostic:
    return TerraformDiagnostic(Severity.ERROR, summary, detail)


@pytest.mark.parametrize(("summary", "detail"), PASSES)
def test_what_may_pass_by_itself_is_tried_again(summary: str, detail: str) -> None:
    assert cause([error(summary, detail)]) is not None


@pytest.mark.parametrize(("summary", "detail"), STAYS)
def test_what_is_here_to_stay_is_not(summary: str, detail: str) -> None:
    assert cause([error(summary, detail)]) is None


def test_one_error_that_stays_makes_the_others_not_worth_waiting_for() -> None:
    assert cause([error(*PASSES[0]), error(*PASSES[1])]) is not None
    assert cause([error(*PASSES[0]), error(*STAYS[0])]) is None


def test_warnings_neither_help_nor_hinder() -> None:
    warning = TerraformDiagnostic(Severity.WARNING, "Deprecated", "connection refused")
    assert cause([warning]) is None
    assert cause([]) is None
    assert cause([warning, error(*PASSES[0])]) is not None


def test_each_kind_has_an_example_and_a_source() -> None:
    for kind in PASSING:
        assert any(kind.pattern.search("\n".join(text)) for text in PASSES), kind.cause
        assert kind.source


def test_waiting_doubles_within_a_bound_and_is_spread() -> None:
    assert [delay(attempt, lambda _low, high: high) for attempt in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]
    assert all(0 <= delay(3) <= 4 for _ in range(100))
    assert len({delay(3) for _ in range(9)}) == 9


def change(action: str, name: str) -> ResourceChange:
    return ResourceChange(f"vault_policy.{name}", action)


def imported(action: str, name: str) -> ResourceChange:
    return ResourceChange(f"vault_policy.{name}", action, imported=True)


@pytest.mark.parametrize(
    ("now", "left"),
    [
        ([], []),
        ([change("create", "new")], []),
        ([change("create", "replaced")], []),
        ([change("replace", "replaced"), change("delete", "old")], []),
        ([change("replace", "new")], [change("replace", "new")]),
        ([change("delete", "replaced")], [change("delete", "replaced")]),
        ([change("delete", "kept")], [change("delete", "kept")]),
        ([change("update", "other")], [change("update", "other")]),
        ([change("create", "old")], [change("create", "old")]),
        ([imported("update", "taken")], []),
        ([change("update", "taken")], []),
        ([imported("import", "taken")], []),
        ([change("create", "taken")], [change("create", "taken")]),
        ([imported("replace", "taken")], [imported("replace", "taken")]),
        ([imported("import", "old")], [imported("import", "old")]),
    ],
)
def test_a_new_plan_may_do_what_was_agreed_to_and_nothing_else(
    now: list[ResourceChange], left: list[ResourceChange]
) -> None:
    agreed = [
        change("create", "new"),
        change("replace", "replaced"),
        change("delete", "old"),
        imported("update", "taken"),
    ]
    assert list(beyond(agreed, now)) == left
