"""Paths of rules that are not matched character by character: wildcards and their priority, and who needs ``sudo``.

Source: CheckAllowedFromNonExactPaths in vault/acl.go of v1.21.2. It looks at bytes, so lengths here are of UTF-8.
"""

from __future__ import annotations

from dataclasses import dataclass

Priority = tuple[int, bool, int, int, bytes]
"""The greater wins: position of the first wildcard, no ``*`` at the end, fewer ``+``, length, text."""

# What sys/ and the token method name as root paths: vault/logical_system.go and vault/token_store.go of v1.21.2.
_SUDO_EXACT = frozenset(
    "sys/" + path
    for path in (
        "remount",
        "audit",
        "raw",
        "replication/primary/secondary-token",
        "replication/performance/primary/secondary-token",
        "replication/dr/primary/secondary-token",
        "replication/reindex",
        "replication/dr/reindex",
        "replication/performance/reindex",
        "rotate",
        "config/cors",
        "leases",
        "reporting/scan",
        "internal/counters/activity/export",
        "seal",
        "step-down",
    )
) | {"auth/token/revoke-orphan", "auth/token/accessors/"}
_SUDO_PREFIXES = tuple(
    "sys/" + path
    for path in (
        "auth/",
        "audit/",
        "raw/",
        "config/auditing/",
        "config/ui/headers/",
        "plugins/catalog/",
        "plugins/runtimes/catalog/",
        "revoke-prefix/",
        "revoke-force/",
        "leases/revoke-prefix/",
        "leases/revoke-force/",
        "leases/lookup/",
        "storage/raft/snapshot-auto/config/",
        "internal/inspect/",
    )
)


@dataclass(frozen=True, slots=True)
class Wildcard:
    """A path with wildcards, taken apart.

    Args:
        segments: What lies between its slashes, without a ``*`` at the end.
        is_prefix: Whether it ends in ``*``.
        priority: Its priority among paths that match.
    """

    segments: tuple[str, ...]
    is_prefix: bool
    priority: Priority

    @classmethod
    def of(cls, path: str) -> Wildcard:
        """Take a path apart."""
        is_prefix = path.endswith("*")
        literal = path.removesuffix("*")
        segments = tuple(literal.split("/"))
        text = literal.encode()
        # A path is a wildcard one by `+` at the beginning of a segment, but any `+` before that counts as its first.
        first = text.find(b"+") if is_wildcard(path) else len(text)
        return cls(segments, is_prefix, (first, not is_prefix, -segments.count("+"), len(text), text))

    def matches(self, segments: list[str]) -> bool:
        """Tell whether it matches a path, given what lies between that one's slashes."""
        own = self.segments
        if len(segments) < len(own) or (len(segments) > len(own) and not self.is_prefix):
            return False
        last = len(own) - 1
        return all(
            mine in {"+", theirs} or (self.is_prefix and index == last and theirs.startswith(mine))
            for index, (mine, theirs) in enumerate(zip(own, segments, strict=False))
        )


def is_wildcard(path: str) -> bool:
    """Tell whether Vault keeps a path among those with wildcards: ``a/+b`` is one, though its ``+`` is literal."""
    return path == "+" or "/+" in path or path.startswith("+/")


def needs_sudo(path: str) -> bool:
    """Tell whether a request to a path of ``sys/`` or ``auth/token/`` needs ``sudo`` beside its own capability."""
    path = path.lstrip("/")
    return path in _SUDO_EXACT or path.startswith(_SUDO_PREFIXES)
