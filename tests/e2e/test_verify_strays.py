"""What stands in Vault and nobody declared is found, by what it lets anybody reach."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.e2e.drifting import (
    CAUGHT,
    LEDGERS,
    ONE,
    PAYMENTS_FILE,
    POLICY,
    ROLE,
    SCANNER_FILE,
    TWO,
    allow,
    drifts,
    one,
    role,
)

if TYPE_CHECKING:
    from tests.e2e.drifting import Live

pytestmark = pytest.mark.toolchain

STRAY = f"{POLICY}stray"
ELSEWHERE = "arn:aws:iam::333333333333:role/x"


REACHING = (
    (allow("secret/data/certs/*", "read"), "the directory of `", "clients/"),
    (allow("*", "list"), "the directory of `", "clients/"),
    (allow(f"secret/+/{LEDGERS}/*", "read"), "the directory of `ledger`", "clients/ledger.yaml"),
    (allow(f"secret/data/certs/{ONE}/gone/x", "read"), "the directory of `gone`", "clients/gone.yaml"),
    (allow(f"secret/destroy/{LEDGERS}/tls", "update"), "the directory of `ledger`", "clients/ledger.yaml"),
    (allow("secret/data/shared/ca/*", "update"), "the shared path `shared/ca`", "crosskeys.yaml"),
    (allow("secret/data/certs/999999999999/*", "read"), "the tree of all certificates", "crosskeys.yaml"),
    (allow("secret/{{identity.entity.name}}", "read"), "the directory of `", "clients/"),
    (
        allow("secret/data/*", "read") + allow(f"secret/data/certs/{ONE}/*", "deny"),
        "the directory of `scanner`",
        "clients/scanner.yaml",
    ),
)
POWERFUL = (
    (allow("sys/policies/acl/*", "update"), "write any policy"),
    ('path "sys/policy/x" { policy = "write" }', "write any policy"),
    (allow("auth/aws/role/*", "create"), "let others log in with any policy"),
    (allow("auth/aws/config/sts/*", "update"), "let others log in with any policy"),
    (allow("identity/entity/id/*", "update"), "give anybody any policy"),
    (allow("sys/leases/+", "sudo"), "use what Vault guards with `sudo`"),
    (allow("sys/storage/raft/snapshot", "read"), "take away all that Vault stores"),
    (allow("sys/mounts/secret", "delete", "update"), "change the mount of the certificates"),
)
HARMLESS = (
    allow("kv/data/team/*", "read", "update"),
    allow("secret/data/team/*", "read"),
    allow("secret/data/*", "read") + allow("secret/data/certs/*", "deny") + allow("secret/data/shared/*", "deny"),
    allow("sys/mounts", "read"),
)


@pytest.mark.parametrize(("text", "said", "at"), REACHING)
def test_undeclared_policy_that_reaches_anything_is_an_error(live: Live, text: str, said: str, at: str) -> None:
    with live.changed(STRAY, {"policy": text}):
        finding = one(live.found(), "CK947")
    assert "the policy `stray`, which is not declared" in finding.message
    assert said in finding.message
    assert finding.span.path.startswith(at)


@pytest.mark.parametrize(("text", "said"), POWERFUL)
def test_undeclared_policy_with_power_over_vault_is_an_error(live: Live, text: str, said: str) -> None:
    with live.changed(STRAY, {"policy": text}):
        finding = one(live.found(), "CK948")
    assert finding.message.endswith(f"and so {said}")


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_undeclared_policy_is_counted_and_no_finding(live: Live, text: str) -> None:
    with live.changed(STRAY, {"policy": text}):
        look = live.look()
    assert drifts(look) == ()
    assert dict(look.undeclared)["vault_policy"] == 1


def test_policy_of_those_who_run_vault_is_theirs_to_judge(live: Live) -> None:
    settings = live.reviewed.fleet.settings
    named = settings.model_copy(update={"live": settings.live.model_copy(update={"operator_policies": ("stray",)})})
    reviewed = replace(live.reviewed, fleet=replace(live.reviewed.fleet, settings=named))
    with (
        live.changed(STRAY, {"policy": allow("*", "read", "sudo")}),
        live.changed(f"{ROLE}x", role(ELSEWHERE, "stray")),
    ):
        finding = one(replace(live, reviewed=reviewed).found(), "CK949")
    assert "`stray` is of those who run Vault" in finding.message


STRAY_ROLES = (
    (role(f"arn:aws:iam::{ONE}:role/payments-app"), "CK945", "lets `payments` in", PAYMENTS_FILE),
    (role("arn:aws:iam::*"), "CK945", "lets `ledger` and 4 more clients in and brings no policy", "terraform/"),
    (role(f"arn:aws:iam::{TWO}:role/scan*", "x"), "CK945", "lets `scanner` in and brings `x`", SCANNER_FILE),
    (role("", "x", auth_type="ec2", bound_account_id=[TWO]), "CK945", "lets `scanner` in", SCANNER_FILE),
    (role(ELSEWHERE, "payments-policy"), "CK949", "`payments-policy` reaches the directory of `payments`", "crosskeys"),
    (role(ELSEWHERE, "team"), "CK946", "and brings `team`", "crosskeys.yaml"),
)
CUT_OFF = {"leaked": (role(f"arn:aws:iam::{ONE}:role/leaked", "leaked-policy"), "is suspended")}
CUT_OFF |= {"gone": (role(f"arn:aws:iam::{ONE}:role/gone"), "is retired")}


@pytest.mark.parametrize(("data", "rule", "said", "at"), STRAY_ROLES)
def test_undeclared_role_is_judged_by_whom_it_lets_in_and_to_what(
    live: Live, data: dict[str, object], rule: str, said: str, at: str
) -> None:
    with live.changed(f"{ROLE}stray", data):
        finding = one(live.found(), rule)
    assert said in finding.message
    assert finding.span.path.startswith(at)


@pytest.mark.parametrize("name", CUT_OFF)
def test_role_of_a_client_that_is_cut_off_is_an_error(live: Live, name: str) -> None:
    data, said = CUT_OFF[name]
    with live.changed(f"{ROLE}{name}", data):
        finding = one(live.found(), "CK950")
    assert said in finding.message
    assert finding.span.path == f"clients/{name}.yaml"


def test_undeclared_role_that_brings_an_undeclared_policy_with_reach_says_so(live: Live) -> None:
    with (
        live.changed(STRAY, {"policy": 'path "secret/data/certs/*" { capabilities = ["read"] }'}),
        live.changed(f"{ROLE}stray", role(ELSEWHERE, "Stray")),
    ):
        found = live.found()
    assert {finding.rule for finding in found} == {"CK947", "CK949"}
    CAUGHT["CK949"] += 1


def test_undeclared_sts_entry_is_a_warning(live: Live) -> None:
    path = "auth/aws/config/sts/333333333333"
    with live.changed(path, {"sts_role": ELSEWHERE}):
        finding = one(live.found(), "CK951")
    assert "account 333333333333" in finding.message


def test_roles_of_another_aws_mount_are_looked_at(live: Live) -> None:
    live.vault.sys.enable_auth_method("aws", path="legacy")
    try:
        assert one(live.found(), "CK954").severity == "warning"
        live.vault.write_data("auth/legacy/role/x", data=role(f"arn:aws:iam::{ONE}:role/payments-app", "ledger-policy"))
        found = live.found()
    finally:
        live.vault.sys.disable_auth_method("legacy")
    assert {finding.rule for finding in found} == {"CK945", "CK954"}
    assert any("the role `x` of `legacy/`" in finding.message for finding in found)
    CAUGHT["CK945"] += 1


@pytest.mark.parametrize(
    ("more", "rules"),
    [
        ('path "sys/health" { capabilities = ["read"] }', {"CK955", "CK832"}),
        ('path "kv/x" { capabilities = ["read"] }', {"CK955", "CK831"}),
        ('path "secret/data/certs/*" { capabilities = ["read"] }', {"CK955", "CK830"}),
    ],
)
def test_widened_default_policy_is_told_with_what_every_token_then_reaches(
    live: Live, more: str, rules: set[str]
) -> None:
    text = live.vault.read(f"{POLICY}default")["data"]["policy"]
    with live.changed(f"{POLICY}default", {"policy": f"{text}\n{more}\n"}):
        found = live.found()
    assert {finding.rule for finding in found} == rules
    CAUGHT["CK955"] += 1


def test_narrowed_default_policy_is_told(live: Live) -> None:
    text = live.vault.read(f"{POLICY}default")["data"]["policy"].replace(
        'path "auth/token/renew-self"', 'path "kv/none"'
    )
    with live.changed(f"{POLICY}default", {"policy": text}):
        found = live.found()
    assert "the policy `default` no longer lets tokens update `auth/token/renew-self`" in [f.message for f in found]


def test_group_that_gives_a_clients_policy_is_an_error(live: Live) -> None:
    made = live.vault.write_data("identity/group", data={"name": "helpdesk", "policies": ["payments-policy"]})
    try:
        finding = one(live.found(), "CK952")
    finally:
        live.vault.delete(f"identity/group/id/{made['data']['id']}")
    assert "the identity group `helpdesk`" in finding.message
    assert "`payments-policy` reaches the directory of `payments`" in finding.message


def test_entity_that_has_a_clients_policy_is_an_error(live: Live) -> None:
    made = live.vault.write_data("identity/entity", data={"name": "jo", "policies": ["payments-policy"]})
    try:
        finding = one(live.found(), "CK952")
    finally:
        live.vault.delete(f"identity/entity/id/{made['data']['id']}")
    assert "the identity entity `jo`" in finding.message


@pytest.mark.parametrize("through", ["entity", "group", "group of a group"])
def test_policy_that_identity_adds_to_a_clients_login_is_an_error(live: Live, through: str) -> None:
    accessor = live.vault.read("sys/auth")["data"]["aws/"]["accessor"]
    own = {"policies": ["team"]} if through == "entity" else {}
    entity = live.vault.write_data("identity/entity", data={"name": "login", **own})["data"]["id"]
    live.vault.write_data(
        "identity/entity-alias", data={"name": "x", "canonical_id": entity, "mount_accessor": accessor}
    )
    groups = []
    if through != "entity":
        policies = ["team"] if through == "group" else []
        inner = {"name": "inner", "member_entity_ids": [entity], "policies": policies}
        groups.append(live.vault.write_data("identity/group", data=inner)["data"]["id"])
    if through == "group of a group":
        outer = {"name": "outer", "member_group_ids": groups, "policies": ["team"]}
        groups.append(live.vault.write_data("identity/group", data=outer)["data"]["id"])
    try:
        finding = one(live.found(), "CK953")
    finally:
        for group in groups:
            live.vault.delete(f"identity/group/id/{group}")
        live.vault.delete(f"identity/entity/id/{entity}")
    assert "the identity entity `login` adds `team`" in finding.message
    assert ("through" in finding.message) is (through != "entity")
