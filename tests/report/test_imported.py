"""What an import says."""

from __future__ import annotations

import json
from dataclasses import replace

from generator.report.imported import Change, Imported, Left, Reason, Unread, as_json, as_text

WILD = Reason("wildcard-principal", "it is bound to a wildcard", "bind one role")
BROAD = Reason("other-policy", "its policy allows other things", "narrow it")
RESULT = Imported(
    clients=("payments", "invoices"),
    adopted=("ledger",),
    objects=5,
    changes=(
        Change("role payments", "token_ttl", "none", "3600"),
        Change("policy payments-policy", "policy", "other words", "as rendered", quiet=True),
    ),
    left=(
        Left(WILD, "role b", "it is bound to *"),
        Left(BROAD, "role \x1b[31mc", "all of it"),
        Left(WILD, "role a", "it is bound to *"),
    ),
    unread=(Unread("auth/aws/role/d", "permission denied", "let the token read it"),),
    settings=("vault.server_id_header: vault.example.com",),
    written=("clients/invoices.yaml",),
    dry=False,
)


def test_what_was_left_alone_is_grouped_by_the_reason_with_its_number_and_what_to_do() -> None:
    lines = as_text(RESULT, brief=False).splitlines()
    at = lines.index("left alone, it is bound to a wildcard: 2")
    assert lines[at + 1 : at + 4] == [
        "  role a: it is bound to *",
        "  role b: it is bound to *",
        "  help: bind one role",
    ]
    assert lines[0] == "+ clients/invoices.yaml"
    assert lines[-1] == (
        "2 manifests written, 1 client with a manifest already taken up, 5 objects to import, 3 left alone"
    )


def test_what_an_apply_changes_is_listed_and_texts_of_the_same_meaning_are_counted() -> None:
    text = as_text(RESULT, brief=True)
    assert "an apply will change in place: 1\n  role payments: token_ttl none → 3600\n" in text
    assert "with the same meaning: 1 text\n" in text
    assert "help:" not in text
    assert "clients/invoices.yaml" not in text


def test_a_change_that_is_the_same_of_many_objects_is_one_line_and_each_is_named_to_tools() -> None:
    many = tuple(Change(f"role team{number}", "token_ttl", "none", "3600") for number in range(20))
    other = Change("role team7", "token_max_ttl", "none", "14400")
    result = replace(RESULT, changes=(*many[:10], other, *many[10:]))
    assert as_text(result, brief=True).splitlines()[:3] == [
        "an apply will change in place: 21",
        "  role team0, team1 and 18 more: token_ttl none → 3600",
        "  role team7: token_max_ttl none → 14400",
    ]
    assert len(json.loads(as_json(result))["changes"]) == 21


def test_what_could_not_be_read_and_what_settings_lack_are_named() -> None:
    text = as_text(RESULT, brief=True)
    assert "  auth/aws/role/d: permission denied; let the token read it\n" in text
    assert "  vault.server_id_header: vault.example.com\n" in text


def test_nothing_that_a_terminal_would_act_on_is_printed() -> None:
    assert "\x1b" not in as_text(RESULT, brief=False)


def test_the_json_has_every_part() -> None:
    document = json.loads(as_json(RESULT))
    assert document["clients"] == ["payments", "invoices"]
    assert [each["text_only"] for each in document["changes"]] == [False, True]
    assert {each["reason"] for each in document["left"]} == {"wildcard-principal", "other-policy"}
    assert document["dry_run"] is False
