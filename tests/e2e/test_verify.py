"""Drift of every kind on Vault's side, made by hand in a real Vault, is found and named where it was applied."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from generator import pipeline
from generator.live.advisories import FLAWED
from generator.live.pace import Pace
from generator.live.reviewed import Reviewed, Scope
from generator.live.systems import Systems
from generator.live.vault import Vault
from generator.live.verify import Look, verify
from generator.live.verify_identity import ENTITIES, GROUPS
from generator.sandbox.vault_contents import connect
from tests.e2e.fleets import HEADER, REPOSITORY, FleetFolder, ended, new_fleet
from tests.run import proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import hvac

    from generator.diagnostics import Diagnostic
    from generator.sandbox.toolchain import Toolchain
    from generator.sandbox.world import World

pytestmark = pytest.mark.toolchain

ONE, TWO = "111111111111", "222222222222"
VAULT_SIDE = Scope(aws=False)
ROLE = "auth/aws/role/"
POLICY = "sys/policies/acl/"
SETTINGS = {
    "accounts": "any",
    "vault": {"server_id_header": HEADER, "principals": ["arn:aws:iam::999999999999:role/hcp-vault"]},
    "defaults": {"token_ttl": "1h", "token_max_ttl": "4h"},
    "platform": {"auth_mount": True, "client_config": True, "kv_mount": True},
    "shared_paths": [{"path": "shared/ca", "owner": "pki@example.com"}],
}
PAYMENTS_FILE = f"terraform/accounts/{ONE}/vault/client-payments.tf"
SCANNER_FILE = f"terraform/accounts/{TWO}/vault/client-scanner.tf"
STS_FILE = f"terraform/accounts/{TWO}/vault/sts.tf"
PLATFORM = "terraform/platform/platform.tf"
CAUGHT: Counter[str] = Counter()
"""How many drifts were caught, by what drifted; shown at the end."""


class Silent:
    """Hears how far a look is."""

    def more(self, number: int) -> None:
        pass

    def done(self) -> None:
        pass


def drifts(look: Look) -> tuple[Diagnostic, ...]:
    """Return what a look has found, but the flaws of the version of Vault that tests run."""
    return tuple(finding for finding in look.verified.findings if finding.rule != FLAWED)


@dataclass(frozen=True)
class Live:
    """A fleet that was applied, and what asks about it."""

    fleet: FleetFolder
    world: World
    vault: hvac.Client
    reviewed: Reviewed

    def look(self, scope: Scope = VAULT_SIDE, token: str = "", address: str = "") -> Look:
        """Look at Vault's side, as its administrator and where it is unless said otherwise."""
        systems = self.world.systems()
        if token or address:
            variables = self.world.variables()
            variables |= {
                "VAULT_TOKEN": token or variables["VAULT_TOKEN"],
                "VAULT_ADDR": address or variables["VAULT_ADDR"],
            }
            systems = Systems(
                lambda: Vault(variables, "admin", Pace(0)), lambda _: None, Pace(0), None, systems.variables
            )
        return verify(self.reviewed, systems, scope, Silent())

    def found(self, scope: Scope = VAULT_SIDE) -> tuple[Diagnostic, ...]:
        """Return the findings of a look that reads everything."""
        look = self.look(scope)
        assert look.verified.unknown == ()
        return drifts(look)

    def line(self, finding: Diagnostic) -> str:
        """Return the line that a finding stands at."""
        return (self.fleet.folder / finding.span.path).read_text("utf-8").split("\n")[finding.span.line - 1]

    @contextmanager
    def changed(self, path: str, data: Mapping[str, Any] | None) -> Iterator[None]:
        """Write to a path, or delete what is there; what was there is put back afterwards."""
        before = self.vault.read(path)
        try:
            if data is None:
                self.vault.delete(path)
            else:
                self.vault.write_data(path, data=dict(data))
            yield
        finally:
            self.put_back(path, before["data"] if before else None)

    def put_back(self, path: str, before: Mapping[str, Any] | None) -> None:
        if before is None or path.startswith(ROLE):
            # A role's binds add up otherwise.
            self.vault.delete(path)
        if before is not None:
            ignored = {"role_id", "bound_iam_principal_id", "role_tag", "allow_instance_migration"}
            ignored |= {"disallow_reauthentication", "name"}
            kept = {name: value for name, value in before.items() if name not in ignored and value not in (None, [])}
            self.vault.write_data(path, data=kept)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("verify")
    fleet = FleetFolder(folder, toolchain)
    fleet.write(
        f"clients/accounts/{TWO}.yaml",
        {"name": "two", "owner": "two@example.com", "sts": {"role": "lookup", "external_id": "7d1c9d0e-3f0b"}},
    )
    clients = (
        {"name": "payments", "account_id": ONE, "role_name": "payments-app"},
        {
            "name": "ledger",
            "account_id": ONE,
            "role_name": "Ledger.App",
            "vault": {"token_bound_cidrs": ["10.20.0.0/16", "10.30.0.7/32"]},
            "grants": [{"path": "shared/ca", "access": "read"}],
        },
        {
            "name": "scanner",
            "account_id": TWO,
            "role_name": "scanner",
            "vault": {
                "ec2": {
                    "region": "eu-central-1",
                    "ami_ids": ["ami-0123456789abcdef0"],
                    "vpc_ids": ["vpc-0123456789abcdef0"],
                    "subnet_ids": ["subnet-0123456789abcdef0"],
                    "instance_ids": ["i-0123456789abcdef0"],
                }
            },
        },
        {"name": "leaked", "account_id": ONE, "role_name": "leaked", "suspend": {"reason": "key leaked"}},
        {
            "name": "gone",
            "account_id": ONE,
            "role_name": "gone",
            "retire": {"approved_until": "2099-01-31", "reason": "moved"},
        },
    )
    with ended(new_fleet(folder, toolchain, SETTINGS, *clients)):
        fleet.run("apply", "--side", "vault", "--yes")
        world = fleet.world()
        rendered = pipeline.render(folder, world.fleet, None)
        reviewed = Reviewed(rendered.fleet, rendered.declared, rendered.comparison.wanted, world.systems().variables)
        live = Live(fleet, world, connect(world.services), reviewed)
        yield live
        # Each test has put back what it changed.
        assert live.found() == ()
        print(f"\n{CAUGHT.total()} drifts caught: {dict(sorted(CAUGHT.items()))}")  # noqa: T201 - for who counts them


def one(findings: tuple[Diagnostic, ...], rule: str) -> Diagnostic:
    """Return the only finding, which is of a rule."""
    assert [finding.rule for finding in findings] == [rule], findings
    CAUGHT[rule] += 1
    return findings[0]


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


def allow(path: str, *capabilities: str) -> str:
    """Return a rule of a policy."""
    return f'path "{path}" {{ capabilities = {json.dumps(capabilities)} }}\n'


DIRECTORY = f"certs/{ONE}/payments-app"
LEDGERS = f"certs/{ONE}/Ledger.App"
DATA, METADATA = f"secret/data/{DIRECTORY}/*", f"secret/metadata/{DIRECTORY}/*"
OWN, OWN_METADATA = allow(DATA, "read", "list"), allow(METADATA, "list", "read")
BOTH = OWN + OWN_METADATA
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


def role(arn: str, *policies: str, **more: object) -> dict[str, object]:
    binds = {"bound_iam_principal_arn": [arn], "resolve_aws_unique_ids": False} if arn else {}
    return {"auth_type": "iam", **binds, "policies": list(policies), **more}


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


def test_vault_that_goes_away_midway_leaves_all_else_unknown_and_nothing_missing(live: Live) -> None:
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
    done = live.fleet.run("verify", "--side", "vault", "--report", "verify.json", "--report", "verify.md")
    assert done.out.endswith("live is what was reviewed: 13 objects of 4 clients\n")
    kept = json.loads((live.fleet.folder / "verify.json").read_text("utf-8"))
    assert (kept["as_reviewed"], kept["rules"].keys() - {FLAWED}, kept["unread"]) == (True, set(), 0)
    assert kept["vault"]["version"].startswith("1.")
    assert (live.fleet.folder / "verify.md").read_text("utf-8").startswith("### crosskeys verify: live is what was")
    with live.changed(f"{ROLE}payments-app", {"token_ttl": 60}):
        done = live.fleet.run("verify", "--side", "vault", "--format", "concise", code=1)
        assert f"{PAYMENTS_FILE}:24:3: error[CK941]" in done.out or "CK941" in done.out
        assert "live is not what was reviewed: 1 error" in done.out
        live.fleet.run("verify", "--client", "ledger", "--side", "vault")


def test_what_is_unknown_ends_a_live_look_with_4_and_hides_no_drift(live: Live) -> None:
    variables = {f"TF_VAR_{name}": value for name, value in live.world.platform_variables().items()}
    options = ("--target", "live", "--side", "vault", "--format", "json")
    with live.changed(f"{ROLE}ledger.app", {"token_ttl": 60}), reader(live, f"{ROLE}payments-app") as token:
        done = subprocess.run(
            [sys.executable, "-m", "tests.e2e.as_live", "-C", live.fleet.folder, "verify", *options],
            cwd=REPOSITORY,
            env={**os.environ, **live.world.variables(), **variables, "VAULT_TOKEN": token},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 4, done.stderr
    assert {finding["rule"] for finding in json.loads(done.stdout)} == {"CK941", "CK959", FLAWED}
    assert token not in done.stdout + done.stderr


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
