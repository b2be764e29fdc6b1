from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.audit import reading
from generator.audit.expected import expected
from generator.audit.parseback import verify
from generator.audit.read import read
from generator.errors import InternalError
from generator.manifest.settings import FleetSettings
from generator.render.layout import layout
from generator.render.render import Renderer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.manifest.fleet import Fleet

CHECKOUT = Path(__file__).parents[2]
_1 = "terraform/accounts/111111111111"
_2 = "terraform/accounts/222222222222"
_PLATFORM = "terraform/platform/platform.tf"
VAULT_CLIENT = f"{_1}/vault/client-payments.tf"
GRANTED = f"{_1}/vault/client-reports-us.tf"
INFERRED = f"{_2}/vault/client-scanner.tf"
AWS_CLIENT = f"{_1}/aws/client-payments.tf"
VAULT_ROOT = f"{_1}/vault/root.tf"
AWS_ROOT = f"{_1}/aws/root.tf"
VAULT_STS = f"{_2}/vault/sts.tf"
AWS_STS = f"{_2}/aws/sts.tf"
LEDGER = f"{_1}/vault/client-ledger.tf"

OWN = "secret/data/certs/111111111111/payments-app/*"


def render(fleet: Fleet, *templates: Path) -> dict[str, str]:
    pages = [page for root in layout(fleet) for page in root.pages]
    return Renderer([*templates, CHECKOUT / "templates"]).render(pages)


def refusal(fleet: Fleet, texts: Mapping[str, str], cache: Path | None = None) -> str:
    with pytest.raises(InternalError) as caught:
        verify(fleet, texts, cache)
    return caught.value.message


def test_the_example_fleet_reads_back_as_its_manifests_say(fleet: Fleet, texts: dict[str, str]) -> None:
    verify(fleet, texts, None)


def test_the_expected_tree_is_the_one_that_is_read(fleet: Fleet, texts: dict[str, str]) -> None:
    wanted = {(item.root, item.address): item for items in dict(expected(fleet)).values() for item in items}
    assert wanted == dict(read(texts).objects)


# Each: the file, a pattern in it, what it becomes, and what the refusal must name.
MUTATIONS = {
    "another account in the principal": (
        VAULT_CLIENT,
        r"iam::111111111111:role",
        "iam::222222222222:role",
        'bound_iam_principal_arns[0]: expected "arn:aws:iam::111111111111:role/payments-app", found "arn:aws:iam::2222',
    ),
    "a wildcard in the principal": (VAULT_CLIENT, r"role/payments-app\"", 'role/*"', "bound_iam_principal_arns[0]"),
    "a second principal": (
        VAULT_CLIENT,
        r"(bound_iam_principal_arns = \[)",
        r'\1"arn:aws:iam::111111111111:role/x", ',
        "bound_iam_principal_arns: expected [",
    ),
    "a wider path": (VAULT_CLIENT, re.escape(OWN), "secret/data/certs/111111111111/*", "rules[0].path: expected"),
    "a path without its last slash": (
        VAULT_CLIENT,
        re.escape(OWN),
        OWN.replace("/*", "*"),
        'found "secret/data/certs/111111111111/payments-app*"',
    ),
    "a path without its glob": (VAULT_CLIENT, re.escape(OWN), OWN[:-1], "rules[0].path"),
    "a path with a + segment": (VAULT_CLIENT, re.escape(OWN), OWN.replace("payments-app", "+"), "rules[0].path"),
    "a path of another mount": (VAULT_CLIENT, re.escape(OWN), OWN.replace("secret", "other"), "rules[0].path"),
    "one capability more": (VAULT_CLIENT, r'\["read", "list"\]', '["read", "list", "update"]', "rules[0].capabilities"),
    "another capability": (VAULT_CLIENT, r'\["list", "read"\]', '["list", "sudo"]', "rules[1].capabilities[1]"),
    "one capability less": (VAULT_CLIENT, r'\["list", "read"\]', '["list"]', "rules[1].capabilities"),
    "one more rule": (
        VAULT_CLIENT,
        r"  EOT\n",
        '    path "sys/*" { capabilities = ["read"] }\n  EOT\n',
        "vault_policy.payments: rules: expected [",
    ),
    "a rule in a comment": (GRANTED, r'    path "secret/data/shared', '    # path "secret/data/shared', "rules"),
    "a templated path": (VAULT_CLIENT, r"payments-app/\*", "{{identity.entity.name}}/*", "not a plain path (CK807)"),
    "an interpolated policy": (VAULT_CLIENT, r"/payments-app/\*", "/${var.x}/*", "interpolation"),
    "a policy by jsonencode": (VAULT_CLIENT, r"(?s)<<-EOT.*?EOT", "jsonencode({})", "(CK802)"),
    "another policy's name": (VAULT_CLIENT, r"payments-policy", "ledger-policy", 'name: expected "payments-policy"'),
    "a second policy of the role": (
        VAULT_CLIENT,
        r"(\[vault_policy\.payments\.name)\]",
        r'\1, "root"]',
        'token_policies: expected [vault_policy.payments.name], found [vault_policy.payments.name, "root"]',
    ),
    "another client's policy": (VAULT_CLIENT, r"vault_policy\.payments\.", "vault_policy.ledger.", "token_policies[0]"),
    "another Vault role": (VAULT_CLIENT, r'(role +)= "payments-app"', r'\1= "ledger-app"', ": role: expected"),
    "another mount": (VAULT_CLIENT, r'(backend +)= "aws"', r'\1= "aws2"', "backend: expected"),
    "another auth type": (VAULT_CLIENT, r'"iam"', '"ec2"', 'auth_type: expected "iam", found "ec2"'),
    "unique ids flipped": (
        VAULT_CLIENT,
        r"(resolve_aws_unique_ids +)= false",
        r"\1= true",
        "resolve_aws_unique_ids: expected false, found true",
    ),
    "unique ids left to the default": (VAULT_CLIENT, r"  resolve_aws_unique_ids.*\n", "", "has no `resolve_aws_unique"),
    "unique ids as a string": (VAULT_CLIENT, r"= false", '= "false"', '"false", not true or false'),
    "another token_ttl": (VAULT_CLIENT, r"3600", "36000", "token_ttl: expected 3600, found 36000"),
    "no token_max_ttl": (VAULT_CLIENT, r"  token_max_ttl.*\n", "", "token_max_ttl: expected 14400, found nothing"),
    "no bound CIDRs": (LEDGER, r"  token_bound_cidrs.*\n", "", "token_bound_cidrs: expected ["),
    "wider CIDRs": (LEDGER, r"10\.20\.0\.0/16", "0.0.0.0/0", "token_bound_cidrs[0]"),
    "no EC2 inference": (INFERRED, r"  inferred_entity_type.*\n", "", "inferred_entity_type: expected"),
    "another region": (INFERRED, r"eu-central-1", "us-east-1", "inferred_aws_region"),
    "an unknown argument": (VAULT_CLIENT, r"(  auth_type)", r"  token_kind = 1\n\1", "argument `token_kind` (CK804)"),
    "an argument twice": (VAULT_CLIENT, r"(  token_ttl.*\n)", r"\1\1", "`token_ttl` is given twice (CK803)"),
    "a whole resource more": (
        VAULT_CLIENT,
        r"\Z",
        '\nresource "vault_policy" "extra" {\n  name   = "extra"\n  policy = <<-EOT\n  EOT\n}\n',
        "vault_policy.extra is declared and should not be",
    ),
    "a resource less": (VAULT_CLIENT, r'(?s)resource "vault_policy".*?\n}\n', "", "vault_policy.payments is not decl"),
    "a resource twice": (
        VAULT_CLIENT,
        r'(?s)(resource "vault_aws_auth.*?\n}\n)',
        r"\1\n\1",
        "vault_aws_auth_backend_role.payments is declared twice",
    ),
    "a resource of another provider": (VAULT_CLIENT, r"\Z", '\nresource "null_resource" "x" {\n}\n', "(CK804)"),
    "a provisioner": (
        AWS_CLIENT,
        r"(  max_session_duration.*\n)",
        r'\1\n  provisioner "local-exec" {\n    command = "id"\n  }\n',
        "block `provisioner`: it runs a program (CK804)",
    ),
    "a count": (AWS_CLIENT, r"(  max_session_duration.*\n)", r"\1  count = 0\n", "argument `count`: how many"),
    "a lifecycle block": (
        VAULT_CLIENT,
        r"(  token_ttl.*\n)",
        r"\1\n  lifecycle {\n    ignore_changes = all\n  }\n",
        "block `lifecycle`: it may leave",
    ),
    "another service": (AWS_CLIENT, r"ec2\.amazonaws", "lambda.amazonaws", "statements[0].principals[0].identifiers"),
    "an extra principal": (AWS_CLIENT, r'("ec2\.amazonaws\.com")', r'\1, "*"', "principals[0].identifiers: expected"),
    "an AWS principal": (AWS_CLIENT, r'"Service"', '"AWS"', 'principals[0].type: expected "Service", found "AWS"'),
    "a second principals block": (
        AWS_CLIENT,
        r"(?s)(    principals \{.*?\n    \}\n)",
        r"\1\1",
        "statements[0].principals: expected",
    ),
    "an extra statement": (AWS_CLIENT, r"(?s)(  statement \{.*?\n  \}\n)", r"\1\1", "statements: expected"),
    "an effect flipped": (AWS_CLIENT, r'"Allow"', '"Deny"', 'effect: expected "Allow", found "Deny"'),
    "another action": (AWS_CLIENT, r"sts:AssumeRole", "sts:*", "statements[0].actions[0]"),
    "another trust policy": (AWS_CLIENT, r"document\.payments\.json", "document.ledger.json", "assume_role_policy"),
    "a trust policy as text": (AWS_CLIENT, r"data\.aws\S+", '"{}"', "its `Version` is not"),
    "no boundary": (AWS_CLIENT, r"  permissions_boundary.*\n", "", "permissions_boundary: expected"),
    "another boundary": (AWS_CLIENT, r"policy/workload-", "policy/other-", "permissions_boundary"),
    "another IAM role": (
        AWS_CLIENT,
        r'"payments-app"',
        '"payments-app2"',
        'aws_iam_role.payments: name: expected "pay',
    ),
    "another IAM path": (AWS_CLIENT, r'(path +)= "/"', r'\1= "/x/"', "path: expected"),
    "a longer session": (AWS_CLIENT, r"(max_session_duration = )3600", r"\g<1>43200", "max_session_duration"),
    "another role in the profile": (AWS_CLIENT, r"aws_iam_role\.payments", "aws_iam_role.ledger", "role: expected"),
    "another tag": (f"{_2}/aws/client-reports-eu.tf", r"4711", "4712", "tags[0][1]"),
    "another default tag": (AWS_ROOT, r"managed-by", "made-by", "default_tags"),
    "another account allowed": (AWS_ROOT, r'\["111111111111"\]', '["222222222222"]', "allowed_account_ids[0]"),
    "any account allowed": (AWS_ROOT, r"  allowed_account_ids.*\n", "", "has no `allowed_account_ids`"),
    "another provisioner role": (AWS_ROOT, r"crosskeys-provisioner", "admin", "assume_role.role_arn"),
    "no role assumed": (AWS_ROOT, r"(?s)  assume_role \{.*?\n  \}\n", "", "assume_role: expected {"),
    "another AWS region": (AWS_ROOT, r"us-east-1", "us-west-2", "region"),
    "another namespace": (VAULT_ROOT, r'"admin"', '"admin/x"', "provider.vault: namespace"),
    "an address in the provider": (VAULT_ROOT, r"(  namespace)", r'  address = "http://x"\n\1', "`address` (CK804)"),
    "another provider source": (VAULT_ROOT, r"hashicorp/vault", "evil/vault", "required_providers[0].source"),
    "another provider version": (VAULT_ROOT, r">= 5\.9, < 6", ">= 1", "required_providers[0].version"),
    "another Terraform version": (VAULT_ROOT, r">= 1\.11", ">= 1.0", "required_version"),
    "another state": (VAULT_ROOT, r"111111111111/vault\.tf", "222222222222/vault.tf", "backend.settings[0][1]"),
    "another backend": (VAULT_ROOT, r'backend "local"', 'backend "http"', "backend.type"),
    "another external id": (AWS_STS, r"-5f1d", "-5f1e", "statements[0].conditions[0].values[0]"),
    "no external id in the trust": (AWS_STS, r"(?s)    condition \{.*?\n    \}\n", "", "statements[0].conditions"),
    "a looser condition": (AWS_STS, r"StringEquals", "StringLike", "conditions[0].test"),
    "another condition key": (AWS_STS, r"sts:ExternalId", "aws:SourceIp", "conditions[0].variable"),
    "any principal of Vault's account": (AWS_STS, r"role/hcp-vault\"", 'root"', "principals[0].identifiers[0]"),
    "a wider permission": (AWS_STS, r"iam:GetRole", "iam:*", "statements[1].actions[0]"),
    "roles of every account": (AWS_STS, r"iam::222222222222:role/\*", "iam::*:role/*", "statements[1].resources[0]"),
    "permissions as trust": (
        AWS_STS,
        r"vault_sts_trust\.json",
        "vault_sts_permissions.json",
        "assume_role_policy: expected",
    ),
    "another STS external id": (VAULT_STS, r"-5f1d", "-5f1e", "external_id: expected"),
    "no STS external id": (VAULT_STS, r"  external_id.*\n", "", "external_id: expected"),
    "another STS account": (VAULT_STS, r'(account_id +)= "2', r'\1= "3', "account_id: expected"),
    "another STS role": (VAULT_STS, r"hcp-vault-lookup", "admin", "sts_role"),
    "no header": (_PLATFORM, r"  iam_server_id.*\n", "", "iam_server_id_header_value: expected"),
    "an endpoint of one's own": (_PLATFORM, r"= var\.sts_endpoint", '= "https://x"', "sts_endpoint: expected var.sts"),
    "a variable with a default": (_PLATFORM, r"null", '"https://x"', "var.sts_endpoint: default: expected nothing"),
    "another alias": (_PLATFORM, r'"role_id"', '"full_arn"', "iam_alias"),
    "less metadata": (_PLATFORM, r', "canonical_arn"', "", "iam_metadata"),
    "KV version 1": (_PLATFORM, r'version = "2"', 'version = "1"', "options[0][1]"),
    "no protection": (_PLATFORM, r"prevent_destroy = true", "prevent_destroy = false", "prevent_destroy"),
    "a fixed mount": (_PLATFORM, r"vault_auth_backend\.aws\.path", '"aws"', "expected vault_auth_backend.aws.path"),
    "not HCL": (VAULT_CLIENT, r"\Z", "}\n", "this is not HCL (CK801)"),
}


@pytest.fixture(scope="module")
def warm(fleet: Fleet, texts: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache in which every file of the example fleet was found right."""
    folder = tmp_path_factory.mktemp("warm")
    verify(fleet, texts, folder)
    return folder


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_change_of_meaning_is_refused_by_name(fleet: Fleet, texts: dict[str, str], warm: Path, mutation: str) -> None:
    path, pattern, replacement, named = MUTATIONS[mutation]
    changed, count = re.subn(pattern, replacement, texts[path], count=1)
    assert count == 1
    assert changed != texts[path]
    message = refusal(fleet, texts | {path: changed}, warm)
    assert path in message
    assert named in message


def test_a_missing_and_a_stray_file_are_refused(fleet: Fleet, texts: dict[str, str]) -> None:
    others = {path: text for path, text in texts.items() if path != VAULT_CLIENT}
    assert f"{VAULT_CLIENT}: the file is missing" in refusal(fleet, others)
    stray = f"{_1}/vault/x.tf"
    assert f"{stray}: the file should not be there" in refusal(fleet, texts | {stray: ""})


def test_swapped_files_are_refused(fleet: Fleet, texts: dict[str, str]) -> None:
    swapped = {VAULT_CLIENT: texts[LEDGER], LEDGER: texts[VAULT_CLIENT]}
    message = refusal(fleet, texts | swapped)
    assert VAULT_CLIENT in message
    assert LEDGER in message


def test_all_files_are_reported_up_to_a_few(fleet: Fleet, texts: dict[str, str]) -> None:
    message = refusal(fleet, dict.fromkeys(texts, "x"))
    assert message.count("this is not HCL") == 10
    assert f"and {len(texts) - 10} more" in message


def test_two_files_of_a_root_that_declare_the_same_are_refused(fleet: Fleet) -> None:
    accounts = tuple(
        replace(account, clients=tuple(replace(client, name="vault_sts") for client in account.clients[:1]))
        if account.id == "222222222222"
        else account
        for account in fleet.accounts
    )
    clashing = replace(fleet, accounts=accounts)
    assert "aws_iam_role.vault_sts is declared in" in refusal(clashing, render(clashing))


def test_a_setting_that_is_true_is_not_one_that_is_1(fleet: Fleet) -> None:
    backend = {"type": "s3", "key": "{root}", "use_lockfile": True, "retries": 3}
    chosen = FleetSettings.model_validate({"terraform": {"backend": backend}})
    other = replace(fleet, settings=chosen)
    texts = render(other)
    verify(other, texts, None)
    changed = texts[VAULT_ROOT].replace("= true", "= 1")
    assert "backend.settings[2][1]: expected true, found 1" in refusal(other, texts | {VAULT_ROOT: changed})


@pytest.mark.parametrize(
    ("backend", "old", "new", "says"),
    [
        (
            {"type": "s3", "key": "{root}", "assume_role": {"role_arn": "ours", "policy_arns": ["p"]}},
            '"ours"',
            '"theirs"',
            'backend.settings[0][1][1][1]: expected "ours", found "theirs"',
        ),
        (
            {"type": "remote", "workspaces": {"name": "{root_label}"}},
            '"accounts-111111111111-vault"',
            '"one"',
            'backend.blocks[0][1][0][1]: expected "accounts-111111111111-vault", found "one"',
        ),
    ],
    ids=["an argument", "a block"],
)
def test_what_is_nested_in_a_backend_is_read_back(
    fleet: Fleet, backend: dict[str, object], old: str, new: str, says: str
) -> None:
    other = replace(fleet, settings=FleetSettings.model_validate({"terraform": {"backend": backend}}))
    texts = render(other)
    verify(other, texts, None)
    assert says in refusal(other, texts | {VAULT_ROOT: texts[VAULT_ROOT].replace(old, new)})


def overridden(tmp_path: Path, name: str, old: str, new: str) -> Path:
    """Return a template folder with one template, changed."""
    text = (CHECKOUT / "templates" / name).read_text()
    assert old in text
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text(text.replace(old, new))
    return tmp_path


def test_a_template_that_only_adds_comments_passes(fleet: Fleet, tmp_path: Path) -> None:
    old = "resource"
    new = "# ours: see the handbook\n\n/* and\nmore */\nresource"
    folder = overridden(tmp_path, "vault/client.tf.j2", old, new)
    verify(fleet, render(fleet, folder), None)


def test_a_template_that_comments_inside_the_policy_passes(fleet: Fleet, tmp_path: Path) -> None:
    folder = overridden(tmp_path, "vault/client.tf.j2", "    # list or read", "\n    # ours\n\n    # list or read")
    verify(fleet, render(fleet, folder), None)


@pytest.mark.parametrize(
    ("name", "old", "new", "named"),
    [
        ("vault/client.tf.j2", '"/data/"', '"/data/../"', "rules[0].path"),
        ("vault/client.tf.j2", "= {{ client.resolve_unique_ids | hcl }}", "= true", "resolve_aws_unique_ids"),
        ("aws/client.tf.j2", "{{ client.workload.trusted_services | hcl }}", '["*"]', "principals[0].identifiers[0]"),
        ("aws/client.tf.j2", "if client.workload.permissions_boundary", "if false", "permissions_boundary"),
        ("aws/sts.tf.j2", "account.sts.external_id", "account.name", "conditions[0].values[0]"),
    ],
)
def test_a_template_that_changes_the_meaning_is_refused(  # noqa: PLR0917 - fixtures and the case's four parts
    fleet: Fleet, tmp_path: Path, name: str, old: str, new: str, named: str
) -> None:
    assert named in refusal(fleet, render(fleet, overridden(tmp_path, name, old, new)))


def test_many_files_are_read_by_several_processes_to_the_same_end(
    fleet: Fleet, texts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_ALONE", 8)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    verify(fleet, texts, None)
    wrong = texts | {VAULT_CLIENT: texts[VAULT_CLIENT].replace("3600", "60"), LEDGER: "x"}
    message = refusal(fleet, wrong)
    assert "token_ttl: expected 3600, found 60" in message
    assert f"{LEDGER}:1:" in message


TAG = st.text(st.characters(categories=["L", "N", "Z"], include_characters="_.:/=+-@"), min_size=1).map(
    lambda text: unicodedata.normalize("NFC", text)
)


def test_any_tag_and_any_description_reads_back(fleet: Fleet) -> None:
    account = fleet.accounts[0]
    client = account.clients[0]
    assert client.workload
    workload = client.workload

    @given(st.dictionaries(TAG, TAG), st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs", "Cf"])))
    @settings(max_examples=30, deadline=None)
    def reads_back(tags: dict[str, str], text: str) -> None:
        tagged = replace(client, description=text, change_ref=text, workload=replace(workload, tags=tags))
        one = replace(fleet, accounts=(replace(account, tags=tags, clients=(tagged,)),))
        verify(one, render(one), None)

    reads_back()
