"""Which blocks a rendered root may hold, and how each becomes a declaration."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from generator.audit import iam, policy
from generator.audit.arguments import (
    Arguments,
    boolean,
    boolean_or_reference,
    number,
    pairs,
    setting,
    text,
    text_or_reference,
    texts,
    texts_or_references,
)
from generator.audit.declared import (
    AssumeRole,
    AuthBackend,
    AuthBackendClient,
    AuthBackendIdentity,
    AwsProvider,
    Backend,
    Declaration,
    Import,
    Mount,
    Moved,
    RequiredProvider,
    StsRole,
    Terraform,
    Variable,
    VaultPolicy,
    VaultProvider,
    VaultRole,
)
from generator.audit.faults import NOT_LITERAL, UNKNOWN, WRONG_VALUE, Unreadable
from generator.audit.hcl import Traversal
from generator.audit.refused import because
from generator.render.layout import BACKEND_BLOCKS, RootKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from generator.audit.arguments import Reader
    from generator.audit.declared import PathRule
    from generator.audit.hcl import Attribute, Block, Value

_MOUNT = "aws"
"""The mount of a role and of an STS role that name none: the provider's default."""


def declarations(block: Block, root: str, kind: RootKind) -> tuple[Declaration, ...]:
    """Return what one block of a root's top level declares: one object, and the documents that are written inside it.

    Raises:
        Unreadable: When a root of this kind holds no such block, or it says more or less than it may.
    """
    name = " ".join((block.type, *(f'"{label}"' for label in block.labels)))
    match block.type, block.labels:
        case (("resource" | "data"), (type_, label)):
            read = _LABELLED[kind].get((block.type, type_))
        case "variable", (label,):
            read = _variable if kind is RootKind.PLATFORM else None
        case "provider", (label,):
            read = _provider(kind, label)
        case "terraform", ():
            label, read = "", _terraform
        case "moved", ():
            label, read = "", _moved(kind)
        case "import", ():
            label, read = "", _import(kind)
        case _:
            label, read = "", None
    if read is None:
        raise Unreadable(UNKNOWN, block.span, f"a root of this kind holds no {name}{because(block.type)}")
    arguments = Arguments(block.body, block.span, name)
    found = read(arguments, label, root)
    arguments.close()
    return found if isinstance(found, tuple) else (found,)


def _terraform(block: Arguments, _: str, root: str) -> Terraform:
    return Terraform(
        root=root,
        span=block.span,
        required_version=block.take("required_version", text),
        required_providers=block.at_most_one("required_providers", _required_providers) or (),
        backend=block.labelled("backend", _backend),
    )


def _required_providers(block: Arguments) -> tuple[RequiredProvider, ...]:
    return tuple(
        RequiredProvider(name=name, source=dict(entry)["source"], version=dict(entry)["version"])
        for name, entry in block.rest(_provider_entry)
    )


def _provider_entry(value: Value) -> tuple[tuple[str, str], ...]:
    entry = pairs(value)
    if [key for key, _ in entry] != ["source", "version"]:
        raise ValueError("an object of source and version")
    return entry


def _backend(block: Arguments, type_: str) -> Backend:
    blocks = (
        (name, block.at_most_one(name, lambda inside: inside.rest(setting)))
        for of, name in sorted(BACKEND_BLOCKS)
        if of == type_
    )
    return Backend(
        type=type_,
        settings=block.rest(setting),
        blocks=tuple((name, settings) for name, settings in blocks if settings is not None),
    )


def _provider(kind: RootKind, label: str) -> Reader | None:
    wanted = "aws" if kind is RootKind.AWS else "vault"
    readers = {"aws": _aws_provider, "vault": _vault_provider}
    return readers[wanted] if label == wanted else None


def _vault_provider(block: Arguments, _: str, root: str) -> VaultProvider:
    return VaultProvider(root=root, span=block.span, namespace=block.take("namespace", text, None))


def _aws_provider(block: Arguments, _: str, root: str) -> AwsProvider:
    return AwsProvider(
        root=root,
        span=block.span,
        region=block.take("region", text),
        allowed_account_ids=block.take("allowed_account_ids", texts),
        assume_role=block.at_most_one("assume_role", _assume_role),
        default_tags=block.at_most_one("default_tags", lambda tags: tags.take("tags", pairs)) or (),
    )


def _assume_role(block: Arguments) -> AssumeRole:
    return AssumeRole(role_arn=block.take("role_arn", text), session_name=block.take("session_name", text))


def _variable(block: Arguments, name: str, root: str) -> Variable:
    return Variable(
        root=root,
        span=block.span,
        name=name,
        type=block.take("type", _type),
        default=block.take("default", _default),
    )


def _type(value: Value) -> str:
    if isinstance(value, Traversal) and value.steps in {("string",), ("bool",)}:
        return value.steps[0]
    raise ValueError("the type string or bool")


def _default(value: Value) -> str | bool | None:
    if value is None or isinstance(value, str | bool):
        return value
    raise ValueError("a string, true, false or null")


def _moved(kind: RootKind) -> Reader | None:
    movable = _MOVABLE.get(kind)
    if movable is None:
        return None
    address = _address(movable)

    def read(block: Arguments, _: str, root: str) -> Moved:
        moved = Moved(root=root, span=block.span, from_=block.take("from", address), to=block.take("to", address))
        if moved.from_.partition(".")[0] != moved.to.partition(".")[0]:
            raise Unreadable(WRONG_VALUE, block.span, f"{moved.from_} cannot become {moved.to}, of another type")
        return moved

    return read


def _import(kind: RootKind) -> Reader:
    address = _address(type_ for block, type_ in _LABELLED[kind] if block == "resource")

    def read(block: Arguments, _: str, root: str) -> Import:
        return Import(root=root, span=block.span, to=block.take("to", address), id=block.take("id", text))

    return read


def _address(types: Iterable[str]) -> Callable[[Value], str]:
    """Return what makes a value the address of a resource of one of these types."""
    known = frozenset(types)

    def address(value: Value) -> str:
        if isinstance(value, Traversal) and len(value.steps) == 2 and value.steps[0] in known:  # noqa: PLR2004 - type and label
            return str(value)
        raise ValueError(f"the address of a resource: {', '.join(sorted(known))}")

    return address


def _vault_policy(block: Arguments, label: str, root: str) -> VaultPolicy:
    name = block.take("name", text)
    attribute = block.attribute("policy")
    if not isinstance(attribute.value, str):
        raise Unreadable(NOT_LITERAL, attribute.span, "a policy that is not written out as text")
    return VaultPolicy(
        root=root,
        span=block.span,
        label=label,
        name=name,
        rules=_rules(attribute.value, attribute),
        text=attribute.value,
    )


def _rules(text: str, attribute: Attribute) -> tuple[PathRule, ...]:
    if attribute.heredoc:
        return policy.rules(text, attribute.heredoc)
    # A quoted text has its lines' ends as escapes: whatever is in it stands where it does.
    try:
        return tuple(replace(rule, span=attribute.span) for rule in policy.rules(text, attribute.span))
    except Unreadable as fault:
        raise Unreadable(fault.finding.rule, attribute.span, f"in the policy, {fault.finding.message}") from None


def _vault_role(block: Arguments, label: str, root: str) -> VaultRole:
    return VaultRole(
        root=root,
        span=block.span,
        label=label,
        backend=block.take("backend", text_or_reference, _MOUNT),
        role=block.take("role", text),
        auth_type=block.take("auth_type", text, "iam"),
        bound_iam_principal_arns=block.take("bound_iam_principal_arns", texts),
        resolve_aws_unique_ids=block.take("resolve_aws_unique_ids", boolean),
        inferred_entity_type=block.take("inferred_entity_type", text, None),
        inferred_aws_region=block.take("inferred_aws_region", text, None),
        bound_ec2_instance_ids=block.take("bound_ec2_instance_ids", texts, ()),
        bound_ami_ids=block.take("bound_ami_ids", texts, ()),
        bound_vpc_ids=block.take("bound_vpc_ids", texts, ()),
        bound_subnet_ids=block.take("bound_subnet_ids", texts, ()),
        bound_account_ids=block.take("bound_account_ids", texts, ()),
        bound_regions=block.take("bound_regions", texts, ()),
        bound_iam_role_arns=block.take("bound_iam_role_arns", texts, ()),
        bound_iam_instance_profile_arns=block.take("bound_iam_instance_profile_arns", texts, ()),
        token_policies=block.take("token_policies", texts_or_references),
        token_no_default_policy=block.take("token_no_default_policy", boolean, default=False),
        token_ttl=block.take("token_ttl", number, None),
        token_max_ttl=block.take("token_max_ttl", number, None),
        token_explicit_max_ttl=block.take("token_explicit_max_ttl", number, None),
        token_period=block.take("token_period", number, None),
        token_num_uses=block.take("token_num_uses", number, None),
        token_type=block.take("token_type", text, None),
        token_bound_cidrs=block.take("token_bound_cidrs", texts, ()),
    )


def _sts_role(block: Arguments, label: str, root: str) -> StsRole:
    return StsRole(
        root=root,
        span=block.span,
        label=label,
        backend=block.take("backend", text_or_reference, _MOUNT),
        account_id=block.take("account_id", text),
        sts_role=block.take("sts_role", text),
        external_id=block.take("external_id", text, None),
    )


def _auth_backend(block: Arguments, label: str, root: str) -> AuthBackend:
    return AuthBackend(
        root=root,
        span=block.span,
        label=label,
        type=block.take("type", text),
        path=block.take("path", text),
        prevent_destroy=_prevent_destroy(block),
    )


def _auth_backend_client(block: Arguments, label: str, root: str) -> AuthBackendClient:
    return AuthBackendClient(
        root=root,
        span=block.span,
        label=label,
        backend=block.take("backend", text_or_reference),
        iam_server_id_header_value=block.take("iam_server_id_header_value", text, None),
        use_sts_region_from_client=block.take("use_sts_region_from_client", boolean_or_reference, None),
        sts_endpoint=block.take("sts_endpoint", text_or_reference, None),
        sts_region=block.take("sts_region", text_or_reference, None),
        iam_endpoint=block.take("iam_endpoint", text_or_reference, None),
        ec2_endpoint=block.take("ec2_endpoint", text_or_reference, None),
        prevent_destroy=_prevent_destroy(block),
    )


def _auth_backend_identity(block: Arguments, label: str, root: str) -> AuthBackendIdentity:
    return AuthBackendIdentity(
        root=root,
        span=block.span,
        label=label,
        backend=block.take("backend", text_or_reference),
        iam_alias=block.take("iam_alias", text, None),
        iam_metadata=block.take("iam_metadata", texts, ()),
        prevent_destroy=_prevent_destroy(block),
    )


def _mount(block: Arguments, label: str, root: str) -> Mount:
    return Mount(
        root=root,
        span=block.span,
        label=label,
        path=block.take("path", text),
        type=block.take("type", text),
        options=block.take("options", pairs, ()),
        prevent_destroy=_prevent_destroy(block),
    )


def _prevent_destroy(block: Arguments) -> bool:
    return block.at_most_one("lifecycle", lambda lifecycle: lifecycle.take("prevent_destroy", boolean)) or False


# What a client has of its own. The rest of a root does not know its clients' names.
_MOVABLE: Mapping[RootKind, frozenset[str]] = {
    RootKind.AWS: frozenset({"aws_iam_role", "aws_iam_instance_profile"}),
    RootKind.VAULT: frozenset({"vault_policy", "vault_aws_auth_backend_role"}),
}
_LABELLED: Mapping[RootKind, Mapping[tuple[str, str], Reader]] = {
    RootKind.PLATFORM: {
        ("resource", "vault_auth_backend"): _auth_backend,
        ("resource", "vault_aws_auth_backend_client"): _auth_backend_client,
        ("resource", "vault_aws_auth_backend_config_identity"): _auth_backend_identity,
        ("resource", "vault_mount"): _mount,
    },
    RootKind.AWS: {
        ("data", "aws_iam_policy_document"): iam.policy_document,
        ("resource", "aws_iam_role"): iam.role,
        ("resource", "aws_iam_role_policy"): iam.role_policy,
        ("resource", "aws_iam_instance_profile"): iam.instance_profile,
    },
    RootKind.VAULT: {
        ("resource", "vault_policy"): _vault_policy,
        ("resource", "vault_aws_auth_backend_role"): _vault_role,
        ("resource", "vault_aws_auth_backend_sts_role"): _sts_role,
    },
}
