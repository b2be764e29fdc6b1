"""What an import came to: what was written, what an apply will change of what is there, and what was left alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from generator.report.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

_EACH_NAMED = 4  # objects of which the same changes
_OF_MANY = 2


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something that is there cannot be imported as it is.

    Args:
        id: By which tools know it; stable.
        title: What it is, as a heading.
        help: What to do about it.
    """

    id: str
    title: str
    help: str


@dataclass(frozen=True, slots=True)
class Left:
    """Something that was left alone; no run touches it.

    Args:
        what: The object, such as ``role payments-app``.
        detail: What is there, one phrase.
    """

    reason: Reason
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class Change:
    """What an apply will change of an object that is imported, in place.

    Args:
        what: The object, such as ``role payments-app``.
        field: Terraform's argument.
        now: What is there.
        then: What will be.
        quiet: It changes a text and not what the text means.
        root: The root that declares the object, once that is known.
        address: What Terraform calls it there.
    """

    what: str
    field: str
    now: str
    then: str
    quiet: bool = False
    root: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that could not be read, as ``generator.live.answers.Unknown`` has it."""

    what: str
    why: str
    help: str


@dataclass(frozen=True, slots=True)
class Imported:
    """The outcome of one import.

    Args:
        clients: Names of the clients whose manifests were written.
        adopted: Names of the clients that had a manifest and whose objects are imported now.
        objects: How many objects the import blocks name.
        written: Paths of the files that were written, or would have been.
        settings: What the settings would have to say otherwise, a sentence each.
        dry: Nothing was written.
    """

    clients: tuple[str, ...]
    adopted: tuple[str, ...]
    objects: int
    changes: tuple[Change, ...]
    left: tuple[Left, ...]
    unread: tuple[Unread, ...]
    settings: tuple[str, ...]
    written: tuple[str, ...]
    dry: bool


def as_json(result: Imported) -> str:
    """Return the outcome as one JSON document."""
    document = {
        "clients": result.clients,
        "adopted": result.adopted,
        "objects": result.objects,
        "changes": [
            {
                "root": each.root,
                "address": each.address,
                "object": each.what,
                "field": each.field,
                "now": each.now,
                "then": each.then,
                "text_only": each.quiet,
            }
            for each in result.changes
        ],
        "left": [
            {"reason": each.reason.id, "title": each.reason.title, "object": each.what, "detail": each.detail}
            for each in result.left
        ],
        "unread": [{"object": each.what, "why": each.why, "help": each.help} for each in result.unread],
        "settings": result.settings,
        "written": result.written,
        "dry_run": result.dry,
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def as_text(result: Imported, *, brief: bool) -> str:
    """Return the outcome for a reader.

    Args:
        result: The outcome.
        brief: Without the files, and without headings' advice.
    """
    return "\n".join(_lines(result, brief=brief)) + "\n"


def _lines(result: Imported, *, brief: bool) -> Iterator[str]:
    if not brief:
        yield from (f"+ {path}" for path in result.written)
    yield from _changes(result.changes)
    yield from _left(result.left, brief=brief)
    if result.unread:
        yield f"could not be read, and is not known: {len(result.unread)}"
        for unread in result.unread:
            yield f"  {visible(unread.what)}: {visible(unread.why)}; {visible(unread.help)}"
    if result.settings:
        yield "crosskeys.yaml is left as it is; what is there would have it say:"
        yield from (f"  {visible(line)}" for line in result.settings)
    would = "would be " if result.dry else ""
    yield (
        f"{_count(len(result.clients), 'manifest')} {would}written, {_count(len(result.adopted), 'client')} with a "
        f"manifest already {would}taken up, {_count(result.objects, 'object')} to import, {len(result.left)} left alone"
    )


def _changes(changes: tuple[Change, ...]) -> Iterator[str]:
    loud = [each for each in changes if not each.quiet]
    if loud:
        yield f"an apply will change in place: {len(loud)}"
        yield from _alike(loud)
    if quiet := len(changes) - len(loud):
        yield f"an apply will write in other words, with the same meaning: {_count(quiet, 'text')}"


def _alike(changes: list[Change]) -> Iterator[str]:
    """Yield a line for each change; one line where it is the same of many objects, which JSON names one by one."""
    objects: dict[tuple[str, str], list[str]] = {}
    for each in changes:
        kind, _, name = each.what.rpartition(" ")
        change = f"{each.field} {visible(each.now)} → {visible(each.then)}"
        objects.setdefault((kind, change), []).append(name)
    for (kind, change), names in objects.items():
        if len(names) > _EACH_NAMED:
            some = ", ".join(map(visible, names[:_OF_MANY]))
            yield f"  {kind} {some} and {len(names) - _OF_MANY} more: {change}"
        else:
            yield from (f"  {kind} {visible(name)}: {change}" for name in names)


def _left(left: tuple[Left, ...], *, brief: bool) -> Iterator[str]:
    ordered = sorted(left, key=lambda each: (each.reason.id, each.what))
    for reason, group in groupby(ordered, key=lambda each: each.reason):
        inside = list(group)
        yield f"left alone, {reason.title}: {len(inside)}"
        yield from (f"  {visible(each.what)}: {visible(each.detail)}" for each in inside)
        if not brief:
            yield f"  help: {reason.help}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
