"""What is read of a policy's text, and what is refused, by its place. `tests/differential` asks a Vault about them."""

from __future__ import annotations

import pytest

from generator.audit.acl_constraints import duration
from generator.audit.acl_faults import UnreadablePolicyError
from generator.audit.acl_policy import parse
from generator.diagnostics import Span
from tests.differential.texts import REFUSED, TAKEN, UNDECIDED

AT = Span("p.hcl", 1, 1)


@pytest.mark.parametrize("text", TAKEN, ids=range(len(TAKEN)))
def test_what_vault_takes_is_read(text: str) -> None:
    parse(text, AT, "p")


@pytest.mark.parametrize(("text", "where", "message"), REFUSED, ids=[message for *_, message in REFUSED])
def test_what_vault_refuses_is_found_with_its_place(text: str, where: str, message: str) -> None:
    with pytest.raises(UnreadablePolicyError) as caught:
        parse(text, AT, "p")
    (finding,) = caught.value.findings
    assert (finding.rule, str(finding.span)) == ("CK820", f"p.hcl:{where}")
    assert message in finding.message


@pytest.mark.parametrize(("text", "message"), UNDECIDED, ids=[message for _, message in UNDECIDED])
def test_what_cannot_be_decided_is_named_and_never_left_out(text: str, message: str) -> None:
    with pytest.raises(UnreadablePolicyError) as caught:
        parse(text, AT, "p")
    (finding,) = caught.value.findings
    assert finding.rule == "CK821"
    assert message in finding.message
    assert finding.span.line >= 1


def test_every_rule_with_a_fault_is_found_at_once() -> None:
    text = 'path "a" { capabilities = ["rea"] }\npath "b" { capabilities = ["read"] }\npath "c+*" {}\n'
    with pytest.raises(UnreadablePolicyError) as caught:
        parse(text, AT, "p")
    assert [finding.span.line for finding in caught.value.findings] == [1, 3]


def test_json_and_hcl_say_the_same_at_their_own_places() -> None:
    (one,) = parse('path "a/*" {\n  capabilities = ["read"]\n  max_wrapping_ttl = 60\n}\n', AT, "p").rules
    text = '{\n  "path": {\n    "a/*": {"capabilities": ["read"], "max_wrapping_ttl": 60}\n  }\n}\n'
    (other,) = parse(text, AT, "p").rules
    assert (one.path, one.capabilities, one.constraints) == (other.path, other.capabilities, other.constraints)
    assert (str(one.span), str(other.span)) == ("p.hcl:1:1", "p.hcl:3:5")


def test_the_deprecated_policies_are_their_capabilities() -> None:
    text = "\n".join(f'path "{older}" {{\n  policy = "{older}"\n}}' for older in ("deny", "read", "write", "sudo"))
    found = {rule.path: sorted(rule.capabilities) for rule in parse(text, AT, "p").rules}
    write = ["create", "delete", "list", "read", "update"]
    assert found == {"deny": ["deny"], "read": ["list", "read"], "write": write, "sudo": sorted([*write, "sudo"])}


def test_a_rule_that_denies_has_no_constraints_and_nothing_after_deny_is_read() -> None:
    text = 'path "a" {\n  capabilities = ["deny", "nonsense"]\n  max_wrapping_ttl = "nonsense"\n}\n'
    (rule,) = parse(text, AT, "p").rules
    assert rule.capabilities == {"deny"}


@pytest.mark.parametrize(
    ("written", "seconds"),
    [(60, 60.0), ("60", 60), ("", 0), ("1h30m", 5400), ("1.5h", 5400), (".5s", 0.5), ("2d", 172800), ("-1s", -1)],
)
def test_durations_are_read_as_vault_reads_them(written: str | int, seconds: float) -> None:
    assert duration(written) == seconds * 10**9


@pytest.mark.parametrize("written", ["h", "1 h", "1x", "1h!", "1.5d", "d", "9" * 30])
def test_what_is_no_duration_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"duration|too long"):
        duration(written)
