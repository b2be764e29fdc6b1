"""Vault's identity: groups and entities that give policies, to whoever is a member and however they logged in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from generator.live.answers import Unknown
from generator.live.drift_findings import IDENTITY_ADDS, IDENTITY_REACH, drift
from generator.live.verified import Verified

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.diagnostics import Diagnostic, Span
    from generator.live.reviewed import Reviewed
    from generator.live.vault import Vault
    from generator.live.verify_strays import Reach

GROUPS, ENTITIES = "identity/group/id", "identity/entity/id"


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known of the namespace's identity.

    Args:
        reach: What policies reach.
        accessors: Accessors of the AWS auth methods.
        groups: The groups that give policies: name and policies, by id.
    """

    reviewed: Reviewed
    reach: Reach
    accessors: frozenset[str]
    groups: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)

    def group(self, vault: Vault, id_: str) -> Verified:
        """Judge one group, and remember its policies."""
        found = vault.read(f"{GROUPS}/{id_}")
        if isinstance(found, Unknown):
            return Verified(unknown=(found,))
        policies = _texts(found, "policies")
        if not found or not policies:
            return Verified()
        name = str(found.get("name"))
        self.groups[id_] = (name, policies)
        brings = self.reach.of(policies)
        if not brings:
            return Verified()
        message = f"the identity group `{name}` gives its members policies of their own: {brings}"
        return Verified((drift(IDENTITY_REACH, self._span, message),))

    def entity(self, vault: Vault, id_: str) -> Verified:
        """Judge one entity: it has what its groups give, those in which it is by another group too."""
        found = vault.read(f"{ENTITIES}/{id_}")
        if isinstance(found, Unknown):
            return Verified(unknown=(found,))
        if found is None:
            return Verified()
        name, own = str(found.get("name")), _texts(found, "policies")
        given = [self.groups[each] for each in _texts(found, "group_ids") if each in self.groups]
        policies = tuple(dict.fromkeys((*own, *(policy for _, each in given for policy in each))))
        if not policies:
            return Verified()
        alias = next(
            (each for each in found.get("aliases") or () if each.get("mount_accessor") in self.accessors), None
        )
        if alias is not None:
            return Verified((self._adds(name, alias, policies, tuple(group for group, _ in given)),))
        brings = self.reach.of(own)
        if not brings:
            return Verified()
        return Verified(
            (drift(IDENTITY_REACH, self._span, f"the identity entity `{name}` has policies of its own: {brings}"),)
        )

    def _adds(
        self, name: str, alias: Mapping[str, Any], policies: tuple[str, ...], groups: tuple[str, ...]
    ) -> Diagnostic:
        arn = str((alias.get("metadata") or {}).get("canonical_arn") or "")
        client = self.reviewed.by_principal.get(arn)
        who = f"`{client.name}`" if client else f"`{arn or alias.get('name')}`, who logs in by AWS,"
        through = f" through {', '.join(f'`{group}`' for group in groups)}" if groups else ""
        listed = ", ".join(f"`{policy}`" for policy in policies)
        brings = self.reach.of(policies)
        message = f"{who} has more than its Vault role brings: the identity entity `{name}` adds {listed}{through}"
        message += f": {brings}" if brings else ""
        return drift(IDENTITY_ADDS, client.source.span("role_name") if client else self._span, message)

    @property
    def _span(self) -> Span:
        return self.reviewed.places.setting("vault", "auth_mount")


def _texts(found: Mapping[str, Any] | None, key: str) -> tuple[str, ...]:
    return tuple(map(str, (found or {}).get(key) or ()))
