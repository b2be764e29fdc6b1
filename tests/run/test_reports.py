"""What real Terraform plans and applies is reported by its schema, grouped, and without a value of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from generator.report import groups, run_markdown, run_report
from generator.run.plan import plan_all
from tests.report.runs import report

if TYPE_CHECKING:
    from tests.run.conftest import Recorder, World

pytestmark = pytest.mark.toolchain

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas/run.schema.json").read_text("utf-8"))
SECRET = "correct-horse-battery-staple"
FIRST = f'resource "terraform_data" "payments" {{ input = "{SECRET}" }}\n'
THEN = """
resource "terraform_data" "payments" {
  triggers_replace = "SECRET"
  input            = "SECRET"
  provisioner "local-exec" { command = "echo payments-app in ACCOUNT is refused >&2; exit 7" }
}
""".replace("SECRET", SECRET)


def test_a_run_of_real_terraform(world: World, recorder: Recorder, tmp_path: Path) -> None:
    names = [f"accounts/{str(number) * 12}/vault" for number in (1, 2, 3)]
    workspaces = [world.root(name, FIRST) for name in names]
    planned = plan_all(workspaces, tmp_path / "plans", 2, recorder)
    (group,) = groups.changes(result.row for result in planned)
    assert (group.action, group.pattern, group.roots) == ("create", "terraform_data.<client>", tuple(names))
    world.apply(planned, workspaces, 2, recorder)

    for name in names:
        world.root(name, THEN.replace("ACCOUNT", name.split("/")[1]))
    planned = plan_all(workspaces, tmp_path / "plans", 2, recorder)
    applied = world.apply(planned, workspaces, 2, recorder)

    made = report(*(each.row for each in planned), *(each.row for each in applied), exit_code=4)
    (complaint,) = groups.complaints(made.rows)
    assert complaint.roots == tuple(names)
    found = json.loads(run_report.render(made))
    Draft202012Validator(SCHEMA).validate(found)
    assert found["destroys"] == [
        {"root": name, "address": "terraform_data.payments", "action": "replace", "imported": False} for name in names
    ]
    assert found["total"]["apply"]["outcomes"] == {"failed": 3}
    for text in (run_report.render(made), run_markdown.render(made)):
        assert SECRET not in text
        assert "local-exec provisioner error" in text
