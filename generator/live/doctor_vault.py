"""Whether the fleet's Vault is well, and whether the token that would be used may do what the roots need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from generator.live.answers import Unknown
from generator.live.doctor_machine import clock
from generator.live.mounts import AUTH, ENGINES, mounts
from generator.live.vault_roles import policy_path, role_path, sts_path
from generator.report.checkup import Check, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.live.vault import Vault
    from generator.manifest.fleet import Fleet
    from generator.manifest.settings import FleetSettings, VaultSettings

_AREA = "vault"
_BATCH = 200  # paths a question
_SHOWN = 3
_SOON = 15 * 60  # seconds: a run over a large fleet takes longer
_POLICIES = "docs/bootstrap/runner-vault.hcl of crosskeys has what a token needs"
_READER = "docs/bootstrap/reader-vault.hcl of crosskeys has what it takes to look"
_WRITING = ("create", "read", "update", "delete")
_CHILD = "auth/token/create"

Answer = Mapping[str, Any] | Unknown | None
Needs = Mapping[str, tuple[str, ...]]


def checks(vault: Vault, fleet: Fleet, now: float) -> Iterator[Check]:
    """Look at Vault, from whether it answers to what its mounts are.

    Args:
        vault: In the fleet's namespace, with the token that would be used.
        fleet: The fleet.
        now: This machine's clock, in seconds since 1970.
    """
    settings = fleet.settings
    found = vault.health()
    yield from health(found, settings, now)
    if isinstance(found, Unknown) or found.get("sealed") or not found.get("initialized"):
        return
    yield (known := token(vault.read("auth/token/lookup-self"), settings.vault))
    if known.status in {Status.FAILED, Status.UNKNOWN}:
        return
    yield permissions("clients", _asked(vault, needs(fleet)), needs(fleet))
    if platform := platform_needs(settings):
        yield for_platform(permissions("platform", _asked(vault, platform), platform))
    auth, kv, managed = settings.vault.auth_mount, settings.vault.kv_mount, settings.platform
    yield mount("auth mount", auth, _mount(vault, AUTH, auth), "aws", managed=managed.auth_mount)
    yield mount("KV mount", kv, _mount(vault, ENGINES, kv), "kv", managed=managed.kv_mount)
    yield client_config(vault.read(f"auth/{settings.vault.auth_mount}/config/client"), settings)


def needs(fleet: Fleet) -> dict[str, tuple[str, ...]]:
    """Return what a run of the accounts' Vault roots does at which paths."""
    mount = fleet.settings.vault.auth_mount
    paths: dict[str, tuple[str, ...]] = {_CHILD: ("update",)}
    for account in fleet.accounts:
        for client in account.clients:
            paths[role_path(mount, client.vault_role.lower())] = _WRITING
            # Writing a policy is an update even where it is new: no existence check (logical_system_paths.go).
            paths[policy_path(client.vault_policy.lower())] = ("read", "update", "delete")
        if account.sts:
            paths[sts_path(mount, account.id)] = _WRITING
    return paths


def platform_needs(settings: FleetSettings) -> dict[str, tuple[str, ...]]:
    """Return what a run of the platform's root does at which paths; nothing where the platform is somebody else's."""
    vault, platform = settings.vault, settings.platform
    paths: dict[str, tuple[str, ...]] = {}
    if platform.auth_mount:
        # Vault wants sudo where auth methods are enabled: https://developer.hashicorp.com/vault/api-docs/system/auth.
        paths |= {"sys/auth": ("read",), f"sys/auth/{vault.auth_mount}": ("update", "sudo")}
        paths[f"sys/mounts/auth/{vault.auth_mount}"] = paths[f"sys/mounts/auth/{vault.auth_mount}/tune"] = ("read",)
    if platform.client_config:
        paths[f"auth/{vault.auth_mount}/config/client"] = ("create", "read", "update")
        paths[f"auth/{vault.auth_mount}/config/identity"] = ("read", "update")
    if platform.kv_mount:
        paths |= {"sys/mounts": ("read",), f"sys/mounts/{vault.kv_mount}": ("read", "update")}
    return paths


def health(found: Mapping[str, Any] | Unknown, settings: FleetSettings, now: float) -> Iterator[Check]:
    """Judge what ``sys/health`` says.

    Args:
        found: Its answer.
        settings: The fleet's.
        now: This machine's clock, in seconds since 1970.
    """
    if isinstance(found, Unknown):
        yield Check(_AREA, "server", Status.UNKNOWN, found.why, found.help)
        return
    said = f"Vault {found.get('version')}{' Enterprise' if found.get('enterprise') else ''}"
    if not found.get("initialized"):
        yield Check(_AREA, "server", Status.FAILED, f"{said} is not initialised", "vault operator init")
    elif found.get("sealed"):
        yield Check(_AREA, "server", Status.FAILED, f"{said} is sealed", "vault operator unseal")
    else:
        yield Check(_AREA, "server", Status.OK, f"{said} is up and unsealed")
    yield _cluster(found.get("cluster_id"), settings.live.cluster_id)
    yield clock(_AREA, found.get("server_time_utc"), now)


def token(found: Answer, settings: VaultSettings) -> Check:
    """Judge what ``auth/token/lookup-self`` says; the token itself and its accessor are not looked at."""
    if isinstance(found, Unknown):
        said = f"Vault does not take the token in the namespace {settings.namespace}: {found.why}"
        status = Status.FAILED if _is_denied(found) else Status.UNKNOWN
        return Check(
            _AREA, "token", status, said, "log in again; see that vault.namespace is the one that you log in to"
        )
    if found is None:
        said = f"there is no namespace {settings.namespace}"
        return Check(_AREA, "token", Status.FAILED, said, "set vault.namespace in crosskeys.yaml")
    policies, left = tuple(found.get("policies") or ()), found.get("ttl") or 0
    life = f"{_span(left)} left, {'renewable' if found.get('renewable') else 'not renewable'}" if left else "no end"
    said = f"{found.get('display_name') or 'a token'} with {', '.join(policies)}; {life}"
    if "root" in policies:
        advice = f"log in with less, and revoke it: {_POLICIES}"
        return Check(_AREA, "token", Status.WARNING, f"{said}: may do anything", advice)
    if left and left < _SOON:
        return Check(_AREA, "token", Status.WARNING, said, "log in again: a run may outlive it")
    return Check(_AREA, "token", Status.OK, said)


def permissions(name: str, found: Mapping[str, tuple[str, ...]] | Unknown, needed: Needs) -> Check:
    """Judge whether a token may do what is needed.

    Args:
        name: What it is needed for.
        found: What the token may do at each path, as Vault says.
        needed: What is needed at each.
    """
    name = f"{name}: token"
    if isinstance(found, Unknown):
        return Check(_AREA, name, Status.UNKNOWN, f"what the token may do is not known: {found.why}", found.help)
    lacking = {path: missing for path in needed if (missing := _lacking(found.get(path, ()), needed[path]))}
    if not lacking:
        return Check(_AREA, name, Status.OK, f"the token may do what is needed at each of {len(needed)} paths")
    if lacking == {path: _beyond_reading(needed[path]) for path in needed if _beyond_reading(needed[path])}:
        said = f"the token may read at {len(needed)} paths and write at none: it can verify, and neither plan nor apply"
        return Check(_AREA, name, Status.WARNING, said, f"to plan and apply, log in with more: {_POLICIES}")
    shown = "; ".join(f"{path} lacks {', '.join(missing)}" for path, missing in list(lacking.items())[:_SHOWN])
    more = f"; and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else ""
    said = f"the token may do too little at {len(lacking)} of {len(needed)} paths: {shown}{more}"
    return Check(_AREA, name, Status.FAILED, said, _POLICIES)


def for_platform(check: Check) -> Check:
    """Return the check of the platform's permissions: a token without them is as it should be from day to day."""
    if check.status not in {Status.FAILED, Status.WARNING}:
        return check
    advice = "as it should be, unless the platform is to be applied: docs/bootstrap/platform-vault.hcl of crosskeys"
    return Check(check.area, check.name, Status.OK, f"{check.said}; {advice}")


def mount(name: str, path: str, found: Answer, kind: str, *, managed: bool) -> Check:
    """Judge a mount.

    Args:
        name: What it is to the fleet.
        path: Where it shall be.
        found: What Vault says of it.
        kind: The type that it shall have.
        managed: Whether Terraform makes it.
    """
    if isinstance(found, Unknown):
        return Check(_AREA, name, Status.UNKNOWN, f"{path}/ cannot be looked at: {found.why}", _READER)
    if found is None:
        advice = "enable it there, or let `platform` in crosskeys.yaml have Terraform do so"
        if managed:
            advice = "crosskeys apply --side platform makes it; where it has been there, find out first who removed it"
        return Check(_AREA, name, Status.FAILED, f"there is nothing at {path}/", advice)
    version = (found.get("options") or {}).get("version")
    said = f"{path}/ is of type {found.get('type')}{f', version {version}' if version else ''}"
    if found.get("type") != kind or (kind == "kv" and version != "2"):
        wanted = "kv, version 2" if kind == "kv" else kind
        return Check(_AREA, name, Status.FAILED, said, f"it must be {wanted}: name another mount in crosskeys.yaml")
    return Check(_AREA, name, Status.OK, said)


def client_config(found: Answer, settings: FleetSettings) -> Check:
    """Judge the AWS auth method's client configuration."""
    name, wanted = "server id", settings.vault.server_id_header
    if isinstance(found, Unknown):
        return Check(_AREA, name, Status.UNKNOWN, f"{found.what} cannot be read: {found.why}", _READER)
    has = (found or {}).get("iam_server_id_header_value") or None
    if has != wanted:
        asks = f"the server id {has}" if has else "no server id"
        said = f"Vault asks logins for {asks}, and the settings {f'say {wanted}' if wanted else 'have none'}"
        advice = "set vault.server_id_header to what Vault asks for, or apply the platform: other logins are refused"
        return Check(_AREA, name, Status.FAILED, said, advice)
    if wanted is None:
        advice = "set vault.server_id_header: without it a login signed for another Vault can be replayed here"
        return Check(_AREA, name, Status.WARNING, "Vault asks logins for no server id", advice)
    return Check(_AREA, name, Status.OK, f"Vault asks logins for the server id {wanted}, as the settings say")


def _cluster(found: str | None, wanted: str | None) -> Check:
    if wanted is None:
        return Check(_AREA, "cluster", Status.OK, f"it is the cluster {found}")
    if found == wanted:
        return Check(_AREA, "cluster", Status.OK, f"it is the cluster {found}, as the settings say")
    said = f"it is the cluster {found}, and the settings say {wanted}"
    return Check(_AREA, "cluster", Status.FAILED, said, "find out which Vault this is before anything is applied")


def _asked(vault: Vault, needed: Needs) -> Mapping[str, tuple[str, ...]] | Unknown:
    found: dict[str, tuple[str, ...]] = {}
    paths = tuple(needed)
    for first in range(0, len(paths), _BATCH):
        answer = vault.capabilities(paths[first : first + _BATCH])
        if isinstance(answer, Unknown):
            return answer
        found |= answer
    return found


def _mount(vault: Vault, area: str, path: str) -> Answer:
    listed = mounts(vault, area)
    if not isinstance(listed, Unknown):
        return listed.get(path)
    whole = f"auth/{path}" if area == AUTH else path
    # By itself, as Terraform asks; then what Vault's web page asks, which whoever may do anything below is told.
    for question in (f"sys/mounts/{whole}", f"sys/internal/ui/mounts/{whole}"):
        seen = vault.read(question)
        if isinstance(seen, Mapping):
            return seen
    return listed


def _lacking(has: tuple[str, ...], needed: tuple[str, ...]) -> tuple[str, ...]:
    return () if "root" in has else tuple(capability for capability in needed if capability not in has)


def _beyond_reading(needed: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(capability for capability in needed if capability != "read")


def _is_denied(found: Unknown) -> bool:
    return found.why.startswith("permission denied")


def _span(seconds: int) -> str:
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
