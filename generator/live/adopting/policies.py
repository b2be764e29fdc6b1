"""What a hand-written policy lets a client read, where it is of the kind that is rendered."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from generator.audit.acl import ACL
from generator.audit.acl_constraints import Constraints
from generator.audit.acl_faults import UnreadablePolicyError
from generator.audit.acl_identity import is_templated
from generator.audit.acl_policy import parse
from generator.diagnostics import Span
from generator.live.adopting.reasons import OTHER_MEANING, UNDECIDED_POLICY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.report.imported import Reason

_PREFIX = re.compile(r"(?P<mount>[A-Za-z0-9_/-]+?)/(?P<area>data|metadata)/(?P<directory>.+)/", re.ASCII)
_READ, _READ_AND_LIST = frozenset({"read"}), frozenset({"read", "list"})
# KV version 2 has no LIST below data/, so that it makes no difference whether it is granted there:
# https://developer.hashicorp.com/vault/docs/secrets/kv/kv-v2#acl-rules
_RIGHT = {"data": (_READ, _READ_AND_LIST), "metadata": (_READ_AND_LIST,)}


@dataclass(frozen=True, slots=True)
class Unsuitable:
    """A policy that nothing is rendered like."""

    reason: Reason
    detail: str


def kv_mount(texts: Iterable[str]) -> str | None:
    """Return the KV mount that most policies are about; None where none is about any."""
    mounts = Counter(match["mount"] for text in texts for match in re.finditer(rf'"/?{_PREFIX.pattern}\*"', text))
    return min(mounts, key=lambda mount: (-mounts[mount], mount), default=None)


@lru_cache(maxsize=1 << 15)  # settings are drafted by what is read, and then clients: parsing is most of both
def directories(text: str, name: str, mount: str) -> frozenset[str] | Unsuitable:
    """Return the directories that a policy lets its client read and list, where it allows nothing else.

    Args:
        text: The policy, as Vault has it.
        name: Its name.
        mount: The fleet's KV mount.
    """
    acl = _acl(text, name)
    if isinstance(acl, Unsuitable):
        return acl
    areas: dict[str, set[str]] = {}
    others = [*acl.exact, *("/".join(wildcard.segments) for wildcard, _ in acl.wildcards)]
    if others:
        return Unsuitable(OTHER_MEANING, f"{name} has a rule for {others[0]}")
    for prefix, found in acl.prefixes.items():
        capabilities = ", ".join(sorted(found.capabilities)) or "nothing"
        match = _PREFIX.fullmatch(prefix)
        if match is None or match["mount"] != mount or found.capabilities not in _RIGHT[match["area"]]:
            return Unsuitable(OTHER_MEANING, f"{name} has a rule for {prefix}* with {capabilities}")
        areas.setdefault(match["directory"], set()).add(match["area"])
    for directory, there in areas.items():
        for area in _RIGHT.keys() - there:
            return Unsuitable(OTHER_MEANING, f"{name} has no rule for {mount}/{area}/{directory}/*")
    return frozenset(areas)


def mean_the_same(one: str, other: str, name: str) -> bool:
    """Tell whether two texts of a policy allow the same, but for what makes no difference."""
    meanings = [_meaning(_acl(text, name)) for text in (one, other)]
    return meanings[0] is not None and meanings[0] == meanings[1]


def _meaning(acl: ACL | Unsuitable) -> object:
    if isinstance(acl, Unsuitable):
        return None
    return (
        {prefix: _without_inert(prefix, found.capabilities) for prefix, found in acl.prefixes.items()},
        {path: found.capabilities for path, found in acl.exact.items()},
        {(wildcard.segments, wildcard.is_prefix): found.capabilities for wildcard, found in acl.wildcards},
    )


def _without_inert(prefix: str, capabilities: frozenset[str]) -> frozenset[str]:
    match = _PREFIX.fullmatch(prefix)
    return capabilities - {"list"} if match and match["area"] == "data" else capabilities


def _acl(text: str, name: str) -> ACL | Unsuitable:
    try:
        policy = parse(text, Span(name, 1, 1, 1, 1), name)
    except UnreadablePolicyError as error:
        return Unsuitable(UNDECIDED_POLICY, error.message)
    for rule in policy.rules:
        if is_templated(rule.path) or rule.constraints != Constraints():
            return Unsuitable(UNDECIDED_POLICY, f"{name} has a template or a constraint at {rule.path}")
    return ACL.of([policy])
