"""Each declared role, policy and STS entry against the live one: is it there, and is it as it was applied?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.audit.declared import policy_name
from generator.diagnostics import Note
from generator.live import differences
from generator.live.answers import Unknown
from generator.live.drift_findings import ALLOWS_OTHERWISE, DIFFERS, MISSING, OTHER_WORDS, UNSAYABLE, drift
from generator.live.vault_roles import live_role, live_sts, policy_path, policy_text, role_path, sts_path
from generator.live.verified import Verified

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.audit.declared import StsRole, VaultPolicy, VaultRole
    from generator.diagnostics import Diagnostic
    from generator.live.reviewed import Reviewed
    from generator.live.territory import Territory
    from generator.live.vault import Vault
    from generator.live.vault_roles import LiveRole


def role(reviewed: Reviewed, vault: Vault, declared: VaultRole) -> tuple[Verified, LiveRole | None]:
    """Compare one declared Vault role; return it as it is live too, None where it is not there or not known."""
    path = role_path(reviewed.mount, declared.role.lower())
    found = vault.read(path)
    if isinstance(found, Unknown):
        return Verified(unknown=(found,)), None
    checked = ((declared.kind, 1),)
    client = reviewed.clients.get(declared.label)
    if found is None:
        message = f"the Vault role `{declared.role}` is gone: nobody can log in as `{declared.label}`"
        gone = drift(MISSING, declared.span.start, message, *reviewed.places.manifest(client))
        return Verified((gone,), checked=checked), None
    live = live_role(reviewed.mount, declared.role.lower(), found)
    return Verified(tuple(_of_role(reviewed, declared, live)), checked=checked), live


def _of_role(reviewed: Reviewed, declared: VaultRole, live: LiveRole) -> Iterator[Diagnostic]:
    places, client = reviewed.places, reviewed.clients.get(declared.label)
    for each in differences.of_role(reviewed.declared, declared, live.role):
        others: tuple[Note, ...] = ()
        if each.field == "bound_iam_principal_arns":
            bound = (reviewed.by_principal.get(arn) for arn in live.role.bound_iam_principal_arns)
            others = tuple(
                Note(other.source.span("role_name"), f"`{other.name}`, whom it lets in as `{declared.label}`")
                for other in bound
                if other is not None and other is not client
            )
        message = f"`{each.field}` of the Vault role `{declared.role}` {each.said}"
        yield drift(
            DIFFERS, places.argument(declared, each.field), message, *others, *places.manifest(client, each.field)
        )
    for name, value in live.others:
        message = f"the Vault role `{declared.role}` has `{name}` = `{value}`, which no manifest can say"
        yield drift(UNSAYABLE, declared.span.start, message, *places.manifest(client))


def policy(reviewed: Reviewed, vault: Vault, territory: Territory, declared: VaultPolicy) -> Verified:
    """Compare one declared policy."""
    found = vault.read(policy_path(policy_name(declared.name)))
    if isinstance(found, Unknown):
        return Verified(unknown=(found,))
    checked = ((declared.kind, 1),)
    notes = reviewed.places.manifest(reviewed.clients.get(declared.label), "policy")
    if found is None:
        message = f"the policy `{declared.name}` is gone: `{declared.label}` can read nothing"
        return Verified((drift(MISSING, declared.span.start, message, *notes),), checked=checked)
    drifted = differences.of_policy(declared, policy_text(found))
    if drifted is None:
        return Verified(checked=checked)
    span = reviewed.places.argument(declared, "policy")
    if not drifted.allows:
        message = f"the policy `{declared.name}` has other words than were applied, and allows the same"
        return Verified((drift(OTHER_WORDS, span, message, *notes),), checked=checked)
    message = f"the policy `{declared.name}` is not as it was applied: {'; '.join(drifted.allows)}"
    if reach := territory.of_others(drifted.rules, declared.label):
        message += f"; so `{declared.label}` reaches `{reach.path}`, in {reach.what}"
        if reach.client:
            notes = (Note(reach.client.source.span("role_name"), f"`{reach.client.name}`, whose it is"), *notes)
    return Verified((drift(ALLOWS_OTHERWISE, span, message, *notes),), checked=checked)


def sts(reviewed: Reviewed, vault: Vault, declared: StsRole) -> Verified:
    """Compare one declared STS entry."""
    found = vault.read(sts_path(reviewed.mount, declared.account_id))
    if isinstance(found, Unknown):
        return Verified(unknown=(found,))
    checked = ((declared.kind, 1),)
    if found is None:
        message = f"the STS entry of account {declared.account_id} is gone: Vault cannot look into the account"
        return Verified((drift(MISSING, declared.span.start, message),), checked=checked)
    live = live_sts(reviewed.mount, declared.account_id, found)
    findings = tuple(
        drift(
            DIFFERS,
            reviewed.places.argument(declared, each.field),
            f"`{each.field}` of the STS entry of account {declared.account_id} {each.said}",
        )
        for each in differences.of_sts(declared, live)
    )
    return Verified(findings, checked=checked)
