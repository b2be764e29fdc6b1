"""What a policy document comes to: its form says nothing, and each further word does."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.audit.declared import Condition, Principals, Statement
from generator.live.meaning import difference, of_document

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

VAULT = "arn:aws:iam::999999999999:role/hcp-vault"
EC2 = Statement(
    sid="WorkloadAssumesItsRole",
    effect="Allow",
    actions=("sts:AssumeRole",),
    principals=(Principals(type="Service", identifiers=("ec2.amazonaws.com",)),),
)
WAY_IN = Statement(
    effect="Allow",
    actions=("sts:AssumeRole",),
    principals=(Principals(type="AWS", identifiers=(VAULT,)),),
    conditions=(Condition(test="StringEquals", variable="sts:ExternalId", values=("crosskeys-1",)),),
)
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}


def document(*statements: dict[str, Any], version: str | None = "2012-10-17") -> dict[str, Any]:
    return {**({"Version": version} if version else {}), "Statement": list(statements)}


def compared(declared: Statement, *live: dict[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return difference((declared,), of_document(document(*live)))


class TestForm:
    @pytest.mark.parametrize(
        "live",
        [
            document(TRUST),
            document({**TRUST, "Sid": "Another"}),
            document({**TRUST, "Action": ["sts:AssumeRole"], "Principal": {"Service": ["ec2.amazonaws.com"]}}),
            document({**TRUST, "Action": "STS:assumerole"}),
            document(TRUST, TRUST),
            document(TRUST, version="2008-10-17"),
            document(TRUST, version=None),
            {"Id": "x", **document(TRUST)},
            {"Version": "2012-10-17", "Statement": TRUST},
        ],
    )
    def test_of_the_same_grants_is_no_difference(self, live: dict[str, Any]) -> None:
        assert difference((EC2,), of_document(live)) == ((), ())

    def test_whole_account_is_its_number_and_its_root_user(self) -> None:
        declared = replace(WAY_IN, principals=(Principals(type="AWS", identifiers=("123456789012",)),), conditions=())
        live = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}
        assert compared(declared, live) == ((), ())

    def test_keys_of_conditions_have_no_letter_case_and_their_values_do(self) -> None:
        live = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": VAULT}}
        same = {"StringEquals": {"STS:externalid": ["crosskeys-1"]}}
        assert compared(WAY_IN, {**live, "Condition": same}) == ((), ())
        other = {"StringEquals": {"sts:ExternalId": "Crosskeys-1"}}
        assert compared(WAY_IN, {**live, "Condition": other}) != ((), ())


class TestDifference:
    def test_names_a_principal_that_was_added_beside(self) -> None:
        added = {"Service": ["ec2.amazonaws.com"], "AWS": "arn:aws:iam::111111111111:user/mallory"}
        more, less = compared(EC2, {**TRUST, "Principal": added})
        assert more == ("AWS `arn:aws:iam::111111111111:user/mallory` may `sts:AssumeRole`",)
        assert less == ()

    def test_everybody_is_a_principal_too(self) -> None:
        more, _ = compared(EC2, TRUST, {**TRUST, "Principal": "*"})
        assert more == ("* `*` may `sts:AssumeRole`",)

    def test_names_what_was_taken_away(self) -> None:
        more, less = compared(EC2, {**TRUST, "Principal": {"Service": "ecs-tasks.amazonaws.com"}})
        assert more == ("Service `ecs-tasks.amazonaws.com` may `sts:AssumeRole`",)
        assert less == ("Service `ec2.amazonaws.com` may `sts:AssumeRole`",)

    def test_condition_that_is_lost_is_a_grant_without_it(self) -> None:
        more, less = compared(WAY_IN, {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": VAULT}})
        assert more == (f"AWS `{VAULT}` may `sts:AssumeRole`",)
        assert less == (f"AWS `{VAULT}` may `sts:AssumeRole`, if `StringEquals` `sts:ExternalId` is `crosskeys-1`",)

    @pytest.mark.parametrize("test", ["StringLike", "StringEqualsIfExists", "ForAnyValue:StringEquals"])
    def test_another_operator_is_another_condition(self, test: str) -> None:
        live = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": VAULT}}
        more, less = compared(WAY_IN, {**live, "Condition": {test: {"sts:ExternalId": "crosskeys-1"}}})
        assert more
        assert less

    def test_deny_is_not_the_allow_that_it_resembles(self) -> None:
        more, less = compared(EC2, {**TRUST, "Effect": "Deny"})
        assert more == ("Service `ec2.amazonaws.com` may not `sts:AssumeRole`",)
        assert less == ("Service `ec2.amazonaws.com` may `sts:AssumeRole`",)

    @pytest.mark.parametrize("key", ["NotPrincipal", "NotAction"])
    def test_words_that_no_rendered_document_has_cannot_be_compared(self, key: str) -> None:
        with pytest.raises(ValueError, match=key):
            of_document(document({**TRUST, key: "x"}))

    def test_variable_of_the_old_version_is_not_taken_for_one_of_the_new(self) -> None:
        live = {**TRUST, "Condition": {"StringLike": {"aws:PrincipalTag/x": "${aws:username}"}}}
        with pytest.raises(ValueError, match="Version"):
            of_document(document(live, version="2008-10-17"))


NAMES = st.sampled_from(["a", "b", "c", "d"])
VALUES = st.lists(NAMES, min_size=1, max_size=3, unique=True).map(tuple)


@st.composite
def some_statements(draw: DrawFn) -> tuple[Statement, ...]:
    def one() -> Statement:
        conditions = draw(st.lists(st.tuples(st.sampled_from(["StringEquals", "StringLike"]), NAMES), max_size=2))
        return Statement(
            effect=draw(st.sampled_from(["Allow", "Deny"])),
            actions=tuple(f"sts:{each}" for each in draw(VALUES)),
            resources=draw(st.one_of(st.just(()), VALUES)),
            principals=tuple(
                Principals(type=kind, identifiers=draw(VALUES))
                for kind in draw(st.lists(st.sampled_from(["AWS", "Service"]), max_size=2, unique=True))
            ),
            conditions=tuple(Condition(test=t, variable=v, values=draw(VALUES)) for t, v in sorted(set(conditions))),
        )

    return tuple(one() for _ in range(draw(st.integers(1, 3))))


def as_json(draw: DrawFn, statements: tuple[Statement, ...]) -> dict[str, Any]:
    """Return a document of the same meaning: shuffled, strings for lists of one, statements divided and repeated."""

    def listed(values: tuple[str, ...]) -> list[str] | str:
        mixed = draw(st.permutations(values))
        return mixed[0] if len(mixed) == 1 and draw(st.booleans()) else list(mixed)

    found = []
    for statement in statements:
        divided = [(each,) for each in statement.actions] if draw(st.booleans()) else [statement.actions]
        for actions in divided:
            conditions: dict[str, dict[str, Any]] = {}
            for each in draw(st.permutations(statement.conditions)):
                conditions.setdefault(each.test, {})[each.variable] = listed(each.values)
            one: dict[str, Any] = {"Effect": statement.effect, "Action": listed(actions)}
            one |= {"Resource": listed(statement.resources)} if statement.resources else {}
            principals = {group.type: listed(group.identifiers) for group in statement.principals}
            one |= {"Principal": principals} if principals else {}
            one |= {"Condition": conditions} if conditions else {}
            found.append(one)
    return document(*draw(st.permutations([*found, draw(st.sampled_from(found))])))


@settings(deadline=None)  # a busy machine
@given(st.data())
def test_another_form_is_never_a_difference(data: st.DataObject) -> None:
    declared = data.draw(some_statements())
    draw: Any = data.draw
    live = as_json(draw, declared)
    assert difference(declared, of_document(live)) == ((), ()), json.dumps(live)


@settings(deadline=None)  # a busy machine
@given(st.data())
def test_added_principal_is_always_named(data: st.DataObject) -> None:
    declared = data.draw(some_statements())
    draw: Any = data.draw
    live = as_json(draw, declared)
    added = data.draw(st.sampled_from(live["Statement"]))
    live["Statement"].append({**added, "Principal": {"AWS": "arn:aws:iam::111111111111:user/mallory"}})
    more, less = difference(declared, of_document(live))
    assert any("mallory" in each for each in more)
    assert less == ()
