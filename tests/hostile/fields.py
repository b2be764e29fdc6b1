"""Every field of the manifests that holds text, found by walking the models, and manifests in which each is written."""

from __future__ import annotations

import copy
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from generator.manifest.account import AccountManifest
from generator.manifest.client import ClientManifest
from generator.manifest.settings import Backend, FleetSettings
from tests.hostile.promise import ACCOUNT, CLIENT, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

Path = tuple[str | int, ...]
KEY = "*"
"""Stands in a path for the key of a map, as ``0`` stands for the item of a list."""

MODELS: dict[str, type[BaseModel]] = {CLIENT: ClientManifest, ACCOUNT: AccountManifest, SETTINGS: FleetSettings}
WHOLE: dict[str, dict[str, Any]] = {
    CLIENT: {
        "name": "scanner",
        "account_id": "222222222222",
        "role_name": "scanner-app",
        "owner": "team@example.com",
        "description": "Scans",
        "change_ref": "CHG-1",
        "vault": {
            "role": "scanner-role",
            "policy": "scanner-policy",
            "token_ttl": "1h",
            "token_max_ttl": "4h",
            "token_bound_cidrs": ["10.20.0.0/16"],
            "ec2": {
                "region": "us-east-1",
                "instance_ids": ["i-0123456789abcdef0"],
                "ami_ids": ["ami-0123456789abcdef0"],
                "vpc_ids": ["vpc-0123456789abcdef0"],
                "subnet_ids": ["subnet-0123456789abcdef0"],
            },
        },
        "aws": {
            "role": "create",
            "role_path": "/apps/",
            "instance_profile": "scanner-profile",
            "trusted_services": ["ec2.amazonaws.com"],
            "permissions_boundary": "arn:aws:iam::222222222222:policy/boundary",
            "tags": {"cost-center": "4711"},
        },
        "grants": [{"path": "shared/ca", "access": "read"}],
        "previously": "former",
        "suspend": {"reason": "leaked"},
        "retire": {"approved_until": "2027-01-31", "reason": "moved"},
    },
    ACCOUNT: {
        "name": "analytics",
        "owner": "analytics@example.com",
        "provisioning": "managed",
        "provisioner_role": "arn:aws:iam::222222222222:role/provisioner",
        "sts": {"role": "vault-lookup", "external_id": "external-id"},
        "permissions_boundary": "arn:aws:iam::222222222222:policy/boundary",
        "tags": {"environment": "production"},
        "region": "us-east-1",
    },
    SETTINGS: {
        "requires": ">=0.1",
        "vault": {
            "namespace": "admin",
            "auth_mount": "aws",
            "kv_mount": "secret",
            "directory": "certs/{account_id}/{role_name}",
            "role": "{role_name}",
            "policy": "{name}-policy",
            "server_id_header": "vault.example.com",
            "principals": ["arn:aws:iam::999999999999:role/hcp-vault"],
            "iam_alias": "role_id",
            "iam_metadata": ["account_id"],
        },
        "defaults": {"token_ttl": "1h", "token_max_ttl": "4h"},
        "aws": {
            "partition": "aws",
            "region": "us-east-1",
            "permissions_boundary": "arn:aws:iam::{account_id}:policy/boundary",
            "tags": {"managed-by": "crosskeys"},
        },
        "accounts": "any",
        "platform": {"auth_mount": True, "client_config": True, "kv_mount": True},
        "shared_paths": [{"path": "shared/ca", "owner": "pki@example.com"}],
        "terraform": {
            "required_version": ">= 1.11",
            "providers": {"vault": ">= 5.9", "aws": ">= 5.100"},
            "backend": {"type": "s3", "key": "{root}.tfstate", "bucket": "states"},
        },
        "live": {
            "vault_address": "https://vault.example.com:8200",
            "cluster_id": "cluster",
            "operator_policies": ["platform-admin"],
        },
        "run": {"format": "full", "log_format": "text"},
    },
}
"""A manifest of each kind in which every field that holds text is written."""
STAGES = ("previously", "suspend", "retire")


def whole(kind: str, path: Path) -> dict[str, Any]:
    """Return the manifest of a kind in which a path is looked at: a client is in one stage of its life alone."""
    return {key: value for key, value in WHOLE[kind].items() if key not in STAGES or key == path[0]}


def texts(model: type[BaseModel]) -> Iterator[Path]:
    """Yield the path of every field of a model that holds text."""
    for name, hint in get_type_hints(model, include_extras=True).items():
        if name in model.model_fields:
            yield from ((name, *rest) for rest in _texts(hint))
    if model is Backend:
        yield ("bucket",)  # its own settings are passed through, whatever they are called


def _texts(hint: Any) -> Iterator[Path]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        yield from _texts(arguments[0])
    elif origin in {Union, UnionType}:
        for part in arguments:
            yield from _texts(part)
    elif origin is tuple:
        yield from ((0, *rest) for rest in _texts(arguments[0]))
    elif origin is dict:
        yield (KEY,)
        yield from ((f"{KEY}{KEY}", *rest) for rest in _texts(arguments[1]))
    elif isinstance(hint, type) and issubclass(hint, BaseModel):
        yield from texts(hint)
    elif hint is str or (origin is Literal and isinstance(arguments[0], str)):
        yield ()


def written(manifest: dict[str, Any], path: Path, text: str) -> dict[str, Any]:
    """Return the manifest with another text at a path.

    Raises:
        LookupError: When the manifest has nothing there.
    """
    changed = copy.deepcopy(manifest)
    *above, last = path
    inner: Any = changed
    for part in above:
        inner = inner[part]
    if last == KEY:
        inner[text] = inner.pop(next(iter(inner)))
    elif last == f"{KEY}{KEY}":
        inner[next(iter(inner))] = text
    else:
        if isinstance(inner, dict) and last not in inner:
            raise KeyError(last)
        inner[last] = text
    return changed


def at(value: Any, path: Path) -> str:
    """Return the text at a path of a model's values."""
    for part in path:
        match part:
            case "*":
                value = next(iter(value))
            case "**":
                value = next(iter(value.values()))
            case _:
                value = value[part]
    assert isinstance(value, str)
    return value
