"""What all clients share: the mounts, how logins are checked, and the policy that every token has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.audit.declared import AuthBackend, AuthBackendClient, AuthBackendIdentity, Mount
from generator.audit.proof import prove
from generator.audit.proof_default import STOCK, default_rules
from generator.diagnostics import Span
from generator.live import differences
from generator.live.answers import Unknown
from generator.live.drift_findings import ANOTHER_MOUNT, DEFAULT_CHANGED, DIFFERS, MISSING, drift
from generator.live.mounts import AUTH, ENGINES, mounts
from generator.live.vault_roles import policy_path, policy_text
from generator.live.verified import Verified, together

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.audit.declared import PathRule, Resource
    from generator.diagnostics import Diagnostic
    from generator.live.reviewed import Reviewed
    from generator.live.vault import Vault

AWS = "aws"
DEFAULT = "default"
# Where Vault asks who logs in: its name for it, the service, and the platform's variable that may say another.
_ENDPOINTS = (
    ("sts_endpoint", "sts", "sts_endpoint"),
    ("iam_endpoint", "iam", "iam_endpoint"),
    ("endpoint", "ec2", "ec2_endpoint"),
)
_REGION = "([a-z]{2}(-[a-z]+){1,2}-[0-9]+|us-gov)"


@dataclass(frozen=True, slots=True)
class Mounts:
    """The auth methods of the namespace.

    Args:
        types: The type of each, by mount without slashes at the ends.
        accessors: The accessor of each, likewise.
    """

    types: Mapping[str, str]
    accessors: Mapping[str, str]


def auth_mounts(reviewed: Reviewed, vault: Vault) -> tuple[Verified, Mounts | None]:
    """Compare the mount of the AWS auth method, and find others of its type; None for mounts that are not known."""
    found = mounts(vault, AUTH)
    if isinstance(found, Unknown):
        return Verified(unknown=(found,)), None
    types = {name: str(each.get("type")) for name, each in found.items()}
    accessors = {name: str(each.get("accessor")) for name, each in found.items()}
    span, kind = _where(reviewed, AuthBackend, "type", "auth_mount")
    findings: list[Diagnostic] = []
    if reviewed.mount not in types:
        message = f"there is no auth method at `{reviewed.mount}/`, and with it none of its roles: nobody can log in"
        findings.append(drift(MISSING, span, message))
    elif types[reviewed.mount] != AWS:
        message = f"the auth method at `{reviewed.mount}/` is of type `{types[reviewed.mount]}`, not `{AWS}`"
        findings.append(drift(DIFFERS, span, message))
    findings += (
        drift(ANOTHER_MOUNT, reviewed.places.setting("vault", "auth_mount"), f"`{name}/` is an AWS auth method too")
        for name, type_ in types.items()
        if type_ == AWS and name != reviewed.mount
    )
    return Verified(tuple(findings), checked=((kind, 1),)), Mounts(types, accessors)


def kv_mount(reviewed: Reviewed, vault: Vault) -> Verified:
    """Compare the mount of the KV engine."""
    found = mounts(vault, ENGINES)
    if isinstance(found, Unknown):
        return Verified(unknown=(found,))
    path = reviewed.fleet.settings.vault.kv_mount
    span, kind = _where(reviewed, Mount, "type", "kv_mount")
    live = found.get(path)
    if live is None:
        message = f"there is no secrets engine at `{path}/`: there are no certificates to read"
        return Verified((drift(MISSING, span, message),), checked=((kind, 1),))
    version = (live.get("options") or {}).get("version")
    findings = []
    if live.get("type") != "kv":
        findings.append(
            drift(DIFFERS, span, f"the secrets engine at `{path}/` is of type `{live.get('type')}`, not `kv`")
        )
    elif version != "2":
        at = _where(reviewed, Mount, "options", "kv_mount")[0]
        message = f"the secrets engine at `{path}/` is KV version {version or 1}, not 2: no policy's path fits"
        findings.append(drift(DIFFERS, at, message))
    return Verified(tuple(findings), checked=((kind, 1),))


def configurations(reviewed: Reviewed, vault: Vault) -> Verified:
    """Compare how the AWS auth method calls AWS, and what it makes of a login."""
    return together((*_client_config(reviewed, vault), *_identity_config(reviewed, vault)))


def _client_config(reviewed: Reviewed, vault: Vault) -> Iterator[Verified]:
    path = f"auth/{reviewed.mount}/config/client"
    managed = next(iter(reviewed.declared.of(AuthBackendClient)), None)
    found = vault.read(path)
    if isinstance(found, Unknown):
        yield Verified(unknown=(found,))
        return
    live = found or {}
    if managed is not None:
        yield Verified(
            tuple(
                drift(DIFFERS, reviewed.places.argument(managed, each.field), f"`{each.field}` of {path} {each.said}")
                for each in differences.of_client_config(reviewed.declared, managed, reviewed.variables, live)
            ),
            checked=((managed.kind, 1),),
        )
        return
    findings = [
        drift(
            DIFFERS,
            reviewed.places.setting("vault", "auth_mount"),
            f"`{key}` of {path} is `{live[key]}`, which is not AWS's: whoever answers there vouches for any login",
        )
        for key, service, variable in _ENDPOINTS
        if live.get(key) and live[key] != reviewed.variables.get(variable) and not _is_aws(service, str(live[key]))
    ]
    header = reviewed.fleet.settings.vault.server_id_header
    if header is not None and (said := live.get("iam_server_id_header_value") or None) != header:
        message = f"the header that a login must have signed is `{said}` in Vault, and `{header}` in the settings"
        findings.append(drift(DIFFERS, reviewed.places.setting("vault", "server_id_header"), message))
    yield Verified(tuple(findings), checked=((AuthBackendClient.kind, 1),))


def _is_aws(service: str, url: str) -> bool:
    """Tell whether a URL is an endpoint of a service of AWS itself; names that anybody can have at AWS are not."""
    name = rf"(vpce-[a-z0-9-]+\.)?{service}(-fips)?(\.{_REGION})?(\.vpce)?\.(amazonaws\.com(\.cn)?|api\.aws)"
    return re.fullmatch(rf"https://{name}(:443)?/?", url, re.ASCII) is not None


def _identity_config(reviewed: Reviewed, vault: Vault) -> Iterator[Verified]:
    path = f"auth/{reviewed.mount}/config/identity"
    for managed in reviewed.declared.of(AuthBackendIdentity):
        found = vault.read(path)
        if isinstance(found, Unknown):
            yield Verified(unknown=(found,))
            continue
        yield Verified(
            tuple(
                drift(DIFFERS, reviewed.places.argument(managed, each.field), f"`{each.field}` of {path} {each.said}")
                for each in differences.of_identity_config(managed, found or {})
            ),
            checked=((managed.kind, 1),),
        )


def default_policy(reviewed: Reviewed, vault: Vault) -> Verified:
    """Compare `default`, which every token has, with what Vault began with, and prove the tree with it as it is."""
    found = vault.read(policy_path(DEFAULT))
    if isinstance(found, Unknown):
        return Verified(unknown=(found,))
    rules = default_rules(policy_text(found or {}))
    span = Span(policy_path(DEFAULT))
    changed = tuple(drift(DEFAULT_CHANGED, span, message) for message in _changes(rules))
    # Findings of the tree itself were none: it was gated.
    proven = prove(reviewed.declared, reviewed.fleet, rules).findings if changed else ()
    return Verified((*changed, *proven), checked=(("vault_policy", 1),))


def _changes(rules: tuple[PathRule, ...]) -> Iterator[str]:
    stock, live = _by_path(STOCK), _by_path(rules)
    for path in sorted(stock.keys() | live.keys()):
        more = ", ".join(sorted(live.get(path, frozenset()) - stock.get(path, frozenset())))
        less = ", ".join(sorted(stock.get(path, frozenset()) - live.get(path, frozenset())))
        if more:
            yield f"the policy `default` also lets every token {more} `{path}`"
        if less:
            yield f"the policy `default` no longer lets tokens {less} `{path}`"


def _by_path(rules: tuple[PathRule, ...]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for rule in rules:
        found[rule.path] = found.get(rule.path, frozenset()) | frozenset(rule.capabilities)
    return found


def _where(reviewed: Reviewed, kind: type[Resource], argument: str, setting: str) -> tuple[Span, str]:
    """Return where a mount is declared, or the setting that names it where the fleet does not manage it."""
    for item in reviewed.declared.of(kind):
        return reviewed.places.argument(item, argument), kind.kind
    return reviewed.places.setting("vault", setting), kind.kind
