"""A review as a comment or a page in Markdown, cut to what GitHub takes; what it quotes stands in code spans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.audit.sharing import Sharing
from generator.report.counts import counts
from generator.report.markdown import MAX_BYTES, code, prose
from generator.report.reviews.as_text import changed, size
from generator.report.rows import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.diagnostics import Diagnostic
    from generator.report.review import Review, ReviewRow, RowChanges

_HEAD = (
    "| Client | Owner | Principal | Reaches | How | Whose | Since | Last change |\n|---|---|---|---|---|---|---|---|\n"
)
_MORE = "`crosskeys audit --report csv` has all of them"
# What a reviewer looks at first comes first, since the end may be cut off.
_ORDER = {Sharing.OTHER: 0, Sharing.SHARED: 1}


def render(review: Review) -> str:
    """Return verdict, counts, findings, changes, grants and what was not seen, at most `MAX_BYTES` of UTF-8.

    Findings and changes take a quarter each at most, grants what is left: those beyond a client's own directory first.
    """
    head = f"### crosskeys audit: {review.verdict}\n\n{size(review)}.\n\n"
    head += f"Tree {code(f'sha256:{review.digest}')}, revision {code(review.revision)}.\n"
    tail = "\n**What this does not see**\n\n" + "".join(f"- {prose(sentence)}\n" for sentence in review.unseen)
    quarter = MAX_BYTES // 4
    if review.findings:
        head += f"\n**Findings: {counts(review.findings)}**\n\n"
        head += _cut(map(_finding, review.findings), quarter, len(review.findings))
    if review.changes:
        head += f"\n**Changes: {prose(changed(review.changes))}**\n\n"
        lines = tuple(_changes(review.changes))
        head += _cut(lines, quarter, len(lines))
    head += "\n**Who reaches what**\n\n"
    ordered = sorted(review.rows, key=lambda row: (row.status == ACTIVE, _ORDER.get(Sharing(row.sharing), len(_ORDER))))
    room = MAX_BYTES - len((head + _HEAD + tail).encode())
    return head + _HEAD + _cut(map(_row, ordered), room, len(ordered)) + tail


def _cut(lines: Iterable[str], room: int, total: int) -> str:
    """Return as many of the lines as there is room for, and how many are left out."""
    shown: list[str] = []
    room -= len(_left(total).encode())
    for line in lines:
        room -= len(line.encode())
        if room < 0:
            return "".join(shown) + _left(total - len(shown))
        shown.append(line)
    return "".join(shown)


def _left(number: int) -> str:
    return f"\nAnd {number} more: {_MORE}.\n"


def _finding(finding: Diagnostic) -> str:
    return f"- {finding.severity} {code(finding.rule)}, {code(str(finding.span))}: {prose(finding.message)}\n"


def _changes(changes: RowChanges) -> Iterator[str]:
    for word, rows in (("added", changes.added), ("removed", changes.removed)):
        yield from (f"- {word}: {_grant(row)}\n" for row in rows)
    for row in changes.changed:
        yield f"- changed: {_grant(row.after)}: {', '.join(code(name) for name in row.fields)}\n"


def _grant(row: ReviewRow) -> str:
    return f"{code(row.client)} {', '.join(row.capabilities)} {code(row.path)}"


def _row(row: ReviewRow) -> str:
    how = ", ".join(row.capabilities)
    whose = f"{row.sharing}, of {_cell(row.shared_owner)}" if row.shared_owner else row.sharing
    cells = (
        _cell(row.client) + ("" if row.status == ACTIVE else f" ({row.status})"),
        _cell(row.owner) if row.owner else "",
        _cell(row.principal_arn),
        _cell(row.path),
        how,
        whose,
        row.since_date,
        f"{row.changed_date}, {_cell(row.changed_by)}",
    )
    return f"| {' | '.join(cells)} |\n"


def _cell(text: str) -> str:
    # A table's cell ends at a bar, in a code span too: https://github.github.com/gfm/#tables-extension-
    return code(text).replace("|", "\\|")
