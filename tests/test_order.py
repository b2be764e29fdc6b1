"""The table of the longest files is true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.order import LONGEST, file_of

if TYPE_CHECKING:
    import pytest


def test_files_that_start_first_are_there(pytestconfig: pytest.Config) -> None:
    for row in LONGEST:
        for file in row:
            assert (pytestconfig.rootpath / file).is_file(), file


def test_every_file_that_uses_the_applied_example_is_in_the_row_that_shares_it(request: pytest.FixtureRequest) -> None:
    # Of the tests that this run has collected; `example` is another thing in other folders.
    users = {
        file_of(item.nodeid)
        for item in request.session.items
        if "example" in getattr(item, "fixturenames", ()) and item.nodeid.startswith("tests/e2e/")
    }
    assert users <= set(LONGEST[0])
