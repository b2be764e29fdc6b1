"""What of a live role can be a manifest, and the reason where nothing can."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from generator.live.adopting.asked import Asked
from tests.live.adopting.worlds import ACCOUNT, answer, drafted, fleet_of, observed, policy_text, reasons_of

ARN = f"arn:aws:iam::{ACCOUNT}"


def test_a_plain_registration_is_a_manifest_of_its_blanks() -> None:
    result = drafted(observed({"payments": answer("payments")}))
    assert yaml.safe_load(result.texts["clients/payments.yaml"]) == {
        "name": "payments",
        "account_id": ACCOUNT,
        "role_name": "payments",
        "owner": "team@example.com",
        "aws": {"role": "existing"},
    }
    assert [client.name for client in result.fleet.clients] == ["payments"]


@pytest.mark.parametrize(
    ("reason", "fields"),
    [
        ("ec2-auth-type", {"auth_type": "ec2"}),
        ("no-principal", {"bound_iam_principal_arn": []}),
        ("wildcard-principal", {"bound_iam_principal_arn": [f"{ARN}:role/pay*"]}),
        ("several-principals", {"bound_iam_principal_arn": [f"{ARN}:role/a", f"{ARN}:role/b"]}),
        ("not-an-iam-role", {"bound_iam_principal_arn": [f"{ARN}:user/payments"]}),
        ("not-an-iam-role", {"bound_iam_principal_arn": [f"{ARN}:root"]}),
        ("not-an-iam-role", {"bound_iam_principal_arn": [f"arn:aws:sts::{ACCOUNT}:assumed-role/payments/i-1"]}),
        ("principal-with-path", {"bound_iam_principal_arn": [f"{ARN}:role/apps/payments"]}),
        ("other-partition", {"bound_iam_principal_arn": [f"arn:aws-cn:iam::{ACCOUNT}:role/payments"]}),
        ("unsupported-bind", {"bound_account_id": [ACCOUNT]}),
        ("unsupported-bind", {"bound_region": ["us-east-1"]}),
        ("unsupported-bind", {"bound_iam_instance_profile_arn": [f"{ARN}:instance-profile/payments"]}),
        ("unsupported-field", {"role_tag": "crosskeys"}),
        ("unsupported-field", {"a_field_of_tomorrow": "on"}),
        ("unsupported-token-field", {"token_period": 60}),
        ("unsupported-token-field", {"token_type": "batch"}),
        ("unsupported-token-field", {"token_num_uses": 1}),
        ("unsupported-token-field", {"token_explicit_max_ttl": 60}),
        ("unsupported-token-field", {"token_no_default_policy": True}),
        ("no-policy", {"token_policies": []}),
        ("no-policy", {"token_policies": ["default"]}),
        ("extra-policies", {"token_policies": ["payments-policy", "more"]}),
        ("no-sts", {"resolve_aws_unique_ids": True}),
        ("no-sts", {"inferred_entity_type": "ec2_instance", "inferred_aws_region": "us-east-1"}),
        ("rule", {"bound_iam_principal_arn": [f"{ARN}:role/a*b"], "token_policies": ["ab-policy"]}),
        ("rule", {"token_bound_cidrs": ["10.20.0.1/16"]}),
    ],
    ids=str,
)
def test_what_a_manifest_cannot_say_is_left_alone_with_the_reason(reason: str, fields: dict[str, Any]) -> None:
    found = observed({"payments": answer("payments", **fields)})
    result = drafted(found)
    assert reasons_of(result) == {"role payments": reason}
    assert result.texts == {}


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("missing-policy", None),
        ("undecidable-policy", 'path "secret/data/{{identity.entity.id}}/*" { capabilities = ["read"] }'),
        ("undecidable-policy", "rules = true"),
        (
            "undecidable-policy",
            policy_text("payments").replace("{ cap", "{\n cap", 1).replace("] }", "]\n min_wrapping_ttl = 60\n}", 1),
        ),
        ("other-policy", 'path "secret/*" { capabilities = ["read"] }'),
        ("other-policy", policy_text("payments") + 'path "secret/data/x" { capabilities = ["read"] }'),
        ("other-policy", policy_text("payments") + 'path "sys/+/x" { capabilities = ["read"] }'),
        ("other-policy", policy_text("payments").replace('"list", "read"', '"list"')),
        ("other-policy", policy_text("payments").replace("secret/", "kv/")),
        ("other-policy", policy_text("payments").splitlines()[0]),
        ("other-directory", policy_text("invoices")),
        ("unshared-path", policy_text("payments", ACCOUNT, "shared/ca")),
    ],
)
def test_a_policy_that_would_be_rendered_otherwise_is_left_alone(reason: str, text: str | None) -> None:
    result = drafted(observed({"payments": answer("payments")}, {"payments-policy": text}))
    assert reasons_of(result) == {"role payments": reason}


def test_a_policy_of_two_roles_is_neithers_and_a_principal_of_two_roles_neither() -> None:
    found = observed(
        {
            "one": answer("one", token_policies=["both"]),
            "two": answer("two", token_policies=["both"]),
            "three": answer("three", bound_iam_principal_arn=[f"{ARN}:role/same"]),
            "four": answer("four", bound_iam_principal_arn=[f"{ARN}:role/same"]),
        }
    )
    assert reasons_of(drafted(found)) == {
        "role one": "shared-policy",
        "role two": "shared-policy",
        "role three": "shared-principal",
        "role four": "shared-principal",
    }


def test_a_role_that_is_not_asked_for_counts_all_the_same() -> None:
    found = observed({"one": answer("one", token_policies=["both"]), "two": answer("two", token_policies=["both"])})
    result = drafted(found, asked=Asked(clients=frozenset({"one"}), owner="team@example.com"))
    assert reasons_of(result) == {"role one": "shared-policy"}


def test_a_token_that_never_needs_default_by_name_gets_a_manifest() -> None:
    found = observed(
        {"payments": answer("payments", token_policies=["default", "payments-policy"])},
        {"payments-policy": policy_text("payments")},
    )
    assert drafted(found).clients == ("payments",)


@pytest.mark.parametrize(
    ("defaults", "fields", "said"),
    [
        ({}, {"token_ttl": 5400, "token_max_ttl": 86399}, {"token_ttl": "1h30m", "token_max_ttl": "23h59m59s"}),
        ({"token_ttl": "1h", "token_max_ttl": "4h"}, {"token_ttl": 3600, "token_max_ttl": 14400}, {}),
        ({"token_ttl": "1h", "token_max_ttl": "4h"}, {"token_ttl": 1800}, {"token_ttl": "30m"}),
        ({"token_ttl": "60m"}, {"token_ttl": 3600}, {}),
    ],
)
def test_limits_are_said_where_they_are_not_the_fleets(
    defaults: dict[str, str], fields: dict[str, Any], said: dict[str, str]
) -> None:
    result = drafted(observed({"payments": answer("payments", **fields)}), fleet_of(defaults=defaults))
    assert yaml.safe_load(result.texts["clients/payments.yaml"]).get("vault", {}) == said


def test_a_limit_that_the_fleets_other_one_would_cut_is_left_alone() -> None:
    found = observed({"payments": answer("payments", token_ttl=36000)})
    result = drafted(found, fleet_of(defaults={"token_ttl": "1h", "token_max_ttl": "4h"}))
    assert reasons_of(result) == {"role payments": "token-limits"}


def test_names_in_upper_case_are_said_as_vault_has_them() -> None:
    data = answer("PAY_ments.App", token_policies=["payments-policy"])
    result = drafted(observed({"pay_ments.app": data}, {"payments-policy": policy_text("PAY_ments.App")}))
    manifest = yaml.safe_load(result.texts["clients/payments.yaml"])
    assert manifest["role_name"] == "PAY_ments.App"
    assert "vault" not in manifest


def test_a_pattern_whose_letters_differ_from_the_policys_is_written_out() -> None:
    fleet = fleet_of(vault={"policy": "{role_name}-policy"})
    result = drafted(observed({"payments": answer("Payments")}), fleet)
    assert yaml.safe_load(result.texts["clients/payments.yaml"])["vault"] == {"policy": "payments-policy"}


def test_paths_that_are_shared_are_grants() -> None:
    found = observed(
        {"payments": answer("payments")},
        {"payments-policy": policy_text("payments", ACCOUNT, "shared/ca/root", "public")},
    )
    shared = [{"path": path, "owner": "pki@example.com"} for path in ("shared/ca", "public")]
    manifest = yaml.safe_load(drafted(found, fleet_of(shared_paths=shared)).texts["clients/payments.yaml"])
    assert manifest["grants"] == [
        {"path": "public", "access": "read"},
        {"path": "shared/ca/root", "access": "read"},
    ]


@pytest.mark.parametrize(
    ("entry", "principals", "imported"),
    [
        ({"sts_role": f"{ARN}:role/look", "external_id": "one-id"}, True, True),
        ({"sts_role": f"{ARN}:role/look", "external_id": "one-id"}, False, False),
        ({"sts_role": f"{ARN}:role/look"}, True, False),
        ({"sts_role": f"{ARN}:role/path/look", "external_id": "one-id"}, True, False),
        ({"sts_role": "arn:aws:iam::210987654321:role/look", "external_id": "one-id"}, True, False),
    ],
)
def test_a_client_that_vault_looks_up_needs_all_that_its_account_says_of_the_way_in(
    entry: dict[str, str], principals: bool, imported: bool
) -> None:
    fleet = fleet_of(vault={"principals": ["arn:aws:iam::999999999999:role/vault"] if principals else []})
    found = observed({"payments": answer("payments", resolve_aws_unique_ids=True)}, sts={ACCOUNT: entry})
    result = drafted(found, fleet)
    assert reasons_of(result) == ({} if imported else {"role payments": "no-sts"})
    if imported:
        assert yaml.safe_load(result.texts[f"clients/accounts/{ACCOUNT}.yaml"])["sts"] == {
            "role": "look",
            "external_id": "one-id",
        }


def test_the_name_of_a_client_is_its_policys_then_its_roles_then_that_of_its_iam_role() -> None:
    found = observed(
        {
            "app": answer("app", token_policies=["payments-policy"]),
            "invoices": answer("b", token_policies=["read_b"]),
            "Ledger.x".lower(): answer("c", token_policies=["read_c"]),
            "ledger_x": answer("d", token_policies=["read_d"]),
        }
    )
    result = drafted(found)
    assert result.clients == ("d", "invoices", "ledger-x", "payments")
    assert "vault" not in yaml.safe_load(result.texts["clients/payments.yaml"])
    assert yaml.safe_load(result.texts["clients/invoices.yaml"])["vault"] == {"role": "invoices", "policy": "read_b"}


def test_a_registration_that_has_a_manifest_gets_no_other() -> None:
    found = observed({"payments": answer("payments"), "invoices": answer("invoices")})
    first = drafted(found, asked=Asked(match="pay*", owner="team@example.com"))
    assert first.clients == ("payments",)
    second = drafted(found, first.fleet)
    assert (second.clients, second.left) == (("invoices",), ())


def test_two_registrations_that_would_break_a_rule_together_are_both_left_alone() -> None:
    found = observed({"payments": answer("payments"), "billing": answer("Payments", token_policies=["billing-policy"])})
    result = drafted(found)
    assert reasons_of(result) == {"role payments": "rule", "role billing": "rule"}
    assert all("CK314" in each.detail for each in result.left)


def test_in_a_fleet_of_registered_accounts_accounts_are_written_too() -> None:
    found = observed({"payments": answer("payments")})
    result = drafted(found, fleet_of(accounts="registered"))
    assert list(result.texts) == [f"clients/accounts/{ACCOUNT}.yaml", "clients/payments.yaml"]
