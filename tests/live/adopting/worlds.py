"""Live Vaults made up for tests: roles as Vault answers them, and what an import makes of them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from generator.live.adopting.asked import Asked
from generator.live.adopting.aws_side import Iam
from generator.live.adopting.drafting import Drafts, drafts
from generator.live.adopting.observed import Observed
from generator.live.vault_roles import LiveRole, live_role, live_sts
from generator.manifest.fleet import Fleet
from generator.manifest.settings import FleetSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT = "123456789012"
TODAY = dt.date(2026, 11, 24)


def policy_text(iam_role: str, account_id: str = ACCOUNT, *more: str) -> str:
    """Return the policy that reads a role's directory, and further ones."""
    directories = (f"certs/{account_id}/{iam_role}", *more)
    return "".join(
        f'path "secret/data/{directory}/*" {{ capabilities = ["read", "list"] }}\n'
        f'path "secret/metadata/{directory}/*" {{ capabilities = ["list", "read"] }}\n'
        for directory in directories
    )


def answer(iam_role: str, account_id: str = ACCOUNT, **fields: Any) -> dict[str, Any]:
    """Return what Vault answers for a plain registration, with some fields otherwise."""
    plain = {
        "auth_type": "iam",
        "bound_iam_principal_arn": [f"arn:aws:iam::{account_id}:role/{iam_role}"],
        "resolve_aws_unique_ids": False,
        "token_policies": [f"{iam_role.lower()}-policy"],
        "token_ttl": 0,
        "token_type": "default",
    }
    return {**plain, **fields}


def observed(
    roles: Mapping[str, Mapping[str, Any]],
    policies: Mapping[str, str | None] | None = None,
    sts: Mapping[str, Mapping[str, Any]] | None = None,
    **configuration: Mapping[str, Any] | None,
) -> Observed:
    """Return a Vault with these roles; each has the plain policy unless its text is given."""
    live: dict[str, LiveRole] = {name: live_role("aws", name, data) for name, data in roles.items()}
    texts: dict[str, str | None] = {}
    for each in live.values():
        for arn, policy in zip(each.role.bound_iam_principal_arns, each.role.token_policies, strict=False):
            texts[str(policy)] = policy_text(arn.rpartition("/")[2], arn.split(":")[4] or ACCOUNT)
    texts |= policies or {}
    entries = {account: live_sts("aws", account, data) for account, data in (sts or {}).items()}
    return Observed("aws", live, texts, entries, configuration.get("client"), configuration.get("identity"), unknown=())


class NoAws:
    """Systems that look into no account."""

    def aws(self, _account: object) -> None:
        """Return nobody to ask."""


def fleet_of(**settings: Any) -> Fleet:
    """Return a fleet without clients."""
    return Fleet(FleetSettings.model_validate(settings), ())


def drafted(found: Observed, fleet: Fleet | None = None, asked: Asked | None = None, iam: Iam | None = None) -> Drafts:
    """Return the drafts for all that is there, where nobody has credentials in AWS."""
    return drafts(
        fleet or fleet_of(),
        found,
        iam or Iam(NoAws()),  # type: ignore[arg-type]  # all that is asked of it
        asked or Asked(owner="team@example.com"),
        TODAY,
    )


def reasons_of(result: Drafts) -> dict[str, str]:
    """Return what was left alone, with the reason's id."""
    return {each.what: each.reason.id for each in result.left}
