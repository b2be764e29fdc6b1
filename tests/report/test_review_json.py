"""The access review as JSON fits its schema, which describes every field and refuses what is none."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from generator.diagnostics import Diagnostic, Note, Severity, Span
from generator.report.compare import compare
from generator.report.review import Review, ReviewRow
from generator.report.reviews import as_json
from tests.report.reviews import ROW, review, row

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas/review.schema.json").read_text("utf-8"))
SPAN = Span("terraform/a.tf", 3, 1, 3, 4)
FINDING = Diagnostic("CK830", Severity.ERROR, SPAN, "wrong", None, (Note(Span("clients/a.yaml"), "here"),))
CHANGES = compare([row(client="gone"), row(token_ttl=1)], [ROW, row(client="new")], since="v1", revision="c" * 40)
WHOLE = review(ROW, row(client="new"), findings=(FINDING,), changes=CHANGES)


def parsed(made: Review) -> Any:
    found = json.loads(as_json.render(made))
    Draft202012Validator(SCHEMA).validate(found)
    return found


@pytest.mark.parametrize("made", [review(), review(ROW), WHOLE], ids=["empty", "plain", "whole"])
def test_it_fits_its_schema(made: Review) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert parsed(made)["version"] == 1


def test_it_says_all_that_the_review_says() -> None:
    found = parsed(WHOLE)
    assert found["rows"][0] == {**{f.name: getattr(ROW, f.name) for f in fields(ReviewRow)}} | {
        "capabilities": ["list", "read"],
        "token_bound_cidrs": ["10.0.0.0/8", "192.0.2.0/24"],
    }
    assert [each["client"] for each in found["changes"]["added"]] == ["new"]
    assert [each["client"] for each in found["changes"]["removed"]] == ["gone"]
    assert [each["fields"] for each in found["changes"]["changed"]] == [["token_ttl"]]
    assert found["findings"][0]["notes"][0]["path"] == "clients/a.yaml"
    assert set(found) == {f.name for f in fields(Review)} | {"version"}


def test_the_schema_describes_each_field_of_a_row_and_no_other() -> None:
    properties = SCHEMA["$defs"]["row"]["properties"]
    assert list(properties) == [field.name for field in fields(ReviewRow)]
    assert all(each["description"] for each in properties.values())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("rows", 0, "sharing"), "mine"),
        (("rows", 0, "line"), 0),
        (("rows", 0, "since"), "v1"),
        (("rows", 0, "surprise"), 1),
        (("verdict",), None),
        (("version",), 2),
        (("unseen",), []),
        (("findings", 0, "rule"), "X1"),
        (("changes", "changed", 0, "fields"), ["line"]),
    ],
)
def test_the_schema_refuses_what_is_no_review(path: tuple[str | int, ...], value: object) -> None:
    found = parsed(WHOLE)
    inner = found
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    assert not Draft202012Validator(SCHEMA).is_valid(found)


def test_it_is_ascii_and_has_a_line_for_each_row() -> None:
    text = as_json.render(review(row(owner="größe\u202e\x7f</script>"), row(client="b")))
    assert text.isascii()
    assert text.isprintable() is False
    assert "\x7f" not in text
    assert sum('"principal_arn"' in line for line in text.splitlines()) == 2
    assert json.loads(text)["rows"][0]["owner"] == "größe\u202e\x7f</script>"
