"""Vault's policy ``default``, which every token has: what it says from the start, and reading what it says now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.audit.declared import PathRule
from generator.audit.faults import Unreadable
from generator.audit.hcl import parse
from generator.diagnostics import Span

if TYPE_CHECKING:
    from generator.audit.hcl import Block

_READ, _UPDATE = ("read",), ("update",)

STOCK = tuple(
    PathRule(path=path, capabilities=capabilities)
    for path, capabilities in (
        ("auth/token/lookup-self", _READ),
        ("auth/token/renew-self", _UPDATE),
        ("auth/token/revoke-self", _UPDATE),
        ("sys/capabilities-self", _UPDATE),
        ("identity/entity/id/{{identity.entity.id}}", _READ),
        ("identity/entity/name/{{identity.entity.name}}", _READ),
        ("sys/internal/ui/resultant-acl", _READ),
        ("sys/renew", _UPDATE),
        ("sys/leases/renew", _UPDATE),
        ("sys/leases/lookup", _UPDATE),
        ("cubbyhole/*", ("create", "read", "update", "delete", "list")),
        ("sys/wrapping/wrap", _UPDATE),
        ("sys/wrapping/lookup", _UPDATE),
        ("sys/wrapping/unwrap", _UPDATE),
        ("sys/tools/hash", _UPDATE),
        ("sys/tools/hash/*", _UPDATE),
        ("sys/control-group/request", _UPDATE),
        ("identity/oidc/provider/+/authorize", ("read", "update")),
    )
)
"""What Vault 1.21 writes when it is initialised, rule by rule: ``defaultPolicy`` in vault/policy_store.go."""

_EVERYTHING = PathRule(path="*", capabilities=("sudo",), span=Span("default", 1, 1, 1, 2))


def default_rules(text: str) -> tuple[PathRule, ...]:
    """Return what a live ``default`` allows at most.

    Constraints on parameters, wrapping and the like are left out, as if there were none. A text that cannot be read,
    and a rule whose capabilities cannot, count as everything.

    Args:
        text: The policy, as ``vault policy read default`` prints it.
    """
    try:
        body = parse(text, Span("default", 1, 1, 1, 1))
    except Unreadable:
        return (_EVERYTHING,)
    return tuple(_rule(block) for block in body.blocks)


def _rule(block: Block) -> PathRule:
    attribute = block.body.attributes.get("capabilities")
    if block.type != "path" or len(block.labels) != 1 or "policy" in block.body.attributes:
        return _EVERYTHING
    listed = attribute.value if attribute else ()
    if not isinstance(listed, tuple):
        return _EVERYTHING
    names = tuple(name for name in listed if isinstance(name, str))
    return PathRule(path=block.labels[0], capabilities=names, span=block.span) if names == listed else _EVERYTHING
