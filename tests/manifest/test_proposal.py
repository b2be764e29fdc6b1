"""New manifests: whatever is accepted reads back as what was meant."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from generator.manifest import proposal
from generator.manifest.client import ClientManifest
from generator.manifest.document import Document
from generator.manifest.fleet import Fleet
from generator.manifest.settings import FleetSettings
from generator.manifest.source import parse
from generator.manifest.validate import Sourced, validate

EMPTY = Fleet(FleetSettings(), ())
CLIENT = {"name": "a", "account_id": "123456789012", "role_name": "a-app", "owner": "a@example.com"}


def texts(**more: str) -> dict[str, str]:
    return {"clients/a.yaml": proposal.text("client", "clients/a.yaml", CLIENT | more)}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("payments", "payments"),
        ("payments-team@example.com", "payments-team@example.com"),
        ("Cards, settled nightly", "Cards, settled nightly"),
        ("Card payments (nightly)", "Card payments (nightly)"),
        ("123456789012", '"123456789012"'),
        ("no", '"no"'),
        ("Null", '"Null"'),
        ("yes please", "yes please"),
        ("a: b", '"a: b"'),
        ("a #b", '"a #b"'),
        ("# b", '"# b"'),
        ("- a", '"- a"'),
        ("*a", '"*a"'),
        ("{a}", '"{a}"'),
        ('say "a\\b"', '"say \\"a\\\\b\\""'),
        ("a\nb", '"a\\nb"'),
        ("Zahlungen für 日本 😀", '"Zahlungen für 日本 😀"'),
        ("", '""'),
        (" a", '" a"'),
    ],
)
def test_a_string_is_quoted_where_it_must_be(value: str, written: str) -> None:
    assert proposal.scalar(value) == written


@given(st.text(max_size=40) | st.from_regex(r"[a-zA-Z0-9.:_~+-]{1,8}", fullmatch=True))
@example("a, b")
@example("0x1F")
@example("1e3")
@example("~")
@example("a\u0301")
@settings(deadline=None)  # a busy machine
def test_every_string_that_is_accepted_reads_back_as_itself(value: str) -> None:
    document = parse(f"description: {proposal.scalar(value)}\n".encode(errors="surrogateescape"), "")
    assume(isinstance(document, Document))
    assert isinstance(document, Document)
    assert document.content == {"description": unicodedata.normalize("NFC", value)}


@given(st.text(max_size=30), st.text(max_size=30))
@settings(deadline=None)  # a busy machine
def test_a_manifest_reads_back_whole_or_is_refused(owner: str, description: str) -> None:
    (text,) = texts(owner=owner, description=description).values()
    refused = any(
        proposal.faults("client", key, value)
        for key, value in (("owner", owner), ("description", description))
        if value
    )
    document = parse(text.encode(errors="surrogateescape"), "")
    read = document if isinstance(document, tuple) else validate(document, ClientManifest)
    if refused or not owner:
        assert not isinstance(read, Sourced)
    else:
        assert isinstance(read, Sourced)
        assert read.model.owner == unicodedata.normalize("NFC", owner)
        assert (read.model.description or "") == unicodedata.normalize("NFC", description)


@pytest.mark.parametrize(
    ("path", "schema"),
    [("clients/a.yaml", "../schemas/"), ("clients/team/a.yaml", "../../schemas/"), ("clients/x/y/a.yaml", "../../../")],
)
def test_the_first_line_leads_editors_to_the_schema(path: str, schema: str) -> None:
    first = proposal.text("client", path, CLIENT).splitlines()[0]
    assert first.startswith(f"# yaml-language-server: $schema={schema}")
    assert first.endswith("schemas/client.schema.json")


@pytest.mark.parametrize(
    ("kind", "key", "value", "says"),
    [
        ("client", "name", "Payments", "lower-case"),
        ("client", "account_id", "12345", "twelve digits"),
        ("client", "role_name", "a/b", "IAM role name"),
        ("client", "owner", "a\u202eb", "invisible"),
        ("account", "name", "x" * 1001, "at most 1000"),
    ],
)
def test_a_value_is_judged_as_the_manifest_would_be(kind: str, key: str, value: str, says: str) -> None:
    assert says in " ".join(fault.message for fault in proposal.faults(kind, key, value))


def test_a_good_value_has_no_faults_though_the_rest_is_missing() -> None:
    assert proposal.faults("client", "name", "payments") == ()


def test_a_fleet_grows_by_clients_and_accounts() -> None:
    account = {"clients/accounts/123456789012.yaml": proposal.text("account", "", {"name": "x", "owner": "y"})}
    grown = proposal.extended(EMPTY, texts() | account)
    assert isinstance(grown, Fleet)
    assert [client.name for client in grown.clients] == ["a"]
    assert grown.accounts[0].name == "x"
    again = proposal.extended(grown, {"clients/b.yaml": texts()["clients/a.yaml"].replace("name: a", "name: b")})
    assert isinstance(again, Fleet)
    assert [(client.name, client.path) for client in again.clients] == [
        ("a", "clients/a.yaml"),
        ("b", "clients/b.yaml"),
    ]


def test_all_that_is_wrong_with_new_manifests_is_told_at_once() -> None:
    account = {"clients/accounts/123456789012.yaml": proposal.text("account", "", {"name": "x"})}
    found = proposal.extended(EMPTY, texts(role_name="a b", owner="\x00") | account)
    assert isinstance(found, tuple)
    assert {finding.span.path for finding in found} == {"clients/a.yaml", "clients/accounts/123456789012.yaml"}
