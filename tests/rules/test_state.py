"""Where state may be kept: each root's apart, out of the tree, and no credential in the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from generator.rules import state

if TYPE_CHECKING:
    from tests.rules.conftest import Judge

CLIENT = 'name: a\naccount_id: "111111111111"\nrole_name: a\nowner: a@example.com\n'


def judged(judge: Judge, backend: str) -> list[tuple[str, str]]:
    """Return each finding's rule and the text at its place, for a backend written on one line."""
    line = f"terraform: {{backend: {{{backend}}}}}"
    found = judge({"crosskeys.yaml": f"{line}\n", "clients/a.yaml": CLIENT})
    assert all(finding.help for finding in found)
    return [(finding.rule, line[finding.span.column - 1 : finding.span.end_column - 1]) for finding in found]


@pytest.mark.parametrize(
    "backend",
    [
        "type: local",
        "type: local, path: '../state/{root}.tfstate'",
        "type: s3, bucket: b, key: '{root}', assume_role: {role_arn: r, policy_arns: [p]}, use_lockfile: true",
        "type: s3, bucket: 'b-{root_label}', key: k",
        "type: http, address: 'https://example.com/{root}', lock_address: 'https://example.com/{root}/lock'",
        "type: pg, schema_name: '{root}'",
        "type: remote, organization: o, workspaces: {name: '{root_label}'}",
        "type: kubernetes, secret_suffix: '{root_label}', exec: {api_version: v, command: c, args: [a]}",
        "type: of_tomorrow, anything: '{root}'",
    ],
)
def test_state_of_each_root_apart_is_fine(judge: Judge, backend: str) -> None:
    assert judged(judge, backend) == []


@pytest.mark.parametrize(
    ("backend", "at"),
    [
        ("type: s3, key: '{root}', secret_key: x", "secret_key"),
        ("type: s3, key: '{root}', access_key: x", "access_key"),
        ("type: s3, key: '{root}', token: x", "token"),
        ("type: s3, key: '{root}', sse_customer_key: x", "sse_customer_key"),
        ("type: s3, key: '{root}', assume_role_with_web_identity: {web_identity_token: x}", "web_identity_token"),
        ("type: http, address: 'https://h/{root}', password: x", "password"),
        ("type: http, address: 'https://user:pw@h/{root}'", "address"),
        ("type: http, address: 'https://h/{root}', client_private_key_pem: x", "client_private_key_pem"),
        ("type: consul, path: '{root}', access_token: x", "access_token"),
        ("type: consul, path: '{root}', http_auth: 'u:p'", "http_auth"),
        ("type: pg, schema_name: '{root}', conn_str: 'postgres://h/d'", "conn_str"),
        ("type: gcs, prefix: '{root}', credentials: x", "credentials"),
        ("type: gcs, prefix: '{root}', encryption_key: x", "encryption_key"),
        ("type: azurerm, key: '{root}', sas_token: x", "sas_token"),
        ("type: azurerm, key: '{root}', client_secret: x", "client_secret"),
        ("type: azurerm, key: '{root}', client_certificate_password: x", "client_certificate_password"),
        ("type: kubernetes, secret_suffix: '{root_label}', client_key: x", "client_key"),
        ("type: oss, prefix: '{root}', security_token: x", "security_token"),
        ("type: cos, prefix: '{root}', secret_id: x", "secret_id"),
        ("type: of_tomorrow, key: '{root}', admin_password: x", "admin_password"),
    ],
)
def test_a_credential_is_named_where_it_stands(judge: Judge, backend: str, at: str) -> None:
    assert judged(judge, backend) == [(state.CREDENTIAL_IN_BACKEND, at)]


@pytest.mark.parametrize(
    "backend",
    [
        "type: s3, bucket: b, key: fixed",
        "type: s3",
        "type: local, path: fixed.tfstate",
        "type: s3, key: fixed, workspace_key_prefix: '{root}'",
        "type: s3, key: fixed, assume_role: {session_name: '{root}'}",
        "type: http, address: 'https://h/one', lock_address: 'https://h/{root}'",
        "type: remote, organization: '{root}', workspaces: {name: one}",
        "type: of_tomorrow",
    ],
)
def test_one_state_for_all_roots_is_refused(judge: Judge, backend: str) -> None:
    found = {rule for rule, _ in judged(judge, backend)}
    assert found == {state.SHARED_STATE}


def test_one_lock_for_all_roots_is_refused(judge: Judge) -> None:
    backend = "type: http, address: 'https://h/{root}', lock_address: 'https://h/l', unlock_address: 'https://h/l'"
    assert [rule for rule, _ in judged(judge, backend)] == [state.SHARED_STATE] * 2


@pytest.mark.parametrize(
    "path", ["terraform/{root}/a.tfstate", "./terraform/{root}.tfstate", "x/../terraform/{root}.tfstate"]
)
def test_state_in_the_tree_is_refused(judge: Judge, path: str) -> None:
    assert [rule for rule, _ in judged(judge, f"type: local, path: '{path}'")] == [state.STATE_IN_THE_TREE]
