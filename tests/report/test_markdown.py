"""A comment on a pull request: readable, bounded, and no tool in the hands of whoever wrote the manifest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from generator.diagnostics import Diagnostic, Note, Severity, Span
from generator.report.markdown import MAX_BYTES, code, render

if TYPE_CHECKING:
    from markdown_it.token import Token

PATH = "clients/a.yaml"
FINDING = Diagnostic("CK900", Severity.ERROR, Span(PATH, 2, 7, 2, 8), "`owner` is wrong", "write `b` instead")
SOURCE = ["name: a", "owner: c"]


def comment(*findings: Diagnostic, source: list[str] = SOURCE, within: str = "", verdict: str = "") -> str:
    return render(findings, lambda _: source, within, verdict)


def tokens(text: str) -> list[Token]:
    parsed = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    return [inner for token in parsed for inner in (token, *(token.children or ()))]


def prose(text: str) -> str:
    """What stands outside of code spans, where GitHub looks for mentions and links."""
    return " ".join(token.content for token in tokens(text) if token.type == "text")


def test_a_finding_is_shown_with_its_line_and_what_to_write_instead() -> None:
    noted = replace(FINDING, notes=(Note(Span("clients/b.yaml", 1, 1, 1, 2), "the other one is here"),))
    warning = Diagnostic("CK901", Severity.WARNING, Span("terraform/x.tf"), "the file is out of date")
    assert comment(noted, warning, verdict="2 clients in 1 account: in order") == (
        "### crosskeys: 1 error, 1 warning\n"
        "\n"
        "2 clients in 1 account: in order.\n"
        "\n"
        "**`clients/a.yaml`**\n"
        "\n"
        "- error `CK900`, line 2: `owner` is wrong\\\n"
        "  `owner: c`\\\n"
        "  note: the other one is here: `clients/b.yaml:1:1`\\\n"
        "  → write `b` instead\n"
        "\n"
        "**`terraform/x.tf`**\n"
        "\n"
        "- warning `CK901`: the file is out of date\n"
    )


def test_what_is_right_is_shown_at_a_glance() -> None:
    assert comment(verdict="9 clients in 4 accounts: in order, and terraform/ is up to date") == (
        "### crosskeys: all in order\n\n9 clients in 4 accounts: in order, and terraform/ is up to date.\n"
    )


def test_files_are_named_by_their_place_in_the_repository() -> None:
    assert "**`infra/clients/a.yaml`**" in comment(FINDING, within="infra/")


def test_a_comment_is_bounded_and_says_how_much_is_left_out() -> None:
    findings = [replace(FINDING, message=f"`{number}` is wrong" + "é" * 300) for number in range(500)]
    text = comment(*findings)
    assert MAX_BYTES - 2_000 < len(text.encode()) <= MAX_BYTES
    shown = text.count("- error")
    assert text.endswith(f"\nAnd {500 - shown} more: run `crosskeys check` to see them all.\n")


def test_a_single_finding_cannot_fill_a_comment() -> None:
    huge = "x" * 100_000
    text = comment(replace(FINDING, message=huge, help=huge, span=Span(huge, 2, 1, 2, 2)), source=[huge, huge])
    assert len(text) < 3_000
    assert text.count("- error") == 1


@pytest.mark.parametrize("text", ["a", "`", "``", "a``b`", " a ", "`` ` ", "a\nb", "<b>", "*a*", "\\", "&amp;"])
def test_a_code_span_holds_exactly_its_text(text: str) -> None:
    (span,) = [token for token in tokens(f"before {code(text)} after") if token.type == "code_inline"]
    assert span.content == text.replace("\n", "\\n")
    assert prose(f"before {code(text)} after") == "before   after"


PIECES = [
    *"a `~*_[]()<>!|#\\\r\n\t\u202e\x1b&",
    *("```", "@org/team", "<script>alert(1)</script>", "![x](https://evil.example/)", "https://evil.example"),
    *("www.evil.example", "<!--", "-->", "</details>", "#12", "$x$", "- a", "\n# b", "&lt;"),
]
hostile = st.lists(st.sampled_from(PIECES), max_size=10).map("".join)
STRUCTURE = {
    *("inline", "text", "code_inline", "hardbreak"),
    *(
        f"{kind}_{end}"
        for kind in ("heading", "paragraph", "strong", "bullet_list", "list_item")
        for end in ("open", "close")
    ),
}


@settings(deadline=None)  # a busy machine
@given(st.lists(st.tuples(hostile, hostile, hostile), min_size=1, max_size=3))
def test_hostile_text_is_neither_markup_nor_mention_nor_link(said: list[tuple[str, str, str]]) -> None:
    findings = [
        Diagnostic("CK900", Severity.ERROR, Span(f"clients/{path}", 1, 1, 1, 2), f"`{text}` {text}", text, notes)
        for path, text, line in said
        for notes in ((), (Note(Span(path, 1, 1, 1, 2), line),))
    ]
    text = comment(*findings, source=[line for _, _, line in said])
    parsed = tokens(text)
    assert {token.type for token in parsed} <= STRUCTURE
    assert sum(token.type == "list_item_open" for token in parsed) == len(findings)
    outside = prose(text)
    assert not any(mark in outside for mark in ("@", "://", "www.", "<", "`", "#1", "$"))
