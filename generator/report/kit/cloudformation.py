"""The AWS side of a kit as a CloudFormation template: the same objects as Terraform's, from what was read back."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

import yaml

from generator.audit.declared import AwsProvider, IamRole, IamRolePolicy, InstanceProfile, PolicyDocument, Resource
from generator.audit.documents import VERSION
from generator.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from generator.audit.declared import Declared, Pairs, Reference, Statement

MOST_RESOURCES = 500
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""
LARGEST_BODY = 51_200
"""Bytes of a template that is sent with the request; a larger one must lie in S3 (same page)."""

_CONDITION = "InItsAccount"
_INTRODUCTION = """\
# The same objects as in terraform/, for an account that uses CloudFormation: apply one of the two, never both.
# In another account than its own the stack makes nothing.
# Deleting the stack deletes what it made: whoever holds a role that is left over could still log in. Against a slip:
#   aws cloudformation update-termination-protection --enable-termination-protection --stack-name ...
# CloudFormation cannot tag instance profiles; that is the only difference to terraform/.
"""


def objects(declared: Declared, root: str, files: Collection[str]) -> tuple[Resource, ...]:
    """Return the objects of AWS that files of an AWS root declare, file by file, the role first in each.

    Args:
        declared: What the rendered tree declares.
        root: The root's name, such as ``accounts/123456789012/aws``.
        files: The files that count, relative to the fleet's folder.
    """
    found = (
        item
        for item in declared.objects.values()
        if item.root == root
        and item.span.path in files
        and isinstance(item, Resource)
        and not isinstance(item, PolicyDocument)
    )
    return tuple(sorted(found, key=lambda item: (item.span.path, item.kind != IamRole.kind, item.address)))


def template(declared: Declared, root: str, items: Sequence[Resource]) -> str:
    """Return the template that makes objects of an AWS root.

    Args:
        declared: What the rendered tree declares.
        root: The root's name.
        items: The objects, at most ``MOST_RESOURCES``.

    Raises:
        InternalError: When this knows nothing of one of them.
    """
    provider = declared.objects[root, "provider.aws"]
    if not isinstance(provider, AwsProvider):
        raise InternalError(f"{root} declares no AWS provider")
    (account_id,) = provider.allowed_account_ids
    body = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"IAM roles that log in to HCP Vault from the account {account_id}",
        "Conditions": {_CONDITION: {"Fn::Equals": [{"Ref": "AWS::AccountId"}, account_id]}},
        "Resources": _resources(declared, root, items, provider.default_tags),
    }
    return _INTRODUCTION + yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=120)


def _resources(declared: Declared, root: str, items: Sequence[Resource], tags: Pairs) -> dict[str, object]:
    names = _names(items)
    by_address = {item.address: names[item.label, item.kind] for item in items}
    made: dict[str, object] = {}
    for item in items:
        match item:
            case IamRole():
                kind, properties = "Role", _role(declared, item, tags)
            case InstanceProfile():
                kind, properties = "InstanceProfile", _profile(by_address, item)
            case IamRolePolicy():
                # AWS::IAM::RolePolicy says the same, and moto takes it without making anything.
                kind, properties = "Policy", _policy(declared, by_address, item)
            case _:
                raise InternalError(f"the kit knows no {item.kind}, which {root} declares")
        made[by_address[item.address]] = {
            "Type": f"AWS::IAM::{kind}",
            "Condition": _CONDITION,
            "DeletionPolicy": "Delete",
            "Properties": properties,
        }
    return made


_SUFFIXES = {IamRole.kind: "Role", InstanceProfile.kind: "InstanceProfile", IamRolePolicy.kind: "Policy"}


def _names(items: Sequence[Resource]) -> dict[tuple[str, str], str]:
    """Return a logical id, of letters and digits alone, for each object by its label and kind.

    They follow from the labels, for to CloudFormation an object of another logical id is another object.
    """
    plain = {item.label: _camel(item.label) for item in items}
    shared = {name for name, count in Counter(plain.values()).items() if count > 1}
    unique = {
        label: name + hashlib.sha256(label.encode()).hexdigest()[:12] if name in shared else name
        for label, name in plain.items()
    }
    names = {(item.label, item.kind): unique[item.label] + _SUFFIXES.get(item.kind, "") for item in items}
    if len(set(names.values())) < len(names):
        raise InternalError("two objects have the same logical id", help="make a kit for each client")
    return names


def _camel(label: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in label.replace("_", "-").split("-"))


def _role(declared: Declared, role: IamRole, tags: Pairs) -> dict[str, object]:
    properties: dict[str, object] = {"RoleName": role.name, "Path": role.path or "/"}
    if role.description is not None:
        properties["Description"] = role.description
    properties["AssumeRolePolicyDocument"] = _document(declared, role.root, role.assume_role_policy)
    if role.permissions_boundary is not None:
        properties["PermissionsBoundary"] = role.permissions_boundary
    if role.max_session_duration is not None:
        properties["MaxSessionDuration"] = role.max_session_duration
    merged = {**dict(tags), **dict(role.tags)}
    if merged:
        properties["Tags"] = [{"Key": key, "Value": value} for key, value in sorted(merged.items())]
    return properties


def _profile(names: dict[str, str], profile: InstanceProfile) -> dict[str, object]:
    return {
        "InstanceProfileName": profile.name,
        "Path": profile.path or "/",
        "Roles": [_named(names, profile.role)],
    }


def _policy(declared: Declared, names: dict[str, str], policy: IamRolePolicy) -> dict[str, object]:
    return {
        "PolicyName": policy.name,
        "PolicyDocument": _document(declared, policy.root, policy.policy),
        "Roles": [_named(names, policy.role)],
    }


def _named(names: dict[str, str], role: str | Reference) -> object:
    # By reference, so that CloudFormation makes the role first.
    return role if isinstance(role, str) else {"Ref": names[role.address]}


def _document(declared: Declared, root: str, reference: Reference) -> dict[str, object]:
    document = declared.target(root, reference)
    if not isinstance(document, PolicyDocument):
        raise InternalError(f"{reference} is no policy document")
    return {"Version": VERSION, "Statement": [_statement(each) for each in document.statements]}


def _statement(statement: Statement) -> dict[str, object]:
    found: dict[str, object] = {"Sid": statement.sid} if statement.sid is not None else {}
    found |= {"Effect": statement.effect, "Action": _one_or_all(statement.actions)}
    if statement.resources:
        found["Resource"] = _one_or_all(statement.resources)
    if statement.principals:
        found["Principal"] = {each.type: _one_or_all(each.identifiers) for each in statement.principals}
    conditions: dict[str, dict[str, object]] = {}
    for each in statement.conditions:
        conditions.setdefault(each.test, {})[each.variable] = _one_or_all(each.values)
    return {**found, "Condition": conditions} if conditions else found


def _one_or_all(values: Iterable[str]) -> object:
    # As IAM and the AWS provider write it: a list of one is its one item.
    listed = list(values)
    return listed[0] if len(listed) == 1 else listed
