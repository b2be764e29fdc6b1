"""SARIF: valid by the standard's own schema, and findings that stay the same when lines move."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sarif_kit import validation_errors

from generator.diagnostics import Diagnostic, Note, Severity, Span
from generator.report import sarif
from generator.rules.registry import Example, Rule, catalogue

RULE = Rule(
    id="CK900",
    name="wrong-thing",
    title="A thing is wrong",
    severity=Severity.WARNING,
    why="It *breaks*.",
    source="https://example.com/why",
    fix="Put it right.",
    bad=Example({}),
    good=Example({}),
)
FINDING = Diagnostic("CK900", Severity.ERROR, Span("clients/a.yaml", 3, 2, 3, 5), "wrong", "mend it")


def log(*findings: Diagnostic, within: str = "") -> Any:
    parsed = json.loads(sarif.render(findings, {"CK900": RULE}, within))
    assert validation_errors(parsed) == []
    return parsed["runs"][0]


def fingerprints(*findings: Diagnostic) -> list[str]:
    return [result["partialFingerprints"]["primaryLocationLineHash"] for result in log(*findings)["results"]]


def test_the_schema_refuses_what_is_no_sarif() -> None:
    broken = json.loads(sarif.render([FINDING], {}, ""))
    broken["runs"][0]["results"][0]["level"] = "fatal"
    assert validation_errors(broken)


def test_a_finding_has_rule_level_text_and_place() -> None:
    (result,) = log(FINDING)["results"]
    assert (result["ruleId"], result["level"]) == ("CK900", "error")
    assert result["message"] == {"text": "wrong\n\nhelp: mend it"}
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "clients/a.yaml", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 3, "startColumn": 2, "endLine": 3, "endColumn": 5},
            }
        }
    ]


def test_a_rule_brings_its_texts_and_one_that_is_not_in_the_catalogue_its_id() -> None:
    run = log(FINDING, replace(FINDING, rule="CK901"), FINDING)
    rules = run["tool"]["driver"]["rules"]
    assert rules[1] == {"id": "CK901"}
    assert rules[0]["name"] == "WrongThing"
    assert rules[0]["shortDescription"] == {"text": "A thing is wrong"}
    assert rules[0]["defaultConfiguration"] == {"level": "warning"}
    assert "Put it right." in rules[0]["help"]["markdown"]
    assert [result["ruleIndex"] for result in run["results"]] == [0, 1, 0]


def test_every_rule_of_the_catalogue_is_valid() -> None:
    findings = [replace(FINDING, rule=rule_id) for rule_id in catalogue()]
    parsed = json.loads(sarif.render(findings, catalogue(), ""))
    assert validation_errors(parsed) == []
    assert len(parsed["runs"][0]["tool"]["driver"]["rules"]) == len(catalogue())


def test_a_file_as_a_whole_has_no_region() -> None:
    (result,) = log(replace(FINDING, span=Span("clients/a.yaml")))["results"]
    assert "region" not in result["locations"][0]["physicalLocation"]


def test_a_note_is_a_related_location() -> None:
    notes = (Note(Span("clients/b.yaml", 1, 1, 1, 2), "first"), Note(Span("clients/c.yaml"), "second"))
    (result,) = log(replace(FINDING, notes=notes))["results"]
    assert [(at["id"], at["message"]["text"]) for at in result["relatedLocations"]] == [(1, "first"), (2, "second")]
    assert [at["physicalLocation"]["artifactLocation"]["uri"] for at in result["relatedLocations"]] == [
        "clients/b.yaml",
        "clients/c.yaml",
    ]


def test_files_are_named_by_their_place_in_the_repository() -> None:
    (result,) = log(replace(FINDING, span=Span("clients/a b%:ü.yaml")), within="infra/vault fleet/")["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "infra/vault%20fleet/clients/a%20b%25%3A%C3%BC.yaml"


def test_a_fingerprint_survives_moved_lines() -> None:
    moved = replace(FINDING, span=replace(FINDING.span, line=30, end_line=30))
    assert fingerprints(FINDING) == fingerprints(moved)


def test_equal_findings_of_one_file_have_fingerprints_of_their_own() -> None:
    again = replace(FINDING, span=replace(FINDING.span, line=9, end_line=9))
    other = replace(FINDING, span=replace(FINDING.span, path="clients/b.yaml"))
    assert len(set(fingerprints(FINDING, again, other))) == 3
    assert fingerprints(FINDING, again)[0] == fingerprints(FINDING)[0]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("expected {account_id}", "expected {{account_id}}"),
        ("see [here](https://example.com)", "see \\[here](https://example.com)"),
        ("grants[0] is wrong", "grants[0] is wrong"),
        ("a\nb\x1b\u202e", "a\\nb\\x1b\\u202e"),
    ],
)
def test_a_message_holds_no_placeholder_link_or_control_character(message: str, text: str) -> None:
    (result,) = log(replace(FINDING, message=message, help=None))["results"]
    assert result["message"] == {"text": text}


anything = st.text(st.characters(), max_size=20)
positions = st.integers(0, 5)


@settings(deadline=None)  # a busy machine
@given(
    st.lists(st.builds(Span, anything, positions, st.integers(1, 5), positions, st.integers(1, 5)), max_size=4),
    anything,
)
def test_whatever_is_found_is_valid_and_names_its_file(spans: list[Span], text: str) -> None:
    findings = [Diagnostic("CK900", Severity.WARNING, span, text, text, (Note(span, text),)) for span in spans]
    results = log(*findings)["results"]
    uris = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results]
    assert [unquote(uri, errors="surrogatepass") for uri in uris] == [span.path for span in spans]
