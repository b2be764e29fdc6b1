"""What reads well and does not take effect so: refused over the whole tree, with where and why."""

from __future__ import annotations

import pytest

from generator.audit.declared import IamRole, PolicyDocument, Principals, VaultRole
from generator.audit.faults import (
    DANGLING,
    NAMESPACE,
    NOT_LITERAL,
    OTHER_OBJECT,
    OVERWRITTEN,
    PROVISIONER,
    SYNTAX,
    UNKNOWN,
    WRONG_VALUE,
    UnreadableTreeError,
)
from generator.audit.read import read

ONE, TWO = ("terraform/accounts/123456789012", "terraform/accounts/210987654321")
PLATFORM = "terraform/platform/main.tf"
POLICY = 'path "secret/data/x" { capabilities = ["read"] }'


def policy(name: str, label: str = "p") -> str:
    return f'resource "vault_policy" "{label}" {{\n  name   = "{name}"\n  policy = <<E\n{POLICY}\nE\n}}\n'


def role(more: str = "", *, label: str = "r", name: str = "app", principal: str = '"arn:aws:iam::1:role/x"') -> str:
    return (
        f'resource "vault_aws_auth_backend_role" "{label}" {{\n  role = "{name}"\n  resolve_aws_unique_ids = false\n'
        f'  token_policies = ["p"]\n  bound_iam_principal_arns = [{principal}]\n{more}}}\n'
    )


def sts(label: str = "s", account: str = "123456789012") -> str:
    return (
        f'resource "vault_aws_auth_backend_sts_role" "{label}" {{\n  account_id = "{account}"\n'
        '  sts_role = "arn:aws:iam::123456789012:role/lookup"\n}\n'
    )


def provider(accounts: str = '"123456789012"', assumes: str = "") -> str:
    inner = f'  assume_role {{\n    role_arn = "{assumes}"\n    session_name = "x"\n  }}\n' if assumes else ""
    return f'provider "aws" {{\n  region = "us-east-1"\n  allowed_account_ids = [{accounts}]\n{inner}}}\n'


def iam_role(name: str = "app", label: str = "r", trust: str = '"Service": "ec2.amazonaws.com"', more: str = "") -> str:
    text = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
        f'"Principal": {{{trust}}}{more}}}]}}'
    )
    return f'resource "aws_iam_role" "{label}" {{\n  name = "{name}"\n  assume_role_policy = <<E\n{text}\nE\n}}\n'


def source(address: str, name: str = "vault") -> str:
    entry = f'    {name} = {{ source = "{address}", version = "> 1" }}\n'
    return f'terraform {{\n  required_version = "> 1"\n  required_providers {{\n{entry}  }}\n}}\n'


def namespace(name: str) -> str:
    return f'provider "vault" {{\n  namespace = "{name}"\n}}\n'


def block(to: str, id_: str, more: str = "") -> str:
    return f'import {{\n  to = {to}\n  id = "{id_}"\n{more}}}\n'


def findings(files: dict[str, str]) -> list[tuple[str, str]]:
    try:
        read(files)
    except UnreadableTreeError as error:
        return [(finding.rule, f"{finding.span}: {finding.message}") for finding in error.findings]
    return []


@pytest.mark.parametrize(
    ("text", "rule", "named"),
    [
        (role('  auth_type = "ec2"\n'), WRONG_VALUE, "name no principal"),
        (role(principal=""), WRONG_VALUE, "binds no principal"),
        (role('  bound_regions = ["us-east-1"]\n'), WRONG_VALUE, "`bound_regions` without EC2 inference"),
        (role('  bound_ami_ids = ["ami-1"]\n'), WRONG_VALUE, "`bound_ami_ids` without EC2 inference"),
        (role('  inferred_entity_type = "ec2_instance"\n'), WRONG_VALUE, "or neither"),
        (role('  inferred_aws_region = "us-east-1"\n'), WRONG_VALUE, "or neither"),
        (
            role('  inferred_entity_type = "vm"\n  inferred_aws_region = "us-east-1"\n'),
            WRONG_VALUE,
            "which Vault does not know",
        ),
        (role('  role_tag = "x"\n'), UNKNOWN, "tags of an instance"),
        (role("  alias_metadata = {}\n"), UNKNOWN, "templated"),
        (role('  namespace = "x"\n'), UNKNOWN, "another namespace"),
        (role("  count = 0\n"), UNKNOWN, "computed"),
        (role("  for_each = {}\n"), UNKNOWN, "computed"),
        (role("  depends_on = [vault_policy.p]\n"), UNKNOWN, "order"),
        (role("  provider = vault.other\n"), UNKNOWN, "another Vault"),
        (role('  provisioner "local-exec" {\n    command = "x"\n  }\n'), UNKNOWN, "runs a program"),
        (role("  lifecycle {\n    ignore_changes = all\n  }\n"), UNKNOWN, "no longer says"),
        (role('  dynamic "x" {\n  }\n'), UNKNOWN, "computed"),
        (role('  token_ttl = "1h"\n'), WRONG_VALUE, "not a whole number"),
        (role(label="1x"), UNKNOWN, "no label `1x`"),
        (role(label="a.b"), UNKNOWN, "no label `a.b`"),
        (source("evil/vault"), WRONG_VALUE, "another program"),
        (source("example.com/hashicorp/vault"), WRONG_VALUE, "another program"),
        (source("hashicorp/aws"), WRONG_VALUE, "another program"),
        (source("hashicorp/random", "random"), WRONG_VALUE, "another program"),
        ('terraform {\n  required_version = "> 1"\n  cloud {\n  }\n}\n', UNKNOWN, "runs would be elsewhere"),
        (policy("p") + block("vault_policy.p", "q"), OTHER_OBJECT, "the id `q`, and what it declares has the id `p`"),
        (role() + block("vault_aws_auth_backend_role.r", "auth/aws/role/r"), OTHER_OBJECT, "auth/aws/role/app"),
        (policy("p") + block("vault_policy.q", "q"), DANGLING, "vault_policy.q is imported"),
        (policy("p") + block("vault_policy.p", "p") * 2, "CK803", "import vault_policy.p is declared twice"),
        (policy("p") + block("vault_policy.p", "p", "  provider = vault.x\n"), UNKNOWN, "another Vault"),
        (policy("p") + block("vault_policy.p", "p", '  for_each = ["x"]\n'), UNKNOWN, "computed"),
        (policy("p") + block('vault_policy.p["x"]', "p"), NOT_LITERAL, "not written out"),
        (policy("p") + block("module.m.vault_policy.p", "p"), NOT_LITERAL, "not the address of a resource"),
        (policy("p") + block("aws_iam_role.p", "p"), NOT_LITERAL, "not the address of a resource"),
        (policy("p") + "import {\n  to = vault_policy.p\n  id = vault_policy.p.name\n}\n", NOT_LITERAL, "`id`"),
        (policy("p") + 'import {\n  to = vault_policy.p\n  id = "${vault_policy.p.name}"\n}\n', NOT_LITERAL, ""),
        (
            policy("p") + 'import {\n  to = vault_policy.p\n  identity = {\n    name = "p"\n  }\n}\n',
            WRONG_VALUE,
            "`id`",
        ),
        ("removed {\n  from = vault_policy.p\n}\n", UNKNOWN, "lets go"),
        ('check "x" {\n}\n', UNKNOWN, "ask anything"),
        ('ephemeral "x" "y" {\n}\n', UNKNOWN, "when it runs"),
        ('data "external" "x" {\n  program = ["id"]\n}\n', UNKNOWN, "holds no"),
        ('data "vault_generic_secret" "x" {\n  path = "secret/x"\n}\n', UNKNOWN, "holds no"),
        ("locals {\n}\n", UNKNOWN, "where it is used"),
        ('module "x" {\n  source = "./x"\n}\n', UNKNOWN, "stands elsewhere"),
        ('provider "vault" {\n  alias = "x"\n}\n', UNKNOWN, "one provider"),
        (namespace("a") + namespace("a"), "CK803", "declared twice"),
        (policy("p") + policy("P ", "q"), OVERWRITTEN, "vault_policy.p at"),
        (policy("p").replace("<<E\n", "<<E\n/* "), SYNTAX, "not HCL"),
        (
            'resource "vault_policy" "p" {\n  name = "p"\n  policy = "path \\"a\\" {"\n}\n',
            SYNTAX,
            "a.tf:3:3: in the pol",
        ),
        ('resource "vault_policy" "p" {\n  name = "p"\n  policy = file("p.hcl")\n}\n', NOT_LITERAL, "function call"),
        (role() + role(label="q", name="APP"), OVERWRITTEN, "`app` of `aws`"),
        (sts() + sts("t"), OVERWRITTEN, "`123456789012` of `aws`"),
    ],
)
def test_of_the_vault_side(text: str, rule: str, named: str) -> None:
    found = findings({f"{ONE}/vault/a.tf": text})
    assert [(one, named in message) for one, message in found] == [(rule, True)], found


@pytest.mark.parametrize(
    ("text", "rule", "named"),
    [
        (iam_role(), PROVISIONER, f"{ONE}/aws: no provider block"),
        (provider('"210987654321"'), PROVISIONER, "may work on 210987654321"),
        (provider('"123456789012", "210987654321"'), PROVISIONER, "may work on 123456789012, 210987654321"),
        (provider(""), PROVISIONER, "may work on none"),
        (provider(assumes="arn:aws:iam::210987654321:role/x"), PROVISIONER, "no role of account 123456789012"),
        (provider(assumes="arn:aws:iam::123456789012:user/x"), PROVISIONER, "no role of account 123456789012"),
        (provider() + iam_role() + iam_role("APP", "q"), OVERWRITTEN, "aws_iam_role.r at"),
        (provider() + iam_role(trust='"AWS": "${aws:username}"'), SYNTAX, "interpolation"),
        (provider() + iam_role(trust='"AWS": "$${aws:username}"'), WRONG_VALUE, "policy variable"),
        (provider() + iam_role(trust='"AWS": "&{aws:username}"'), WRONG_VALUE, "policy variable"),
        (provider() + iam_role(trust='"AWS": "a", "AWS": "b"'), WRONG_VALUE, "`AWS` is given twice"),
        (provider() + iam_role(trust='"aws": "a"'), WRONG_VALUE, "a key `aws`"),
        (provider() + iam_role(trust='"AWS": 1'), WRONG_VALUE, "neither a string nor a list"),
        (provider() + iam_role(trust='"AWS": []'), WRONG_VALUE, "neither a string nor a list"),
        (provider() + iam_role(trust='"AWS": NaN'), WRONG_VALUE, "NaN"),
        (provider() + iam_role(trust='"AWS": "a",'), WRONG_VALUE, "not JSON"),
        (provider() + iam_role(more=', "NotAction": "x"'), WRONG_VALUE, "a key `NotAction`"),
        (provider() + iam_role(more=', "effect": "Deny"'), WRONG_VALUE, "a key `effect`"),
        (provider() + iam_role(more=', "Condition": {"Bool": {"a": true}}'), WRONG_VALUE, "neither a string"),
        (provider() + iam_role().replace("2012-10-17", "2008-10-17"), WRONG_VALUE, "`Version`"),
        (provider() + iam_role().replace("Allow", "allow"), WRONG_VALUE, "neither Allow nor Deny"),
        (provider() + iam_role().replace("[{", "[[{").replace("}]", "}]]"), WRONG_VALUE, "not an object"),
        (
            provider() + 'data "aws_iam_policy_document" "x" {\n  statement {\n    not_actions = ["x"]\n'
            '    actions = ["y"]\n  }\n}\n',
            UNKNOWN,
            "all that it does not name",
        ),
        (
            provider() + 'data "aws_iam_policy_document" "x" {\n  source_policy_documents = []\n}\n',
            UNKNOWN,
            "stand elsewhere",
        ),
        (
            provider() + 'resource "aws_iam_role_policy_attachment" "x" {\n  role = "x"\n  policy_arn = "y"\n}\n',
            UNKNOWN,
            "holds no",
        ),
    ],
)
def test_of_the_aws_side(text: str, rule: str, named: str) -> None:
    found = findings({f"{ONE}/aws/a.tf": text})
    assert [(one, named in message) for one, message in found] == [(rule, True)], found


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (policy("app-policy"), policy(" App-Policy", "other")),
        (role(), role('  backend = "/aws/"\n', label="other", name="App")),
        (sts(), sts("other")),
    ],
)
def test_no_two_roots_make_one_object_of_vaults(one: str, two: str) -> None:
    found = findings({f"{ONE}/vault/a.tf": one, f"{TWO}/vault/b.tf": two})
    assert [rule for rule, _ in found] == [OVERWRITTEN]
    assert found[0][1].startswith(f"{TWO}/vault/b.tf:1:1: ")
    assert f"{ONE}/vault/a.tf:1:1" in found[0][1]


def test_the_same_name_is_anothers_on_another_mount_and_in_another_account() -> None:
    assert not findings({f"{ONE}/vault/a.tf": role(), f"{TWO}/vault/b.tf": role('  backend = "aws2"\n')})
    account = provider('"210987654321"')
    assert not findings({f"{ONE}/aws/a.tf": provider() + iam_role(), f"{TWO}/aws/a.tf": account + iam_role()})


def test_the_platform_mounts_each_path_once() -> None:
    mount = 'resource "vault_mount" "%s" {\n  path = "%s"\n  type = "kv"\n}\n'
    auth = 'resource "vault_auth_backend" "%s" {\n  path = "%s"\n  type = "aws"\n}\n'
    client = 'resource "vault_aws_auth_backend_client" "%s" {\n  backend = vault_auth_backend.%s.id\n}\n'
    good = mount % ("a", "kv") + auth % ("a", "aws") + auth % ("b", "aws2") + client % ("a", "a") + client % ("b", "b")
    assert not findings({PLATFORM: good})
    for more in (mount % ("b", "kv/"), auth % ("c", "aws2"), client % ("c", "a")):
        assert [rule for rule, _ in findings({PLATFORM: good + more})] == [OVERWRITTEN]


def test_all_roots_are_for_one_namespace() -> None:
    one, two = f"{ONE}/vault/a.tf", f"{TWO}/vault/b.tf"
    first, second = policy("p"), policy("q")
    assert not findings({one: namespace("admin") + first, two: namespace("/admin/") + second})
    for other in (namespace("admin/x"), ""):
        found = findings({one: namespace("admin") + first, two: other + second})
        assert [rule for rule, _ in found] == [NAMESPACE], found


def test_what_an_argument_left_out_stands_for_is_read() -> None:
    (found,) = read({f"{ONE}/vault/a.tf": role()}).of(VaultRole)
    assert (found.backend, found.auth_type, found.token_no_default_policy) == ("aws", "iam", False)
    text = 'data "aws_iam_policy_document" "x" {\n  statement {\n    actions = ["a"]\n  }\n}\n'
    (document,) = read({f"{ONE}/aws/a.tf": provider() + text}).of(PolicyDocument)
    assert document.statements[0].effect == "Allow"
    old = text.replace("  statement", '  version = "2008-10-17"\n  statement')
    assert [rule for rule, _ in findings({f"{ONE}/aws/a.tf": provider() + old})] == [WRONG_VALUE]


def test_a_document_in_a_role_is_a_document_of_its_own() -> None:
    declared = read({f"{ONE}/aws/a.tf": provider() + iam_role(trust='"AWS": ["a", "b"], "Service": "c"')})
    (found,) = declared.of(IamRole)
    document = declared.target(found.root, found.assume_role_policy)
    assert isinstance(document, PolicyDocument)
    assert document.statements[0].principals == (
        Principals(type="AWS", identifiers=("a", "b")),
        Principals(type="Service", identifiers=("c",)),
    )
    anybody = iam_role().replace('{"Service": "ec2.amazonaws.com"}', '"*"')
    (document,) = read({f"{ONE}/aws/a.tf": provider() + anybody}).of(PolicyDocument)
    assert document.statements[0].principals == (Principals(type="*", identifiers=("*",)),)
