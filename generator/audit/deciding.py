"""Which rules decide about a request, by Vault's order of rules.

Source: vault/acl.go of Vault 1.21, NewACL (rules of one path are one) and AllowOperation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.audit.declared import PathRule, VaultPolicy

OPERATIONS = ("read", "list", "create", "update", "patch", "delete")
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


def decide(policies: Iterable[VaultPolicy], operation: str, path: str) -> Decision:
    """Return what a token with these policies, and no others, is answered.

    Args:
        policies: The token's policies.
        operation: One of `OPERATIONS`.
        path: The request's path, without a slash before it; LIST adds the one behind it.
    """
    rules = [rule for policy in policies for rule in policy.rules if _matches(rule.path, operation, path)]
    if not rules:
        return Decision(allowed=False, rules=())
    first = max((rule.path.lstrip("/") for rule in rules), key=_rank)
    deciding = tuple(rule for rule in rules if rule.path.lstrip("/") == first)
    granted = {capability for rule in deciding for capability in rule.capabilities}
    return Decision(allowed=operation in granted and "deny" not in granted, rules=deciding)


def matches(rule: str, path: str) -> bool:
    """Tell whether the path of a rule is about a path, whichever rule decides in the end."""
    return _matches(rule, "read", path) or _matches(rule, "list", path)


def _matches(rule: str, operation: str, path: str) -> bool:
    asked = f"{path.rstrip('/')}/" if operation == "list" else path
    return _one(rule, asked) or (operation == "list" and _one(rule, asked.removesuffix("/")))


def _one(rule: str, path: str) -> bool:
    rule = rule.lstrip("/")
    mine, theirs = rule.removesuffix("*").split("/"), path.split("/")
    if not rule.endswith("*"):
        return len(mine) == len(theirs) and _along(mine, theirs)
    *whole, rest = mine
    return len(theirs) >= len(mine) and _along(whole, theirs) and theirs[len(whole)].startswith(rest)


def _along(mine: Sequence[str], theirs: Sequence[str]) -> bool:
    return all(one in {"+", other} for one, other in zip(mine, theirs, strict=False))


def _rank(rule: str) -> tuple[bool, int, bool, int, int, str]:
    segments = rule.split("/")
    plus = next((sum(len(each) + 1 for each in segments[:at]) for at, name in enumerate(segments) if name == "+"), None)
    star = rule.endswith("*")
    wild = min((at for at in (plus, len(rule) - 1 if star else None) if at is not None), default=None)
    return (wild is None, wild or 0, not star, -segments.count("+"), len(rule), rule)
