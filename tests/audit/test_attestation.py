"""What is attested: the same bytes for the same audit, and whatever differs is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from generator.audit import attestation
from generator.errors import UsageError

INPUTS = {"clients/b.yaml": b"b", "clients/a.yaml": b"a"}
OUTPUTS = {"terraform/x.tf": b"x"}


def made(**changes: Any) -> attestation.Statement:
    arguments: dict[str, Any] = {
        "inputs": INPUTS,
        "outputs": OUTPUTS,
        "passed": True,
        "verdict": "isolated",
        "counts": {"clients": 2},
        "unseen": ("Sentinel",),
    }
    return attestation.statement(**{**arguments, **changes})


def filed(statement: attestation.Statement) -> bytes:
    return attestation.text(statement).encode()


def named(before: bytes, now: attestation.Statement) -> list[tuple[str, str]]:
    return [(each.part, each.name) for each in attestation.differences(before, now)]


def test_it_is_an_in_toto_statement_about_the_rendered_files() -> None:
    found = json.loads(filed(made()))
    assert found["_type"] == "https://in-toto.io/Statement/v1"
    # printf x | sha256sum
    digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    assert found["subject"] == [{"name": "terraform/x.tf", "digest": {"sha256": digest}}]
    assert found["predicateType"].startswith("urn:")
    assert found["predicate"]["verificationResult"] == "PASSED"
    assert [each["name"] for each in found["predicate"]["inputs"]] == ["clients/a.yaml", "clients/b.yaml"]
    assert set(found) == {"_type", "subject", "predicateType", "predicate"}


def test_the_same_audit_is_the_same_bytes_in_whatever_order_its_files_came() -> None:
    assert filed(made()) == filed(made(inputs=dict(sorted(INPUTS.items()))))
    assert attestation.differences(filed(made()), made()) == ()


def test_a_failed_audit_is_attested_as_one() -> None:
    assert made(passed=False)["predicate"]["verificationResult"] == "FAILED"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"inputs": {**INPUTS, "clients/a.yaml": b"A"}}, [("input", "clients/a.yaml")]),
        ({"inputs": {"clients/b.yaml": b"b"}}, [("input", "clients/a.yaml")]),
        ({"inputs": {**INPUTS, "clients/c.yaml": b"c"}}, [("input", "clients/c.yaml")]),
        ({"outputs": {"terraform/x.tf": b"y"}}, [("output", "terraform/x.tf")]),
        ({"outputs": {}}, [("output", "terraform/x.tf")]),
        ({"passed": False}, [("predicate", "verificationResult")]),
        ({"verdict": "not isolated"}, [("predicate", "verdict")]),
        ({"counts": {"clients": 3}}, [("predicate", "counts.clients")]),
        ({"unseen": ()}, [("predicate", "unseen")]),
    ],
)
def test_each_difference_is_named_and_no_other(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert named(filed(made()), made(**changes)) == expected
    assert named(filed(made(**changes)), made()) == expected


def test_another_version_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    before = filed(made())
    monkeypatch.setattr(attestation, "__version__", "99")
    (found,) = attestation.differences(before, made())
    assert (found.name, found.now) == ("verifier.version.crosskeys", "99")


def test_an_attestation_that_was_changed_after_it_was_made_is_found_out() -> None:
    changed = made()
    changed["subject"][0]["digest"]["sha256"] = "0" * 64
    assert named(filed(changed), made()) == [("attestation", "digest"), ("output", "terraform/x.tf")]


@pytest.mark.parametrize("change", [lambda text: text.replace(b"\n", b""), lambda text: b" " + text])
def test_the_same_content_in_another_form_is_told(change: Any) -> None:
    assert named(change(filed(made())), made()) == [("attestation", "form")]


def test_a_key_that_stands_twice_hides_nothing() -> None:
    text = filed(made()).replace(b'"subject": [', b'"subject": [], "subject": [', 1)
    assert named(text, made()) == [("attestation", "form")]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        b"[" * 100_000,
        b'{"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://slsa.dev/provenance/v1"}',
        b'{"_type": "https://in-toto.io/Statement/v1", "predicateType": "urn:x-crosskeys:audit:v1", "predicate": []}',
        b'{"payloadType": "application/vnd.in-toto+json", "payload": "e30=", "signatures": []}',
    ],
)
def test_what_is_no_attestation_is_refused(text: bytes) -> None:
    with pytest.raises(UsageError, match="no attestation"):
        attestation.differences(text, made())


def test_an_attestation_of_odd_shape_is_compared_all_the_same() -> None:
    odd = {"_type": attestation.STATEMENT_TYPE, "predicateType": attestation.PREDICATE_TYPE}
    for predicate in ({}, {"inputs": 3, "digest": 4}, {"inputs": [1, {"name": []}], "counts": []}):
        text = json.dumps({**odd, "subject": {"a": 1}, "predicate": predicate}).encode()
        assert ("attestation", "digest") in named(text, made())
