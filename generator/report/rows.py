"""From what a tree declares, its manifests and its history to the rows of an access review. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.audit.access import grants, logins
from generator.audit.declared import VaultPolicy
from generator.audit.sharing import Places
from generator.report.review import UNKNOWN, ReviewRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.audit.access import Login
    from generator.audit.declared import Declared, PathRule
    from generator.history import Commit
    from generator.manifest.fleet import Fleet

ACTIVE, SUSPENDED = "active", "suspended"

_DIGITS = 12  # of a commit, as many as tell it from every other of a large repository


@dataclass(frozen=True, slots=True)
class Provenance:
    """The commits that brought a file and that last changed it; None where that is not known."""

    first: Commit | None = None
    last: Commit | None = None


def rows(declared: Declared, fleet: Fleet, history: Mapping[str, Provenance]) -> tuple[ReviewRow, ...]:
    """Return a row for each rule that a login's token carries, and for each denial of a suspended client.

    Args:
        declared: The tree.
        fleet: Its manifests; what they do not say of a client is empty in its rows.
        history: What is known of the tree's files, by path.

    Returns:
        The rows by account, client and path.
    """
    known = _Known.of(fleet, history)
    found = logins(declared)
    made = [known.row(grant.login.client, grant.policy, grant.rule, grant.login) for grant in grants(found)]
    made += _suspended(declared, found, known)
    return tuple(sorted(made, key=lambda row: (row.account_id, row.client, row.path, row.vault_role, row.policy)))


def _suspended(declared: Declared, found: tuple[Login, ...], known: _Known) -> Iterator[ReviewRow]:
    # A suspended client has no Vault role to log in by, and a reviewer is to see it all the same.
    carried = {(policy.root, policy.address) for login in found for policy in login.policies}
    for policy in declared.of(VaultPolicy):
        client = known.places.clients.get(policy.label)
        if client and client.suspend and (policy.root, policy.address) not in carried:
            for rule in policy.rules:
                yield known.row(client.name, policy, rule, None)


@dataclass(frozen=True, slots=True)
class _Known:
    """What manifests and history say, by what a row is made from."""

    places: Places
    account_names: Mapping[str, str]
    history: Mapping[str, Provenance]

    @classmethod
    def of(cls, fleet: Fleet, history: Mapping[str, Provenance]) -> _Known:
        return cls(
            Places.of(fleet),
            {account.id: account.name or "" for account in fleet.accounts},
            history,
        )

    def row(self, name: str, policy: VaultPolicy, rule: PathRule, login: Login | None) -> ReviewRow:
        client = self.places.clients.get(name)
        account_id = login.account_id if login else client.account_id if client else ""
        place = self.places.place(rule.path, name)
        span = rule.span or policy.span
        known = self.history.get(span.path, Provenance())
        return ReviewRow(
            client=name,
            owner=client.owner if client else "",
            account_id=account_id,
            account_name=self.account_names.get(account_id, ""),
            principal_arn=login.principal_arn if login else client.principal_arn if client else "",
            vault_role=login.role.role if login else "",
            auth_mount=login.mount if login else "",
            policy=policy.name,
            path=rule.path,
            capabilities=tuple(sorted(rule.capabilities)),
            sharing=place.sharing.value,
            shared_owner=place.owner,
            token_ttl=login.role.token_ttl if login else None,
            token_max_ttl=login.role.token_max_ttl if login else None,
            token_bound_cidrs=login.role.token_bound_cidrs if login else (),
            status=SUSPENDED if client and client.suspend else ACTIVE,
            since=known.first.sha[:_DIGITS] if known.first else UNKNOWN,
            since_date=_day(known.first),
            changed=known.last.sha[:_DIGITS] if known.last else UNKNOWN,
            changed_date=_day(known.last),
            changed_by=known.last.author if known.last else UNKNOWN,
            change_ref=(client.change_ref or "") if client else "",
            file=span.path,
            line=span.line,
        )


def _day(commit: Commit | None) -> str:
    return commit.date[:10] if commit else UNKNOWN
