"""The blocks of an account's AWS side: roles, instance profiles, and policy documents in HCL and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.audit import documents
from generator.audit.arguments import number, pairs, reference, text, text_or_reference, texts
from generator.audit.declared import (
    Condition,
    Declaration,
    IamRole,
    IamRolePolicy,
    InstanceProfile,
    PolicyDocument,
    Principals,
    Reference,
    Statement,
)
from generator.audit.faults import WRONG_VALUE, Unreadable

if TYPE_CHECKING:
    from generator.audit.arguments import Arguments
    from generator.audit.hcl import Value


def policy_document(block: Arguments, label: str, root: str) -> PolicyDocument:
    """Return a policy document that is written as blocks.

    Raises:
        Unreadable: When it says more or less than it may.
    """
    block.take("version", _version, None)
    return PolicyDocument(root=root, span=block.span, label=label, statements=block.many("statement", _statement))


def role(block: Arguments, label: str, root: str) -> tuple[Declaration, ...]:
    """Return a role, and its trust policy where that is written out as JSON.

    Raises:
        Unreadable: When it says more or less than it may.
    """
    trust, inside = _document(block, "assume_role_policy", f"{IamRole.kind}.{label}", root)
    found = IamRole(
        root=root,
        span=block.span,
        label=label,
        name=block.take("name", text),
        path=block.take("path", text, None),
        description=block.take("description", text, None),
        assume_role_policy=trust,
        permissions_boundary=block.take("permissions_boundary", text, None),
        max_session_duration=block.take("max_session_duration", number, None),
        tags=block.take("tags", pairs, ()),
    )
    return (found, *inside)


def role_policy(block: Arguments, label: str, root: str) -> tuple[Declaration, ...]:
    """Return a policy of a role, and its document where that is written out as JSON.

    Raises:
        Unreadable: When it says more or less than it may.
    """
    document, inside = _document(block, "policy", f"{IamRolePolicy.kind}.{label}", root)
    found = IamRolePolicy(
        root=root,
        span=block.span,
        label=label,
        name=block.take("name", text),
        role=block.take("role", text_or_reference),
        policy=document,
    )
    return (found, *inside)


def instance_profile(block: Arguments, label: str, root: str) -> InstanceProfile:
    """Return an instance profile.

    Raises:
        Unreadable: When it says more or less than it may.
    """
    return InstanceProfile(
        root=root,
        span=block.span,
        label=label,
        name=block.take("name", text),
        path=block.take("path", text, None),
        role=block.take("role", text_or_reference),
        tags=block.take("tags", pairs, ()),
    )


def _document(block: Arguments, argument: str, address: str, root: str) -> tuple[Reference, tuple[PolicyDocument, ...]]:
    """Return where a document is declared, and the document itself when it is written out here."""
    attribute = block.attribute(argument)
    if not isinstance(attribute.value, str):
        block.give_back(attribute)
        return block.take(argument, reference), ()
    try:
        statements = documents.statements(attribute.value)
    except ValueError as error:
        raise Unreadable(WRONG_VALUE, attribute.span, f"`{argument}` is no policy that can be read: {error}") from None
    found = PolicyDocument(root=root, span=attribute.span, label=f"{address}.{argument}", statements=statements)
    return Reference(found.address, "json"), (found,)


def _version(value: Value) -> str:
    if value == documents.VERSION:
        return documents.VERSION
    raise ValueError(f'"{documents.VERSION}"')


def _statement(block: Arguments) -> Statement:
    return Statement(
        sid=block.take("sid", text, None),
        effect=block.take("effect", text, "Allow"),
        actions=block.take("actions", texts),
        resources=block.take("resources", texts, ()),
        principals=block.many("principals", _principals),
        conditions=block.many("condition", _condition),
    )


def _principals(block: Arguments) -> Principals:
    return Principals(type=block.take("type", text), identifiers=block.take("identifiers", texts))


def _condition(block: Arguments) -> Condition:
    return Condition(
        test=block.take("test", text), variable=block.take("variable", text), values=block.take("values", texts)
    )
