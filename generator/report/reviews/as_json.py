"""A review for programs; ``schemas/review.schema.json`` says what is in it."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from generator.report import machine
from generator.report.review import Review, ReviewRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.report.review import RowChanges

VERSION = 1
"""Of the form; a field more does not raise it, one that goes or means something else does."""

_FIELDS = tuple(field.name for field in fields(ReviewRow))
_PLAIN = ("isolated", "verdict", "revision", "digest", "clients", "accounts", "files")


def render(review: Review) -> str:
    """Return the review as a JSON object in plain ASCII, with a line for each finding and row."""
    entries = [("version", _text(VERSION))]
    entries += [(name, _text(getattr(review, name))) for name in _PLAIN]
    entries += [
        ("unseen", _lines(review.unseen)),
        ("findings", _lines(machine.objects(review.findings))),
        ("rows", _lines(map(_row, review.rows))),
        ("changes", _changes(review.changes) if review.changes else "null"),
    ]
    return "{\n" + ",\n".join(f'  "{name}": {value}' for name, value in entries) + "\n}\n"


def _changes(changes: RowChanges) -> str:
    entries = (
        ("since", _text(changes.since)),
        ("revision", _text(changes.revision)),
        ("added", _lines(map(_row, changes.added))),
        ("removed", _lines(map(_row, changes.removed))),
        (
            "changed",
            _lines(
                {"before": _row(changed.before), "after": _row(changed.after), "fields": changed.fields}
                for changed in changes.changed
            ),
        ),
    )
    return "{" + ", ".join(f'"{name}": {value}' for name, value in entries) + "}"


def _row(row: ReviewRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _FIELDS}


def _lines(values: Iterable[Any]) -> str:
    texts = [f"    {_text(value)}" for value in values]
    return "[\n" + ",\n".join(texts) + "\n  ]" if texts else "[]"


def _text(value: Any) -> str:
    # JSON lets DEL through, which a terminal acts on.
    return json.dumps(value).replace("\x7f", "\\u007f")
