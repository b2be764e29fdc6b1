"""What of a declared tree is there already, and what an apply changes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from generator.audit.declared import AuthBackendClient, Resource, VaultPolicy, VaultRole
from generator.audit.read import read
from generator.live.adopting.aws_side import Iam
from generator.live.adopting.taken import Taken, Taking
from generator.live.answers import Unknown
from generator.render.layout import layout
from generator.render.render import Renderer
from generator.resources import data
from tests.live.adopting.worlds import ACCOUNT, NoAws, answer, drafted, fleet_of, observed, policy_text

if TYPE_CHECKING:
    from generator.audit.declared import Declared
    from generator.live.adopting.observed import Observed
    from generator.manifest.fleet import Fleet

DENIED = Unknown("sys/policies/acl/x", "permission denied", "let the token read it")


class Answering:
    """Systems whose Vault answers one thing to everything, and where a variable of the platform has a value."""

    def __init__(self, found: Any) -> None:
        self._found = found
        self.vault = self
        self.variables = {"sts_endpoint": "https://sts.eu-west-1.amazonaws.com"}

    def read(self, _path: str) -> Any:
        return self._found


def _declared(fleet: Fleet) -> Declared:
    pages = [page for root in layout(fleet) for page in root.pages]
    return read(Renderer([data("templates")]).render(pages))


def _taken(found: Observed, kind: type[Resource], answered: Any = None) -> Taken | Unknown | None:
    """Return what becomes of the object of a kind, in a fleet that was drafted when everything was plain."""
    settings = {"defaults": {"token_ttl": "1h"}, "platform": {"auth_mount": True, "client_config": True}}
    fleet = drafted(observed({"payments": answer("payments")}), fleet_of(**settings)).fleet
    declared = _declared(fleet)
    accounts = {account.id: account for account in fleet.accounts}
    taking = Taking(declared, found, Answering(answered), Iam(NoAws()), accounts)  # type: ignore[arg-type]  # all that is asked
    return taking.of(next(item for item in declared.of(kind)))


def _fields(found: Taken | Unknown | None) -> list[tuple[str, str, str]]:
    assert isinstance(found, Taken)
    return [(change.field, change.now, change.then) for change in found.changes]


@pytest.mark.parametrize(
    ("fields", "changes"),
    [
        ({"token_ttl": 3600}, []),
        ({"token_ttl": 0}, [("token_ttl", "none", "3600")]),
        ({"token_ttl": 3600, "token_max_ttl": 60}, [("token_max_ttl", "60", "none")]),
        (
            {"token_ttl": 3600, "token_policies": ["default", "payments-policy"]},
            [("token_policies", "default, payments-policy", "payments-policy")],
        ),
    ],
)
def test_a_roles_differences_are_what_an_apply_changes(
    fields: dict[str, Any], changes: list[tuple[str, str, str]]
) -> None:
    found = observed({"payments": answer("payments", **fields)})
    assert _fields(_taken(found, VaultRole)) == changes


@pytest.mark.parametrize(
    ("fields", "replaced"),
    [({"auth_type": "ec2"}, "auth_type"), ({"resolve_aws_unique_ids": True}, "resolve_aws_unique_ids")],
)
def test_what_terraform_would_destroy_to_change_is_said(fields: dict[str, Any], replaced: str) -> None:
    taken = _taken(observed({"payments": answer("payments", **fields)}), VaultRole)
    assert isinstance(taken, Taken)
    assert taken.replaced == replaced


def test_a_role_that_is_not_listed_is_not_there_unless_that_is_not_known() -> None:
    nothing = observed({})
    assert _taken(nothing, VaultRole) is None
    for what in ("auth/aws/role", "auth/aws/role/payments"):
        unknown = Unknown(what, "permission denied", "let the token read it")
        assert _taken(replace(nothing, unknown=(unknown,)), VaultRole) == unknown
    elsewhere = Unknown("auth/aws/role/other", "permission denied", "let the token read it")
    assert _taken(replace(nothing, unknown=(elsewhere,)), VaultRole) is None


@pytest.mark.parametrize(
    ("endpoint", "changes"),
    [
        ("https://sts.eu-west-1.amazonaws.com", []),
        ("https://x", [("sts_endpoint", "https://x", "https://sts.eu-west-1.amazonaws.com")]),
    ],
)
def test_configuration_changes_to_what_terraforms_variables_say(
    endpoint: str, changes: list[tuple[str, str, str]]
) -> None:
    found = observed({}, client={"sts_endpoint": endpoint, "use_sts_region_from_client": True})
    assert _fields(_taken(found, AuthBackendClient)) == changes


def test_a_policy_changes_in_words_or_in_what_it_means() -> None:
    def policy(text: str) -> Taken | Unknown | None:
        return _taken(observed({"payments": answer("payments")}, {"payments-policy": text}), VaultPolicy)

    words, wider = policy(policy_text("payments")), policy('path "secret/*" { capabilities = ["read"] }')
    assert isinstance(words, Taken)
    assert isinstance(wider, Taken)
    assert [change.quiet for change in words.changes] == [True]
    assert [change.quiet for change in wider.changes] == [False]
    assert "secret/" in wider.changes[0].now


def test_a_policy_that_was_not_read_is_asked_for() -> None:
    nothing = observed({})
    assert _taken(nothing, VaultPolicy) is None
    assert _taken(nothing, VaultPolicy, DENIED) == DENIED
    found = _taken(nothing, VaultPolicy, {"policy": policy_text("payments", ACCOUNT)})
    assert isinstance(found, Taken)
