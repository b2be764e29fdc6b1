"""What a token may do by the policies that it carries, decided as Vault decides it.

Sources: NewACL, AllowOperation, CapabilitiesAndSubscribeEventTypes and CheckAllowedFromNonExactPaths in vault/acl.go
of v1.21.2, buildLogicalRequestNoAuth in http/logical.go, RootPath in vault/router.go.

Two questions have two answers. `ACL.capabilities` is what ``sys/capabilities`` says of a path, which it looks up as if
to list it. `ACL.allows` is what becomes of a request: one by HTTP to list has a slash appended to its path, and any
other operation is looked up by exactly its path.

Not modelled: namespaces, MFA, control groups, Sentinel, the root token, paths that need no token, and the paths of
secrets engines that need ``sudo`` (those of ``sys/`` and ``auth/token/`` do).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.audit.acl_constraints import Constraints
from generator.audit.acl_faults import REFUSED, Fault, UnreadablePolicyError
from generator.audit.acl_identity import Identity, filled, is_templated
from generator.audit.acl_paths import Wildcard, is_wildcard, needs_sudo
from generator.audit.acl_terms import Operation, Semantics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from generator.audit.acl_constraints import Parameter
    from generator.audit.acl_paths import Priority
    from generator.audit.acl_policy import Policy, Rule

_DENY = frozenset({"deny"})


_WRITES = frozenset({Operation.CREATE, Operation.UPDATE, Operation.PATCH})
_WITH_PARAMETERS = _WRITES | {Operation.READ}


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a request is allowed.

    Args:
        allowed: Whether it is.
        rules: The rules of the deciding path: those that grant, or else those that do not; empty when none matches.
        reason: Why, as a part of a sentence.
    """

    allowed: bool
    rules: tuple[Rule, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Permissions:
    """What the rules of one path come to."""

    capabilities: frozenset[str]
    constraints: Constraints
    rules: tuple[Rule, ...]

    def merged(self, rule: Rule) -> Permissions:
        """Return what they come to with one more: capabilities add up, and a deny is final."""
        if "deny" in self.capabilities:
            return self
        if "deny" in rule.capabilities:
            return Permissions(_DENY, Constraints(), (rule,))
        return Permissions(
            self.capabilities | rule.capabilities, self.constraints.merged(rule.constraints), (*self.rules, rule)
        )


@dataclass(frozen=True, slots=True)
class ACL:
    """All that a token carries, by path.

    Args:
        exact: By a path without wildcards.
        prefixes: By a path that ended in ``*``, without it.
        wildcards: With ``+`` at the beginning of a segment.
        semantics: Whose decisions these are.
    """

    exact: Mapping[str, Permissions]
    prefixes: Mapping[str, Permissions]
    wildcards: tuple[tuple[Wildcard, Permissions], ...]
    semantics: Semantics = Semantics.V1_21

    @classmethod
    def of(
        cls,
        policies: Iterable[Policy],
        identity: Identity = Identity(),  # noqa: B008 - it is frozen
        semantics: Semantics = Semantics.V1_21,
    ) -> ACL:
        """Return what a token carries.

        Args:
            policies: Its policies.
            identity: Who it is for; templated rules whose values this lacks are left out, as Vault leaves them.
            semantics: Whose decisions are asked for.

        Raises:
            UnreadablePolicyError: When a template makes a path that Vault refuses, and with it every request.
        """
        exact: dict[str, Permissions] = {}
        prefixes: dict[str, Permissions] = {}
        wildcards: dict[str, Permissions] = {}
        for rule in (rule for policy in policies for rule in policy.rules):
            path = _path(rule, identity)
            if path is None:
                continue
            into, key = exact, path
            if is_wildcard(path):
                into = wildcards
            elif path.endswith("*"):
                into, key = prefixes, path[:-1]
            before = into.get(key)
            into[key] = before.merged(rule) if before else Permissions(rule.capabilities, rule.constraints, (rule,))
        compiled = tuple((Wildcard.of(path), permissions) for path, permissions in wildcards.items())
        return cls(exact, prefixes, compiled, semantics)

    def capabilities(self, path: str) -> tuple[str, ...]:
        """Return what ``sys/capabilities`` answers for a path, sorted: ``deny`` alone where nothing is granted."""
        found = self.deciding(path, listing=True)
        return tuple(sorted((found.capabilities if found else None) or _DENY))

    def allows(
        self,
        operation: Operation,
        path: str,
        parameters: Mapping[str, Parameter] | None = None,
        wrapping: int | None = None,
    ) -> Decision:
        """Return what becomes of a request by HTTP: denied is its status 403, but for writes that are refused as such.

        Args:
            operation: What it does. Whether a write creates or updates is known to the secrets engine alone.
            path: The path below ``/v1/``, without ``//``, ``/./`` and ``/../``, which Vault redirects.
            parameters: Those of the body, or of the query of a read, by name.
            wrapping: For how long its response is to be wrapped, in nanoseconds; None for not at all.
        """
        if operation in _WRITES and path.endswith("/"):
            return Decision(
                allowed=False, rules=(), reason="Vault writes to no path with a slash at its end (status 400)"
            )
        listing = operation is Operation.LIST
        if listing and not path.endswith("/"):
            path += "/"
        found = self.deciding(path, listing=listing)
        if found is None:
            return Decision(allowed=False, rules=(), reason="no rule matches")
        if "deny" in found.capabilities:
            return Decision(allowed=False, rules=found.rules, reason="the rule denies")
        if operation not in found.capabilities:
            return Decision(allowed=False, rules=found.rules, reason=f"the rule has no capability `{operation}`")
        objection = found.constraints.wrapping_objection(wrapping)
        if objection is None and operation in _WITH_PARAMETERS:
            objection = found.constraints.objection(parameters or {}, from_query=operation is Operation.READ)
        if objection is None and needs_sudo(path) and "sudo" not in found.capabilities:
            objection = "Vault asks for `sudo` on this path"
        if objection:
            return Decision(allowed=False, rules=found.rules, reason=objection)
        granting = tuple(rule for rule in found.rules if operation in rule.capabilities)
        return Decision(allowed=True, rules=granting, reason=f"the rule has the capability `{operation}`")

    def deciding(self, path: str, *, listing: bool) -> Permissions | None:
        """Return what decides about a path; None when no rule matches.

        Args:
            path: The path; slashes at its beginning do not count.
            listing: Look it up as a list operation is.
        """
        path = path.lstrip("/")
        bare = path.removesuffix("/")
        for candidate in (path, bare) if listing else (path,):
            if candidate in self.exact:
                return self.exact[candidate]
        if listing and bare != path:
            if self.semantics is Semantics.V2_0_3:
                return _best_for_list([*self.candidates(bare), *self.candidates(path)])
            if found := _best(self.candidates(bare)):
                return found
        return _best(self.candidates(path))

    def candidates(self, path: str) -> Iterator[tuple[Priority, Permissions]]:
        """Yield the longest matching prefix and every matching path with wildcards, each with its priority."""
        longest = next((path[:end] for end in range(len(path), -1, -1) if path[:end] in self.prefixes), None)
        if longest is not None:
            yield Wildcard.of(f"{longest}*").priority, self.prefixes[longest]
        segments = path.split("/")
        for wildcard, permissions in self.wildcards:
            if wildcard.matches(segments):
                yield wildcard.priority, permissions


def _path(rule: Rule, identity: Identity) -> str | None:
    path: str | None = rule.path
    if is_templated(rule.path):
        path = filled(rule.path, identity)
    if path is None:
        return None
    path = path.removeprefix("/")
    if "+*" in path:
        message = f'the template makes the path "{path}", in which `+*` is forbidden: Vault fails every request'
        raise UnreadablePolicyError((Fault(REFUSED, rule.span, message).finding,))
    return path


def _best(candidates: Iterable[tuple[Priority, Permissions]]) -> Permissions | None:
    return max(candidates, key=lambda found: found[0], default=(None, None))[1]


def _best_for_list(candidates: list[tuple[Priority, Permissions]]) -> Permissions | None:
    """Return what decides a list request since 2.0.3, of all that matches its path with and without the slash."""
    denies = [found for found in candidates if "deny" in found[1].capabilities]
    lists = [found for found in candidates if "list" in found[1].capabilities]
    return _best([*denies, *lists] or candidates)
