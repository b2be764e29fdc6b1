"""Workflow commands: one a finding, and nothing that a manifest says can make or end another."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from generator.diagnostics import Diagnostic, Note, Severity, Span
from generator.report import github

FINDING = Diagnostic("CK900", Severity.ERROR, Span("clients/a.yaml", 3, 2, 3, 5), "wrong", "mend it")
_PROPERTY = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}
_DATA = {"%0D": "\r", "%0A": "\n", "%25": "%"}


def command(finding: Diagnostic, within: str = "") -> tuple[str, dict[str, str], str]:
    """Read one command as the runner does: its word, its properties, its text."""
    (line,) = github.render([finding], within).splitlines()
    found = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line)
    assert found
    pairs = (pair.split("=", 1) for pair in found[2].split(","))
    return found[1], {name: _unescaped(value, _PROPERTY) for name, value in pairs}, _unescaped(found[3], _DATA)


def _unescaped(text: str, table: dict[str, str]) -> str:
    return re.sub("|".join(table), lambda found: table[found[0]], text)


def test_a_finding_is_an_annotation_at_its_line() -> None:
    assert github.render([FINDING], "") == (
        "::error file=clients/a.yaml,line=3,endLine=3,col=2,endColumn=5,title=crosskeys CK900::wrong%0Ahelp: mend it\n"
    )
    assert command(replace(FINDING, severity=Severity.WARNING))[0] == "warning"


def test_columns_are_for_spans_of_one_line_and_lines_for_places_in_a_file() -> None:
    over_lines = replace(FINDING, span=Span("a.yaml", 3, 2, 5, 1))
    assert command(over_lines)[1] == {"file": "a.yaml", "line": "3", "endLine": "5", "title": "crosskeys CK900"}
    assert command(replace(FINDING, span=Span("a.yaml")))[1] == {"file": "a.yaml", "title": "crosskeys CK900"}


def test_notes_say_where_the_other_end_is() -> None:
    noted = replace(FINDING, notes=(Note(Span("clients/b.yaml", 7, 1, 7, 2), "the other one"),))
    assert "note: the other one (infra/clients/b.yaml:7:1)" in command(noted, "infra/")[2].split("\n")


def test_files_are_named_by_their_place_in_the_repository() -> None:
    assert command(FINDING, "infra/fleet/")[1]["file"] == "infra/fleet/clients/a.yaml"


pieces = [*"a:,%=\r\n\x1b\u2028é", "::error::x", "%0A", "##[add-mask]"]
hostile = st.lists(st.sampled_from(pieces), max_size=12).map("".join)


@settings(deadline=None)  # a busy machine
@given(hostile, hostile)
def test_what_a_manifest_says_stays_in_its_place(path: str, text: str) -> None:
    word, properties, data = command(Diagnostic("CK900", Severity.ERROR, Span(f"x{path}", 1, 1, 1, 1), f"x{text}"))
    assert word == "error"
    assert properties.keys() == {"file", "line", "endLine", "col", "endColumn", "title"}
    if text.isprintable():
        assert data == f"x{text}"
    if path.isprintable():
        assert properties["file"] == f"x{path}"
