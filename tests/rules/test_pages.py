"""The rules' pages: committed as they are made, and safe to show."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.rules.pages import INDEX, file_name, page, pages
from generator.rules.registry import Rule, catalogue

CHECKOUT = Path(__file__).parents[2]
FOLDER = "docs/rules"
TEXTS = pages(catalogue())


def test_committed_pages_are_those_of_the_catalogue() -> None:
    committed = {path.name: path.read_text("utf-8") for path in (CHECKOUT / FOLDER).iterdir()}
    stale = sorted(name for name in committed.keys() | TEXTS.keys() if committed.get(name) != TEXTS.get(name))
    assert not stale, f"stale: run crosskeys rules --write {FOLDER}"


def test_index_leads_to_every_page() -> None:
    for rule in catalogue().values():
        assert f"[{rule.id}]({file_name(rule)}) | {rule.name} |" in TEXTS[INDEX]


@pytest.mark.parametrize("rule", catalogue().values(), ids=lambda rule: rule.name)
def test_page_shows_both_examples_and_nothing_that_cannot_be_seen(rule: Rule) -> None:
    text = page(rule)
    assert rule.title in " ".join(text.split())
    assert text.index("## Why") < text.index("## What to do") < text.index("## A finding") < text.index("## No finding")
    assert text.replace("\n", "").isprintable()
    assert text.count("```") % 2 == 0
    prose = text[: text.index("## A finding")]
    assert prose.count("`") % 2 == 0
    assert max(map(len, text.splitlines())) <= 200
