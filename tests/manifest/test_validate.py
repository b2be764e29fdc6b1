"""From a document to a model: what is refused, where exactly, and with which advice."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.diagnostics import Diagnostic, Severity
from generator.manifest.account import AccountManifest
from generator.manifest.client import ClientManifest
from generator.manifest.document import Document
from generator.manifest.settings import FleetSettings
from generator.manifest.source import parse
from generator.manifest.validate import (
    INVALID_VALUE,
    MISSING_FIELD,
    UNKNOWN_FIELD,
    WRONG_TYPE,
    Sourced,
    validate,
)
from generator.manifest.values import seconds

if TYPE_CHECKING:
    from generator.manifest.values import Model

CLIENT = """\
name: pay
account_id: "123456789012"
role_name: pay-app
owner: pay@example.com
"""
ACCOUNT = "name: retail\nowner: retail@example.com\n"


def read(text: str, model: type[Model]) -> Sourced[Any] | tuple[Diagnostic, ...]:
    document = parse(text.encode(), "file.yaml")
    assert isinstance(document, Document), document
    return validate(document, model)


def client(more: str = "") -> Any:
    result = read(CLIENT + more, ClientManifest)
    assert isinstance(result, Sourced), result
    return result.model


def findings(text: str, model: type[Model] = ClientManifest) -> tuple[Diagnostic, ...]:
    result = read(text, model)
    assert isinstance(result, tuple), result
    assert all(finding.severity is Severity.ERROR for finding in result)
    return result


def only(text: str, model: type[Model] = ClientManifest) -> Diagnostic:
    (finding,) = findings(text, model)
    return finding


class TestKeys:
    def test_an_unknown_key_is_refused_where_it_stands_with_the_one_that_was_meant(self) -> None:
        finding = only(f"{CLIENT}vault:\n  token_tll: 1h\n")
        assert (finding.rule, str(finding.span), finding.span.end_column) == (UNKNOWN_FIELD, "file.yaml:6:3", 12)
        assert finding.message == "unknown key `token_tll`"
        assert finding.help == "did you mean `token_ttl`?"

    def test_an_unknown_key_like_no_other_lists_those_that_are_known(self) -> None:
        finding = only(f"{CLIENT}grants: [{{path: shared/ca, zzz: 1}}]\n")
        assert (finding.rule, str(finding.span)) == (UNKNOWN_FIELD, "file.yaml:5:28")
        assert finding.help == "known here: path, access"

    def test_a_missing_key_is_named_at_the_beginning_of_the_map_that_lacks_it(self) -> None:
        finding = only(f"{CLIENT}vault:\n  ec2: {{vpc_ids: []}}\n")
        assert (finding.rule, str(finding.span), finding.span.end_column) == (MISSING_FIELD, "file.yaml:6:8", 9)
        assert finding.message == "`region` is missing"
        assert finding.help

    def test_every_missing_key_is_a_finding_of_its_own(self) -> None:
        assert [finding.message for finding in findings("description: x\n")] == [
            f"`{key}` is missing" for key in ("account_id", "name", "owner", "role_name")
        ]

    def test_everything_that_is_wrong_is_said_at_once_in_the_order_of_the_file(self) -> None:
        text = "limits: {destroy_percent: 101}\nlive: {vault_address: vault, cluster_id: 1}\nextra: 1\n"
        found = findings(text, FleetSettings)
        assert [finding.rule for finding in found] == [INVALID_VALUE, INVALID_VALUE, WRONG_TYPE, UNKNOWN_FIELD]
        assert [finding.span.line for finding in found] == [1, 2, 2, 3]


class TestTypes:
    def test_an_unquoted_account_id_is_shown_quoted(self) -> None:
        finding = only(CLIENT.replace('"', ""))
        assert (finding.rule, str(finding.span), finding.span.end_column) == (WRONG_TYPE, "file.yaml:2:13", 25)
        assert finding.message == "`account_id` must be a string"
        assert finding.help == 'quote it: "123456789012"'

    def test_an_unquoted_boolean_where_text_belongs_is_shown_as_it_was_written(self) -> None:
        assert only(CLIENT.replace("pay@example.com", "true")).help == 'quote it: "true"'

    @pytest.mark.parametrize(
        ("model", "text", "where", "message"),
        [
            (ClientManifest, f"{CLIENT}vault:\n", "5:7", "`vault` must be a map of keys to values"),
            (ClientManifest, f"{CLIENT}vault: []\n", "5:8", "`vault` must be a map of keys to values"),
            (ClientManifest, f"{CLIENT}vault: {{ec2: yes please}}\n", "5:14", "`ec2` must be a map of keys to values"),
            (ClientManifest, f"{CLIENT}aws: {{tags: [a]}}\n", "5:13", "`tags` must be a map of keys to values"),
            (ClientManifest, f"{CLIENT}aws: {{max_session_duration: '1'}}\n", "5:29", None),
            (ClientManifest, f"{CLIENT}grants: shared/ca\n", "5:9", "`grants` must be a list"),
            (ClientManifest, f"{CLIENT}grants: [shared/ca]\n", "5:10", "`grants[0]` must be a map of keys to values"),
            (ClientManifest, f"{CLIENT}vault: {{resolve_unique_ids: 1}}\n", "5:29", None),
            (ClientManifest, "just text\n", "1:1", "the file must be a map of keys to values"),
            (ClientManifest, "- name: pay\n", "1:1", "the file must be a map of keys to values"),
            (AccountManifest, f"{ACCOUNT}sts: true\n", "3:6", "`sts` must be a map of keys to values"),
            (FleetSettings, "aws: null\n", "1:6", "`aws` must be a map of keys to values"),
            (FleetSettings, "terraform: {backend: s3}\n", "1:22", "`backend` must be a map of keys to values"),
            (FleetSettings, "shared_paths: {a: b}\n", "1:15", "`shared_paths` must be a list"),
        ],
    )
    def test_a_wrong_type_is_named_where_it_stands(
        self, model: type[Model], text: str, where: str, message: str | None
    ) -> None:
        finding = only(text, model)
        assert (finding.rule, str(finding.span)) == (WRONG_TYPE, f"file.yaml:{where}")
        assert message in {finding.message, None}

    def test_a_backend_setting_of_another_type_is_one_finding(self) -> None:
        finding = only("terraform: {backend: {type: s3, key: '{root}', a: [[x]]}}\n", FleetSettings)
        assert (finding.rule, str(finding.span)) == (INVALID_VALUE, "file.yaml:1:51")
        assert finding.message.startswith("`a`: expected a string, a whole number, true or false, a list of these")


class TestValues:
    @pytest.mark.parametrize(
        ("model", "text", "span", "says"),
        [
            (ClientManifest, CLIENT.replace("name: pay\n", "name: Pay\n"), "1:7", "lower-case letters"),
            (ClientManifest, CLIENT.replace("name: pay\n", f"name: p{'a' * 64}\n"), "1:7", "at most 64"),
            (ClientManifest, CLIENT.replace("pay-app", "apps/pay"), "3:12", "without its path"),
            (ClientManifest, f"{CLIENT}vault: {{role: .x}}\n", "5:15", "a Vault role name"),
            (ClientManifest, f"{CLIENT}vault: {{policy: a b}}\n", "5:17", "a Vault policy name"),
            (ClientManifest, f"{CLIENT}vault: {{token_ttl: 0s}}\n", "5:20", "a duration from 1s to 3650d"),
            (ClientManifest, f"{CLIENT}vault: {{token_ttl: 1h 30m}}\n", "5:20", "a duration from 1s to 3650d"),
            (ClientManifest, f"{CLIENT}vault: {{token_ttl: 3651d}}\n", "5:20", "a duration from 1s to 3650d"),
            (ClientManifest, f"{CLIENT}vault: {{token_bound_cidrs: [10.0.0.1/8]}}\n", "5:29", "has host bits set"),
            (ClientManifest, f"{CLIENT}vault: {{token_bound_cidrs: ['10.0.0.0/255.0.0.0']}}\n", "5:29", "a CIDR block"),
            (ClientManifest, f"{CLIENT}vault: {{token_bound_cidrs: ['fe80::%eth0/64']}}\n", "5:29", "a CIDR block"),
            (ClientManifest, f"{CLIENT}vault: {{token_bound_cidrs: ['::ffff:a00:0/104']}}\n", "5:29", "own form"),
            (ClientManifest, f"{CLIENT}vault: {{token_bound_cidrs: [10.0.0.0/8, 10.0.0.0/8]}}\n", "5:28", "twice"),
            # One address is the same with and without its prefix.
            (ClientManifest, f"{CLIENT}vault: {{token_bound_cidrs: [10.0.0.1, 10.0.0.1/32]}}\n", "5:28", "twice"),
            (ClientManifest, f"{CLIENT}vault: {{ec2: {{region: us_east}}}}\n", "5:23", "an AWS region"),
            (ClientManifest, f"{CLIENT}aws: {{role: creat}}\n", "5:13", "'create' or 'existing'"),
            (ClientManifest, f"{CLIENT}aws: {{role_path: /apps}}\n", "5:18", "an IAM path"),
            (ClientManifest, f"{CLIENT}aws: {{role_path: /{'a' * 511}/}}\n", "5:18", "an IAM path"),
            (ClientManifest, f"{CLIENT}aws: {{trusted_services: []}}\n", "5:25", "expected at least 1 item"),
            (ClientManifest, f"{CLIENT}aws: {{trusted_services: [ec2]}}\n", "5:26", "an AWS service principal"),
            (ClientManifest, f"{CLIENT}aws: {{max_session_duration: 60}}\n", "5:29", "greater than or equal to 3600"),
            (ClientManifest, f"{CLIENT}aws: {{permissions_boundary: boundary}}\n", "5:29", "the ARN of one IAM policy"),
            (ClientManifest, f"{CLIENT}aws: {{tags: {{'a!': b}}}}\n", "5:14", "a tag key"),
            (ClientManifest, f"{CLIENT}aws: {{tags: {{a: 'aws:b'}}}}\n", "5:17", "a tag value"),
            (ClientManifest, f"{CLIENT}grants: [{{path: a}}, {{path: a, access: read}}]\n", "5:9", "lists a twice"),
            (AccountManifest, f"{ACCOUNT}provisioning: ours\n", "3:15", "'handover' or 'managed'"),
            (AccountManifest, f"{ACCOUNT}provisioner_role: arn:aws:iam::1:role/x\n", "3:19", "the ARN of one IAM role"),
            (AccountManifest, f"{ACCOUNT}sts: {{role: vault, external_id: x}}\n", "3:33", "an external id"),
            (FleetSettings, "version: 2\n", "1:10", "must be 1"),
            (FleetSettings, "vault: {directory: 'certs/{region}'}\n", "1:20", "no other placeholders"),
            (FleetSettings, "vault: {role: '{name.__class__}'}\n", "1:15", "no other placeholders"),
            (FleetSettings, "vault: {kv_mount: ../sys}\n", "1:19", "a mount path"),
            (FleetSettings, "vault: {iam_alias: role}\n", "1:20", "'role_id'"),
            (FleetSettings, "terraform: {backend: {path: '{root}', Path: x}}\n", "1:22", "`Path` is no name"),
            (FleetSettings, "terraform: {required_version: latest}\n", "1:31", "version constraints"),
            (FleetSettings, "shared_paths: [{path: a, owner: pki}, {path: a, owner: ops}]\n", "1:15", "lists a twice"),
            (FleetSettings, "live: {vault_address: vault}\n", "1:23", "https://host:port"),
            (FleetSettings, "run: {jobs: 0}\n", "1:13", "greater than or equal to 1"),
        ],
    )
    def test_an_invalid_value_is_named_where_it_stands(
        self, model: type[Model], text: str, span: str, says: str
    ) -> None:
        finding = only(text, model)
        assert (finding.rule, str(finding.span)) == (INVALID_VALUE, f"file.yaml:{span}")
        assert says in finding.message

    def test_a_choice_that_was_nearly_right_is_suggested(self) -> None:
        assert only(f"{CLIENT}aws: {{role: creat}}\n").help == "did you mean `create`?"

    def test_what_is_left_out_is_the_plain_registration(self) -> None:
        assert client().model_dump(exclude_unset=True) == {
            "name": "pay",
            "account_id": "123456789012",
            "role_name": "pay-app",
            "owner": "pay@example.com",
        }
        settings = FleetSettings()
        assert (settings.vault.auth_mount, settings.vault.kv_mount) == ("aws", "secret")
        assert settings.vault.directory == "certs/{account_id}/{role_name}"

    @pytest.mark.parametrize(
        ("duration", "length"),
        [("1s", 1), ("90m", 5400), ("1h30m", 5400), ("1d", 86400), ("3650d", 315_360_000), ("1d1h1m1s", 90061)],
    )
    def test_durations_are_seconds(self, duration: str, length: int) -> None:
        assert seconds(duration) == length

    @pytest.mark.parametrize("text", ["", "0s", "1", "h", "1m1h", "1h ", "1H", "-1h", "1.5h", "\u0661h", "1h\n"])
    def test_what_is_no_duration_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="not a duration"):
            seconds(text)

    def test_a_block_of_one_address_is_kept_as_vault_gives_it_back(self) -> None:
        more = "vault: {token_bound_cidrs: [10.0.0.1/32, '2001:DB8::1/128', 10.0.0.0/8, '2001:db8::/32']}\n"
        assert client(more).vault.token_bound_cidrs == ("10.0.0.1", "2001:db8::1", "10.0.0.0/8", "2001:db8::/32")

    def test_free_text_may_be_of_any_language(self) -> None:
        assert client("description: Пограничный шлюз ${x}\n").description == "Пограничный шлюз ${x}"


class TestSpans:
    def test_a_value_that_is_not_written_has_the_place_of_what_is_around_it(self) -> None:
        result = read(f"{CLIENT}vault:\n  role: x\n", ClientManifest)
        assert isinstance(result, Sourced)
        assert str(result.span("vault", "role")) == "file.yaml:6:9"
        assert str(result.key_span("vault", "role")) == "file.yaml:6:3"
        assert str(result.span("vault", "policy")) == "file.yaml:6:3"
        assert str(result.span("aws", "tags")) == "file.yaml:1:1"


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**17), 10**17),
    st.sampled_from(["", "1h", "none", "arn:aws:iam::123456789012:role/a", "{root}", "{x", "s3", "10.0.0.0/8", "+"]),
    st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=8),
)


@cache
def keys_of(model: type[Model]) -> st.SearchStrategy[str]:
    names: set[str] = set()
    pending = [model.model_json_schema()]
    while pending:
        node = pending.pop()
        names |= set(node.get("properties", {}))
        pending += [value for value in node.values() if isinstance(value, dict)]
    return st.one_of(st.sampled_from(sorted(names)), st.text(st.characters(categories=["L", "P"]), max_size=4))


def anything(model: type[Model]) -> st.SearchStrategy[Any]:
    keys = keys_of(model)
    return st.recursive(
        LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=6), max_leaves=12
    )


@pytest.mark.parametrize("model", [ClientManifest, AccountManifest, FleetSettings])
@given(data=st.data())
def test_whatever_is_written_only_models_and_findings_come_out(model: type[Model], data: st.DataObject) -> None:
    base: dict[str, Any] = data.draw(
        st.sampled_from([{}, {"name": "pay", "account_id": "123456789012", "role_name": "pay", "owner": "x"}])
    )
    content = data.draw(st.dictionaries(keys_of(model), anything(model), max_size=6) | anything(model))
    text = json.dumps({**base, **content} if isinstance(content, dict) else content, ensure_ascii=False)
    document = parse(text.encode(), "file.yaml")
    if not isinstance(document, Document):
        return
    result = validate(document, model)
    if isinstance(result, tuple):
        assert result
        for finding in result:
            assert finding.message
            assert finding.span.line == 1
            assert 1 <= finding.span.column <= len(text)
    else:
        assert isinstance(result.model, model)
