"""Mistakes that a reader of Vault's rules could make, each put into the evaluator for as long as it is tried."""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from unittest import mock

from generator.audit import acl, acl_constraints, acl_paths
from generator.audit.acl import ACL, Decision, Permissions
from generator.audit.acl_constraints import Constraints
from generator.audit.acl_paths import Wildcard
from generator.audit.acl_terms import Operation, Semantics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class Mutant:
    """A mistake.

    Args:
        name: What it gets wrong.
        patches: What is put in whose place: the object, the attribute, the replacement.
    """

    name: str
    patches: tuple[tuple[Any, str, Any], ...]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put it in."""
        with ExitStack() as stack:
            for owner, attribute, replacement in self.patches:
                stack.enter_context(mock.patch.object(owner, attribute, replacement))
            yield


_of, _matches, _deciding, _candidates = Wildcard.of.__func__, Wildcard.matches, ACL.deciding, ACL.candidates  # type: ignore[attr-defined] # a class method has one
_merged, _allows, _choices_merged = Permissions.merged, ACL.allows, acl_constraints._merged
_path = acl._path


def _priority(key: Callable[[Any], Any]) -> tuple[tuple[Any, str, Any], ...]:
    def of(cls: type[Wildcard], path: str) -> Wildcard:
        found: Wildcard = _of(cls, path)
        return replace(found, priority=key(found.priority))

    return ((Wildcard, "of", classmethod(of)),)


def _newer(self: ACL, path: str, *, listing: bool) -> Permissions | None:
    return _deciding(replace(self, semantics=Semantics.V2_0_3), path, listing=listing)


def _no_two_steps(self: ACL, path: str, *, listing: bool) -> Permissions | None:  # noqa: ARG001 - as what it replaces
    return _deciding(self, path, listing=False)


def _slash_first(self: ACL, path: str, *, listing: bool) -> Permissions | None:
    return _deciding(self, path, listing=False) or (_deciding(self, path, listing=True) if listing else None)


def _slash_stripped(self: ACL, path: str, *, listing: bool) -> Permissions | None:
    return _deciding(self, path.rstrip("/"), listing=listing)


def _exact_last(self: ACL, path: str, *, listing: bool) -> Permissions | None:
    without = replace(self, exact={})
    return _deciding(without, path, listing=listing) or _deciding(self, path, listing=listing)


def _any_case(self: ACL, path: str, *, listing: bool) -> Permissions | None:
    found = _deciding(self, path, listing=listing)
    return found or next((self.exact[key] for key in self.exact if key.lower() == path.lower()), None)


def _any_deny(self: ACL, path: str, *, listing: bool) -> Permissions | None:
    matching = [found for _, found in _candidates(self, path.lstrip("/")) if "deny" in found.capabilities]
    return matching[0] if matching else _deciding(self, path, listing=listing)


def _slash_kept(self: ACL, path: str, *, listing: bool) -> Permissions | None:
    return _deciding(self, path, listing=listing) if not path.startswith("/") else None


def _shortest(self: ACL, path: str) -> Iterator[tuple[Any, Permissions]]:
    for key, found in _candidates(self, path):
        shortest = next((path[:end] for end in range(len(path) + 1) if path[:end] in self.prefixes), None)
        is_prefix = shortest is not None and any(found is other for other in self.prefixes.values())
        yield (Wildcard.of(f"{shortest}*").priority, self.prefixes[str(shortest)]) if is_prefix else (key, found)


def _by_segment(self: ACL, path: str) -> Iterator[tuple[Any, Permissions]]:
    kept = {p: found for p, found in self.prefixes.items() if p.endswith("/") or path[len(p) : len(p) + 1] in {"", "/"}}
    yield from _candidates(replace(self, prefixes=kept), path)


def _itself_too(self: ACL, path: str) -> Iterator[tuple[Any, Permissions]]:
    yield from _candidates(self, f"{path}/" if f"{path}/" in self.prefixes else path)


def _several_segments(self: Wildcard, segments: list[str]) -> bool:
    longer = len(segments) > len(self.segments) and self.segments[-1] == "+"
    return _matches(self, segments[: len(self.segments)] if longer else segments)


def _no_empty_segment(self: Wildcard, segments: list[str]) -> bool:
    return _matches(self, segments) and not any(
        mine == "+" and not theirs for mine, theirs in zip(self.segments, segments, strict=False)
    )


def _whole_last_segment(self: Wildcard, segments: list[str]) -> bool:
    last = len(self.segments) - 1
    return _matches(self, segments) and (len(segments) > last and self.segments[last] in {"", "+", segments[last]})


def _only_whole(path: str) -> bool:
    return "+" in path.removesuffix("*").split("/")


def _deny_lifted(self: Permissions, rule: Any) -> Permissions:
    if "deny" in self.capabilities and "deny" not in rule.capabilities:
        return Permissions(rule.capabilities, rule.constraints, (rule,))
    return _merged(self, rule)


def _first_counts(self: Permissions, rule: Any) -> Permissions:  # noqa: ARG001 - as what it replaces
    return self


def _last_counts(self: Permissions, rule: Any) -> Permissions:  # noqa: ARG001 - as what it replaces
    return Permissions(rule.capabilities, rule.constraints, (rule,))


def _only_common(self: Permissions, rule: Any) -> Permissions:
    found = _merged(self, rule)
    return found if "deny" in found.capabilities else replace(found, capabilities=self.capabilities & rule.capabilities)


def _rule_slash_kept(rule: Any, identity: Any) -> str | None:
    return rule.path if rule.path.startswith("/") else _path(rule, identity)


def _any_value(rule: Any, identity: Any) -> str | None:
    return _path(rule, identity) or re.sub(r"{{[^}]*}}", "+", rule.path)


def _list_as_sent(self: ACL, operation: Operation, path: str, *more: Any) -> Decision:
    found = self.deciding(path, listing=True) if operation is Operation.LIST else None
    if operation is not Operation.LIST:
        return _allows(self, operation, path, *more)
    return Decision(found is not None and "list" in found.capabilities, (), "")


def _no_parameters(self: ACL, operation: Operation, path: str, *more: Any) -> Decision:
    return _allows(self, operation, path, None, more[1] if len(more) > 1 else None)


def _no_wrapping(self: ACL, operation: Operation, path: str, *more: Any) -> Decision:
    with mock.patch.object(Constraints, "wrapping_objection", return_value=None):
        return _allows(self, operation, path, *more)


def _open_loses(one: Any, other: Any) -> Any:
    return {name: (*one.get(name, ()), *other.get(name, ())) for name in one.keys() | other.keys()}


def _unconstrained_wins(one: Any, other: Any) -> Any:
    return _choices_merged(one, other) if one and other else {}


def _no_commas(value: Any, *, from_query: bool) -> Any:
    return value if isinstance(value, list) and not from_query else None


MUTANTS = (
    Mutant("the longer path wins first", _priority(lambda key: (key[3], *key))),
    Mutant("an earlier wildcard wins", _priority(lambda key: (-key[0], *key[1:]))),
    Mutant("a glob wins over none", _priority(lambda key: (key[0], not key[1], *key[2:]))),
    Mutant("a glob counts for nothing", _priority(lambda key: (key[0], *key[2:]))),
    Mutant("more + win", _priority(lambda key: (*key[:2], -key[2], *key[3:]))),
    Mutant("the shorter of two that tie wins", _priority(lambda key: (*key[:3], -key[3], key[4]))),
    Mutant("the lesser text wins", _priority(lambda key: (*key[:4], bytes(255 - byte for byte in key[4])))),
    Mutant("lists have no two steps", ((ACL, "deciding", _no_two_steps),)),
    Mutant("lists are looked up with their slash first", ((ACL, "deciding", _slash_first),)),
    Mutant("the slash at the end is always stripped", ((ACL, "deciding", _slash_stripped),)),
    Mutant("lists are decided as since 2.0.3", ((ACL, "deciding", _newer),)),
    Mutant("wildcards win over exact paths", ((ACL, "deciding", _exact_last),)),
    Mutant("exact paths match in any case", ((ACL, "deciding", _any_case),)),
    Mutant("any deny that matches wins", ((ACL, "deciding", _any_deny),)),
    Mutant("a slash at a path's beginning counts", ((ACL, "deciding", _slash_kept),)),
    Mutant("the shortest prefix wins", ((ACL, "candidates", _shortest),)),
    Mutant("prefixes end at segments", ((ACL, "candidates", _by_segment),)),
    Mutant("a/* matches a too", ((ACL, "candidates", _itself_too),)),
    Mutant("+ matches several segments at the end", ((Wildcard, "matches", _several_segments),)),
    Mutant("+ matches no empty segment", ((Wildcard, "matches", _no_empty_segment),)),
    Mutant("a glob after + matches whole segments", ((Wildcard, "matches", _whole_last_segment),)),
    Mutant("a/+b is an exact path", ((acl, "is_wildcard", _only_whole), (acl_paths, "is_wildcard", _only_whole))),
    Mutant("a later rule lifts a deny", ((Permissions, "merged", _deny_lifted),)),
    Mutant("of several rules the first counts", ((Permissions, "merged", _first_counts),)),
    Mutant("of several rules the last counts", ((Permissions, "merged", _last_counts),)),
    Mutant("of several rules the common part counts", ((Permissions, "merged", _only_common),)),
    Mutant("a slash at a rule's beginning is kept", ((acl, "_path", _rule_slash_kept),)),
    Mutant("a template without a value matches any", ((acl, "_path", _any_value),)),
    Mutant("a list by HTTP is looked up as sent", ((ACL, "allows", _list_as_sent),)),
    Mutant("parameters do not count", ((ACL, "allows", _no_parameters),)),
    Mutant("wrapping does not count", ((ACL, "allows", _no_wrapping),)),
    Mutant("no path needs sudo", ((acl, "needs_sudo", lambda _: False),)),
    Mutant("no values at all narrow nothing", ((acl_constraints, "_merged", _open_loses),)),
    Mutant("a rule without constraints lifts those of another", ((acl_constraints, "_merged", _unconstrained_wins),)),
    Mutant("commas part no values", ((acl_constraints, "_parts", _no_commas),)),
    Mutant("values have no globs", ((acl_constraints, "_globbed", lambda pattern, text: pattern == text),)),
    Mutant("parameters match by case", ((acl_constraints, "lowered", lambda name: name),)),
    Mutant("numbers equal numbers", ((acl_constraints, "_same", lambda value, choice: value == choice),)),
)  # fmt: skip
