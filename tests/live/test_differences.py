"""IAM objects are compared field by field, as IAM keeps them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from generator.audit.declared import Declared, IamRole, InstanceProfile, Reference
from generator.diagnostics import Span
from generator.live import differences
from generator.live.aws import LiveIamRole, LiveInstanceProfile

ROLE = IamRole(
    root="accounts/111111111111/aws",
    span=Span("x.tf", 1, 1),
    label="pay",
    name="pay",
    assume_role_policy=Reference("data.aws_iam_policy_document.pay", "json"),
    description="Pays",
    tags=(("team", "pay"),),
)
PROFILE = InstanceProfile(root=ROLE.root, span=ROLE.span, label="pay", name="pay", role="pay")
LIVE = LiveIamRole(
    name="pay",
    arn="arn:aws:iam::111111111111:role/pay",
    unique_id="AROA1",
    path="/",
    description="Pays",
    trust={},
    permissions_boundary=None,
    max_session_duration=3600,
    tags={},
    inline={},
    attached=(),
)


def test_a_role_that_leaves_out_what_iam_gives_by_itself_is_as_declared() -> None:
    assert list(differences.of_iam_role(ROLE, LIVE)) == []
    assert list(differences.of_iam_role(replace(ROLE, description=None), replace(LIVE, description=""))) == []


@pytest.mark.parametrize(
    ("field", "declared", "live"),
    [
        ("path", "/", "/apps/"),
        ("permissions_boundary", None, "arn:aws:iam::111111111111:policy/wide"),
        ("max_session_duration", 3600, 7200),
        ("description", "Pays", "Pays others"),
    ],
)
def test_each_field_of_a_role_is_compared(field: str, declared: object, live: object) -> None:
    (found,) = differences.of_iam_role(ROLE, replace(LIVE, **{field: live}))  # type: ignore[arg-type]  # of any field
    assert (found.field, found.declared, found.live) == (field, declared, live)


@pytest.mark.parametrize(("roles", "live"), [(("other",), "other"), ((), None), (("pay", "other"), "pay other")])
def test_a_profile_with_another_role_in_it_differs(roles: tuple[str, ...], live: str | None) -> None:
    profile = LiveInstanceProfile("pay", "arn:aws:iam::111111111111:instance-profile/pay", "/", ("pay",), {})
    assert list(differences.of_instance_profile(Declared({}), PROFILE, profile)) == []
    (found,) = differences.of_instance_profile(Declared({}), PROFILE, replace(profile, roles=roles))
    assert (found.field, found.declared, found.live) == ("role", "pay", live)


def test_tags_are_compared_with_the_providers_own_and_without_those_of_aws() -> None:
    live = {"aws:cloudformation:stack-name": "x", "team": "pay", "extra": "1"}
    found = differences.of_tags({"managed-by": "crosskeys", "team": "all"}, ROLE, live)
    assert [(each.field, each.declared, each.live) for each in found] == [
        ("extra", None, "1"),
        ("managed-by", "crosskeys", None),
    ]
