"""How much a file may hold, to the last character, and how much is said of one that is wrong throughout."""

from __future__ import annotations

import pytest

from generator.manifest.client import ClientManifest
from generator.manifest.composer import MAX_ITEMS, MAX_KEY, MAX_VALUE
from generator.manifest.few import MAX_FINDINGS
from generator.manifest.source import Document, parse
from generator.manifest.validate import validate
from tests.hostile.cases import HEAD


def rules(text: str) -> list[str]:
    found = parse(text.encode(), "x.yaml")
    return [] if isinstance(found, Document) else [finding.rule for finding in found]


@pytest.mark.parametrize(
    ("form", "most"),
    [
        ("a: {}", MAX_VALUE),
        ("a: '{}'", MAX_VALUE),
        ("a: |-\n  {}\n", MAX_VALUE),
        ("- {}", MAX_VALUE),
        ("{}: a", MAX_KEY),
        ("? '{}'\n: a", MAX_KEY),
    ],
)
def test_keys_and_values_are_bounded(form: str, most: int) -> None:
    assert rules(form.format("x" * most)) == []
    assert rules(form.format("x" * (most + 1))) == ["CK104"]


@pytest.mark.parametrize(("form", "item"), [("[{}]", "a,"), ("{}", "- a\n"), ("{}", "k{}: a\n"), ("{{{}}}", "k{}: a,")])
def test_lists_and_maps_are_bounded(form: str, item: str) -> None:
    assert rules(form.format("".join(item.format(number) for number in range(MAX_ITEMS)))) == []
    assert rules(form.format("".join(item.format(number) for number in range(MAX_ITEMS + 1)))) == ["CK104"]


@pytest.mark.parametrize("count", [MAX_FINDINGS, MAX_FINDINGS + 1])
@pytest.mark.parametrize("form", ["{}", "grants: [{}]"])
def test_of_very_many_findings_the_first_are_shown_and_the_last_says_that_there_are_more(form: str, count: int) -> None:
    text = HEAD + form.format("1," * count if "grants" in form else "".join(f"k{n}: yes\n" for n in range(count)))
    document = parse(text.encode(), "x.yaml")
    found = validate(document, ClientManifest) if isinstance(document, Document) else document
    assert isinstance(found, tuple)
    assert len(found) == MAX_FINDINGS
    assert list(found) == sorted(found, key=lambda finding: finding.sort_key)
    notes = [note.message for finding in found for note in finding.notes]
    assert len(notes) == (1 if count > MAX_FINDINGS else 0)
    assert all("more findings than are shown" in note for note in notes)
