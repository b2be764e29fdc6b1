"""The text of a Vault policy to its rules, as Vault's own parser reads it, less everything that is not literal.

A policy is HCL's older syntax, of which this takes what the newer has in common with it: rules with one path and one
list of capabilities. Vault's own reader is vault/policy.go; a parameter constraint, a deprecated ``policy`` or a
response wrapping limit is refused as unknown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from generator.audit.arguments import Arguments, texts
from generator.audit.declared import PathRule
from generator.audit.faults import POLICY, REPEATED, Unreadable
from generator.audit.hcl import parse

if TYPE_CHECKING:
    from generator.audit.hcl import Block
    from generator.diagnostics import Span

# Beyond these Vault or HCL would read more into a path than its characters: templating, escapes, interpolation.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_=,.@:~/*+-]+", re.ASCII)
_CAPABILITIES = frozenset({"create", "read", "update", "patch", "delete", "list", "sudo", "deny", "subscribe"})


def rules(text: str, at: Span) -> tuple[PathRule, ...]:
    """Return the rules of a policy in the order of its text.

    Args:
        text: The policy.
        at: Where it begins, for errors.

    Raises:
        Unreadable: When it is not a list of plain rules.
    """
    body = parse(text, at)
    for attribute in body.attributes.values():
        raise Unreadable(POLICY, attribute.span, f"the policy has an argument `{attribute.name}`")
    return tuple(_rule(block) for block in body.blocks)


def _rule(block: Block) -> PathRule:
    if block.type != "path" or len(block.labels) != 1:
        raise Unreadable(POLICY, block.span, f"the policy has a block `{' '.join((block.type, *block.labels))}`")
    path = block.labels[0]
    if _PLAIN_PATH.fullmatch(path) is None:
        raise Unreadable(POLICY, block.span, f"`{path}` is not a plain path")
    arguments = Arguments(block.body, block.span, f'path "{path}"')
    capabilities = arguments.take("capabilities", texts)
    arguments.close()
    for capability in capabilities:
        if capability not in _CAPABILITIES:
            raise Unreadable(POLICY, block.span, f"Vault has no capability `{capability}`")
        if capabilities.count(capability) > 1:
            raise Unreadable(REPEATED, block.span, f"the capability `{capability}` is given twice")
    if "deny" in capabilities and len(capabilities) > 1:
        # Vault takes such a rule for a plain deny; a reader might not.
        raise Unreadable(POLICY, block.span, "`deny` takes away every other capability that stands beside it")
    return PathRule(path=path, capabilities=capabilities, span=block.span)
