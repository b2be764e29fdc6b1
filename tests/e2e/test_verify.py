"""What was applied in Vault and is not so any more is found, and named where it was applied."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from generator.live import vault as live_vault
from generator.live.advisories import FLAWED
from generator.live.reviewed import Scope
from generator.live.verify_identity import ENTITIES, GROUPS
from tests.e2e.drifting import (
    BOTH,
    CAUGHT,
    DATA,
    DIRECTORY,
    LEDGERS,
    METADATA,
    ONE,
    OWN,
    OWN_METADATA,
    PAYMENTS_FILE,
    PLATFORM,
    POLICY,
    ROLE,
    STS_FILE,
    TWO,
    allow,
    drifts,
    one,
    role,
)
from tests.e2e.fleets import REPOSITORY
from tests.e2e.s3 import run_as_live
from tests.run import proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from generator.diagnostics import Diagnostic
    from tests.e2e.drifting import Live

pytestmark = pytest.mark.toolchain


def test_clean_fleet_verifies_clean(live: Live) -> None:
    look = live.look()
    assert (drifts(look), look.verified.unknown) == ((), ())
    assert dict(look.verified.checked) == {
        "vault_auth_backend": 1,
        "vault_aws_auth_backend_client": 1,
        "vault_aws_auth_backend_config_identity": 1,
        "vault_aws_auth_backend_role": 3,
        "vault_aws_auth_backend_sts_role": 1,
        "vault_mount": 1,
        "vault_policy": 5,
    }
    assert look.version.startswith("1.")
    assert look.requests >= 15


LEDGER_ARN = f"arn:aws:iam::{ONE}:role/Ledger.App"
ROLE_FIELDS: Mapping[str, tuple[str, object, str]] = {
    # field in Terraform's words: role, what Vault is given, what the finding says
    "token_ttl": ("payments-app", 7200, "is `7200`, and `3600` was applied"),
    "token_max_ttl": ("payments-app", 0, "is nothing, and `14400` was applied"),
    "token_explicit_max_ttl": ("payments-app", 86400, "is `86400`, and nothing was applied"),
    "token_period": ("payments-app", 1800, "is `1800`, and nothing was applied"),
    "token_num_uses": ("payments-app", 3, "is `3`, and nothing was applied"),
    "token_type": ("payments-app", "batch", "is `batch`, and nothing was applied"),
    "token_no_default_policy": ("payments-app", True, "is true, and false was applied"),
    "token_policies": ("payments-app", ["payments-policy", "Operators"], "has `operators` added"),
    "token_bound_cidrs": ("ledger.app", ["10.0.0.0/8"], "has `10.0.0.0/8` added and lacks `10.20.0.0/16`"),
    "bound_iam_principal_arns": ("payments-app", [LEDGER_ARN], f"has `{LEDGER_ARN}` added and lacks"),
    "inferred_aws_region": ("scanner", "us-east-1", "is `us-east-1`, and `eu-central-1` was applied"),
    "bound_ec2_instance_ids": ("scanner", ["i-0fedcba9876543210"], "has `i-0fedcba9876543210` added and lacks"),
    "bound_ami_ids": ("scanner", ["ami-0fedcba9876543210"], "has `ami-0fedcba9876543210` added and lacks"),
    "bound_vpc_ids": ("scanner", ["vpc-0fedcba9876543210"], "has `vpc-0fedcba9876543210` added and lacks"),
    "bound_subnet_ids": ("scanner", ["subnet-0fedcba9876543210"], "has `subnet-0fedcba9876543210` added and lacks"),
    "bound_account_ids": ("scanner", [TWO], f"has `{TWO}` added"),
    "bound_iam_role_arns": ("scanner", [f"arn:aws:iam::{TWO}:role/*"], f"has `arn:aws:iam::{TWO}:role/*` added"),
    "bound_iam_instance_profile_arns": (
        "scanner",
        [f"arn:aws:iam::{TWO}:instance-profile/*"],
        f"has `arn:aws:iam::{TWO}:instance-profile/*` added",
    ),
}
IN_VAULT = {"bound_iam_principal_arns": "bound_iam_principal_arn"}


@pytest.mark.parametrize("field", ROLE_FIELDS)
def test_altered_field_of_a_role_is_named_at_its_line(live: Live, field: str) -> None:
    role, value, said = ROLE_FIELDS[field]
    key = field[:-1] if field.startswith("bound_") else field
    with live.changed(f"{ROLE}{role}", {key: value}):
        finding = one(live.found(), "CK941")
    assert f"`{field}` of the Vault role" in finding.message
    assert said in finding.message
    line = live.line(finding)
    assert line.lstrip().startswith((f"{field} ", f"{field}=", 'resource "vault_aws_auth_backend_role"')), line
    assert finding.span.path.startswith("terraform/accounts/")
    assert finding.notes[-1].span.path.startswith("clients/")


def test_role_that_lets_in_another_client_names_it(live: Live) -> None:
    with live.changed(f"{ROLE}payments-app", {"bound_iam_principal_arn": [LEDGER_ARN]}):
        finding = one(live.found(), "CK941")
    assert [note.span.path for note in finding.notes] == ["clients/ledger.yaml", "clients/payments.yaml"]
    assert finding.notes[0].message == "`ledger`, whom it lets in as `payments`"


def test_role_of_another_type_has_what_no_manifest_can_say(live: Live) -> None:
    path = f"{ROLE}payments-app"
    before = live.vault.read(path)["data"]
    live.vault.delete(path)
    live.vault.write_data(
        path,
        data={"auth_type": "ec2", "bound_account_id": [ONE], "role_tag": "VaultRole", "policies": ["payments-policy"]},
    )
    try:
        found = live.found()
    finally:
        live.put_back(path, before)
    assert {finding.rule for finding in found} == {"CK941", "CK944"}
    messages = [finding.message for finding in found]
    assert "`auth_type` of the Vault role `payments-app` is `ec2`, and `iam` was applied" in messages
    assert "the Vault role `payments-app` has `role_tag` = `VaultRole`, which no manifest can say" in messages
    CAUGHT["CK941"] += 1
    CAUGHT["CK944"] += 1


@pytest.mark.parametrize(
    ("path", "said", "file"),
    [
        (f"{ROLE}payments-app", "the Vault role `payments-app` is gone", PAYMENTS_FILE),
        (f"{POLICY}payments-policy", "the policy `payments-policy` is gone", PAYMENTS_FILE),
        (f"auth/aws/config/sts/{TWO}", f"the STS entry of account {TWO} is gone", STS_FILE),
    ],
)
def test_deleted_object_is_named_at_its_block(live: Live, path: str, said: str, file: str) -> None:
    with live.changed(path, None):
        finding = one(live.found(), "CK940")
    assert said in finding.message
    assert finding.span.path == file
    assert live.line(finding).startswith("resource ")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"sts_role": f"arn:aws:iam::{TWO}:role/other"}, f"`sts_role` of the STS entry of account {TWO} is"),
        ({"sts_role": f"arn:aws:iam::{TWO}:role/lookup", "external_id": "x7"}, "`external_id` of the STS entry"),
        ({"sts_role": f"arn:aws:iam::{TWO}:role/lookup"}, "is nothing, and `7d1c9d0e-3f0b` was applied"),
    ],
)
def test_altered_sts_entry_is_named_at_its_line(live: Live, data: dict[str, str], said: str) -> None:
    external_id = {} if "external_id" in data or "other" not in data["sts_role"] else {"external_id": "7d1c9d0e-3f0b"}
    path = f"auth/aws/config/sts/{TWO}"
    # Vault keeps what a write does not name.
    with live.changed(path, None), live.changed(path, data | external_id):
        finding = one(live.found(), "CK941")
    assert said in finding.message
    assert live.line(finding).lstrip().startswith(("sts_role", "external_id"))


CONSTRAINED = f'path "{DATA}" {{\n  capabilities = ["read", "list"]\n  required_parameters = ["v"]\n}}\n'
ALTERED = (
    (BOTH, "CK943", "has other words than were applied, and allows the same"),
    (f"{OWN_METADATA}{OWN}# by hand\n", "CK943", "has other words"),
    (OWN, "CK942", f"does not let read and list `{METADATA}`"),
    (allow(DATA, "read", "list", "update") + OWN_METADATA, "CK942", f"lets update `{DATA}`"),
    (allow(f"secret/data/certs/{ONE}/*", "read") + BOTH, "CK942", "so `payments` reaches `secret/data/certs/"),
    (allow(f"secret/data/{LEDGERS}/tls", "read") + BOTH, "CK942", f"lets read `secret/data/{LEDGERS}/tls`"),
    (BOTH + allow(f"secret/data/{DIRECTORY}/old/*", "deny"), "CK942", "does not let read and list"),
    (CONSTRAINED + OWN_METADATA, "CK942", "asks for parameters"),
    (BOTH + allow("secret/data/{{identity.entity.name}}/*", "read"), "CK942", "lets read `secret/data/*`"),
    (allow(DATA, "sudo", "read", "list") + OWN_METADATA, "CK942", "has other rules"),
)


@pytest.mark.parametrize(("text", "rule", "said"), ALTERED)
def test_altered_policy_tells_whether_it_allows_otherwise(live: Live, text: str, rule: str, said: str) -> None:
    with live.changed(f"{POLICY}payments-policy", {"policy": text}):
        finding = one(live.found(), rule)
    assert said in finding.message
    assert live.line(finding).lstrip().startswith("policy = <<")


CLIENT_CONFIG: Mapping[str, Mapping[str, object]] = {
    "iam_server_id_header_value": {"iam_server_id_header_value": "other.example.com"},
    "use_sts_region_from_client": {"use_sts_region_from_client": True},
    "sts_endpoint": {"sts_endpoint": "http://127.0.0.1:1"},
    "sts_region": {"sts_region": "eu-west-1"},
    "iam_endpoint": {"iam_endpoint": "http://127.0.0.1:1"},
    "ec2_endpoint": {"endpoint": "http://127.0.0.1:1"},
}


@pytest.mark.parametrize("field", CLIENT_CONFIG)
def test_altered_client_configuration_is_named_at_its_line(live: Live, field: str) -> None:
    with live.changed("auth/aws/config/client", CLIENT_CONFIG[field]):
        finding = one(live.found(), "CK941")
    assert f"`{field}` of auth/aws/config/client" in finding.message
    assert finding.span.path == PLATFORM
    assert live.line(finding).lstrip().startswith(field)


@pytest.mark.parametrize(
    ("field", "value"), [("iam_alias", "full_arn"), ("iam_metadata", ["account_id", "client_arn"])]
)
def test_altered_identity_configuration_is_named_at_its_line(live: Live, field: str, value: object) -> None:
    with live.changed("auth/aws/config/identity", {field: value}):
        finding = one(live.found(), "CK941")
    assert f"`{field}` of auth/aws/config/identity" in finding.message
    assert live.line(finding).lstrip().startswith(field)


READER = (REPOSITORY / "docs/bootstrap/reader-vault.hcl").read_text("utf-8")


@contextmanager
def reader(live: Live, *denied: str) -> Iterator[str]:
    """Yield a token with the reader's policy, less some paths."""
    text = READER + "".join(f'path "{path}" {{ capabilities = ["deny"] }}\n' for path in denied)
    # Not a policy of the namespace's that would be looked at: it is declared as nobody's, and reaches nothing.
    live.vault.write_data(f"{POLICY}reader", data={"policy": text})
    token = live.vault.auth.token.create(policies=["reader"], ttl="5m")["auth"]["client_token"]
    try:
        yield token
    finally:
        live.vault.auth.token.revoke(token)
        live.vault.delete(f"{POLICY}reader")


def test_readers_policy_is_enough(live: Live) -> None:
    with reader(live) as token:
        look = live.look(token=token)
    assert (drifts(look), look.verified.unknown) == ((), ())
    assert look.verified.checked == live.look().verified.checked


@pytest.mark.parametrize(
    "path",
    [
        "sys/auth",
        "sys/mounts",
        "auth/aws/config/client",
        "auth/aws/config/identity",
        f"auth/aws/config/sts/{TWO}",
        "auth/aws/config/sts",
        f"{ROLE}payments-app",
        "auth/aws/role",
        f"{POLICY}payments-policy",
        f"{POLICY}default",
        "sys/policies/acl",
        "identity/group/id",
        "identity/entity/id",
    ],
)
def test_what_may_not_be_read_is_unknown_and_never_missing(live: Live, path: str) -> None:
    with reader(live, path, f"{path}/") as token:
        look = live.look(token=token)
    assert [unknown.what for unknown in look.verified.unknown] == [path]
    assert look.verified.unknown[0].why == "permission denied"
    assert path in look.verified.unknown[0].help
    assert drifts(look) == ()
    CAUGHT["unknown"] += 1


def test_vault_that_goes_away_midway_leaves_all_else_unknown_and_nothing_missing(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_vault, "_FIRST_DELAY", 0.001)
    asked: Counter[str] = Counter()

    def is_gone(_method: str, _path: str, _body: bytes) -> bool:
        asked["requests"] += 1
        return asked["requests"] > 12

    with proxy.between(live.world.services.vault_address) as between:
        between.fault = proxy.Fault(0, meant=is_gone)
        look = live.look(address=between.address)
    assert drifts(look) == ()
    assert all("does not answer" in unknown.why for unknown in look.verified.unknown)
    assert {unknown.what for unknown in look.verified.unknown} >= {ENTITIES, GROUPS, "sys/policies/acl"}
    assert sum(number for _, number in look.verified.checked) + len(look.verified.unknown) >= 13


def test_command_line_says_what_drifted_what_is_unknown_and_keeps_the_report(live: Live) -> None:
    done = live.fleet.call("verify", "--side", "vault", "--report", "verify.json", "--report", "verify.md")
    assert done.out.endswith("live is what was reviewed: 13 objects of 4 clients\n")
    kept = json.loads((live.fleet.folder / "verify.json").read_text("utf-8"))
    assert (kept["as_reviewed"], kept["rules"].keys() - {FLAWED}, kept["unread"]) == (True, set(), 0)
    assert kept["vault"]["version"].startswith("1.")
    assert (live.fleet.folder / "verify.md").read_text("utf-8").startswith("### crosskeys verify: live is what was")
    with live.changed(f"{ROLE}payments-app", {"token_ttl": 60}):
        done = live.fleet.call("verify", "--side", "vault", "--format", "concise", code=1)
        assert f"{PAYMENTS_FILE}:24:3: error[CK941]" in done.out or "CK941" in done.out
        assert "live is not what was reviewed: 1 error" in done.out
        live.fleet.call("verify", "--client", "ledger", "--side", "vault")


def test_what_is_unknown_ends_a_live_look_with_4_and_hides_no_drift(live: Live) -> None:
    options = ("--side", "vault", "--format", "json")
    with live.changed(f"{ROLE}ledger.app", {"token_ttl": 60}), reader(live, f"{ROLE}payments-app") as token:
        variables = {f"TF_VAR_{name}": value for name, value in live.world.platform_variables().items()}
        variables |= {"VAULT_TOKEN": token}
        done = run_as_live(live.fleet, live.world, "verify", *options, code=4, environment=variables)
    assert {finding["rule"] for finding in json.loads(done.out)} == {"CK941", "CK959", FLAWED}
    assert token not in done.out + done.err


def test_clients_and_accounts_narrow_the_look(live: Live) -> None:
    with live.changed(f"{ROLE}payments-app", None), live.changed(f"{ROLE}stray", role("arn:aws:iam::*", "x")):
        assert live.found(Scope(clients=frozenset({"ledger"}), aws=False, platform=False)) == ()
        assert live.found(Scope(accounts=frozenset({TWO}), aws=False, platform=False)) == ()
        one(live.found(Scope(clients=frozenset({"payments"}), aws=False, platform=False)), "CK940")


def with_mount(live: Live, change: Callable[[], object]) -> tuple[Diagnostic, ...]:
    """Return what is found of the KV mount that was changed, and make it anew."""
    live.vault.sys.disable_secrets_engine("secret")
    try:
        change()
        return live.found()
    finally:
        if "secret/" in live.vault.read("sys/mounts")["data"]:
            live.vault.sys.disable_secrets_engine("secret")
        live.vault.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})


def test_mount_of_the_certificates_is_there_and_is_kv_version_2(live: Live) -> None:
    vault = live.vault.sys
    gone = one(with_mount(live, lambda: None), "CK940")
    assert "there is no secrets engine at `secret/`" in gone.message
    older = one(with_mount(live, lambda: vault.enable_secrets_engine("kv", path="secret")), "CK941")
    assert "is KV version 1, not 2" in older.message
    other = one(with_mount(live, lambda: vault.enable_secrets_engine("transit", path="secret")), "CK941")
    assert "is of type `transit`, not `kv`" in other.message
    assert {gone.span.path, older.span.path, other.span.path} == {PLATFORM}


def test_auth_mount_that_is_gone_is_one_finding_and_not_one_for_each_role(live: Live) -> None:
    vault = live.vault
    kept = {path: vault.read(path)["data"] for path in ("auth/aws/config/client", "auth/aws/config/identity")}
    kept |= {
        f"{ROLE}{name}": vault.read(f"{ROLE}{name}")["data"] for name in vault.list("auth/aws/role")["data"]["keys"]
    }
    kept[f"auth/aws/config/sts/{TWO}"] = vault.read(f"auth/aws/config/sts/{TWO}")["data"]
    vault.sys.disable_auth_method("aws")
    try:
        finding = one(live.found(), "CK940")
    finally:
        vault.sys.enable_auth_method("aws", path="aws")
        for path, before in kept.items():
            live.put_back(path, before)
    assert "there is no auth method at `aws/`" in finding.message
    assert finding.span.path == PLATFORM
