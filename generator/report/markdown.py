"""Findings as a comment on a pull request.

What manifests say comes from people who are not trusted yet, and a comment is shown under the name of whoever posts it.
So whatever is not plainly prose stands in code spans, where Markdown, HTML, mentions and links mean nothing.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from generator.report.counts import counts
from generator.report.text import excerpt, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from generator.diagnostics import Diagnostic

MAX_BYTES = 60_000
"""GitHub takes 65,536 characters; what is left is for whatever a workflow writes around the report."""

_LONGEST = 500  # characters of one text
_PROSE = re.compile(r"[A-Za-z0-9 ,.;:'\"()/=+?!%…-]*")
_LINK = re.compile(r"://|www\.", re.IGNORECASE)


def render(ordered: Sequence[Diagnostic], lines: Callable[[str], list[str]], within: str, verdict: str) -> str:
    """Return the findings by file, the most that fit into a comment, under a heading that counts them all.

    Args:
        ordered: The findings, those of one file together.
        lines: Gives the lines of a file by the path of a span; none where there are none to show.
        within: The fleet's folder within its repository, empty or ending in a slash.
        verdict: What is right, in a sentence without a full stop, of this project's own words; may be empty.
    """
    head = f"### crosskeys: {counts(ordered) or 'all in order'}\n"
    if verdict:
        head += f"\n{verdict}.\n"
    room = MAX_BYTES - len(head.encode())
    body = ""
    shown = 0
    for path, findings in groupby(ordered, key=lambda finding: finding.span.path):
        piece = f"\n**{code(within + path)}**\n\n"
        for finding in findings:
            piece += "".join(_item(finding, lines, within))
            if len((body + piece + _more(len(ordered))).encode()) > room:
                return head + body + _more(len(ordered) - shown)
            body += piece
            piece = ""
            shown += 1
    return head + body


def code(text: str) -> str:
    """Return the text as a code span, which nothing in the text can end."""
    shown = visible(text)
    if len(shown) > _LONGEST:
        shown = shown[: _LONGEST - 1] + "…"
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    if not shown.strip():
        return "(blank)"
    # A space at both ends is not shown, and keeps a backtick there from joining the fence.
    space = " " if {shown[0], shown[-1]} & {"`", " "} else ""
    return f"{fence}{space}{shown}{space}{fence}"


def _item(finding: Diagnostic, lines: Callable[[str], list[str]], within: str) -> Iterator[str]:
    span = finding.span
    where = f", line {span.line}" if span.line else ""
    text = [f"{finding.severity} {code(finding.rule)}{where}: {prose(finding.message)}"]
    source = lines(span.path)
    if 1 <= span.line <= len(source) and source[span.line - 1].strip():
        text.append(code(excerpt(source[span.line - 1], span)[0].strip()))
    text += [f"note: {prose(note.message)}: {code(within + str(note.span))}" for note in finding.notes]
    if finding.help:
        text.append(f"→ {prose(finding.help)}")
    # A backslash before a line's end breaks the line wherever Markdown is read.
    yield f"- {(chr(92) + chr(10) + '  ').join(text)}\n"


def prose(text: str) -> str:
    """Return the text with what it quotes in code spans; as a single one if the rest is not plainly prose."""
    pieces = visible(text).split("`")
    said, quoted = pieces[::2], pieces[1::2]
    plain = len(said) > len(quoted) and all(_PROSE.fullmatch(piece) and not _LINK.search(piece) for piece in said)
    if not plain or len(text) > _LONGEST or not all(piece.strip() for piece in quoted):
        return code(text)
    return "".join(code(piece) if index % 2 else piece for index, piece in enumerate(pieces))


def _more(number: int) -> str:
    return f"\nAnd {number} more: run `crosskeys check` to see them all.\n"
