"""What the rules of a token's policies reach: nothing of another client's, nothing that nobody granted, no power.

Everything is over-approximated. A ``deny`` protects nothing, for which of two rules decides differs between Vault's
versions; a narrower rule that would mask a broader one is ignored; so are constraints on parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.audit.declared import policy_name
from generator.audit.proof_default import STOCK
from generator.audit.proof_findings import ANOTHER_CLIENTS, BEYOND_GRANTS, CAPABILITY, POWER_OVER_VAULT, finding
from generator.audit.proof_pattern import Pattern, matches
from generator.audit.trie import Directories
from generator.diagnostics import Note, Span
from generator.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.audit.access import Login
    from generator.audit.declared import PathRule, VaultPolicy
    from generator.diagnostics import Diagnostic
    from generator.manifest.fleet import Client, Fleet

# https://developer.hashicorp.com/vault/docs/secrets: mounts that are there from the start and cannot be moved
_VAULTS_OWN = ("sys", "auth", "identity", "cubbyhole")
_READS = frozenset({"read", "list"})
_GRANTED_AREAS = ("data", "metadata")
_EXAMPLES = 200
"""So many rules are shown with whom they reach; further ones that may reach anything are shown without."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who has a token.

    Args:
        name: The client's name, or the principal's ARN when it is no client's.
        territory: Directories, mount and area first, that it may read and list in.
    """

    name: str
    territory: tuple[tuple[str, ...], ...] = ()


class Reaches:
    """The rules of a fleet's policies against its clients' directories.

    Args:
        fleet: Whose directory is which, and who was granted what.
        default: The rules of ``default``.
    """

    def __init__(self, fleet: Fleet, default: tuple[PathRule, ...]) -> None:
        self._mount = fleet.settings.vault.kv_mount
        self._shared = tuple(tuple(shared.path.split("/")) for shared in fleet.settings.shared_paths)
        self._clients = {client.name: client for client in fleet.clients}
        self._bearers = {client.name: self._bearer(client) for client in fleet.clients}
        self._by_principal = {client.principal_arn: client for client in fleet.clients}
        self._by_policy = {client.vault_policy.lower(): client for client in fleet.clients}
        self._default = default
        self._directories = Directories(self._mount, ((client.name, client.directory) for client in fleet.clients))
        self._shown = 0

    def findings(self, policies: Iterable[VaultPolicy], logins: Iterable[Login]) -> Iterator[Diagnostic]:
        """Yield a finding for each rule that any holder of its policy must not have."""
        seen: set[tuple[str, str, str]] = set()
        for bearer, policy in self._held(policies, logins):
            key = (bearer.name, policy.root, policy.address)
            if key not in seen:
                seen.add(key)
                for rule in policy.rules:
                    yield from self._rule(bearer, f"the policy `{policy.name}`", rule, rule.span or policy.span)
        stock = {rule.path: frozenset(rule.capabilities) for rule in STOCK}
        everyone = Bearer("every token")
        for rule in self._default:
            if not stock.get(rule.path, frozenset()) >= _granted(rule):
                yield from self._rule(everyone, "the policy `default`", rule, rule.span or Span("default"))

    def _held(self, policies: Iterable[VaultPolicy], logins: Iterable[Login]) -> Iterator[tuple[Bearer, VaultPolicy]]:
        """Yield every policy with whom it is meant for, and with whom a login would give it to."""
        for policy in policies:
            # Whoever had it from an earlier login has it still, whatever the roles say now.
            if client := self._by_policy.get(policy_name(policy.name)):
                yield self._bearers[client.name], policy
        for login in logins:
            bearer = self._bearer_of(login)
            for policy in login.policies:
                yield bearer, policy

    def _bearer_of(self, login: Login) -> Bearer:
        client = self._by_principal.get(login.principal_arn)
        return self._bearers[client.name] if client else Bearer(login.principal_arn)

    def _bearer(self, client: Client) -> Bearer:
        if client.suspend or client.retire:
            return Bearer(client.name)
        readable = [tuple(client.directory.split("/"))]
        for grant in client.grants:
            path = tuple(grant.path.split("/"))
            if any(path[: len(shared)] == shared for shared in self._shared):
                readable.append(path)
        mount = tuple(self._mount.split("/"))
        return Bearer(client.name, tuple((*mount, area, *path) for area in _GRANTED_AREAS for path in readable))

    def _rule(self, bearer: Bearer, policy: str, rule: PathRule, span: Span) -> Iterator[Diagnostic]:
        granted = _granted(rule)
        if not granted:
            return
        pattern = Pattern.of(rule.path)
        own = any(pattern.within(directory) for directory in bearer.territory)
        can = f"{policy} lets `{bearer.name}` {', '.join(sorted(granted))} `{rule.path}`"
        power = next((name for name in _VAULTS_OWN if pattern.meets((name,))), None)
        if power or "sudo" in granted:
            where = f"which is in Vault's own {power}/" if power else "with power over Vault itself"
            yield finding(POWER_OVER_VAULT, span, f"{can}, {where}")
        reach = self._directories.reached(pattern, bearer.name) if own or self._shown < _EXAMPLES else None
        if reach:
            self._shown += 1
            other = self._clients[reach.owner]
            _check_example(rule.path, reach.path, self._mount, other)
            yield finding(
                ANOTHER_CLIENTS,
                span,
                f"{can}, and so `{reach.path}`, which is in the directory of `{other.name}`",
                Note(other.source.span("role_name"), f"`{other.name}`, whose directory is `{other.directory}`"),
            )
        elif not own and not power:
            yield finding(BEYOND_GRANTS, span, f"{can}, which its manifest does not grant")
        elif own and not granted <= _READS | {"sudo"}:
            yield finding(CAPABILITY, span, f"{can}: its manifest grants read and list")


def _granted(rule: PathRule) -> frozenset[str]:
    return frozenset(rule.capabilities) - {"deny"}


def _check_example(pattern: str, path: str, mount: str, owner: Client) -> None:
    """Raise an InternalError unless the path that a finding shows is one, by other code than found it."""
    inside = path.removeprefix(f"{mount}/").partition("/")[2]
    if ("{{" not in pattern and not matches(pattern, path)) or not f"{inside}/".startswith(f"{owner.directory}/"):
        raise InternalError(f"the proof contradicts itself: `{pattern}` and `{path}`")
