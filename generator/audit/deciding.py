"""Which rules of a tree's policies decide about a request, by Vault's own order of rules (`acl`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.audit import proof_pattern
from generator.audit.acl import ACL
from generator.audit.acl_constraints import Constraints
from generator.audit.acl_policy import Policy, Rule
from generator.audit.acl_terms import Operation, Semantics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.audit.declared import PathRule, VaultPolicy

OPERATIONS = tuple(operation.value for operation in Operation)
"""What a request can ask for; each needs the capability of its name."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a request.

    Args:
        allowed: Whether Vault grants it.
        rules: The rules that decided: all of one path; none when no rule is about the request's path.
    """

    allowed: bool
    rules: tuple[PathRule, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """A token with some policies of a tree, and no others."""

    rules: tuple[PathRule, ...]
    acl: ACL

    @classmethod
    def of(cls, policies: Iterable[VaultPolicy], semantics: Semantics = Semantics.V1_21) -> Token:
        """Return a token with these policies, at a Vault of one version."""
        held = tuple(policies)
        rules = tuple(rule for policy in held for rule in policy.rules)
        return cls(rules, ACL.of((_as_parsed(policy) for policy in held), semantics=semantics))

    def decide(self, operation: str, path: str) -> Decision:
        """Return what a request is answered.

        Args:
            operation: One of `OPERATIONS`.
            path: The request's path, without a slash before it; LIST adds the one behind it.
        """
        decision = self.acl.allows(Operation(operation), path)
        paths = {_bare(rule.path) for rule in decision.rules}
        return Decision(decision.allowed, tuple(rule for rule in self.rules if _bare(rule.path) in paths))


def matches(rule: str, path: str) -> bool:
    """Tell whether the path of a rule is about a path, whichever rule decides in the end; to list adds a slash."""
    bare = path.removesuffix("/")
    return any(proof_pattern.matches(rule, request) for request in (path, bare, f"{bare}/"))


def _as_parsed(policy: VaultPolicy) -> Policy:
    return Policy(
        name=policy.name,
        rules=tuple(
            Rule(
                path=rule.path,
                capabilities=frozenset(rule.capabilities),
                constraints=Constraints(),  # the reader of trees refuses them
                policy=policy.name,
                span=rule.span or policy.span,
            )
            for rule in policy.rules
        ),
    )


def _bare(path: str) -> str:
    return path.removeprefix("/")
