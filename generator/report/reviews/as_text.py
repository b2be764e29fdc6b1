"""A review's result for a terminal: verdict, counts, what changed, and what it did not see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.report.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.report.review import Review, ReviewRow, RowChanges

MOST = 20
"""Changed grants that are listed; reports have all of them."""


def render(review: Review, *, brief: bool) -> str:
    """Return the result in whole lines, the verdict last so that it is what stays on a screen.

    Args:
        review: The review.
        brief: The verdict alone.
    """
    lines = [] if brief else [*_counts(review), *_changes(review.changes), *_unseen(review)]
    return "".join(f"{line}\n" for line in (*lines, review.verdict))


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, which takes an s unless it is one."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def size(review: Review) -> str:
    """Return how much was reviewed, as a phrase."""
    return (
        f"{counted(review.clients, 'client')} in {counted(review.accounts, 'account')} can log in; "
        f"{counted(len(review.rows), 'grant')} in {counted(review.files, 'file')}"
    )


def changed(changes: RowChanges) -> str:
    """Return how much changed since when, as a phrase."""
    numbers = f"{len(changes.added)} added, {len(changes.removed)} removed, {len(changes.changed)} changed"
    return f"grants since {visible(changes.since)} ({visible(changes.revision[:12])}): {numbers}"


def _counts(review: Review) -> Iterator[str]:
    yield size(review)
    yield f"tree sha256:{review.digest}"
    yield f"revision {review.revision}"
    yield ""


def _changes(changes: RowChanges | None) -> Iterator[str]:
    if changes is None:
        return
    yield changed(changes)
    lines = [f"+ {_grant(row)}" for row in changes.added]
    lines += [f"- {_grant(row)}" for row in changes.removed]
    lines += [f"~ {_grant(row.after)}: {', '.join(row.fields)}" for row in changes.changed]
    yield from (f"  {line}" for line in lines[:MOST])
    if len(lines) > MOST:
        yield f"  and {len(lines) - MOST} more: a report has all of them"
    yield ""


def _grant(row: ReviewRow) -> str:
    return visible(f"{row.client}  {', '.join(row.capabilities)}  {row.path}")


def _unseen(review: Review) -> Iterator[str]:
    yield "what this does not see:"
    yield from (f"  - {visible(sentence)}" for sentence in review.unseen)
    yield ""
