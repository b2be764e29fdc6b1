"""Findings as text: what they look like, and that nothing in them reaches a terminal as a command."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from generator.diagnostics import Diagnostic, Note, Severity, Span
from generator.manifest.source import Document, parse
from generator.report.counts import summary
from generator.report.findings import Format, render

PATH = "clients/a.yaml"


def error(span: Span, message: str = "wrong", **more: object) -> Diagnostic:
    return Diagnostic("CK900", Severity.ERROR, span, message, **more)  # type: ignore[arg-type]  # passed on as given


def full(text: str | None, *diagnostics: Diagnostic, color: bool = False) -> str:
    return render(diagnostics, Format.FULL, lambda _: text, color=color)


def underlined(rendered: str) -> str:
    """What stands above the first carets, cell by cell."""
    source, marks = re.search(r"^ *\d+ \| ?(.*)\n +\| ( *\^+)$", rendered, re.MULTILINE).groups()  # type: ignore[union-attr]  # None fails the test
    indent = len(marks) - len(marks.lstrip())
    cells = Text(source)
    return cells.divide([_index(source, indent), _index(source, len(marks))])[1].plain


def _index(text: str, cells: int) -> int:
    return next((n for n in range(len(text) + 1) if cell_len(text[:n]) >= cells), len(text))


def test_full_shows_source_notes_help_and_a_summary() -> None:
    text = "name: a\nowner: b\n" + "\n" * 7 + "name: c\n"
    found = parse(text.encode(), PATH)
    assert not isinstance(found, Document)
    warning = Diagnostic("CK901", Severity.WARNING, Span(PATH), "about the file")
    assert full(text, *found, warning) == (
        "warning[CK901]: about the file\n"
        " --> clients/a.yaml\n"
        "\n"
        "error[CK108]: key `name` is given twice\n"
        "  --> clients/a.yaml:10:1\n"
        "   |\n"
        "10 | name: c\n"
        "   | ^^^^\n"
        "   |\n"
        "note: first given here\n"
        "  --> clients/a.yaml:1:1\n"
        "   |\n"
        " 1 | name: a\n"
        "   | ----\n"
        "   |\n"
        "help: delete one of them\n"
        "\n"
        "Found 1 error, 1 warning.\n"
    )


def test_concise_is_one_line_a_finding() -> None:
    found = (error(Span(PATH, 3, 2, 3, 4)), error(Span(PATH), "empty\nfile"))
    assert render(found, Format.CONCISE, lambda _: None, color=False) == (
        "clients/a.yaml: error CK900 empty\\nfile\nclients/a.yaml:3:2: error CK900 wrong\n"
    )


def test_json_holds_everything() -> None:
    note = Note(Span("b.yaml", 1, 1, 1, 2), "here")
    one = error(Span(PATH, 3, 2, 3, 4), help="fix", notes=(note,))
    two = Diagnostic("CK901", Severity.WARNING, Span(PATH), "file")
    whole = {"line": None, "column": None, "end_line": None, "end_column": None}
    place = {"line": 3, "column": 2, "end_line": 3, "end_column": 4}
    there = {"line": 1, "column": 1, "end_line": 1, "end_column": 2}
    assert json.loads(render([one, two], Format.JSON, lambda _: None, color=True)) == [
        {"rule": "CK901", "severity": "warning", "message": "file", "help": None, "path": PATH, "notes": []}
        | whole
        | {"fingerprint": two.fingerprint},
        {"rule": "CK900", "severity": "error", "message": "wrong", "help": "fix", "path": PATH}
        | place
        | {"fingerprint": one.fingerprint, "notes": [{"message": "here", "path": "b.yaml"} | there]},
    ]


def test_without_findings_there_is_nothing_to_say_but_in_whole_documents() -> None:
    said = {fmt: render([], fmt, lambda _: None, color=True) for fmt in Format}
    assert said[Format.FULL] == said[Format.CONCISE] == said[Format.GITHUB] == ""
    assert said[Format.JSON] == "[]\n"
    assert json.loads(said[Format.SARIF])["runs"][0]["results"] == []
    assert said[Format.MARKDOWN] == "### crosskeys: all in order\n"


def test_what_is_right_is_said_unless_an_error_would_drown_it() -> None:
    warning = Diagnostic("CK901", Severity.WARNING, Span(PATH), "file")
    for fmt in (Format.FULL, Format.CONCISE, Format.GITHUB):
        assert render([], fmt, lambda _: None, verdict="fine") == "fine\n"
        assert render([warning], fmt, lambda _: None, verdict="fine").endswith("\nfine\n")
        assert "fine" not in render([error(Span(PATH))], fmt, lambda _: None, verdict="fine")
    for fmt in (Format.JSON, Format.SARIF):
        assert "fine" not in render([], fmt, lambda _: None, verdict="fine")


@pytest.mark.parametrize(
    ("errors", "warnings", "text"),
    [(2, 1, "Found 2 errors, 1 warning."), (1, 0, "Found 1 error."), (0, 2, "Found 2 warnings.")],
)
def test_the_summary_counts_by_severity(errors: int, warnings: int, text: str) -> None:
    one = error(Span(PATH))
    two = Diagnostic("CK901", Severity.WARNING, Span(PATH), "file")
    assert summary([one] * errors + [two] * warnings) == text


@pytest.mark.parametrize("fmt", Format)
def test_findings_are_in_the_order_of_places_whatever_order_they_come_in(fmt: Format) -> None:
    found = [error(Span(PATH, line, 1, line, 2), f"m{line}") for line in (2, 10, 1)]
    forward = render(found, fmt, lambda _: "a\n" * 10, color=False)
    assert forward == render(reversed(found), fmt, lambda _: "a\n" * 10, color=False)
    assert forward.index("m1") < forward.index("m2") < forward.index("m10")


@pytest.mark.parametrize(
    ("line", "meant", "shown"),
    [
        ("name: x", "x", "x"),
        ("日本語: 値 # x", "値", "値"),
        ("cafe\u0301: x", "x", "x"),
        ("😀😀: [a]", "[a]", "[a]"),
        ("\ta:\tx\ty", "x", "x"),
        ("日\tx", "x", "x"),
        ("a\x1b[0mb: x", "x", "x"),
        ("a\u202eb: \x00", "\x00", "\\x00"),
        ("a: b\r", "b", "b"),
        ("x" * 500 + " here " + "y" * 500, "here", "here"),
        ("値" * 500 + " here", "here", "here"),
    ],
)
def test_the_caret_stands_under_what_it_means(line: str, meant: str, shown: str) -> None:
    start = line.rindex(meant) + 1
    assert underlined(full(f"first\n{line}\n", error(Span(PATH, 2, start, 2, start + len(meant))))) == shown


def test_a_tab_reaches_to_the_next_stop() -> None:
    rendered = full("\tab\tc", error(Span(PATH, 1, 5, 1, 6)))
    assert "1 |     ab  c\n  |         ^\n" in rendered


def test_a_span_of_several_lines_is_marked_on_its_first() -> None:
    assert underlined(full("a: [1,  \n 2]\n", error(Span(PATH, 1, 4, 2, 4)))) == "[1,"


def test_an_empty_span_has_one_caret() -> None:
    assert "1 | a:\n  |   ^\n" in full("a:\n", error(Span(PATH, 1, 3, 1, 3)))


def test_a_long_line_is_cut_around_the_mark() -> None:
    line = "a: [" + "x, " * 20_000 + "]"
    rendered = full(line, error(Span(PATH, 1, 30_001, 1, 30_002)))
    assert len(rendered) < 500
    assert rendered.count("…") == 2


@pytest.mark.parametrize("text", [None, "", "one line"])
def test_a_place_whose_source_is_gone_is_still_named(text: str | None) -> None:
    assert full(text, error(Span(PATH, 7, 3, 7, 4))) == (
        "error[CK900]: wrong\n --> clients/a.yaml:7:3\n\nFound 1 error.\n"
    )


def test_each_file_is_asked_for_once() -> None:
    asked: list[str] = []

    def source(path: str) -> str:
        asked.append(path)
        return "a: 1\n"

    found = [error(Span(path, 1, column, 1, column)) for path in ("a", "b") for column in (1, 2)]
    render(found, Format.FULL, source, color=False)
    assert asked == ["a", "b"]


def test_color_changes_nothing_but_color() -> None:
    text = "a: 1\na: 2\n"
    found = parse(text.encode(), PATH)
    assert not isinstance(found, Document)
    for fmt in (Format.FULL, Format.CONCISE):
        colored = render(found, fmt, lambda _: text, color=True)
        assert "\x1b[" in colored
        assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render(found, fmt, lambda _: text, color=False)


hostile = st.text(
    st.sampled_from([*"a \t\r\n\x00\x07\x08\x1b[31m\x7f\x9b\u202e\u200b\u2028\ufeff日😀\u0301", "\udcff"])
)


places = st.builds(Span, hostile, st.integers(0, 4), st.integers(1, 9), st.integers(0, 4), st.integers(0, 9))


@given(places, hostile, hostile)
def test_nothing_that_a_terminal_acts_on_gets_through(span: Span, message: str, text: str) -> None:
    finding = Diagnostic("CK900", Severity.ERROR, span, message, message, (Note(span, message),))
    for fmt in Format:
        rendered = render([finding], fmt, lambda _: text, color=False)
        assert all(piece.isprintable() for piece in rendered.split("\n"))
        assert len(rendered.split("\n")) <= 20 or fmt in {Format.JSON, Format.SARIF}


@given(hostile)
def test_json_is_plain_ascii(message: str) -> None:
    rendered = render([error(Span(PATH), message.replace("\udcff", ""))], Format.JSON, lambda _: None, color=False)
    assert rendered.isascii()
    assert all(piece.isprintable() for piece in rendered.split("\n"))
    assert json.loads(rendered)[0]["message"] == message.replace("\udcff", "")
