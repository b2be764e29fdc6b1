"""Vault's side of any fleet against answers of Vault: each object that is another, gone or not readable is found."""

from __future__ import annotations

import io
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.audit.declared import Declared, VaultRole
from generator.audit.proof_default import STOCK
from generator.diagnostics import Span
from generator.live.answers import Unknown
from generator.live.differences import of_role
from generator.live.drift_findings import not_read
from generator.live.pace import Pace, each
from generator.live.reviewed import Scope
from generator.live.vault import WORKERS, Vault
from generator.live.verify import verify
from generator.report import looking, verification
from generator.report.verification import Verification
from tests.live.applied import DEFAULT, as_applied, reviewed

if TYPE_CHECKING:
    from generator.live.reviewed import Reviewed
    from generator.live.systems import Systems
    from generator.live.verify import Look
    from tests.live.applied import Answers

CHECKOUT = Path(__file__).parents[2]
FLEETS = sorted((CHECKOUT / "tests/golden").glob("*/clients"))
STOCK_TEXT = "".join(
    f'path "{rule.path}" {{ capabilities = [{", ".join(map(repr, rule.capabilities))}] }}\n'.replace("'", '"')
    for rule in STOCK
)
HEARS_NOTHING = looking.Plain(io.StringIO(), silence=1e9)


class Asked:
    """Systems that have a Vault alone."""

    def __init__(self, vault: Answers) -> None:
        self.vault = vault


def look(tree: Reviewed, vault: Answers, scope: Scope = Scope(aws=False)) -> Look:  # noqa: B008 - it is frozen
    return verify(tree, cast("Systems", Asked(vault)), scope, HEARS_NOTHING)


@pytest.fixture(scope="module")
def example() -> Reviewed:
    return reviewed(CHECKOUT)


@pytest.mark.parametrize("clients", FLEETS, ids=lambda path: path.parent.name)
def test_any_fleet_that_was_applied_verifies_clean_and_each_object_that_goes_is_named(clients: Path) -> None:
    tree = reviewed(clients.parent)
    vault = as_applied(tree, STOCK_TEXT)
    found = look(tree, vault)
    assert (found.verified.findings, found.verified.unknown) == ((), ())
    declared = [path for path in vault.objects if not path.startswith(("sys/auth", "sys/mounts", DEFAULT))]
    for path in declared:
        if "/config/" in path and "/sts/" not in path:
            continue
        without = replace(vault, objects={name: each for name, each in vault.objects.items() if name != path})
        (finding,) = look(tree, without).verified.findings
        assert finding.rule == "CK940"
        (unknown,) = look(tree, replace(vault, denied=frozenset({path}))).verified.unknown
        assert unknown.what == path


def test_vault_that_is_sealed_or_silent_is_asked_nothing_and_nothing_is_missing(example: Reviewed) -> None:
    vault = as_applied(example, STOCK_TEXT)
    vault.health_says = {"sealed": True}
    found = look(example, vault)
    assert (found.verified.findings, vault.asked) == ((), 0)
    assert found.verified.unknown[0].why == "Vault is sealed"


def test_vault_that_does_not_answer_is_soon_not_asked_any_more() -> None:
    # Nothing listens there: ports below 1024 are not given out by chance.
    vault = Vault({"VAULT_ADDR": "http://127.0.0.1:1", "VAULT_TOKEN": "x"}, None, Pace(0))
    answers = [answer for _, answer in each(vault.read, map(str, range(400)), WORKERS)]
    assert len(answers) == 400
    assert all(isinstance(answer, Unknown) for answer in answers)
    assert WORKERS <= vault.asked <= 2 * WORKERS


def one_client(folder: Path, settings: str) -> Reviewed:
    (folder / "clients").mkdir()
    manifest = 'name: pay\naccount_id: "111111111111"\nrole_name: pay\nowner: pay@example.com\n'
    (folder / "clients/pay.yaml").write_text(manifest, "utf-8")
    (folder / "crosskeys.yaml").write_text(settings, "utf-8")
    return reviewed(folder)


@pytest.mark.parametrize(
    ("endpoint", "is_aws"),
    [
        ({"sts_endpoint": "https://sts.eu-west-1.amazonaws.com"}, True),
        ({"sts_endpoint": "https://sts-fips.us-gov-west-1.amazonaws.com/"}, True),
        ({"sts_endpoint": "https://vpce-0a1b-xyz.sts.us-east-1.vpce.amazonaws.com"}, True),
        ({"iam_endpoint": "https://iam.cn-north-1.amazonaws.com.cn"}, True),
        ({"endpoint": "https://ec2.us-east-1.api.aws"}, True),
        ({"sts_endpoint": "https://sts.amazonaws.com.example.org"}, False),
        ({"sts_endpoint": "https://sts.s3.amazonaws.com"}, False),
        ({"sts_endpoint": "https://x1.execute-api.us-east-1.amazonaws.com"}, False),
        ({"sts_endpoint": "http://sts.amazonaws.com"}, False),
        ({"iam_endpoint": "https://10.0.0.7"}, False),
        ({"endpoint": "https://ec2-1-2-3-4.compute.amazonaws.com"}, False),
    ],
)
def test_platform_of_others_must_ask_aws_itself_who_logs_in(
    tmp_path: Path, endpoint: dict[str, str], is_aws: bool
) -> None:
    tree = one_client(tmp_path, "version: 1\n")
    vault = as_applied(tree, STOCK_TEXT)
    vault.objects["auth/aws/config/client"] |= endpoint
    found = look(tree, vault).verified.findings
    assert [(each.rule, each.severity.value) for each in found] == ([] if is_aws else [("CK941", "error")])
    # As in the sandbox, where variables say where AWS is.
    variables = {"ec2_endpoint" if name == "endpoint" else name: value for name, value in endpoint.items()}
    told = replace(tree, variables=variables)
    assert look(told, vault).verified.findings == ()


def test_platform_of_others_is_held_to_the_settings_as_far_as_they_name_it(tmp_path: Path) -> None:
    tree = one_client(tmp_path, "vault: {server_id_header: vault.example.com}\n")
    vault = as_applied(tree, STOCK_TEXT)
    assert look(tree, vault).verified.findings == ()
    vault.objects["auth/aws/config/client"]["iam_server_id_header_value"] = "other"
    (finding,) = look(tree, vault).verified.findings
    assert "is `other` in Vault, and `vault.example.com` in the settings" in finding.message
    assert str(finding.span) == "crosskeys.yaml:1:27"


ALL = 'path "secret/data/certs/*" { capabilities = ["read"] }\n'
# What a rule denies is just what somebody who knows this tool would expect it to ask for.
HIDDEN = ALL + "".join(
    f'path "secret/data/certs/+/+{name}" {{ capabilities = ["deny"] }}\n'
    for name in ("", "/", "/example", "/\N{CURRENCY SIGN}", "/\N{CURRENCY SIGN}/\N{CURRENCY SIGN}")
)


@pytest.mark.parametrize("text", [ALL, HIDDEN])
@pytest.mark.parametrize("name", ["helpdesk", "default-ceiling", "hcp-root"])
def test_policy_is_judged_whatever_it_is_called_and_whatever_it_denies(tmp_path: Path, name: str, text: str) -> None:
    tree = one_client(tmp_path, "version: 1\n")
    vault = as_applied(tree, STOCK_TEXT)
    vault.health_says["version"] = "1.99.0"
    vault.objects[f"sys/policies/acl/{name}"] = {"policy": text}
    (finding,) = (each for each in look(tree, vault).verified.findings if each.rule != "CK969")
    assert (finding.rule, "in the directory of `pay`" in finding.message) == ("CK947", True)


def test_policies_that_are_vaults_or_hcps_are_theirs_where_they_are(tmp_path: Path) -> None:
    tree = one_client(tmp_path, "version: 1\n")
    vault = as_applied(tree, STOCK_TEXT)
    vault.health_says["version"], vault.address = "9.9.9+ent", "https://x.aws.hashicorp.cloud:8200"
    vault.objects |= {f"sys/policies/acl/{name}": {"policy": ALL} for name in ("default-ceiling", "hcp-root", "root")}
    assert look(tree, vault).verified.findings == ()


OTHER = "arn:aws:iam::222222222222:role/x"


@pytest.mark.parametrize(
    ("mount", "arn", "rule"),
    [
        ("aws", OTHER, "CK949"),
        ("runners", OTHER, "CK946"),
        ("aws", "*:role/pay", "CK945"),
        ("aws", "*/pay*", "CK945"),
        ("aws", "arn:aws:iam::1111*", "CK945"),
        ("aws", "arn:aws:iam::111111111111:role/pay", "CK945"),
        ("aws", "arn:aws:iam::111111111111:role/pa", "CK949"),
    ],
)
def test_role_with_an_operators_policy_is_an_error_beside_the_clients_roles(
    tmp_path: Path, mount: str, arn: str, rule: str
) -> None:
    settings = "live: {vault_address: 'https://vault.example.com', operator_policies: [operators]}\n"
    tree = one_client(tmp_path, settings)
    vault = as_applied(tree, STOCK_TEXT)
    vault.objects["sys/auth"] |= {"runners/": {"type": "aws", "accessor": "auth_aws_2"}}
    vault.objects["sys/policies/acl/operators"] = {"policy": 'path "*" { capabilities = ["sudo", "read"] }'}
    role = {"auth_type": "iam", "bound_iam_principal_arn": [arn], "token_policies": ["operators"]}
    vault.objects[f"auth/{mount}/role/ops"] = role
    assert {finding.rule for finding in look(tree, vault).verified.findings} == {rule, "CK954"}


ROLE = VaultRole(
    root="accounts/111111111111/vault",
    span=Span("x.tf"),
    label="pay",
    backend="aws",
    role="Pay",
    auth_type="iam",
    bound_iam_principal_arns=("arn:aws:iam::111111111111:role/Pay",),
    resolve_aws_unique_ids=False,
    token_policies=("pay-policy",),
)
NOTHING = Declared({})
ADDRESSES = st.ip_addresses(v=4).map(str)


@given(
    cidrs=st.lists(ADDRESSES, max_size=4, unique=True),
    policies=st.lists(st.from_regex("[a-zA-Z][a-zA-Z0-9-]{0,8}", fullmatch=True), max_size=4, unique_by=str.lower),
    ttl=st.sampled_from([None, 0, 60]),
)
def test_what_vault_keeps_otherwise_is_no_difference(cidrs: list[str], policies: list[str], ttl: int | None) -> None:
    declared = replace(
        ROLE, token_bound_cidrs=tuple(f"{each}/32" for each in cidrs), token_policies=tuple(policies), token_ttl=ttl
    )
    live = replace(
        ROLE,
        root="",
        backend="elsewhere",
        role="pay",
        label="live",
        token_bound_cidrs=tuple(reversed(cidrs)),
        token_policies=tuple(sorted(each.lower() for each in policies)),
        token_ttl=ttl or None,
        token_type="default",
    )
    assert list(of_role(NOTHING, declared, live)) == []


@given(st.data())
def test_each_field_of_a_role_that_is_another_is_a_difference(data: st.DataObject) -> None:
    compared = sorted({field.name for field in fields(ROLE)} - {"root", "span", "label", "backend", "role"})
    name = data.draw(st.sampled_from(compared))
    value: Any = getattr(ROLE, name)
    other: Any = (*value, "more") if isinstance(value, tuple) else (not value if isinstance(value, bool) else 77)
    (difference,) = of_role(NOTHING, ROLE, replace(ROLE, **{name: other}))
    assert difference.field == name


def test_principals_are_compared_with_regard_to_case() -> None:
    live = replace(ROLE, bound_iam_principal_arns=("arn:aws:iam::111111111111:role/pay",))
    assert [each.field for each in of_role(NOTHING, ROLE, live)] == ["bound_iam_principal_arns"]


def test_much_that_could_not_be_read_is_told_in_few_words() -> None:
    found = not_read([Unknown(f"auth/aws/role/{number}", "no", "do") for number in range(20_000)])
    assert len(found) == 51
    assert found[-1].message == "19950 more objects could not be read"


def verification_of(**more: Any) -> Verification:
    plain: dict[str, Any] = {
        "target": "live",
        "whole": True,
        "clients": 9,
        "findings": (),
        "unread": (),
        "unread_count": 0,
        "checked": (("vault_policy", 40),),
        "undeclared": (("vault_policy", 3),),
        "handed_over": ("444444444444",),
        "vault_version": "1.21.2",
        "cluster_id": "",
        "tree": "0" * 64,
        "started": "2026-11-24T10:00:00Z",
        "seconds": 1.25,
        "requests": 80,
    }
    return Verification(**(plain | more))


def test_verdict_says_what_was_and_what_was_not_looked_at() -> None:
    assert verification_of().verdict == (
        "live is what was reviewed: 40 objects of 9 clients; 1 account is handed over and was not looked at"
    )
    unread = not_read([Unknown("x", "no", "do")])
    assert verification_of(unread=unread, unread_count=1, handed_over=(), whole=False).verdict == (
        "live is not known to be what was reviewed: 1 could not be read, 40 objects of 9 clients could; "
        "what nobody declared was not looked for"
    )


def test_reports_show_no_control_character_of_what_vault_says_of_itself() -> None:
    told = verification_of(vault_version="1\x1b[2J", cluster_id="\x07")
    for text in (verification.lines(told), verification.as_json(told), verification.as_markdown(told)):
        assert all(character.isprintable() or character == "\n" for character in text)


def test_progress_tells_how_many_how_fast_and_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 5.0, 11.0, 12.0])
    monkeypatch.setattr("generator.report.looking.time.monotonic", lambda: next(now))
    said = io.StringIO()
    progress = looking.Plain(said, silence=10)
    progress.more(1000)
    for _ in range(3):
        progress.done()
    assert said.getvalue() == "2 of 1,000 objects, 0 a second, about 1.5 h left\n"
