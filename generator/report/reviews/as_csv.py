"""A review's rows for spreadsheets: CSV by RFC 4180, in which no cell is taken for a formula."""

from __future__ import annotations

import csv
import io
from dataclasses import fields
from typing import TYPE_CHECKING

from generator.report.review import ReviewRow
from generator.report.text import visible

if TYPE_CHECKING:
    from generator.report.review import Review

COLUMNS = tuple(field.name for field in fields(ReviewRow))

# What spreadsheets begin a formula with, full-width forms too: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - the full-width forms are meant


def render(review: Review) -> str:
    """Return the rows under a head of their field names, lines ended by CR LF.

    A list's items are joined by a space, what a token's limit leaves to Vault is empty. A cell that a spreadsheet
    would take for a formula has an apostrophe before it; what cannot be printed is written as an escape.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(getattr(row, column)) for column in COLUMNS] for row in review.rows)
    return text.getvalue()


def _cell(value: str | int | tuple[str, ...] | None) -> str:
    if value is None or isinstance(value, int):
        return "" if value is None else str(value)
    text = value if isinstance(value, str) else " ".join(value)
    # Some programs drop blanks before they look.
    return visible(f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text)
