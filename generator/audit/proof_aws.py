"""The AWS side: each client's IAM role is assumed by its services alone, and the way in by Vault alone."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from generator.audit.declared import (
    Condition,
    IamRole,
    IamRolePolicy,
    InstanceProfile,
    PolicyDocument,
    Principals,
    Statement,
    StsRole,
)
from generator.audit.proof_findings import IAM, TRUST, WAY_IN, finding
from generator.diagnostics import Note, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.audit.declared import Declaration, Declared, Reference
    from generator.diagnostics import Diagnostic
    from generator.manifest.fleet import Account, Client, Fleet, WorkloadRole

_ASSUME = ("sts:AssumeRole",)

T = TypeVar("T", bound="IamRole | IamRolePolicy | InstanceProfile | StsRole")


def aws_side(fleet: Fleet, declared: Declared) -> Iterator[Diagnostic]:
    """Yield a finding for each difference between the accounts in the tree and those that the manifests say."""
    roles = _by_root(declared.of(IamRole))
    policies = _by_root(declared.of(IamRolePolicy))
    profiles = _by_root(declared.of(InstanceProfile))
    ways_in = _by_root(declared.of(StsRole))
    for account in fleet.accounts:
        root = f"accounts/{account.id}/aws"
        yield from _roles(fleet, declared, account, roles.pop(root, ()))
        yield from _profiles(declared, account, profiles.pop(root, ()))
        yield from _policies(fleet, declared, account, policies.pop(root, ()))
        yield from _ways_in(fleet, declared, account, ways_in.pop(f"accounts/{account.id}/vault", ()))
    for left in (roles, policies, profiles, ways_in):
        for items in left.values():
            for item in items:
                yield finding(IAM, item.span, f"{item.address} is in an account of which no manifest tells")


def _by_root(items: Iterable[T]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = defaultdict(list)
    for item in items:
        found[item.root].append(item)
    return found


def _roles(fleet: Fleet, declared: Declared, account: Account, roles: Iterable[IamRole]) -> Iterator[Diagnostic]:
    clients = {client.role_name: client for client in account.declared if client.workload}
    existing = {client.role_name.lower() for client in account.clients if not client.workload}
    first: dict[str, IamRole] = {}
    for role in roles:
        # IAM tells role names apart without regard to case.
        other = first.setdefault(role.name.lower(), role)
        client = clients.get(role.name)
        if other is not role:
            message = f"the IAM role `{role.name}` is declared twice in this account"
            yield finding(IAM, role.span, message, Note(other.span.start, "the other one is here"))
        elif account.sts and role.name == account.sts.role:
            yield from _sts_role(fleet, declared, account, role)
        elif client and client.workload:
            yield from _client_role(declared, client, client.workload, role)
        else:
            why = "is to exist already, by its client's manifest" if role.name.lower() in existing else "is no client's"
            yield finding(IAM, role.span, f"the IAM role `{role.name}` {why}")
    for client in clients.values():
        if client.role_name.lower() not in first:
            message = f"`{client.name}` has no IAM role `{client.role_name}` in the tree"
            yield finding(IAM, client.source.span("role_name"), message)
    if account.sts and account.sts.role.lower() not in first:
        message = f"the account {account.id} has no IAM role `{account.sts.role}` in the tree, which Vault is to assume"
        yield finding(WAY_IN, _of(account), message)


def _client_role(declared: Declared, client: Client, workload: WorkloadRole, role: IamRole) -> Iterator[Diagnostic]:
    found = (role.path or "/", role.permissions_boundary)
    wanted = (workload.path, workload.permissions_boundary)
    if found != wanted:
        message = (
            f"the IAM role `{role.name}` has path and boundary {_list(found)}, and the manifest of `{client.name}` "
            f"says {_list(wanted)}"
        )
        yield finding(IAM, role.span, message)
    trust = Statement(
        effect="Allow",
        actions=_ASSUME,
        principals=(Principals(type="Service", identifiers=workload.trusted_services),),
    )
    document = _document(declared, role.root, role.assume_role_policy)
    if not _says(document, trust):
        message = (
            f"the trust policy of `{role.name}` is not that {_list(workload.trusted_services)} alone may assume it: "
            f"whoever can is `{client.name}` to Vault"
        )
        yield finding(TRUST, document.span, message)


def _profiles(declared: Declared, account: Account, profiles: Iterable[InstanceProfile]) -> Iterator[Diagnostic]:
    wanted = {
        client.workload.instance_profile: client
        for client in account.declared
        if client.workload and client.workload.instance_profile
    }
    for profile in profiles:
        client = wanted.pop(profile.name, None)
        if client is None:
            yield finding(IAM, profile.span, f"the instance profile `{profile.name}` is no client's, or there twice")
        elif (role := declared.text(profile.root, profile.role)) != client.role_name:
            message = f"the instance profile `{profile.name}` of `{client.name}` has the role `{role}`"
            yield finding(IAM, profile.span, message)
    for name, client in wanted.items():
        message = f"`{client.name}` has no instance profile `{name}` in the tree"
        yield finding(IAM, client.source.span("role_name"), message)


def _policies(
    fleet: Fleet, declared: Declared, account: Account, policies: Iterable[IamRolePolicy]
) -> Iterator[Diagnostic]:
    roles = f"arn:{fleet.settings.aws.partition}:iam::{account.id}:role/*"
    wanted = (
        Statement(effect="Allow", actions=("ec2:DescribeInstances",), resources=("*",)),
        Statement(effect="Allow", actions=("iam:GetRole",), resources=(roles,)),
    )
    has = False
    for policy in policies:
        role = declared.text(policy.root, policy.role)
        if has or account.sts is None or role != account.sts.role:
            yield finding(IAM, policy.span, f"the policy `{policy.name}` of the IAM role `{role}` is in no manifest")
            continue
        has = True
        document = _document(declared, policy.root, policy.policy)
        if not _says(document, *wanted):
            message = f"`{role}` may do something else than find instances and read the roles of {account.id}"
            yield finding(WAY_IN, document.span, message)
    if account.sts and not has:
        yield finding(WAY_IN, _of(account), f"`{account.sts.role}` has no policy in the tree, and so sees nothing")


def _sts_role(fleet: Fleet, declared: Declared, account: Account, role: IamRole) -> Iterator[Diagnostic]:
    if account.sts is None:
        return
    vault = fleet.settings.vault.principals
    trust = Statement(
        effect="Allow",
        actions=_ASSUME,
        principals=(Principals(type="AWS", identifiers=vault),),
        conditions=(Condition(test="StringEquals", variable="sts:ExternalId", values=(account.sts.external_id,)),),
    )
    document = _document(declared, role.root, role.assume_role_policy)
    if not _says(document, trust):
        message = (
            f"the trust policy of `{role.name}` is not that {_list(vault)} alone may assume it, with the account's "
            "external id"
        )
        yield finding(WAY_IN, document.span, message)
    found = (role.path or "/", role.permissions_boundary)
    if found != ("/", account.sts_boundary):
        message = (
            f"`{role.name}` has path and boundary {_list(found)}, which should be {_list(('/', account.sts_boundary))}"
        )
        yield finding(WAY_IN, role.span, message)


def _ways_in(fleet: Fleet, declared: Declared, account: Account, found: Iterable[StsRole]) -> Iterator[Diagnostic]:
    seen = False
    for way in found:
        if account.sts is None or seen:
            yield finding(WAY_IN, way.span, f"{way.address} is a way into the account that its manifest does not give")
            continue
        seen = True
        arn = f"arn:{fleet.settings.aws.partition}:iam::{account.id}:role/{account.sts.role}"
        has = (declared.text(way.root, way.backend), way.account_id, way.sts_role)
        wanted = (fleet.settings.vault.auth_mount, account.id, arn)
        if has != wanted:
            message = f"Vault's way into the account is {_list(has)}, and the manifests say {_list(wanted)}"
            yield finding(WAY_IN, way.span, message)
        if way.external_id != account.sts.external_id:
            yield finding(WAY_IN, way.span, f"the external id of {way.address} is not the one of its account")
    if account.sts and not seen:
        yield finding(WAY_IN, _of(account), f"the tree lacks the way into the account {account.id}")


def _document(declared: Declared, root: str, reference: Reference) -> PolicyDocument:
    target: Declaration = declared.target(root, reference)
    assert isinstance(target, PolicyDocument)  # noqa: S101 - what the reader guarantees
    return target


def _says(document: PolicyDocument, *wanted: Statement) -> bool:
    """Tell whether a document has exactly these statements; their ids are names and say nothing."""
    return tuple(replace(statement, sid=None) for statement in document.statements) == wanted


def _of(account: Account) -> Span:
    return account.source.span("sts") if account.source else Span(account.path)


def _list(values: Iterable[object]) -> str:
    return ", ".join("none" if value is None else f"`{value}`" for value in values)
