"""From what Vault has of an account to what its manifest says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from generator.errors import UsageError
from generator.live.adopting import reasons

if TYPE_CHECKING:
    from generator.audit.declared import StsRole
    from generator.live.adopting.asked import Asked
    from generator.live.adopting.observed import Observed
    from generator.live.adopting.registrations import Registration
    from generator.manifest.fleet import Fleet
    from generator.manifest.proposal import Value
    from generator.manifest.settings import FleetSettings
    from generator.report.imported import Left


def sts_of(registration: Registration, fleet: Fleet, observed: Observed) -> StsRole | Left | None:
    """Return the STS entry that a registration's account has, None where its manifest says it, or why there is none.

    Args:
        registration: One that makes Vault look into the account.
        fleet: The fleet.
        observed: What Vault has.
    """
    account_id = registration.account_id
    account = next((each for each in fleet.accounts if each.id == account_id and each.source), None)
    if account:
        return None if account.sts else registration.left(reasons.NO_STS, f"{account.path} has no sts")
    entry = observed.sts.get(account_id)
    if entry is None:
        return registration.left(reasons.NO_STS, f"Vault has no STS entry for {account_id}")
    if entry.external_id is None:
        return registration.left(reasons.NO_STS, f"the STS entry of {account_id} has no external id")
    if _name(entry, fleet.settings) is None:
        return registration.left(reasons.NO_STS, f"the STS entry of {account_id} is about {entry.sts_role}")
    if not fleet.settings.vault.principals:
        return registration.left(reasons.NO_STS, "the fleet names no vault.principals")
    return entry


def account_values(
    account_id: str, settings: FleetSettings, asked: Asked, sts: StsRole | None
) -> dict[str, Value] | None:
    """Return what the manifest of an account says, None where none is needed.

    Args:
        account_id: The account.
        settings: The fleet's.
        asked: Says the owner, and by which role the account is looked into.
        sts: Its STS entry, when a client needs it.

    Raises:
        UsageError: When nothing says who answers for the account.
    """
    if settings.accounts != "registered" and sts is None and asked.provisioner_role is None:
        return None
    if asked.owner is None:
        raise UsageError(
            f"nothing says who answers for the account {account_id}", help="say it with --owner, a team's mail address"
        )
    values: dict[str, Value] = {"name": f"account {account_id}", "owner": asked.owner}
    if asked.provisioner_role:
        values["provisioning"] = "managed"
        arn = f"arn:{settings.aws.partition}:iam::{account_id}:role/{asked.provisioner_role}"
        values["provisioner_role"] = arn
    if sts:
        values["sts"] = {"role": _name(sts, settings), "external_id": sts.external_id}
    return values


def _name(entry: StsRole, settings: FleetSettings) -> str | None:
    """Return the name of the IAM role that Vault assumes, None where no manifest could say it."""
    role = re.fullmatch(f"arn:{settings.aws.partition}:iam::{entry.account_id}:role/([^/]+)", entry.sts_role, re.ASCII)
    return role[1] if role else None
