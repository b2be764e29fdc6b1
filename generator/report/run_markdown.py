"""The report of a run as a comment on a pull request: destroys first, then failures, changes, and each root.

What Terraform says quotes manifests and servers, so it stands in code spans, where Markdown means nothing.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from generator.log import redacted
from generator.report import groups
from generator.report.markdown import MAX_BYTES, code
from generator.report.runs import counts
from generator.report.summary import number_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from generator.report.run_report import RunReport
    from generator.report.runs import Row

_NAMED = 3
_FAILED = ("failed", "skipped", "interrupted")
_MORE = "the JSON report has all of them"


def render(report: RunReport) -> str:
    """Return the report, at most `markdown.MAX_BYTES` of UTF-8; destroys and failures take a third each at most."""
    rows = report.last
    text = f"### crosskeys {report.verb}: {_headline(rows)}\n\n{_about(report)}\n"
    if report.error:
        text += f"\n**Not finished:** {code(redacted(report.error))}\n"
    third = MAX_BYTES // 3
    destroys = [(row.root, change) for row in report.of("plan") for change in row.changes if change.destroys]
    if destroys:
        lines = [f"- **{code(change.what)}** {code(change.address)} in {code(root)}\n" for root, change in destroys]
        text += f"\n**{_titled(report, 'Destroys')}: {number_of(len(destroys), 'object')}**\n\n{_cut(lines, third)}"
    if failures := list(_failures(report)):
        text += f"\n**Failures and warnings**\n\n{_cut(failures, third)}"
    if changes := [_change(group) for group in groups.changes(report.of("plan"))]:
        head = "\n| Change | What | Times | Roots |\n|---|---|---|---|\n"
        text += head + _cut(changes, MAX_BYTES - len((text + head).encode()) - 500)
    return text + _each(rows, MAX_BYTES - len(text.encode()))


def _headline(rows: Sequence[Row]) -> str:
    done = (sum(getattr(row, key) for row in rows) for key in ("add", "change", "destroy", "imported"))
    failed = [(sum(row.outcome == outcome for row in rows), outcome) for outcome in _FAILED]
    parts = [number_of(len(rows), "root"), counts(*done)]
    return ", ".join((*parts, *(f"{number:,} {outcome}" for number, outcome in failed if number)))


def _about(report: RunReport) -> str:
    parts = [f"Target {code(report.target)}"]
    parts += [f"{name} {', '.join(code(value) for value in values)}" for name, values in report.selection.items()]
    parts += [f"tree {code('sha256:' + report.tree)}"] if report.tree else []
    parts += [f"run {code(report.run)}"] if report.run else []
    return f"{', '.join(parts)}; exit code {report.exit_code} after {report.seconds:.0f} s."


def _titled(report: RunReport, what: str) -> str:
    return what if report.of("apply") else f"{what} if applied"


def _failures(report: RunReport) -> Iterator[str]:
    for complaint in groups.complaints(report.rows):
        example = complaint.example
        texts = [" ".join(text.split()) for text in (example.summary, example.detail)]
        said = [code(redacted(text)) for text in texts if text]
        yield f"- {example.severity.value}: {': '.join(said)} in {_in(complaint.roots)}\n"
    for reason in groups.reasons(report.rows):
        yield f"- {reason.outcome}: {code(redacted(reason.reason))} in {_in(reason.roots)}\n"


def _change(group: groups.ChangeGroup) -> str:
    what = group.pattern if len(group.members) > 1 else group.members[0][1].address
    cells = (_cell(group.action), _cell(what), f"{len(group.members):,}", _in(group.roots).replace("|", "\\|"))
    return f"| {' | '.join(cells)} |\n"


def _each(rows: Sequence[Row], room: int) -> str:
    """Return the roots, folded away; nothing when not even a few have room."""
    touched = [row for row in rows if row.outcome not in {"clean", "unchanged"}]
    head = f"\n<details><summary>{number_of(len(touched), 'root')} with something to tell</summary>\n\n"
    head += "| Root | Outcome | + | ~ | - | Seconds |\n|---|---|---|---|---|---|\n"
    tail = "\n</details>\n"
    room -= len((head + tail).encode())
    if not touched or room < MAX_BYTES // 100:
        return ""
    lines = [
        f"| {_cell(row.root)} | {row.outcome} | {row.add} | {row.change} | {row.destroy} | {row.seconds:.1f} |\n"
        for row in touched
    ]
    return head + _cut(lines, room) + tail


def _in(roots: Sequence[str]) -> str:
    shown = ", ".join(code(root) for root in roots[:_NAMED])
    return shown if len(roots) <= _NAMED else f"{shown} and {len(roots) - _NAMED:,} more"


def _cell(text: str) -> str:
    # A table's cell ends at a bar, in a code span too: https://github.github.com/gfm/#tables-extension-
    return code(text).replace("|", "\\|")


def _cut(lines: Iterable[str], room: int) -> str:
    """Return as many of the lines as there is room for, and how many are left out."""
    lines = list(lines)
    sizes = [len(line.encode()) for line in lines]
    if sum(sizes) <= room:
        return "".join(lines)
    room -= len(_left(len(lines)).encode())
    fitting = sum(size <= room for size in accumulate(sizes))
    return "".join(lines[:fitting]) + _left(len(lines) - fitting)


def _left(number: int) -> str:
    return f"\nAnd {number:,} more: {_MORE}.\n"
