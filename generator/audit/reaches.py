"""What a client's tokens may do before and after, path by path, as Vault answers and not as rules are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from generator.audit.deciding import OPERATIONS, Token, matches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.audit.declared import PathRule, VaultPolicy
    from generator.diagnostics import Span

Held: TypeAlias = "Sequence[tuple[VaultPolicy, ...]]"
"""The policies of each token."""

_ANY = "\N{CURRENCY SIGN}"  # a segment that no rule names: it is no character of a plain path


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """What is gained or lost on the path of one rule.

    Args:
        path: The rule's path.
        operations: What requests below it may do now and might not before, or the reverse.
        lost: Whether they are lost.
        instead: Paths of rules that were given up for this wider one, or that are left of it.
        span: The rule.
    """

    path: str
    operations: tuple[str, ...]
    lost: bool
    instead: tuple[str, ...]
    span: Span | None


def gains_and_losses(before: Held, after: Held) -> Iterator[Shift]:
    """Yield what changes on the path of each rule that either side's tokens have, in the order of paths.

    A path is tried with requests that no other rule names: one segment below it, two, and deeper than any rule. Where
    two rules with wildcards cross, the requests that both match are tried only if a rule names them.
    """
    old, new = _rules(before), _rules(after)
    tokens_before, tokens_after = _tokens(before), _tokens(after)
    depth = max((path.count("/") for path in (*old, *new)), default=0) + 2
    for path in sorted(old.keys() | new.keys()):
        gained: set[str] = set()
        lost: set[str] = set()
        for request in _requests(path, depth):
            was, now = _allowed(tokens_before, request), _allowed(tokens_after, request)
            gained |= now - was
            lost |= was - now
        span = (new.get(path) or old[path]).span
        if gained:
            instead = _covered(path, old.keys() - new.keys(), depth) if path not in old else ()
            yield Shift(path=path, operations=_ordered(gained), lost=False, instead=instead, span=span)
        if lost:
            yield Shift(path=path, operations=_ordered(lost), lost=True, instead=(), span=span)


def _rules(held: Held) -> dict[str, PathRule]:
    return {rule.path: rule for policies in held for policy in policies for rule in policy.rules}


def _requests(path: str, depth: int) -> tuple[str, ...]:
    literal = path.lstrip("/")
    start = "/".join(_ANY if segment == "+" else segment for segment in literal.removesuffix("*").split("/"))
    if not literal.endswith("*"):
        return (start,)
    return tuple(f"{start}{_ANY}{f'/{_ANY}' * further}" for further in (0, 1, depth))


def _covered(path: str, others: set[str], depth: int) -> tuple[str, ...]:
    """Return those of other rules' paths that match nothing which this one does not."""
    return tuple(sorted(each for each in others if all(matches(path, one) for one in _requests(each, depth))))


def _tokens(held: Held) -> tuple[Token, ...]:
    return tuple(Token.of(policies) for policies in held)


def _allowed(tokens: tuple[Token, ...], request: str) -> set[str]:
    return {operation for token in tokens for operation in OPERATIONS if token.decide(operation, request).allowed}


def _ordered(operations: set[str]) -> tuple[str, ...]:
    return tuple(operation for operation in OPERATIONS if operation in operations)
