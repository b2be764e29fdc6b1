"""What somebody meant whose value does not have its form is said in words, under a rule of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from generator.manifest.account import AccountManifest
from generator.manifest.client import ClientManifest
from generator.manifest.explain import (
    MALFORMED_ACCOUNT_ID,
    NON_ASCII_IDENTIFIER,
    NOT_ONE_PRINCIPAL,
    PATH_NOT_PLAIN,
)
from generator.manifest.settings import FleetSettings
from generator.manifest.source import parse
from generator.manifest.validate import INVALID_VALUE, WRONG_TYPE, validate

if TYPE_CHECKING:
    from generator.diagnostics import Diagnostic
    from generator.manifest.values import Model

CLIENT = 'name: pay\naccount_id: "123456789012"\nrole_name: pay-app\nowner: pay@example.com\n'
ACCOUNT = "name: retail\nowner: retail@example.com\n"


def only(text: str, model: type[Model] = ClientManifest) -> Diagnostic:
    document = parse(text.encode(), "file.yaml")
    assert not isinstance(document, tuple), document
    found = validate(document, model)
    assert isinstance(found, tuple)
    (finding,) = found
    return finding


def account_id(written: str) -> str:
    return CLIENT.replace('"123456789012"', written)


@pytest.mark.parametrize(
    ("written", "rule", "says", "advice"),
    [
        (
            '"12345678901"',
            MALFORMED_ACCOUNT_ID,
            "has 11 digits",
            'did a leading zero get lost? Then it is "012345678901"',
        ),
        ('"1234567890123"', MALFORMED_ACCOUNT_ID, "has 13 digits", "copy it from the account itself"),
        ('"1234-5678-9012"', MALFORMED_ACCOUNT_ID, "not the account id alone", 'write "123456789012"'),
        ('"123456789012\\n"', MALFORMED_ACCOUNT_ID, "not the account id alone", 'write "123456789012"'),
        ("retail", MALFORMED_ACCOUNT_ID, "`retail` is no account id", "twelve digits, in quotes"),
        # Arabic-Indic digits are digits to many a regular expression.
        ('"12345678901\u0662"', NON_ASCII_IDENTIFIER, "character 12", "type it anew"),
        ("123456789012", WRONG_TYPE, "must be a string", 'quote it: "123456789012"'),
        ("12345678901", WRONG_TYPE, "must be a string", 'did a leading zero get lost? Then it is "012345678901"'),
        ("true", WRONG_TYPE, "must be a string", 'quote it: "true"'),
    ],
)
def test_account_id_is_asked_for_what_happened_to_it(written: str, rule: str, says: str, advice: str) -> None:
    finding = only(account_id(written))
    assert (finding.rule, str(finding.span)) == (rule, "file.yaml:2:13")
    assert says in finding.message
    assert advice in (finding.help or "")


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("arn:aws:iam::123456789012:root", "is the account as a whole"),
        ("'123456789012'", "is the account as a whole"),
        ("'*'", "has a wildcard"),
        ("arn:aws:iam::123456789012:role/*", "has a wildcard"),
        ("arn:aws:iam::123456789012:role/app-?", "has a wildcard"),
        ("arn:aws:sts::123456789012:assumed-role/hcp-vault/session", "is a session of a role"),
        ("arn:aws:iam::123456789012:group/admins", "is an IAM group"),
        ("arn:aws:iam::123456789012:instance-profile/x", "is an instance profile"),
        ("arn:aws:iam::123456789012:oidc-provider/idp.example.com", "is an identity provider"),
    ],
)
def test_vaults_principal_is_one_role_or_user(written: str, says: str) -> None:
    finding = only(f"vault: {{principals: [{written}]}}\n", FleetSettings)
    assert (finding.rule, str(finding.span)) == (NOT_ONE_PRINCIPAL, "file.yaml:1:22")
    assert finding.message.startswith("`principals[0]`: ")
    assert says in finding.message


def test_user_of_a_misspelt_account_is_told_the_form() -> None:
    finding = only("vault: {principals: ['arn:aws:iam::1:user/hcp-vault']}\n", FleetSettings)
    assert (finding.rule, "the exact ARN of Vault's own IAM role or user" in finding.message) == (INVALID_VALUE, True)


def test_session_is_answered_with_its_role() -> None:
    finding = only("vault: {principals: ['arn:aws:sts::123456789012:assumed-role/hcp-vault/i-1']}\n", FleetSettings)
    assert finding.help == "write the role's own ARN: arn:aws:iam::123456789012:role/hcp-vault"


def test_provisioner_is_a_role_and_no_user() -> None:
    finding = only(f"{ACCOUNT}provisioner_role: arn:aws:iam::123456789012:user/me\n", AccountManifest)
    assert (finding.rule, finding.message.rpartition("` ")[2]) == (
        NOT_ONE_PRINCIPAL,
        "is an IAM user, and not one role",
    )


def test_boundary_is_a_policy_and_no_role() -> None:
    finding = only(f"{CLIENT}aws: {{permissions_boundary: 'arn:aws:iam::123456789012:role/x'}}\n")
    assert (finding.rule, finding.help) == (
        NOT_ONE_PRINCIPAL,
        "write the policy's own ARN, as arn:aws:iam::123456789012:policy/name",
    )


@pytest.mark.parametrize("arn", ["arn:aws:iam::1:role/x", "arn:aws:s3:::bucket", "provisioner"])
def test_arn_that_is_only_misspelt_is_told_its_form(arn: str) -> None:
    finding = only(f"{ACCOUNT}provisioner_role: {arn}\n", AccountManifest)
    assert finding.rule == INVALID_VALUE
    assert "expected the ARN of one IAM role" in finding.message


@pytest.mark.parametrize(
    ("arn", "advice"),
    [
        ("arn:aws:iam::123456789012:role/pay", "write pay"),
        ("arn:aws:iam::123456789012:role/apps/eu/pay", "write pay, and role_path: /apps/eu/ below `aws:`"),
        ("arn:aws:iam::123456789012", "write the role's name"),
    ],
)
def test_arn_for_a_role_name_is_answered_with_the_name(arn: str, advice: str) -> None:
    finding = only(CLIENT.replace("pay-app", arn))
    assert (finding.rule, finding.help) == (NOT_ONE_PRINCIPAL, advice)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("shared/../certs", "a segment of dots"),
        ("./shared", "a segment of dots"),
        ("shared//ca", "an empty segment"),
        ("/shared", "a slash at its beginning or end"),
        ("shared/", "a slash at its beginning or end"),
        ("shared/*", "`*`, which Vault reads as a wildcard"),
        ("shared/+/ca", "`+`, which Vault reads as any one segment"),
        ("shared/{{identity.entity.id}}", "braces"),
        ("shared/ca}", "braces"),
        ('shared/"ca', "quotes or backslashes"),
        ("shared/''ca", "quotes or backslashes"),
        ("shared\\ca", "quotes or backslashes"),
        ("shared/the ca", "white space"),
        ("shared/ca\n", "white space"),
    ],
)
def test_path_is_told_what_vault_would_make_of_it(path: str, says: str) -> None:
    written = f'"{path}"'.replace("\\", "\\\\").replace("\n", "\\n") if '"' not in path else f"'{path}'"
    finding = only(f"{CLIENT}grants: [{{path: {written}}}]\n")
    assert (finding.rule, str(finding.span)) == (PATH_NOT_PLAIN, "file.yaml:5:17")
    assert says in finding.message
    assert finding.help


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("vault: {directory: certs//{name}}\n", "1:20"),
        ("shared_paths: [{path: shared/*, owner: x}]\n", "1:23"),
    ],
)
def test_paths_of_the_settings_are_told_the_same(text: str, span: str) -> None:
    text = text.replace("certs//{name}", "'certs//{name}'")
    finding = only(text, FleetSettings)
    assert (finding.rule, str(finding.span)) == (PATH_NOT_PLAIN, f"file.yaml:{span}")


def test_other_placeholders_than_those_that_are_known_are_named() -> None:
    finding = only("vault: {directory: 'certs/{region}'}\n", FleetSettings)
    assert finding.rule == INVALID_VALUE
    assert "no other placeholders" in finding.message


@pytest.mark.parametrize(
    ("key", "value", "name"),
    [
        ("name", "p\u0430y", "U+0430 (CYRILLIC SMALL LETTER A)"),
        ("role_name", "pay\u2010app", "U+2010 (HYPHEN)"),
        ("role_name", "pay\ue000", "U+E000 (a character without a name)"),
    ],
)
def test_letter_that_only_looks_right_is_named(key: str, value: str, name: str) -> None:
    lines = {"name": "pay", "account_id": '"123456789012"', "role_name": "pay-app", "owner": "x", key: value}
    finding = only("".join(f"{key}: {text}\n" for key, text in lines.items()))
    assert finding.rule == NON_ASCII_IDENTIFIER
    assert name in finding.message


def test_tags_may_be_in_any_language_and_are_told_their_own_form() -> None:
    assert "expected a tag key" in only(f"{CLIENT}aws: {{tags: {{'стоимость!': x}}}}\n").message


@pytest.mark.parametrize(
    ("written", "advice"), [("3600", "write a duration, such as 3600s"), ("true", 'quote it: "true"')]
)
def test_duration_is_not_answered_with_a_number_in_quotes(written: str, advice: str) -> None:
    finding = only(f"{CLIENT}vault: {{token_ttl: {written}}}\n")
    assert (finding.rule, finding.help) == (WRONG_TYPE, advice)
