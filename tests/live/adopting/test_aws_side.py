"""What of an IAM role a manifest can say, and when the role is left as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from generator.errors import UsageError
from generator.live.adopting.asked import Asked
from generator.live.adopting.aws_side import Iam
from generator.live.answers import Unknown
from generator.live.aws import LiveIamRole, LiveInstanceProfile
from tests.live.adopting.worlds import ACCOUNT, answer, drafted, fleet_of, observed, reasons_of

if TYPE_CHECKING:
    from generator.live.adopting.drafting import Drafts

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ROLE = LiveIamRole(
    name="payments",
    arn=f"arn:aws:iam::{ACCOUNT}:role/payments",
    unique_id="AROA1",
    path="/",
    description="",
    trust=TRUST,
    permissions_boundary=None,
    max_session_duration=3600,
    tags={},
    inline={},
    attached=(),
)
PROFILE = LiveInstanceProfile("payments", f"arn:aws:iam::{ACCOUNT}:instance-profile/payments", "/", ("payments",), {})


class Account:
    """An account with one role, as ``AwsAccount`` answers."""

    def __init__(self, role: LiveIamRole | Unknown | None, *profiles: LiveInstanceProfile) -> None:
        self._role, self._profiles = role, profiles

    def role(self, _name: str, *, policies: bool) -> LiveIamRole | Unknown | None:
        assert not policies
        return self._role

    def instance_profiles_of(self, _role: str) -> tuple[LiveInstanceProfile, ...]:
        return self._profiles


class Systems:
    """Systems that look into one account."""

    def __init__(self, account: Account | Unknown) -> None:
        self._account = account

    def aws(self, _account: object) -> Account | Unknown:
        return self._account


def _drafted(account: Account | Unknown, *, owner: str | None = "team@example.com", **fields: Any) -> Drafts:
    iam = Iam(Systems(account))  # type: ignore[arg-type]  # all that is asked of it
    asked = Asked(owner=owner or "team@example.com", provisioner_role="crosskeys")
    return drafted(observed({"payments": answer("payments", **fields)}), fleet_of(), asked, iam)


def _aws(result: Drafts) -> dict[str, Any]:
    said: dict[str, Any] = yaml.safe_load(result.texts["clients/payments.yaml"]).get("aws", {})
    return said


def test_a_plain_role_with_its_profile_needs_no_word() -> None:
    result = _drafted(Account(ROLE, PROFILE))
    assert _aws(result) == {}
    account = yaml.safe_load(result.texts[f"clients/accounts/{ACCOUNT}.yaml"])
    assert account["provisioning"] == "managed"
    assert account["provisioner_role"] == f"arn:aws:iam::{ACCOUNT}:role/crosskeys"


@pytest.mark.parametrize(
    ("role", "profiles", "said"),
    [
        (ROLE, (), {"instance_profile": "none"}),
        (ROLE, (replace(PROFILE, name="other"),), {"instance_profile": "other"}),
        (replace(ROLE, path="/apps/"), (replace(PROFILE, path="/apps/"),), {"role_path": "/apps/"}),
        (replace(ROLE, max_session_duration=7200), (PROFILE,), {"max_session_duration": 7200}),
        (
            replace(ROLE, permissions_boundary=f"arn:aws:iam::{ACCOUNT}:policy/b"),
            (PROFILE,),
            {"permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/b"},
        ),
        (
            replace(ROLE, tags={"managed-by": "crosskeys", "team": "a b", "aws:x": "y", "empty": ""}),
            (PROFILE,),
            {"tags": {"team": "a b", "empty": ""}},
        ),
    ],
)
def test_what_a_role_has_is_said(
    role: LiveIamRole, profiles: tuple[LiveInstanceProfile, ...], said: dict[str, Any]
) -> None:
    assert _aws(_drafted(Account(role, *profiles))) == said


def _trust(**statement: Any) -> LiveIamRole:
    return replace(ROLE, trust={**TRUST, "Statement": [{**TRUST["Statement"][0], **statement}]})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("role", "profiles"),
    [
        (_trust(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), (PROFILE,)),
        (_trust(Principal={"Service": "ec2.amazonaws.com", "AWS": "*"}), (PROFILE,)),
        (_trust(Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}), (PROFILE,)),
        (_trust(Action=["sts:AssumeRole", "sts:TagSession"]), (PROFILE,)),
        (_trust(Effect="Deny"), (PROFILE,)),
        (_trust(NotPrincipal={"AWS": "*"}), (PROFILE,)),
        (_trust(Principal={"Service": "vault.example.com"}), (PROFILE,)),
        (ROLE, (PROFILE, replace(PROFILE, name="second"))),
        (ROLE, (replace(PROFILE, path="/other/"),)),
    ],
)
def test_a_role_that_a_manifest_cannot_say_stays_as_it_is_and_vaults_side_is_imported(
    role: LiveIamRole, profiles: tuple[LiveInstanceProfile, ...]
) -> None:
    result = _drafted(Account(role, *profiles))
    assert _aws(result) == {"role": "existing"}
    assert reasons_of(result) == {f"IAM role payments in {ACCOUNT}": "aws-side"}


def test_a_boundary_is_put_on_no_role_that_has_none() -> None:
    iam = Iam(Systems(Account(ROLE, PROFILE)))  # type: ignore[arg-type]  # as above
    fleet = fleet_of(aws={"permissions_boundary": "arn:aws:iam::{account_id}:policy/b"})
    asked = Asked(owner="team@example.com", provisioner_role="crosskeys")
    result = drafted(observed({"payments": answer("payments")}), fleet, asked, iam)
    assert _aws(result) == {"role": "existing"}


def test_a_registration_of_a_role_that_does_not_exist_is_left_alone() -> None:
    assert reasons_of(_drafted(Account(None))) == {"role payments": "missing-iam-role"}
    assert reasons_of(_drafted(Account(replace(ROLE, name="Payments")))) == {"role payments": "missing-iam-role"}


def test_a_role_that_cannot_be_read_is_not_taken_for_absent() -> None:
    unknown = Unknown("role/payments", "access denied", "let the caller read it")
    for account in (Account(unknown), unknown):
        result = _drafted(account)
        assert result.unknown == (unknown,)
        assert (result.texts, result.left) == ({}, ())


def test_the_owner_that_a_tag_names_comes_first() -> None:
    result = _drafted(Account(replace(ROLE, tags={"Owner": "a@example.com"}), PROFILE))
    assert yaml.safe_load(result.texts["clients/payments.yaml"])["owner"] == "a@example.com"


def test_without_any_owner_nothing_is_drafted() -> None:
    with pytest.raises(UsageError, match="payments"):
        drafted(observed({"payments": answer("payments")}), fleet_of(), Asked())


@pytest.mark.parametrize(
    ("profiles", "why"),
    [
        ((PROFILE, replace(PROFILE, name="second")), f"it is in several instance profiles: {PROFILE.name}, second"),
        ((replace(PROFILE, path="/other/"),), "it has the path /, and its instance profile /other/"),
    ],
)
def test_the_reason_names_what_of_the_instance_profiles_cannot_be_said(
    profiles: tuple[LiveInstanceProfile, ...], why: str
) -> None:
    assert [left.detail for left in _drafted(Account(ROLE, *profiles)).left] == [why]
