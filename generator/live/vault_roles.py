"""What the AWS auth method answers, in the words of the Terraform provider, so that live and rendered compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generator.audit.declared import StsRole, VaultRole
from generator.diagnostics import Span

if TYPE_CHECKING:
    from collections.abc import Mapping

LIVE = ""
"""The root of what was read from a live system."""

# What a role has beside what ``VaultRole`` says, with the value that means nothing.
_OTHERS: Mapping[str, object] = {
    "allow_instance_migration": False,
    "disallow_reauthentication": False,
    "role_tag": "",
    "token_strictly_bind_ip": False,
}
# `role_id` is random, and these repeat what older versions called the token's fields:
# builtin/credential/aws/path_role.go, ToResponseData.
_IGNORED = frozenset({"role_id", "policies", "ttl", "max_ttl", "period", "bound_iam_principal_id"})
_KNOWN = frozenset(
    {
        "auth_type",
        "bound_account_id",
        "bound_ami_id",
        "bound_ec2_instance_id",
        "bound_iam_instance_profile_arn",
        "bound_iam_principal_arn",
        "bound_iam_role_arn",
        "bound_region",
        "bound_subnet_id",
        "bound_vpc_id",
        "inferred_aws_region",
        "inferred_entity_type",
        "resolve_aws_unique_ids",
        "token_bound_cidrs",
        "token_explicit_max_ttl",
        "token_max_ttl",
        "token_no_default_policy",
        "token_num_uses",
        "token_period",
        "token_policies",
        "token_ttl",
        "token_type",
    }
)


@dataclass(frozen=True, slots=True)
class LiveRole:
    """A role of the AWS auth method as Vault has it.

    Args:
        role: In Terraform's words. What Vault calls 0, empty or ``default`` is None or empty.
        principal_ids: The unique ids that its principals had when it was written; with resolve_aws_unique_ids.
        others: Fields that a declared role cannot have, with values that mean something, by name.
    """

    role: VaultRole
    principal_ids: tuple[str, ...]
    others: tuple[tuple[str, str], ...]


def role_path(mount: str, name: str) -> str:
    """Return where a role is, which is also its Terraform import id."""
    return f"auth/{mount}/role/{name}"


def sts_path(mount: str, account_id: str) -> str:
    """Return where an account's STS entry is, which is also its Terraform import id."""
    return f"auth/{mount}/config/sts/{account_id}"


def policy_path(name: str) -> str:
    """Return where a policy is; its Terraform import id is its name alone."""
    return f"sys/policies/acl/{name}"


def policy_text(data: Mapping[str, Any]) -> str:
    """Return a policy's text from Vault's answer, byte for byte as it was written."""
    return str(data.get("policy") or "")


def live_role(mount: str, name: str, data: Mapping[str, Any]) -> LiveRole:
    """Return a role from Vault's answer.

    Args:
        mount: The auth method's mount, without slashes at the ends.
        name: The role's name, as Vault lists it: in lower case.
        data: What reading it answered.
    """
    role = VaultRole(
        root=LIVE,
        span=Span(role_path(mount, name)),
        label=name,
        backend=mount,
        role=name,
        auth_type=data.get("auth_type") or "",
        bound_iam_principal_arns=_texts(data, "bound_iam_principal_arn"),
        resolve_aws_unique_ids=bool(data.get("resolve_aws_unique_ids")),
        inferred_entity_type=data.get("inferred_entity_type") or None,
        inferred_aws_region=data.get("inferred_aws_region") or None,
        bound_ec2_instance_ids=_texts(data, "bound_ec2_instance_id"),
        bound_ami_ids=_texts(data, "bound_ami_id"),
        bound_vpc_ids=_texts(data, "bound_vpc_id"),
        bound_subnet_ids=_texts(data, "bound_subnet_id"),
        bound_account_ids=_texts(data, "bound_account_id"),
        bound_regions=_texts(data, "bound_region"),
        bound_iam_role_arns=_texts(data, "bound_iam_role_arn"),
        bound_iam_instance_profile_arns=_texts(data, "bound_iam_instance_profile_arn"),
        token_policies=_texts(data, "token_policies"),
        token_no_default_policy=bool(data.get("token_no_default_policy")),
        token_ttl=data.get("token_ttl") or None,
        token_max_ttl=data.get("token_max_ttl") or None,
        token_explicit_max_ttl=data.get("token_explicit_max_ttl") or None,
        token_period=data.get("token_period") or None,
        token_num_uses=data.get("token_num_uses") or None,
        token_type=None if data.get("token_type") in {None, "", "default"} else data["token_type"],
        token_bound_cidrs=_texts(data, "token_bound_cidrs"),
    )
    # A field of a version that is not known here is shown rather than passed over.
    others = {
        key: value
        for key, value in data.items()
        if key not in _KNOWN and key not in _IGNORED and value not in (_OTHERS.get(key), None, "", 0, [], {})
    }
    return LiveRole(role, _texts(data, "bound_iam_principal_id"), tuple(sorted((k, str(v)) for k, v in others.items())))


def live_sts(mount: str, account_id: str, data: Mapping[str, Any]) -> StsRole:
    """Return an account's STS entry from Vault's answer."""
    return StsRole(
        root=LIVE,
        span=Span(sts_path(mount, account_id)),
        label=account_id,
        backend=mount,
        account_id=account_id,
        sts_role=data.get("sts_role") or "",
        external_id=data.get("external_id") or None,
    )


def _texts(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    return tuple(data.get(key) or ())
