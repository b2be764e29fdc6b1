"""What many roots have in common: the same change, the same complaint, the same reason, each said once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from generator.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.report.runs import ResourceChange, Row, TerraformDiagnostic

_Key = TypeVar("_Key")
_Member = TypeVar("_Member")

# Where the same fault reads otherwise in each root: requests, times, addresses and names. Order counts: an ARN has an
# account's id in it.
_VARYING = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"(https?://[^\s/\"']+)/[^\s\"']*", r"\1/…"),
        (r"\barn:[^\s\"',]+", "arn:…"),
        (r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b", "<id>"),
        (r"(?i)\b(request ?id: )[^\s,]+", r"\1<id>"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.]*", "<time>"),
        (r":\d{4,5}->", ":…->"),
        (r"\b\d+(?:\.\d+)?(?=(?:ms|s|m)\b)", "<time>"),
        (r"\b\d{12}\b", "<account>"),
        (r"(?<=[\w ])\([^\s()]+\)", "(…)"),
    )
)
_WORD = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """Changes of one kind.

    Args:
        action: Terraform's word for it; where what is there is imported first, that too.
        pattern: The address that they share, in which ``<client>`` and ``<account>`` stand for what differs.
        members: Root and change, in the order in which they were given.
    """

    action: str
    pattern: str
    members: tuple[tuple[str, ResourceChange], ...]

    @property
    def roots(self) -> tuple[str, ...]:
        """The roots that have such a change, each once."""
        return tuple(dict.fromkeys(root for root, _ in self.members))

    @property
    def destroys(self) -> bool:
        """Whether objects that exist go away."""
        return self.members[0][1].destroys


@dataclass(frozen=True, slots=True)
class ComplaintGroup:
    """Complaints of Terraform that are the same fault.

    Args:
        members: Root and complaint, in the order in which they were given.
    """

    members: tuple[tuple[str, TerraformDiagnostic], ...]

    @property
    def example(self) -> TerraformDiagnostic:
        """The first of them, which stands for all."""
        return self.members[0][1]

    @property
    def roots(self) -> tuple[str, ...]:
        """The roots in which Terraform complains so, each once."""
        return tuple(dict.fromkeys(root for root, _ in self.members))


@dataclass(frozen=True, slots=True)
class ReasonGroup:
    """Roots that ended in the same way for the same reason.

    Args:
        outcome: How they ended.
        reason: Why, in the words of the first.
        roots: In the order in which they were given.
    """

    outcome: str
    reason: str
    roots: tuple[str, ...]


def changes(rows: Iterable[Row]) -> tuple[ChangeGroup, ...]:
    """Group the planned changes; each is in exactly one group.

    Returns:
        What destroys first, then the most frequent.
    """
    grouped = _grouped(
        ((change.what, general(change.address, row.clients)), (row.root, change))
        for row in rows
        for change in row.changes
    )
    groups = [ChangeGroup(action, pattern, members) for (action, pattern), members in grouped]
    return tuple(sorted(groups, key=lambda group: (not group.destroys, -len(group.members))))


def complaints(rows: Iterable[Row]) -> tuple[ComplaintGroup, ...]:
    """Group what Terraform complained about; each complaint is in exactly one group.

    Returns:
        Errors first, each in the order in which they were met.
    """
    grouped = _grouped(
        (
            (
                diagnostic.severity,
                skeleton(diagnostic.summary, row.clients),
                skeleton(diagnostic.detail, row.clients),
            ),
            (row.root, diagnostic),
        )
        for row in rows
        for diagnostic in row.diagnostics
    )
    groups = [ComplaintGroup(members) for _, members in grouped]
    return tuple(sorted(groups, key=lambda group: group.example.severity is not Severity.ERROR))


def reasons(rows: Iterable[Row]) -> tuple[ReasonGroup, ...]:
    """Group the roots whose outcome has a reason that is not Terraform's."""
    grouped = _grouped(
        ((row.outcome, skeleton(row.reason, row.clients)), (row.root, row.reason)) for row in rows if row.reason
    )
    return tuple(
        ReasonGroup(outcome, members[0][1], tuple(root for root, _ in members)) for (outcome, _), members in grouped
    )


def general(address: str, clients: Iterable[str]) -> str:
    """Return a resource's address with what is the client's or the account's own left open.

    Args:
        address: Such as ``vault_policy.payments``.
        clients: The clients of its root. A label that is none of theirs stays: nobody speaks for it.
    """
    kind, dot, label = address.partition(".")
    if label in set(clients):
        label = "<client>"
    return kind + dot + re.sub(r"\b\d{12}\b", "<account>", label)


def skeleton(text: str, clients: Sequence[str]) -> str:
    """Return a message without what differs from root to root, to tell whether two are the same."""
    for pattern, instead in _VARYING:
        text = pattern.sub(instead, text)
    if not any(name in text for name in clients):
        return text
    own = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, clients))})(?![A-Za-z0-9])")
    # Word by word: a name's surroundings in one expression would take the square of a text's length.
    return _WORD.sub(lambda word: "<client>" if own.search(word[0]) else word[0], text)


def _grouped(pairs: Iterable[tuple[_Key, _Member]]) -> list[tuple[_Key, tuple[_Member, ...]]]:
    found: dict[_Key, list[_Member]] = {}
    for key, member in pairs:
        found.setdefault(key, []).append(member)
    return [(key, tuple(members)) for key, members in found.items()]
