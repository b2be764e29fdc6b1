"""Vault's side: each client has one role, which binds its principal alone and gives its policy alone."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING

from generator.audit.declared import VaultRole, policy_name
from generator.audit.proof_findings import LOGIN, POLICY_MISMATCH, PRINCIPAL, UNDECLARED_POLICY, finding
from generator.diagnostics import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.audit.access import Login
    from generator.audit.declared import Declared, PathRule, VaultPolicy
    from generator.diagnostics import Diagnostic
    from generator.manifest.fleet import Client, Fleet

_ROLE_ARN = re.compile(r"arn:(?P<partition>[a-z-]+):iam::(?P<account>[0-9]{12}):role/[A-Za-z0-9_+=,.@-]{1,64}")
_NO_ROLES: tuple[tuple[str, str], ...] = (
    # builtin/credential/aws/path_login.go: what parseIamArn and the comparison make of each.
    ("*", "a wildcard, which Vault takes for every principal that fits"),
    (":root", "a whole account, which Vault takes for no principal"),
    (":user/", "an IAM user"),
    (":sts:", "a session of a role, which Vault takes for no principal"),
    (":assumed-role/", "a session of a role, which Vault takes for no principal"),
)
# What no manifest can say has its default, what a later reader knows of a role too.
_ARGUMENTS = tuple((field.name, field.default) for field in fields(VaultRole) if field.name not in {"span", "label"})


def principals(fleet: Fleet, roles: Iterable[VaultRole], ways_in: frozenset[str]) -> Iterator[Diagnostic]:
    """Yield a finding for each bound principal that is not one IAM role of the account whose root binds it.

    Args:
        fleet: The fleet.
        roles: The roles of the tree.
        ways_in: ARNs of the roles through which Vault looks into accounts.
    """
    for role in roles:
        if not role.bound_iam_principal_arns:
            yield finding(PRINCIPAL, role.span, f"the Vault role `{role.role}` binds no principal: anyone may log in")
        for arn in role.bound_iam_principal_arns:
            if fault := _fault(fleet, role, arn, ways_in):
                yield finding(PRINCIPAL, role.span, f"the Vault role `{role.role}` binds `{arn}`: {fault}")


def _fault(fleet: Fleet, role: VaultRole, arn: str, ways_in: frozenset[str]) -> str | None:
    if arn in ways_in:
        return "the role through which Vault looks into the account"
    if none := next((what for part, what in _NO_ROLES if part in arn), None):
        return none
    match = _ROLE_ARN.fullmatch(arn)
    if match is None:
        return "no ARN of an IAM role as Vault compares it, without its IAM path"
    if match["partition"] != fleet.settings.aws.partition:
        return f"a role of the partition `{match['partition']}`"
    if role.root != f"accounts/{match['account']}/vault":
        return f"a role of the account {match['account']}"
    return None


def logins(fleet: Fleet, declared: Declared, roles: Iterable[VaultRole]) -> Iterator[Diagnostic]:
    """Yield a finding for each difference between the tree's Vault roles and those that the manifests say."""
    by_role = {client.vault_role.lower(): client for client in fleet.clients}
    by_principal = {client.principal_arn: client for client in fleet.clients}
    first: dict[str, VaultRole] = {}
    for role in roles:
        # Vault stores a role under its lower-cased name, and the name carries no account: builtin/credential/aws.
        name = role.role.lower()
        other = first.setdefault(name, role)
        if other is not role:
            message = f"the Vault role `{role.role}` is declared twice: the second write silently wins"
            yield finding(LOGIN, role.span, message, Note(other.span.start, "the other one is here"))
        client = by_role.get(name)
        if client is None or client.suspend or client.retire:
            state = "is no client's" if client is None else f"is that of `{client.name}`, which is cut off"
            yield finding(LOGIN, role.span, f"the Vault role `{role.role}` {state}")
            continue
        for field, found, wanted in _fields(fleet, declared, role, client):
            if found != wanted:
                bound = (by_principal.get(arn) for arn in role.bound_iam_principal_arns)
                others = (each for each in bound if each is not None and each is not client)
                yield finding(
                    LOGIN,
                    role.span,
                    f"`{field}` of the Vault role `{role.role}` is {_said(found)}, and the manifest of "
                    f"`{client.name}` says {_said(wanted)}",
                    *(Note(each.source.span("role_name"), f"`{each.name}`, whom it lets in") for each in others),
                )
    for client in fleet.declared:
        if client.suspend is None and client.vault_role.lower() not in first:
            message = f"`{client.name}` has no Vault role `{client.vault_role}` in the tree"
            yield finding(LOGIN, client.source.span("name"), message)


def _fields(fleet: Fleet, declared: Declared, role: VaultRole, client: Client) -> Iterator[tuple[str, object, object]]:
    """Yield every argument of a role with its value and with what the manifest makes it; the default if nothing."""
    ec2 = client.ec2
    wanted = {
        "root": f"accounts/{client.account_id}/vault",
        "backend": fleet.settings.vault.auth_mount,
        "role": client.vault_role,
        "auth_type": "iam",
        "bound_iam_principal_arns": (client.principal_arn,),
        "resolve_aws_unique_ids": client.resolve_unique_ids,
        "inferred_entity_type": "ec2_instance" if ec2 else None,
        "inferred_aws_region": ec2.region if ec2 else None,
        "bound_ec2_instance_ids": ec2.instance_ids if ec2 else (),
        "bound_ami_ids": ec2.ami_ids if ec2 else (),
        "bound_vpc_ids": ec2.vpc_ids if ec2 else (),
        "bound_subnet_ids": ec2.subnet_ids if ec2 else (),
        "token_policies": (client.vault_policy,),
        "token_ttl": client.token_ttl,
        "token_max_ttl": client.token_max_ttl,
        "token_bound_cidrs": client.token_bound_cidrs,
    }
    policies = tuple(declared.text(role.root, policy) for policy in role.token_policies)
    found = {"backend": declared.text(role.root, role.backend), "token_policies": policies}
    for name, default in _ARGUMENTS:
        yield name, found.get(name, getattr(role, name)), wanted.get(name, default)


def undeclared(logins: Iterable[Login]) -> Iterator[Diagnostic]:
    """Yield a finding for each policy that a login brings and the tree does not declare, ``default`` left out."""
    for login in logins:
        for name in login.undeclared:
            if name != "default":
                message = f"a login by `{login.role.role}` brings the policy `{name}`, which the tree does not declare"
                yield finding(UNDECLARED_POLICY, login.role.span, message)


def policies(fleet: Fleet, found: Iterable[VaultPolicy]) -> Iterator[Diagnostic]:
    """Yield a finding for each difference between the tree's policies and those that the manifests say.

    That they allow no more than that is for `Reaches` to find.
    """
    by_name = {client.vault_policy.lower(): client for client in fleet.declared}
    first: dict[str, VaultPolicy] = {}
    for policy in found:
        name = policy_name(policy.name)
        other = first.setdefault(name, policy)
        if other is not policy:
            message = f"the policy `{policy.name}` is declared twice: the second write silently wins"
            yield finding(POLICY_MISMATCH, policy.span, message, Note(other.span.start, "the other one is here"))
        client = by_name.get(name)
        if client is None:
            yield finding(POLICY_MISMATCH, policy.span, f"the policy `{policy.name}` is no client's")
        else:
            yield from _policy(fleet, policy, client)
    for client in fleet.declared:
        if client.vault_policy.lower() not in first:
            message = f"`{client.name}` has no policy `{client.vault_policy}` in the tree"
            yield finding(POLICY_MISMATCH, client.source.span("name"), message)


def _policy(fleet: Fleet, policy: VaultPolicy, client: Client) -> Iterator[Diagnostic]:
    wanted = (f"accounts/{client.account_id}/vault", client.vault_policy)
    if (policy.root, policy.name) != wanted:
        message = f"the policy `{policy.name}` of {policy.root} should be `{wanted[1]}` of {wanted[0]}"
        yield finding(POLICY_MISMATCH, policy.span, message)
    if client.suspend:
        return
    for rule in policy.rules:
        if "deny" in rule.capabilities:
            message = f"the policy `{policy.name}` denies `{rule.path}`, and `{client.name}` is not suspended"
            yield finding(POLICY_MISMATCH, rule.span or policy.span, message)
    for path in _readable(fleet, client):
        if not {"read", "list"} <= _capabilities(policy.rules, path):
            message = f"the policy `{policy.name}` lacks read and list of `{path}`, which `{client.name}` has"
            yield finding(POLICY_MISMATCH, policy.span, message)


def _readable(fleet: Fleet, client: Client) -> Iterator[str]:
    mount = fleet.settings.vault.kv_mount
    for directory in (client.directory, *(grant.path for grant in client.grants)):
        yield f"{mount}/data/{directory}/*"
        yield f"{mount}/metadata/{directory}/*"


def _capabilities(rules: Iterable[PathRule], path: str) -> set[str]:
    return {capability for rule in rules if rule.path == path for capability in rule.capabilities}


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(f'`{item}`' for item in value)}]"
    return "nothing" if value is None else str(value).lower() if isinstance(value, bool) else f"`{value}`"
