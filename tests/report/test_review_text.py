"""The access review for a terminal and in Markdown: cut where it must be, and nothing in it acts on its reader."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt

from generator.diagnostics import Diagnostic, Severity, Span
from generator.report.compare import compare
from generator.report.markdown import MAX_BYTES
from generator.report.reviews import as_markdown, as_text
from tests.report.reviews import ROW, review, row

HOSTILE = "</td><img src=x onerror=1> @everyone | `x` [a](https://e.example) \x1b[2J\u202e"
FINDING = Diagnostic("CK830", Severity.ERROR, Span("terraform/a.tf", 3, 1, 3, 4), f"`{HOSTILE}` is wrong", None)


def html(text: str) -> str:
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))


def test_the_verdict_is_the_last_line_and_the_only_one_when_brief() -> None:
    made = review(ROW)
    assert as_text.render(made, brief=True) == f"{made.verdict}\n"
    lines = as_text.render(made, brief=False).splitlines()
    assert lines[0] == "1 client in 1 account can log in; 1 grant in 3 files"
    assert "  - the live `default` policy" in lines
    assert lines[-1] == made.verdict


def test_changes_are_listed_with_what_differs_up_to_a_number() -> None:
    many = [row(client=f"new-{number}") for number in range(40)]
    changes = compare([row(token_ttl=1)], [ROW, *many], since="2026-01-31", revision="c" * 40)
    text = as_text.render(review(ROW, *many, changes=changes), brief=False)
    assert "grants since 2026-01-31 (cccccccccccc): 40 added, 0 removed, 1 changed\n" in text
    assert text.count("  + new-") == as_text.MOST
    assert "  and 21 more: a report has all of them\n" in text


def test_a_terminal_is_sent_nothing_that_it_would_act_on() -> None:
    changes = compare([], [row(client=HOSTILE, path=HOSTILE)], since="HEAD", revision="c" * 40)
    text = as_text.render(review(changes=changes), brief=False)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_markdown_has_no_markup_but_its_own() -> None:
    hostile = row(
        client=HOSTILE, owner=HOSTILE, path=HOSTILE, changed_by=HOSTILE, shared_owner=HOSTILE, status="suspended"
    )
    changes = compare([row(client="gone", path=HOSTILE)], [hostile], since="HEAD", revision="c" * 40)
    shown = html(as_markdown.render(review(hostile, findings=(FINDING,), changes=changes)))
    assert "<img" not in shown
    assert "<a " not in shown
    assert "@everyone" in re.sub(r"<[^>]+>", "", shown)
    assert "@everyone" not in re.sub(r"<code>.*?</code>", "", shown)
    assert shown.count("<td>") == shown.count("<th>") == 8
    assert "\x1b" not in shown


def test_markdown_shows_first_what_is_not_a_clients_own_and_says_how_many_rows_it_leaves_out() -> None:
    own = [row(client=f"own-{number}") for number in range(3000)]
    text = as_markdown.render(
        review(*own, row(client="odd", sharing="other"), row(client="cut-off", status="suspended"))
    )
    assert len(text.encode()) <= MAX_BYTES
    shown = re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)
    assert shown[:3] == ["cut-off", "odd", "own-0"]
    left = re.search(r"And (\d+) more: `crosskeys audit --report csv` has all of them", text)
    assert left
    assert int(left[1]) + len(shown) == 3002
    assert len(text.encode()) > MAX_BYTES - 1000
    assert "What this does not see" in text


def test_markdown_leaves_room_for_rows_beside_very_many_findings_and_changes() -> None:
    rows = [row(client=f"c{number}") for number in range(2000)]
    findings = tuple(
        Diagnostic("CK830", Severity.ERROR, Span("terraform/a.tf", line, 1, line, 2), "wrong")
        for line in range(1, 2000)
    )
    changes = compare([], rows, since="HEAD", revision="c" * 40)
    text = as_markdown.render(review(*rows, findings=findings, changes=changes))
    assert len(text.encode()) <= MAX_BYTES
    assert text.count(" more: `crosskeys audit") == 3
    assert len(re.findall(r"^\| `c\d", text, re.MULTILINE)) > 50
