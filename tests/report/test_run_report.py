"""The report of a run: JSON that fits its schema, Markdown that is text alone, and no secret in either."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from markdown_it import MarkdownIt

from generator.diagnostics import Severity
from generator.report import run_markdown, run_report
from generator.report.markdown import MAX_BYTES
from generator.report.run_report import rows_as_json
from generator.report.runs import ResourceChange, Row, TerraformDiagnostic
from tests.report.runs import CLEAN, FAILED, PLANNED, SKIPPED, many, report

if TYPE_CHECKING:
    from generator.report.run_report import RunReport

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas/run.schema.json").read_text("utf-8"))
DESTROYING = replace(
    PLANNED,
    root="accounts/444444444444/vault",
    changes=(
        ResourceChange("vault_policy.ledger", "delete"),
        ResourceChange("vault_policy.crm", "update", imported=True),
        ResourceChange("vault_policy.erp", "import", imported=True),
    ),
    imported=2,
)
TOKEN = "hvs." + "A" * 24


def parsed(made: RunReport) -> Any:
    found = json.loads(run_report.render(made))
    Draft202012Validator(SCHEMA).validate(found)
    return found


@pytest.mark.parametrize(
    "made",
    [
        report(),
        report(PLANNED, CLEAN, run="2026-01-02-a", selection={"client": ("payments",)}),
        report(DESTROYING, FAILED, replace(PLANNED, step="apply", outcome="applied", changes=()), SKIPPED),
        report(tree="", exit_code=130, error="interrupted"),
    ],
    ids=["empty", "plan", "apply", "cut short"],
)
def test_it_fits_its_schema(made: RunReport) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert parsed(made)["version"] == 1


def test_it_says_what_became_of_each_root_and_what_goes_away() -> None:
    found = parsed(report(DESTROYING, CLEAN, SKIPPED, exit_code=4))
    assert found["total"] == {
        "plan": {
            "roots": 2,
            "add": 2,
            "change": 0,
            "destroy": 1,
            "imported": 2,
            "outcomes": {"changes": 1, "clean": 1},
        },
        "apply": {"roots": 1, "add": 0, "change": 0, "destroy": 0, "imported": 0, "outcomes": {"skipped": 1}},
    }
    gone = {"address": "vault_policy.ledger", "action": "delete", "imported": False}
    assert found["destroys"] == [{"root": DESTROYING.root, **gone}]
    assert found["roots"][0]["changes"][1] == {"address": "vault_policy.crm", "action": "update", "imported": True}
    assert found["roots"][2]["reason"] == "accounts/222222222222/aws failed"
    assert found["exit_code"] == 4
    assert found["seconds"] == 61.0


def test_the_schema_describes_each_field_of_a_row_and_no_other() -> None:
    assert list(SCHEMA["$defs"]["row"]["properties"]) == [field.name for field in fields(Row)]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("roots", 0, "outcome"), "fine"),
        (("exit_code",), 7),
        (("destroys", 0, "action"), "create"),
        (("started",), "yesterday"),
        (("roots", 0, "values"), {}),
    ],
)
def test_the_schema_refuses_what_is_no_run(path: tuple[str | int, ...], value: object) -> None:
    found = parsed(report(DESTROYING))
    *above, last = path
    inner = found
    for key in above:
        inner = inner[key]
    inner[last] = value
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMA).validate(found)


def test_json_of_one_step_has_its_rows_and_totals() -> None:
    document = json.loads(rows_as_json([PLANNED, FAILED]))
    assert document["total"] == {"add": 2, "change": 0, "destroy": 1, "imported": 0}
    created = {"address": "vault_policy.payments", "action": "create", "imported": False}
    assert document["roots"][0]["changes"] == [created]
    assert document["roots"][0]["outcome"] == "changes"
    assert document["roots"][1]["diagnostics"][0]["line"] == 8
    assert document["roots"][1]["diagnostics"][0]["severity"] == "error"


def test_a_token_that_a_server_quotes_is_in_no_form_of_the_report() -> None:
    quoting = TerraformDiagnostic(Severity.ERROR, f"bad token {TOKEN}", f"X-Vault-Token: {TOKEN}")
    made = report(replace(FAILED, diagnostics=(quoting,), reason=f"it said {TOKEN}"), error=f"{TOKEN}")
    for text in (run_report.render(made), run_markdown.render(made), rows_as_json(made.rows)):
        assert TOKEN not in text
        assert "[redacted]" in text


def test_markdown_leads_with_counts_and_what_goes_away() -> None:
    text = run_markdown.render(report(*many(212), DESTROYING, FAILED, CLEAN, selection={"client": ("payments",)}))
    lines = text.splitlines()
    assert lines[0] == "### crosskeys plan: 215 roots, +214 ~0 -1, 2 imported, 1 failed"
    assert lines[2].startswith("Target `sandbox`, client `payments`, tree `sha256:aaa")
    assert lines[4] == "**Destroys if applied: 1 object**"
    assert lines[6] == "- **`delete`** `vault_policy.ledger` in `accounts/444444444444/vault`"
    assert (
        "| `create` | `vault_policy.<client>` | 212 | `accounts/000000000000/vault`, `accounts/000000000001/vault`, "
        "`accounts/000000000002/vault` and 209 more |\n"
    ) in text
    assert "| `update, import` | `vault_policy.crm` | 1 |" in text
    assert "| `import` | `vault_policy.erp` | 1 |" in text
    assert "| `accounts/222222222222/vault` |" not in text, "a clean root has nothing to tell"
    assert text.count("<details>") == text.count("</details>") == 1


def test_markdown_of_an_apply_is_about_what_was_applied() -> None:
    applied = replace(PLANNED, step="apply", outcome="applied", changes=(), add=1, destroy=0)
    text = run_markdown.render(report(PLANNED, applied, SKIPPED, exit_code=4))
    assert text.startswith("### crosskeys apply: 2 roots, +1 ~0 -0, 1 skipped\n")
    assert "| `accounts/111111111111/vault` | applied | 1 | 0 | 0 | 0.4 |" in text
    assert "- skipped: `accounts/222222222222/aws failed` in `accounts/222222222222/vault`" in text


HOSTILE = "`</details>|<img src=x onerror=y>\n## @everyone [a](http://x) \x1b[2J\u202e"


def test_what_terraform_quotes_is_text_alone() -> None:
    row = replace(
        FAILED,
        root="accounts/555555555555/vault",
        reason=HOSTILE,
        diagnostics=(TerraformDiagnostic(Severity.ERROR, HOSTILE, HOSTILE),),
        changes=(ResourceChange(f"vault_policy.{HOSTILE}", "delete"), ResourceChange(HOSTILE, HOSTILE)),
    )
    text = run_markdown.render(report(row, error=HOSTILE))
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    inner = [child for token in tokens for child in token.children or ()]
    said = [*tokens, *inner]
    html = [token.content.strip() for token in said if token.type.startswith("html")]
    assert all(each == "</details>" or each.startswith("<details><summary>1 root") for each in html), html
    assert not [token for token in said if token.type in {"link_open", "image"}]
    assert next(token.content for token in tokens if token.type == "inline").startswith("crosskeys plan")
    assert sum(token.type == "heading_open" for token in tokens) == 1
    assert not {"\x1b", "\u202e"} & set(text)
    rows = [token for token in tokens if token.type == "tr_open"]
    cells = [token for token in tokens if token.type in {"td_open", "th_open"}]
    assert len(rows) == 5
    assert len(cells) == 3 * 4 + 2 * 6, "a bar in a text ends no cell"


@pytest.mark.parametrize(
    "rows",
    [
        many(5000, outcome="failed", diagnostics=(TerraformDiagnostic(Severity.ERROR, "x" * 400, "y" * 400),)),
        many(5000, changes=(ResourceChange("vault_policy.old", "delete"),)),
        [
            replace(row, diagnostics=(TerraformDiagnostic(Severity.ERROR, f"{index}ü" * 99),), changes=(change,))
            for index, row in enumerate(many(5000))
            for change in [ResourceChange(f"vault_policy.x{index}", "replace")]
        ],
    ],
    ids=["failures", "destroys", "all of them differ"],
)
def test_however_much_there_is_markdown_fits_into_a_comment_and_says_what_is_left_out(rows: list[Row]) -> None:
    text = run_markdown.render(report(*rows))
    assert len(text.encode()) <= MAX_BYTES
    assert len(text) < 65_536
    assert " more: the JSON report has all of them." in text
    assert text.count("<details>") == text.count("</details>")
