"""What a change of a fleet means: for people, for a pull request, or as JSON."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from generator.audit.change import Effect, Topic
from generator.report.machine import to_json
from generator.report.markdown import MAX_BYTES, code, prose
from generator.report.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from generator.audit.change import Change
    from generator.manifest.fleet import Fleet

TITLES = {
    Topic.BEYOND: "Beyond the client's own directory",
    Topic.CLIENTS: "Clients",
    Topic.ACCESS: "Access to the client's own directory",
    Topic.TRUST: "Who may log in, and who may assume which role",
    Topic.LIMITS: "Token limits",
    Topic.PLATFORM: "Platform",
    Topic.ROOTS: "Roots: providers, versions, state",
    Topic.OWNERS: "Owners",
    Topic.DETAILS: "Details",
}
_MARKS = {Effect.WIDENS: "+", Effect.NARROWS: "-", Effect.CHANGES: "~"}
_MOST_NAMED = 20  # owners at the head of a comment, and clients of each


@dataclass(frozen=True, slots=True)
class Touched:
    """A root whose files differ.

    Args:
        name: Its path below ``terraform/``.
        files: How many of its files differ.
        handed_to: Who applies it, where that is not this fleet's runs; empty else.
    """

    name: str
    files: int
    handed_to: str = ""


@dataclass(frozen=True, slots=True)
class Differences:
    """What changes since a commit.

    Args:
        ref: What the command line named.
        base: The commit at which HEAD left it.
        changes: In the order in which they are shown.
        roots: The roots whose files differ.
        fleets: The manifests of before and after.
    """

    ref: str
    base: str
    changes: tuple[Change, ...]
    roots: tuple[Touched, ...]
    fleets: tuple[Fleet, Fleet]

    @property
    def approvals(self) -> Mapping[str, tuple[str, ...]]:
        """Whose approval is needed beyond the usual, and for whom or what."""
        return _grouped((who, change.subject) for change in self.changes for who in change.approvals)

    @property
    def owners(self) -> Mapping[str, tuple[str, ...]]:
        """Who owns the clients and accounts that change, by the manifests of before and of after."""
        owner_of = [
            (name, owner)
            for fleet in self.fleets
            for name, owner in (
                *((client.name, client.owner) for client in fleet.clients),
                *((account.id, account.owner or "") for account in fleet.accounts),
            )
        ]
        changed = {change.subject for change in self.changes}
        return _grouped((owner, name) for name, owner in owner_of if name in changed and owner)


def _grouped(pairs: Iterable[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, set[str]] = defaultdict(set)
    for owner, name in pairs:
        found[owner].add(name)
    return {owner: tuple(sorted(names)) for owner, names in sorted(found.items())}


def summary(differences: Differences) -> str:
    """Return how many changes there are, and which way they go."""
    count = Counter(change.effect for change in differences.changes)
    if not count:
        files = sum(root.files for root in differences.roots)
        words = f": {_count(files, 'file')} differ{'s' if files == 1 else ''} in comments alone" if files else ""
        return f"nothing changes in meaning{words}"
    ways = {"widen": count[Effect.WIDENS], "narrow": count[Effect.NARROWS]}
    said = ", ".join(f"{number} {word}{'s' if number == 1 else ''}" for word, number in ways.items() if number)
    return f"{_count(count.total(), 'change')}{f', {said}' if said else ''}"


def full(differences: Differences) -> str:
    """Return the changes by topic, each with its place, then who is to be asked."""
    lines = [f"Since {differences.base[:12]}, where HEAD left {visible(differences.ref)}: {summary(differences)}", ""]
    for topic, group in groupby(differences.changes, key=lambda change: change.topic):
        lines.append(TITLES[topic])
        for change in group:
            lines.append(f"  {_MARKS[change.effect]} {visible(change.subject)}: {visible(change.message)}")
            lines += [f"      {visible(f'{change.span.path}:{change.span.line}')}"] if change.span else []
        lines.append("")
    lines += [
        *(
            f"Needs the approval of {visible(who)}: {visible(', '.join(for_))}"
            for who, for_ in differences.approvals.items()
        ),
        *(f"Owner {visible(who)}: {visible(', '.join(names))}" for who, names in differences.owners.items()),
        *(f"Root {_root(root)}" for root in differences.roots),
    ]
    return "\n".join(lines).rstrip() + "\n"


def concise(differences: Differences) -> str:
    """Return a line a change: ``file:line: topic effect subject: message``."""
    return "".join(
        f"{visible(f'{change.span.path}:{change.span.line}: ') if change.span else ''}{change.topic} {change.effect} "
        f"{visible(change.subject)}: {visible(change.message)}\n"
        for change in differences.changes
    )


def as_json(differences: Differences) -> str:
    """Return everything as a JSON object."""
    return to_json(
        {
            "ref": differences.ref,
            "base": differences.base,
            "changes": [
                {
                    "topic": change.topic,
                    "effect": change.effect,
                    "subject": change.subject,
                    "message": change.message,
                    "approvals": change.approvals,
                    "principals": change.principals,
                    "path": change.path or None,
                    "operations": change.operations,
                    "file": change.span.path if change.span else None,
                    "line": change.span.line if change.span else None,
                }
                for change in differences.changes
            ],
            "approvals": [{"owner": who, "for": names} for who, names in differences.approvals.items()],
            "owners": [{"owner": who, "of": names} for who, names in differences.owners.items()],
            "roots": [
                {"root": root.name, "files": root.files, "handed_to": root.handed_to or None}
                for root in differences.roots
            ],
        }
    )


def markdown(differences: Differences, within: str = "") -> str:
    """Return a comment for a pull request, as much of it as GitHub takes: what reaches out first, details folded away.

    Args:
        differences: What changes.
        within: The fleet's folder within its repository, empty or ending in a slash.
    """
    head = f"### crosskeys: {summary(differences)}\n\n"
    head += f"Since {code(differences.base[:12])}, where this left {code(differences.ref)}.\n"
    head += "".join(f"\n{line}\n" for line in _people(differences))
    room = MAX_BYTES - len(head.encode()) - len(_left(differences, len(differences.changes)).encode())
    body, shown = "", 0
    for topic, group in groupby(differences.changes, key=lambda change: change.topic):
        changes = tuple(group)
        begin, end = _fold(topic, len(changes))
        room -= len((begin + end).encode())
        items = _fitting((_item(change, within) for change in changes), room)
        room -= sum(len(item.encode()) for item in items)
        if items:
            body += f"{begin}{''.join(items)}{end}"
        shown += len(items)
        if len(items) < len(changes):
            break
    left = len(differences.changes) - shown
    return head + body + (_left(differences, left) if left else "")


def _people(differences: Differences) -> Iterator[str]:
    approvals = list(differences.approvals.items())
    for who, subjects in approvals[:_MOST_NAMED]:
        yield f"**Needs the approval of {code(who)}**, for {_some(subjects)}."
    if len(approvals) > _MOST_NAMED:
        yield f"And the approval of {len(approvals) - _MOST_NAMED} more."
    if differences.owners:
        yield f"Owners of what changes: {_some(tuple(differences.owners))}."
    if differences.roots:
        yield f"Roots: {_some(tuple(_root(root) for root in differences.roots))}."


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(code(name) for name in names[:_MOST_NAMED]) + more


def _fold(topic: Topic, number: int) -> tuple[str, str]:
    if topic is Topic.BEYOND:
        return f"\n**{TITLES[topic]}: {number}**\n\n", ""
    return f"\n<details><summary>{TITLES[topic]}: {number}</summary>\n\n", "\n</details>\n"


def _item(change: Change, within: str) -> str:
    where = f" ({code(f'{within}{change.span.path}:{change.span.line}')})" if change.span else ""
    return f"- {change.effect}, {code(change.subject)}: {prose(change.message)}{where}\n"


def _fitting(items: Iterable[str], room: int) -> list[str]:
    fitting = []
    for item in items:
        room -= len(item.encode())
        if room < 0:
            break
        fitting.append(item)
    return fitting


def _left(differences: Differences, number: int) -> str:
    more = _count(number, "more change")
    return f"\nAnd {more}: run `crosskeys diff` against {code(differences.ref)} to see all.\n"


def _root(root: Touched) -> str:
    handed = f", which {visible(root.handed_to)} applies" if root.handed_to else ""
    return f"{visible(root.name)} ({_count(root.files, 'file')}{handed})"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
