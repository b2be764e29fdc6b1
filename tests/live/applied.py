"""What a Vault would answer once a tree was applied, worked out from the tree and from nothing that reads it back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from generator import pipeline
from generator.audit.declared import (
    AuthBackendClient,
    AuthBackendIdentity,
    StsRole,
    VaultPolicy,
    VaultRole,
)
from generator.live.answers import Unknown
from generator.live.reviewed import Reviewed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEFAULT = "sys/policies/acl/default"


@dataclass
class Answers:
    """A Vault that answers from a table.

    Args:
        objects: By path; what is not in it is not there.
        denied: Paths that may not be read or listed.
    """

    objects: dict[str, dict[str, Any]]
    denied: frozenset[str] = frozenset()
    address: str = "https://vault.example.com:8200"
    asked: int = 0
    health_says: dict[str, Any] = field(
        default_factory=lambda: {"version": "9.9.9", "cluster_id": "c", "sealed": False}
    )

    def health(self) -> dict[str, Any]:
        return self.health_says

    def read(self, path: str) -> Mapping[str, Any] | Unknown | None:
        self.asked += 1
        return self._denied(path) or self.objects.get(path)

    def list(self, path: str) -> tuple[str, ...] | Unknown | None:
        self.asked += 1
        below = tuple(each.removeprefix(f"{path}/") for each in self.objects if each.startswith(f"{path}/"))
        return self._denied(path) or below or None

    def _denied(self, path: str) -> Unknown | None:
        return Unknown(path, "permission denied", f"let the token read {path}") if path in self.denied else None


def reviewed(folder: Path) -> Reviewed:
    """Return what a fleet's folder says, as it is rendered."""
    validated = pipeline.validate(folder)
    assert not validated.has_errors, validated.findings
    rendered = pipeline.render(folder, validated.fleet, None)
    return Reviewed(rendered.fleet, rendered.declared, rendered.comparison.wanted)


def as_applied(tree: Reviewed, default: str) -> Answers:
    """Return a Vault in which a tree was applied.

    Args:
        tree: The tree.
        default: The text of the policy ``default``.
    """
    settings, declared = tree.fleet.settings.vault, tree.declared
    objects: dict[str, dict[str, Any]] = {
        "sys/auth": {f"{settings.auth_mount}/": {"type": "aws", "accessor": "auth_aws_1"}},
        "sys/mounts": {f"{settings.kv_mount}/": {"type": "kv", "options": {"version": "2"}}},
        f"auth/{settings.auth_mount}/config/client": {"iam_server_id_header_value": settings.server_id_header or ""},
        DEFAULT: {"policy": default},
    }
    for config in declared.of(AuthBackendClient):
        objects[f"auth/{settings.auth_mount}/config/client"] |= {
            "use_sts_region_from_client": settings.sts_region_from_client,
            "iam_server_id_header_value": config.iam_server_id_header_value or "",
        }
    for identity in declared.of(AuthBackendIdentity):
        objects[f"auth/{settings.auth_mount}/config/identity"] = {
            "iam_alias": identity.iam_alias,
            "iam_metadata": list(identity.iam_metadata),
        }
    for role in declared.of(VaultRole):
        objects[f"auth/{settings.auth_mount}/role/{role.role.lower()}"] = {
            "auth_type": "iam",
            "bound_iam_principal_arn": list(role.bound_iam_principal_arns),
            "bound_iam_principal_id": ["AROA1"] if role.resolve_aws_unique_ids else [],
            "bound_ami_id": list(role.bound_ami_ids),
            "bound_vpc_id": list(role.bound_vpc_ids),
            "bound_subnet_id": list(role.bound_subnet_ids),
            "bound_ec2_instance_id": list(role.bound_ec2_instance_ids) or None,
            "inferred_entity_type": role.inferred_entity_type or "",
            "inferred_aws_region": role.inferred_aws_region or "",
            "resolve_aws_unique_ids": role.resolve_aws_unique_ids,
            "role_id": "random",
            "token_policies": [declared.text(role.root, each).lower() for each in role.token_policies],
            "token_ttl": role.token_ttl or 0,
            "token_max_ttl": role.token_max_ttl or 0,
            "token_bound_cidrs": [_alone(each) for each in reversed(role.token_bound_cidrs)],
            "token_type": "default",
        }
    for entry in declared.of(StsRole):
        objects[f"auth/{settings.auth_mount}/config/sts/{entry.account_id}"] = {
            "sts_role": entry.sts_role,
            "external_id": entry.external_id,
        }
    for policy in declared.of(VaultPolicy):
        objects[f"sys/policies/acl/{policy.name.lower()}"] = {"name": policy.name.lower(), "policy": policy.text}
    return Answers(objects)


def _alone(network: str) -> str:
    return network.removesuffix("/128" if ":" in network else "/32")
