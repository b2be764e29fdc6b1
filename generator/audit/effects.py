"""What reads well and yet does not take effect as it reads, or belongs to another account or another Vault. Pure.

A file's own reading looks at no value; these are the values that Terraform, a provider or Vault would refuse, drop,
or take for something else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from generator.audit.declared import AwsProvider, PolicyDocument, Resource, Terraform, VaultProvider, VaultRole
from generator.audit.faults import NAMESPACE, PROVISIONER, UNKNOWN, WRONG_VALUE, Unreadable
from generator.diagnostics import Span
from generator.render.layout import TREE, RootKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from generator.audit.declared import Declaration
    from generator.diagnostics import Diagnostic

_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
_OFFICIAL = re.compile(r"(?:registry\.terraform\.io/)?hashicorp/(?P<name>aws|vault)", re.ASCII)
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>[0-9]{12}):role/[\w+=,.@/-]+", re.ASCII)
_EC2_BINDS = (
    "bound_ec2_instance_ids",
    "bound_ami_ids",
    "bound_vpc_ids",
    "bound_subnet_ids",
    "bound_account_ids",
    "bound_regions",
    "bound_iam_role_arns",
    "bound_iam_instance_profile_arns",
)

_D = TypeVar("_D")


def misread(objects: Iterable[Declaration]) -> Iterator[Diagnostic]:
    """Yield a finding for each thing that does not take effect as it reads."""
    for item in objects:
        if isinstance(item, Resource) and not _is_label(item):
            yield _fault(UNKNOWN, item, f"Terraform has no label `{item.label}`")
        match item:
            case Terraform():
                yield from _providers(item)
            case VaultRole():
                yield from _role(item)
            case PolicyDocument():
                yield from _variables(item)
            case _:
                pass


def misled(objects: Iterable[Declaration]) -> Iterator[Diagnostic]:
    """Yield a finding for each root that is not, or not surely, applied to the account or the Vault that it is for."""
    by_root: dict[str, list[Declaration]] = {}
    for item in objects:
        by_root.setdefault(item.root, []).append(item)
    for root, items in by_root.items():
        if root.endswith(f"/{RootKind.AWS}"):
            yield from _account(root, items)
    yield from _namespaces(by_root)


def _is_label(item: Resource) -> bool:
    if _LABEL.fullmatch(item.label):
        return True
    # A document that is written out in a resource has that resource's address before its own name.
    return isinstance(item, PolicyDocument) and all(_LABEL.fullmatch(part) for part in item.label.split("."))


def _providers(item: Terraform) -> Iterator[Diagnostic]:
    for provider in item.required_providers:
        match = _OFFICIAL.fullmatch(provider.source)
        if match is None or match["name"] != provider.name:
            message = f"the provider `{provider.name}` is {provider.source}: another program than the reader knows"
            yield _fault(WRONG_VALUE, item, message)


def _role(item: VaultRole) -> Iterator[Diagnostic]:
    name = f'the role "{item.role}"'
    if item.auth_type != "iam":
        yield _fault(WRONG_VALUE, item, f'{name} is of type "{item.auth_type}": its logins name no principal')
    if not item.bound_iam_principal_arns:
        yield _fault(WRONG_VALUE, item, f"{name} binds no principal: whoever has such an instance may log in")
    if item.inferred_entity_type not in {None, "ec2_instance"}:
        yield _fault(WRONG_VALUE, item, f'{name} infers "{item.inferred_entity_type}", which Vault does not know')
    if (item.inferred_entity_type is None) != (item.inferred_aws_region is None):
        yield _fault(WRONG_VALUE, item, f"{name} must have both an inferred entity type and a region, or neither")
    if item.inferred_entity_type is None:
        # resource_aws_auth_backend_role.go, isEc2: the provider leaves these out without a word.
        for field in _EC2_BINDS:
            if getattr(item, field):
                yield _fault(
                    WRONG_VALUE, item, f"{name} has `{field}` without EC2 inference: it is never sent to Vault"
                )


def _variables(item: PolicyDocument) -> Iterator[Diagnostic]:
    for statement in item.statements:
        for text in (
            *statement.actions,
            *statement.resources,
            *(identifier for one in statement.principals for identifier in one.identifiers),
            *(text for one in statement.conditions for text in (one.variable, *one.values)),
        ):
            # In blocks a variable is written with an ampersand, which becomes a dollar sign.
            if "${" in text or "&{" in text:
                yield _fault(WRONG_VALUE, item, f"`{text}` is a policy variable: it stands for who asks")


def _account(root: str, items: Iterable[Declaration]) -> Iterator[Diagnostic]:
    account = root.split("/")[1]
    provider = next(_of(AwsProvider, items), None)
    if provider is None:
        if any(_of(Resource, items)):
            message = f"no provider block says that this root is for account {account}"
            yield Unreadable(PROVISIONER, Span(f"{TREE}/{root}"), message).finding
        return
    if provider.allowed_account_ids != (account,):
        allowed = ", ".join(provider.allowed_account_ids) or "none"
        yield _fault(PROVISIONER, provider, f"the provider may work on {allowed}; this root is for account {account}")
    if provider.assume_role:
        arn = provider.assume_role.role_arn
        match = _ROLE_ARN.fullmatch(arn)
        if match is None or match["account"] != account:
            yield _fault(PROVISIONER, provider, f"the provider assumes {arn}, which is no role of account {account}")


def _namespaces(by_root: Mapping[str, Iterable[Declaration]]) -> Iterator[Diagnostic]:
    """Yield a finding for each root whose Vault namespace is not that of the first one."""
    first: tuple[str | None, str] | None = None
    for root, items in by_root.items():
        if root.endswith(f"/{RootKind.AWS}") or not any(_of(Resource, items)):
            continue
        provider = next(_of(VaultProvider, items), None)
        namespace = provider.namespace.strip("/") if provider and provider.namespace is not None else None
        if first is None:
            first = (namespace, root)
        elif first[0] != namespace:
            span = provider.span if provider else Span(f"{TREE}/{root}")
            message = f"this root is for {_named(namespace)}, and {first[1]} for {_named(first[0])}"
            yield Unreadable(NAMESPACE, span, message).finding


def _named(namespace: str | None) -> str:
    return f'the namespace "{namespace}"' if namespace is not None else "the namespace that the environment names"


def _of(kind: type[_D], items: Iterable[object]) -> Iterator[_D]:
    return (item for item in items if isinstance(item, kind))


def _fault(rule: str, item: Declaration, message: str) -> Diagnostic:
    return Unreadable(rule, item.span, message).finding
