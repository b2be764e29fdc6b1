"""In which corners of Vault's rules a case lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.audit.acl_terms import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.audit.acl import ACL, Permissions
    from generator.audit.acl_policy import Rule
    from tests.differential.corpus import Request

_TIE_BREAKS = ("first wildcard", "glob at the end", "number of +", "length", "text")
_MANY = 2


def of_path(acl: ACL, path: str) -> Iterator[str]:
    """Yield the corners of a path that `sys/capabilities` is asked about."""
    yield from _of_lookup(acl, path, listing=True)
    if acl.deciding(path, listing=True) is not acl.deciding(path, listing=False):
        yield "capabilities: other than without LIST's two steps"
    if path.endswith("/"):
        yield "path: slash at the end"
    if "//" in path:
        yield "path: two slashes"
    if path.startswith("/"):
        yield "path: slash at the beginning"
    rules = [rule for found in _all(acl) for rule in found.rules]
    if any(rule.path != path and rule.path.lower() == path.lower() for rule in rules):
        yield "path: a rule's but for its case"
    if any(len(rule.path) == len(path) and _apart(rule.path, path) == 1 for rule in rules):
        yield "path: a rule's but for one character"


def of_request(acl: ACL, request: Request) -> Iterator[str]:
    """Yield the corners of a request."""
    operation = Operation(request.operation)
    listing = operation is Operation.LIST
    path = f"{request.path}/" if listing and not request.path.endswith("/") else request.path
    yield from _of_lookup(acl, path, listing=listing)
    decision = acl.allows(operation, request.path, request.parameters, request.wrap * 10**9 or None)
    yield f"request: {operation} {'allowed' if decision.allowed else 'denied'}"
    if listing and (operation in acl.capabilities(request.path)) is not decision.allowed:
        yield "request: LIST other than capabilities"
    constraints = [rule for rule in decision.rules if rule.constraints.allowed or rule.constraints.denied]
    if constraints and request.parameters:
        yield f"request: parameters {'allowed' if decision.allowed else 'denied'}"
    if "wrap" in decision.reason:
        yield "request: denied for its wrapping"
    if "sudo" in decision.reason:
        yield "request: denied for want of sudo"
    if len(decision.rules) >= _MANY and any(rule.constraints.allowed for rule in decision.rules):
        yield "request: merged constraints decide"


def of_texts(texts: Sequence[str]) -> Iterator[str]:
    """Yield the corners of a token's policies."""
    yield f"policies: {len(texts)}"
    if any(text.startswith("{") for text in texts):
        yield "policies: one in JSON"
    if any("{{" in text for text in texts):
        yield "policies: templated"
    if any("  policy = " in text for text in texts):
        yield "policies: one with a deprecated policy"


def _of_lookup(acl: ACL, path: str, *, listing: bool) -> Iterator[str]:
    found = acl.deciding(path, listing=listing)
    path = path.lstrip("/")
    if found is None:
        yield "decided by: nothing"
        return
    candidates = sorted(((key, other) for key, other in acl.candidates(path)), key=lambda pair: pair[0])
    if any(found is other for other in acl.exact.values()):
        yield "decided by: exact"
        yield from ["exact before wildcards"] * bool(candidates)
        candidates = []
    elif any(found is other for other in acl.prefixes.values()):
        yield "decided by: prefix"
    else:
        yield "decided by: +"
    if len(candidates) >= _MANY:
        (first, _), (second, _) = candidates[-1], candidates[-2]
        level = next(index for index, (one, other) in enumerate(zip(first, second, strict=True)) if one != other)
        yield f"tie broken by: {_TIE_BREAKS[level]}"
    if sum(path.startswith(prefix) for prefix in acl.prefixes) >= _MANY:
        yield "prefixes: several match"
    yield from _of_rules(found.rules)


def _of_rules(rules: Sequence[Rule]) -> Iterator[str]:
    segments = rules[0].path.removeprefix("/").split("/")
    yield from (f"decided by: + at depth {depth}" for depth, segment in enumerate(segments) if segment == "+")
    if "/+" in rules[0].path and "+" not in segments:
        yield "decided by: + that is no segment"
    if "deny" in rules[0].capabilities:
        yield f"decided by: deny at depth {len(segments) - 1}"
    if len(rules) >= _MANY:
        yield "merged: several rules"
        if len({rule.policy for rule in rules}) >= _MANY:
            yield "merged: several policies"


def _all(acl: ACL) -> Iterator[Permissions]:
    yield from acl.exact.values()
    yield from acl.prefixes.values()
    yield from (found for _, found in acl.wildcards)


def _apart(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))
