"""What has changed since the last look at the live systems: findings that are new, still there, or gone. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class Seen:
    """One finding as it is kept from one look to the next.

    Args:
        fingerprint: Of the finding; the same while it says the same of the same file.
        where: Where it stood.
        first: When the first look began that found it, in UTC, ISO 8601.
    """

    fingerprint: str
    rule: str
    severity: str
    where: str
    message: str
    first: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a look came to, as it is kept.

    Args:
        of: What was looked at: the sandbox or the live systems, which of their sides, which Vault and namespace.
        cluster_id: Vault's; empty where it was not asked.
        when: When it began, in UTC, ISO 8601.
        objects: How many were compared.
        seen: What was found.
        complete: Whether everything could be read.
    """

    of: str
    cluster_id: str
    when: str
    objects: int
    seen: tuple[Seen, ...]
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """A look beside the one before.

    Args:
        when: When that was; empty where it cannot be compared with.
        why_not: Why it cannot, a sentence without a full stop; all findings are new then.
        gone: What was found then and not now.
        unsure: The same, where not everything could be read now: it may still be there.
    """

    when: str
    why_not: str
    new: tuple[Seen, ...]
    still: tuple[Seen, ...]
    gone: tuple[Seen, ...]
    unsure: tuple[Seen, ...]


def seen(findings: Iterable[Diagnostic], when: str) -> tuple[Seen, ...]:
    """Return findings as they are kept, each once, in the order in which they are shown.

    Args:
        findings: What a look has found.
        when: When it began; what an earlier look found too is told apart by ``since``.
    """
    ordered = sorted(findings, key=lambda finding: finding.sort_key)
    kept = {
        each.fingerprint: Seen(each.fingerprint, each.rule, each.severity.value, str(each.span), each.message, when)
        for each in ordered
    }
    return tuple(kept.values())


def since(earlier: Outcome | str, now: Outcome) -> Since:
    """Compare a look with the one before.

    Args:
        earlier: That one, or why there is none to compare with.
        now: This one.
    """
    why_not = earlier if isinstance(earlier, str) else _not_comparable(earlier, now)
    if why_not or isinstance(earlier, str):
        return Since(when="", why_not=why_not, new=now.seen, still=(), gone=(), unsure=())
    before = {each.fingerprint: each.first for each in earlier.seen}
    present = {each.fingerprint for each in now.seen}
    missed = tuple(each for each in earlier.seen if each.fingerprint not in present)
    return Since(
        when=earlier.when,
        why_not="",
        new=tuple(each for each in now.seen if each.fingerprint not in before),
        still=tuple(replace(each, first=before[each.fingerprint]) for each in now.seen if each.fingerprint in before),
        gone=missed if now.complete else (),
        unsure=() if now.complete else missed,
    )


def kept(now: Outcome, compared: Since) -> Outcome:
    """Return what the next look is compared with: what may still be there is not forgotten."""
    return Outcome(
        of=now.of,
        cluster_id=now.cluster_id,
        when=now.when,
        objects=now.objects,
        seen=(*compared.new, *compared.still, *compared.unsure),
        complete=now.complete,
    )


def lines(compared: Since) -> str:
    """Return what has changed, as lines for people: what is new or gone by name, and since when the rest is there."""
    return "".join(f"{line}\n" for line in _lines(compared))


def as_object(compared: Since) -> dict[str, object]:
    """Return what has changed, for JSON."""
    return {
        "when": compared.when or None,
        "not_compared": compared.why_not or None,
        "new": [each.fingerprint for each in compared.new],
        "still": [each.fingerprint for each in compared.still],
        "first_seen": {each.fingerprint: each.first for each in compared.still},
        "gone": [_object(each) for each in compared.gone],
        "unsure": [_object(each) for each in compared.unsure],
    }


def _not_comparable(earlier: Outcome, now: Outcome) -> str:
    if earlier.of != now.of:
        return f"the last look was at something else: {earlier.of}, and this one is at {now.of}"
    if earlier.cluster_id != now.cluster_id:
        was, is_ = (each or "one that did not say which" for each in (earlier.cluster_id, now.cluster_id))
        return f"the last look was at another Vault: its cluster was {was}, and this one is {is_}"
    return ""


def heading(compared: Since) -> str:
    """Return the line that counts what has changed, or says why nothing can be compared."""
    if compared.why_not:
        return f"not compared with the last look: {compared.why_not}"
    counts = f"{len(compared.new)} new, {len(compared.still)} still there, {len(compared.gone)} gone"
    unsure = f", {len(compared.unsure)} that may still be there" if compared.unsure else ""
    return f"since the last look, {compared.when}: {counts}{unsure}"


def gone(compared: Since) -> Iterator[str]:
    """Yield a line for each finding that is gone, or may be."""
    for word, several in (("gone", compared.gone), ("not known to be gone", compared.unsure)):
        yield from (f"{word}: {_named(each)}" for each in several)


def _lines(compared: Since) -> Iterator[str]:
    yield heading(compared)
    if compared.why_not:
        return
    yield from (f"  new: {_named(each)}" for each in compared.new)
    for first in sorted({each.first for each in compared.still}):
        rules = Counter(each.rule for each in compared.still if each.first == first)
        yield f"  still there since {first}: {', '.join(f'{number} {rule}' for rule, number in sorted(rules.items()))}"
    yield from (f"  {line}" for line in gone(compared))


def _named(each: Seen) -> str:
    return f"{each.severity}[{each.rule}] {each.where}: {each.message}"


def _object(one: Seen) -> dict[str, str]:
    return {
        "fingerprint": one.fingerprint,
        "rule": one.rule,
        "severity": one.severity,
        "where": one.where,
        "message": one.message,
    }
