"""The page of the worst inputs is what the tool prints today."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hostile.promise import broken
from tests.hostile.worst import COMMAND, INPUTS, PAGE, Input, page

if TYPE_CHECKING:
    from pathlib import Path


def test_the_page_is_what_is_printed() -> None:
    assert PAGE.read_text("utf-8") == page(), f"stale: run {COMMAND}"


def test_there_are_forty() -> None:
    assert len({each.title for each in INPUTS}) == 40


@pytest.mark.parametrize("each", INPUTS, ids=lambda each: each.title)
def test_each_is_refused_with_what_to_do_instead(each: Input, tmp_path: Path) -> None:
    outcome = each.outcome(tmp_path)
    assert not list(broken(outcome)), outcome
    assert outcome.code == (2 if list(each.files) == ["crosskeys.yaml"] else 1)
    assert outcome.out.count("\nhelp: ") >= outcome.out.count("error[CK")
    assert not (tmp_path / "terraform").exists()
