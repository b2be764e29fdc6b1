"""From a registration to what its client manifest says on Vault's side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.live.adopting import reasons
from generator.live.adopting.policies import Unsuitable, directories
from generator.manifest.values import seconds
from generator.report.imported import Left

if TYPE_CHECKING:
    from generator.live.adopting.registrations import Registration
    from generator.manifest.proposal import Value
    from generator.manifest.settings import FleetSettings


@dataclass(frozen=True, slots=True)
class VaultSide:
    """What a client's manifest says of Vault.

    Args:
        name: The client's name.
        vault: The keys below ``vault``.
        grants: The paths below ``grants``.
    """

    name: str
    registration: Registration
    vault: dict[str, Value]
    grants: tuple[str, ...]


def vault_side(registration: Registration, name: str, settings: FleetSettings) -> VaultSide | Left:
    """Return what the manifest of a registration says of Vault, or why none can.

    Args:
        registration: What is there.
        name: The name that the client is to have.
        settings: The fleet's.
    """
    if registration.partition != settings.aws.partition:
        return registration.left(reasons.OTHER_PARTITION, f"it is in {registration.partition}")
    grants = _grants(registration, name, settings)
    if isinstance(grants, Left):
        return grants
    limits = _limits(registration, settings)
    if isinstance(limits, Left):
        return limits
    role = registration.role
    names = {"name": name, "account_id": registration.account_id, "role_name": registration.role_name}
    vault: dict[str, Value] = {}
    # Vault knows a role by its name in lower case, whatever a login spells. A policy's name it hands back in lower
    # case, and Terraform would see another spelling as a difference for ever.
    if settings.vault.role.format_map(names).lower() != role.role:
        vault["role"] = role.role
    if settings.vault.policy.format_map(names) != registration.policy:
        vault["policy"] = registration.policy
    vault |= limits
    if role.token_bound_cidrs:
        vault["token_bound_cidrs"] = role.token_bound_cidrs
    if role.resolve_aws_unique_ids:
        vault["resolve_unique_ids"] = True
    if role.inferred_entity_type:
        vault["ec2"] = {
            "region": role.inferred_aws_region,
            "instance_ids": role.bound_ec2_instance_ids,
            "ami_ids": role.bound_ami_ids,
            "vpc_ids": role.bound_vpc_ids,
            "subnet_ids": role.bound_subnet_ids,
        }
    return VaultSide(name, registration, vault, grants)


def _grants(registration: Registration, name: str, settings: FleetSettings) -> tuple[str, ...] | Left:
    found = directories(registration.text, registration.policy, settings.vault.kv_mount)
    if isinstance(found, Unsuitable):
        return registration.left(found.reason, found.detail)
    names = {"name": name, "account_id": registration.account_id, "role_name": registration.role_name}
    own = settings.vault.directory.format_map(names)
    if own not in found:
        there = ", ".join(sorted(found)) or "nothing"
        return registration.left(reasons.OTHER_DIRECTORY, f"it reads {there}, and the pattern gives {own}")
    shared = tuple(path.path for path in settings.shared_paths)
    for path in sorted(found - {own}):
        if not any(f"{path}/".startswith(f"{above}/") for above in shared):
            return registration.left(reasons.NOT_SHARED, f"it reads {path}")
    return tuple(sorted(found - {own}))


def _limits(registration: Registration, settings: FleetSettings) -> dict[str, Value] | Left:
    """Return the token limits that are not the fleet's; what Vault has no value for gets the fleet's."""
    keys: dict[str, Value] = {}
    effective: dict[str, int] = {}
    for key in ("token_ttl", "token_max_ttl"):
        there: int | None = getattr(registration.role, key)
        default: str | None = getattr(settings.defaults, key)
        if there and (default is None or seconds(default) != there):
            keys[key] = duration(there)
        if value := there or (seconds(default) if default else None):
            effective[key] = value
    ttl, longest = effective.get("token_ttl"), effective.get("token_max_ttl")
    if ttl and longest and ttl > longest:
        return registration.left(reasons.LIMITS, f"token_ttl would be {ttl} s and token_max_ttl {longest} s")
    return keys


def duration(value: int) -> str:
    """Return so many seconds as a manifest says them, such as ``1h30m``."""
    parts = ((value // 3600, "h"), (value // 60 % 60, "m"), (value % 60, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number)
