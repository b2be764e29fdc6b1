"""The access review as CSV: read back as it was written, and nothing in it is taken for a formula."""

from __future__ import annotations

import csv
import io
from dataclasses import fields

import pytest

from generator.report.review import ReviewRow
from generator.report.reviews import as_csv
from tests.report.reviews import ROW, review, row


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_a_row_comes_back_with_every_field() -> None:
    (found,) = read(as_csv.render(review(ROW)))
    assert list(found) == [field.name for field in fields(ReviewRow)]
    assert found["capabilities"] == "list read"
    assert found["token_bound_cidrs"] == "10.0.0.0/8 192.0.2.0/24"
    assert (found["token_ttl"], found["token_max_ttl"], found["line"]) == ("3600", "", "12")
    assert found["path"] == ROW.path


def test_lines_end_as_the_standard_says_and_there_is_a_head_without_rows() -> None:
    text = as_csv.render(review())
    assert text == ",".join(as_csv.COLUMNS) + "\r\n"


@pytest.mark.parametrize("owner", ['a "quoted", name', "komma, semi;colon", "größe; Ж; 証明書", "'apostrophe"])
def test_text_comes_back_as_it_was(owner: str) -> None:
    (found,) = read(as_csv.render(review(row(owner=owner))))
    assert found["owner"] == owner


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "  @", "＝", "＋", "－", "＠"])  # noqa: RUF001 - as spreadsheets take them
def test_no_cell_begins_like_a_formula(start: str) -> None:
    text = f"{start}HYPERLINK(1)"
    hostile = row(owner=text, client=text, capabilities=(text,), changed_by=text, change_ref=text)
    (found,) = read(as_csv.render(review(hostile)))
    for name in ("owner", "client", "capabilities", "changed_by", "change_ref"):
        assert found[name].startswith("'"), name


def test_what_cannot_be_printed_is_written_as_an_escape() -> None:
    text = as_csv.render(review(row(owner="a\x1b[2J\u202eb\x00\nc")))
    assert "a\\x1b[2J\\u202eb\\x00\\nc" in text
    assert len(read(text)) == 1
