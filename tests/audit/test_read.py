from __future__ import annotations

import pickle

import pytest

from generator.audit.declared import IamRole, PathRule, PolicyDocument, Reference, VaultPolicy, VaultRole
from generator.audit.faults import (
    DANGLING,
    NOT_LITERAL,
    POLICY,
    REPEATED,
    SYNTAX,
    UNKNOWN,
    WRONG_VALUE,
    Unreadable,
    UnreadableTreeError,
)
from generator.audit.read import read, read_file
from generator.diagnostics import Span
from generator.errors import ExitCode

VAULT = "terraform/accounts/123456789012/vault"
AWS = "terraform/accounts/123456789012/aws"


def policy(text: str) -> str:
    return f'resource "vault_policy" "x" {{\n  name   = "x"\n  policy = <<-EOT\n    {text}\n  EOT\n}}\n'


def test_the_example_fleet_is_read_whole(texts: dict[str, str]) -> None:
    declared = read(texts)
    policies = declared.of(VaultPolicy)
    assert len(policies) == len(declared.of(VaultRole)) == 9
    payments = next(policy for policy in policies if policy.label == "payments")
    assert payments.rules == (
        PathRule(path="secret/data/certs/111111111111/payments-app/*", capabilities=("read", "list")),
        PathRule(path="secret/metadata/certs/111111111111/payments-app/*", capabilities=("list", "read")),
    )
    assert payments.text.startswith("# list or read the actual certificates\npath ")
    lines = texts[payments.span.path].splitlines()
    assert lines[payments.span.line - 1] == 'resource "vault_policy" "payments" {'


def test_references_lead_to_what_they_name(texts: dict[str, str]) -> None:
    declared = read(texts)
    role = next(role for role in declared.of(VaultRole) if role.label == "payments")
    assert [declared.text(role.root, name) for name in role.token_policies] == ["payments-policy"]
    iam = next(role for role in declared.of(IamRole) if role.label == "payments")
    assert isinstance(declared.target(iam.root, iam.assume_role_policy), PolicyDocument)


def test_every_unreadable_file_is_reported() -> None:
    with pytest.raises(UnreadableTreeError) as caught:
        read({f"{VAULT}/a.tf": "x", f"{VAULT}/b.tf": "y = 1\n", f"{VAULT}/c.tf": "# fine\n"})
    assert [(found.span.path, found.rule) for found in caught.value.findings] == [
        (f"{VAULT}/a.tf", SYNTAX),
        (f"{VAULT}/b.tf", UNKNOWN),
    ]
    assert caught.value.exit_code is ExitCode.FINDINGS


def test_an_address_is_declared_once_a_root() -> None:
    text = policy('path "a" { capabilities = ["read"] }')
    with pytest.raises(UnreadableTreeError) as caught:
        read({f"{VAULT}/a.tf": text, f"{VAULT}/b.tf": text})
    assert [found.rule for found in caught.value.findings] == [REPEATED]
    assert f"{VAULT}/a.tf:1:1" in caught.value.message
    other, renamed = VAULT.replace("123456789012", "210987654321"), text.replace('= "x"', '= "y"')
    assert len(read({f"{VAULT}/a.tf": text, f"{other}/a.tf": renamed}).objects) == 2


@pytest.mark.parametrize(
    "target",
    [
        "vault_policy.missing.name",
        "vault_policy.x.text",
        "vault_policy.x.root",
        "vault_policy.x.label",
        "var.x",
        "data.aws_iam_policy_document.x.json",
    ],
)
def test_a_reference_to_nothing_is_refused(target: str) -> None:
    role = (
        'resource "vault_aws_auth_backend_role" "x" {\n  backend = "aws"\n  role = "x"\n  auth_type = "iam"\n'
        f"  bound_iam_principal_arns = []\n  resolve_aws_unique_ids = false\n  token_policies = [{target}]\n}}\n"
    )
    with pytest.raises(UnreadableTreeError) as caught:
        read({f"{VAULT}/a.tf": policy('path "a" { capabilities = ["read"] }') + role})
    assert [found.rule for found in caught.value.findings] == [DANGLING]


def test_a_role_does_not_refer_to_a_document_as_a_name() -> None:
    text = (
        'data "aws_iam_policy_document" "x" {\n}\n'
        'resource "aws_iam_instance_profile" "x" {\n  name = "x"\n'
        "  role = data.aws_iam_policy_document.x.json\n}\n"
    )
    with pytest.raises(UnreadableTreeError, match="which this root does not declare"):
        read({f"{AWS}/a.tf": text})


@pytest.mark.parametrize(
    "path",
    [
        f"{VAULT}/override.tf",
        f"{VAULT}/x_override.tf",
        f"{VAULT}/x.tf.json",
        f"{VAULT}/deeper/x.tf",
        f"{VAULT}/.tf",
        f"{VAULT}/x.tf\n",
        "terraform/x.tf",
        "terraform/accounts/12345678901/vault/x.tf",
        "other/platform/x.tf",
    ],
)
def test_a_file_that_no_root_has_is_refused(path: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_file(path, "")
    assert caught.value.finding.rule == UNKNOWN


@pytest.mark.parametrize(
    ("path", "text", "rule"),
    [
        (f"{VAULT}/a.tf", 'resource "null_resource" "x" {\n}\n', UNKNOWN),
        (f"{VAULT}/a.tf", 'resource "aws_iam_role" "x" {\n}\n', UNKNOWN),
        (f"{AWS}/a.tf", 'provider "vault" {\n}\n', UNKNOWN),
        (f"{VAULT}/a.tf", 'provider "aws" {\n}\n', UNKNOWN),
        (f"{VAULT}/a.tf", 'provider "vault" {\n  address = "https://example.com"\n}\n', UNKNOWN),
        (f"{VAULT}/a.tf", 'module "x" {\n  source = "./x"\n}\n', UNKNOWN),
        (f"{VAULT}/a.tf", "locals {\n}\n", UNKNOWN),
        (f"{VAULT}/a.tf", 'output "x" {\n  value = 1\n}\n', UNKNOWN),
        (f"{VAULT}/a.tf", 'variable "x" {\n  type    = string\n  default = null\n}\n', UNKNOWN),
        (f"{VAULT}/a.tf", 'resource "vault_policy" {\n}\n', UNKNOWN),
        ("terraform/platform/a.tf", 'variable "x" {\n  type    = number\n  default = null\n}\n', NOT_LITERAL),
        ("terraform/platform/a.tf", 'variable "x" {\n  type    = string\n  default = 1\n}\n', WRONG_VALUE),
        (f"{VAULT}/a.tf", 'resource "vault_policy" "x" {\n  name   = "x"\n  policy = "path"\n}\n', SYNTAX),
        (f"{VAULT}/a.tf", 'resource "vault_policy" "x" {\n  name = "x"\n}\n', WRONG_VALUE),
        (f"{VAULT}/a.tf", 'provider "vault" {\n  namespace = null\n}\n', WRONG_VALUE),
        (f"{VAULT}/a.tf", 'provider "vault" {\n  namespace = var.x\n}\n', NOT_LITERAL),
    ],
)
def test_a_block_says_no_more_and_no_less_than_it_may(path: str, text: str, rule: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_file(path, text)
    assert caught.value.finding.rule == rule


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('path "a" { policy = "write" }', WRONG_VALUE),
        ('path "a" { capabilities = ["read"], }', SYNTAX),
        ('path "a" { capabilities = ["root"] }', POLICY),
        ('path "a" { capabilities = ["READ"] }', POLICY),
        ('path "a" { capabilities = ["read", "read"] }', REPEATED),
        ('path "a" { capabilities = "read" }', WRONG_VALUE),
        ('path "a" "b" { capabilities = ["read"] }', POLICY),
        ('Path "a" { capabilities = ["read"] }', POLICY),
        ('path "{{identity.entity.id}}" { capabilities = ["read"] }', POLICY),
        (r'path "a\u002a" { capabilities = ["read"] }', None),
        # The sign for kelvin, which Vault leaves as it is; composed it would be the letter K.
        (r'path "\u212a" { capabilities = ["read"] }', POLICY),
        ('path "a b" { capabilities = ["read"] }', POLICY),
        ('path "" { capabilities = ["read"] }', POLICY),
        ('name = "x"', POLICY),
        ('path = { a = { capabilities = ["read"] } }', POLICY),
        ('path "a" {\n  capabilities = ["read"]\n  denied_parameters = {}\n}', UNKNOWN),
        ('path "a" {\n  capabilities = ["read"]\n  capabilities = ["list"]\n}', REPEATED),
        ('path "a" { capabilities = ["read"] } path "b" { capabilities = ["read"] }', SYNTAX),
        ('path "$${x}" { capabilities = ["read"] }', NOT_LITERAL),
    ],
)
def test_a_policy_is_plain_rules_and_nothing_else(text: str, rule: str | None) -> None:
    if rule is None:
        assert read_file(f"{VAULT}/a.tf", policy(text))
        return
    with pytest.raises(Unreadable) as caught:
        read_file(f"{VAULT}/a.tf", policy(text))
    assert caught.value.finding.rule == rule


def test_an_error_inside_a_policy_points_into_the_file() -> None:
    text = '# head\n    path "a" { capabilities = ["root"] }'
    with pytest.raises(Unreadable) as caught:
        read_file(f"{VAULT}/a.tf", policy(text))
    assert str(caught.value.finding.span) == f"{VAULT}/a.tf:5:5"


def test_what_is_unreadable_survives_the_way_between_processes() -> None:
    fault = Unreadable(SYNTAX, Span("a.tf", 1, 2, 3, 4), "this is not HCL")
    assert pickle.loads(pickle.dumps(fault)).finding == fault.finding  # noqa: S301 - our own bytes


def test_a_tree_of_references_is_not_a_reference_to_a_tree() -> None:
    assert str(Reference("var.x")) == "var.x"
    assert str(Reference("vault_policy.x", "name")) == "vault_policy.x.name"
