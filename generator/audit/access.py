"""Who reaches what, by what a tree declares: logins, and one grant for each rule that a login's token carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.audit.declared import VaultPolicy, VaultRole, policy_name

if TYPE_CHECKING:
    from generator.audit.declared import Declared, PathRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What one principal's login by one role of one mount brings.

    Args:
        principal_arn: The IAM principal, as the role binds it.
        mount: The mount of the AWS auth method, without slashes at the ends.
        role: The role.
        policies: The token's policies that the tree declares, in the role's order.
        undeclared: Names of its other policies, lower-case as Vault keeps them; ``default`` is one of the token's,
            named or not, unless the role says otherwise, and stands here when the tree does not declare it.
    """

    principal_arn: str
    mount: str
    role: VaultRole
    policies: tuple[VaultPolicy, ...]
    undeclared: tuple[str, ...]

    @property
    def client(self) -> str:
        """The client, by the label of the role's block."""
        return self.role.label

    @property
    def account_id(self) -> str:
        """The principal's account; empty when the principal is no ARN."""
        parts = self.principal_arn.split(":")
        return parts[4] if len(parts) > 4 else ""  # noqa: PLR2004 - arn:partition:iam::account:role/name


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One rule of one policy that a login's token carries."""

    login: Login
    policy: VaultPolicy
    rule: PathRule


def logins(declared: Declared) -> tuple[Login, ...]:
    """Return every login that the tree's roles allow, in the order of the tree and of each role's principals."""
    by_name = {policy_name(policy.name): policy for policy in declared.of(VaultPolicy)}
    return tuple(
        _login(declared, by_name, role, principal)
        for role in declared.of(VaultRole)
        for principal in role.bound_iam_principal_arns
    )


def grants(found: tuple[Login, ...]) -> tuple[Grant, ...]:
    """Return a grant for each rule of each declared policy of each login, in their order."""
    return tuple(
        Grant(login=login, policy=policy, rule=rule)
        for login in found
        for policy in login.policies
        for rule in policy.rules
    )


def _login(declared: Declared, by_name: dict[str, VaultPolicy], role: VaultRole, principal: str) -> Login:
    named = (policy_name(declared.text(role.root, value)) for value in role.token_policies)
    usual = () if role.token_no_default_policy else ("default",)
    names = tuple(dict.fromkeys((*named, *usual)))
    return Login(
        principal_arn=principal,
        mount=declared.text(role.root, role.backend).strip("/"),
        role=role,
        policies=tuple(by_name[name] for name in names if name in by_name),
        undeclared=tuple(name for name in names if name not in by_name),
    )
