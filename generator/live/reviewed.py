"""What a fleet's reviewed tree says of Vault, by the names under which Vault keeps it, and which part is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from generator.audit.declared import Declared, StsRole, VaultPolicy, VaultRole, policy_name
from generator.live.places import Places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.audit.declared import Resource
    from generator.manifest.fleet import Account, Client, Fleet


@dataclass(frozen=True, slots=True)
class Scope:
    """Which part of a fleet is looked at; nothing given means all.

    Args:
        accounts: Account ids.
        clients: Names of clients: of each its own objects alone.
        vault: Whether Vault's side is.
        aws: Whether the AWS side is.
        platform: Whether the mounts and configurations that all clients share are.
    """

    accounts: frozenset[str] = frozenset()
    clients: frozenset[str] = frozenset()
    vault: bool = True
    aws: bool = True
    platform: bool = True

    @property
    def is_everyone(self) -> bool:
        """Whether no account and no client is named, so that what nobody declared is looked for too."""
        return not self.accounts and not self.clients

    def takes(self, item: Resource) -> bool:
        """Tell whether an object of an account's root is looked at."""
        return self.is_everyone or item.root.split("/")[1] in self.accounts or item.label in self.clients

    def takes_account(self, account: Account) -> bool:
        """Tell whether anything of an account is looked at."""
        named = any(client.name in self.clients for client in account.clients)
        return self.is_everyone or account.id in self.accounts or named

    def part_of(self, account: Account) -> Account:
        """Return an account with those of its clients that are looked at."""
        if self.is_everyone or account.id in self.accounts:
            return account
        return replace(account, clients=tuple(each for each in account.clients if each.name in self.clients))

    def part_of_tree(self, declared: Declared, account: Account) -> Declared:
        """Return what a root declares of those clients alone, with what stands around it."""
        if self.is_everyone or account.id in self.accounts:
            return declared
        others = {each.name for each in account.clients} - self.clients
        others |= {"vault_sts"}
        return Declared(
            {key: item for key, item in declared.objects.items() if getattr(item, "label", "") not in others}
        )


@dataclass(frozen=True)
class Reviewed:
    """The tree and the manifests that live is compared with.

    Args:
        declared: What the tree declares.
        texts: Text of every rendered file, by path.
        variables: Values of Terraform's variables where they have others than their defaults.
    """

    fleet: Fleet
    declared: Declared
    texts: Mapping[str, str] = field(repr=False)
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def mount(self) -> str:
        """The mount of the AWS auth method, without slashes at the ends."""
        return self.fleet.settings.vault.auth_mount

    @cached_property
    def places(self) -> Places:
        """Where things stand."""
        return Places(self.fleet, self.texts)

    @cached_property
    def roles(self) -> Mapping[str, VaultRole]:
        """The Vault roles by name; Vault keeps them in lower case: builtin/credential/aws/path_role.go."""
        return {role.role.lower(): role for role in self.declared.of(VaultRole)}

    @cached_property
    def policies(self) -> Mapping[str, VaultPolicy]:
        """The policies by the name that Vault keeps."""
        return {policy_name(policy.name): policy for policy in self.declared.of(VaultPolicy)}

    @cached_property
    def sts(self) -> Mapping[str, StsRole]:
        """The STS entries by account."""
        return {entry.account_id: entry for entry in self.declared.of(StsRole)}

    @cached_property
    def clients(self) -> Mapping[str, Client]:
        """The clients by name, which is the label of their blocks."""
        return {client.name: client for client in self.fleet.clients}

    @cached_property
    def by_principal(self) -> Mapping[str, Client]:
        """The clients by the ARN that Vault compares."""
        return {client.principal_arn: client for client in self.fleet.clients}

    @cached_property
    def cut_off(self) -> Mapping[str, Client]:
        """The suspended and retired clients, by the name of the Vault role that each would have."""
        return {each.vault_role.lower(): each for each in self.fleet.clients if each.suspend or each.retire}
