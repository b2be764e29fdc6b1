"""What an import is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from generator.live.adopting.names import names_of

if TYPE_CHECKING:
    from generator.live.vault_roles import LiveRole
    from generator.manifest.fleet import Client


@dataclass(frozen=True, slots=True)
class Asked:
    """What narrows an import down, and what Vault cannot say; nothing given means all registrations.

    Args:
        clients: Names of Vault roles, of policies or of clients.
        accounts: Ids of AWS accounts.
        match: A pattern for the names of Vault roles, as shells have it.
        platform: The mounts and the auth method's configuration.
        owner: Who answers for a client or account of which nothing says it.
        provisioner_role: Name of the IAM role by which accounts without a manifest are looked into, and then managed.
    """

    clients: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    match: str | None = None
    platform: bool = False
    owner: str | None = None
    provisioner_role: str | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing narrows it down."""
        return not (self.clients or self.accounts or self.match or self.platform)

    def takes(self, live: LiveRole, policy_pattern: str) -> bool:
        """Tell whether a live role is meant.

        Args:
            live: The role.
            policy_pattern: The fleet's pattern for policies.
        """
        if self.platform and not (self.clients or self.accounts or self.match):
            return False
        role = live.role
        accounts = {arn.split(":")[4] for arn in role.bound_iam_principal_arns if arn.count(":") >= 5}  # noqa: PLR2004 - an ARN's fields
        return (
            (not self.accounts or not self.accounts.isdisjoint(accounts))
            and (self.match is None or fnmatchcase(role.role, self.match.lower()))
            and (not self.clients or not self.clients.isdisjoint(names_of(live, policy_pattern)))
        )

    def matches(self, client: Client) -> bool:
        """Tell whether a client that has a manifest is among what is asked for, by its Vault role's name or account."""
        return (
            not (self.clients or self.platform)
            and (not self.accounts or client.account_id in self.accounts)
            and (self.match is None or fnmatchcase(client.vault_role.lower(), self.match.lower()))
        )

    def names(self, client: Client) -> bool:
        """Tell whether a client that has a manifest is asked for by name."""
        return not self.clients.isdisjoint({client.name, client.vault_role.lower(), client.vault_policy.lower()})
