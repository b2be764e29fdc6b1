"""From what a tree declares, its manifests and its history to the rows of an access review. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.audit.access import grants, logins
from generator.audit.declared import VaultPolicy
from generator.report.review import UNKNOWN, ReviewRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.audit.access import Login
    from generator.audit.declared import Declared, PathRule
    from generator.history import Commit
    from generator.manifest.fleet import Client, Fleet

ACTIVE, SUSPENDED = "active", "suspended"
OWN, SHARED, OTHER = "own", "shared", "other"

_DIGITS = 12  # of a commit, as many as tell it from every other of a large repository
# KV version 2, every operation on a secret: https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2
_AREAS = frozenset({"data", "metadata", "delete", "undelete", "destroy", "subkeys"})


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
        client = known.clients.get(policy.label)
        if client and client.suspend and (policy.root, policy.address) not in carried:
            for rule in policy.rules:
                yield known.row(client.name, policy, rule, None)


@dataclass(frozen=True, slots=True)
class _Known:
    """What manifests and history say, by what a row is made from."""

    kv_mount: str
    clients: Mapping[str, Client]
    account_names: Mapping[str, str]
    shared: Mapping[str, str]
    history: Mapping[str, Provenance]

    @classmethod
    def of(cls, fleet: Fleet, history: Mapping[str, Provenance]) -> _Known:
        return cls(
            fleet.settings.vault.kv_mount,
            {client.name: client for client in fleet.clients},
            {account.id: account.name or "" for account in fleet.accounts},
            {shared.path: shared.owner for shared in fleet.settings.shared_paths},
            history,
        )

    def row(self, name: str, policy: VaultPolicy, rule: PathRule, login: Login | None) -> ReviewRow:
        client = self.clients.get(name)
        account_id = login.account_id if login else client.account_id if client else ""
        sharing, shared_owner = self._sharing(rule.path, client)
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
            sharing=sharing,
            shared_owner=shared_owner,
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

    def _sharing(self, path: str, client: Client | None) -> tuple[str, str]:
        """Return whose directory a rule's path lies in, and the shared path's owner.

        Only what lies below a directory by whole segments is in it: ``…/app*`` reaches ``app2`` as well.
        """
        mount = f"{self.kv_mount}/"
        area, _, place = path.removeprefix(mount).partition("/")
        if not path.startswith(mount) or area not in _AREAS:
            return OTHER, ""
        segments = place.split("/")
        around = {"/".join(segments[:count]) for count in range(1, len(segments) + 1)}
        if client and client.directory in around:
            return OWN, ""
        shared = max((each for each in around if each in self.shared), key=len, default=None)
        return (OTHER, "") if shared is None else (SHARED, self.shared[shared])


def _day(commit: Commit | None) -> str:
    return commit.date[:10] if commit else UNKNOWN
