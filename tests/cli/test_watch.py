"""Reports of runs are written whatever becomes of the run, or it is not begun; warnings are not passed over."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import typer
from jsonschema import Draft202012Validator

from generator.cli import watch
from generator.cli.selection import Selection, Side, Target
from generator.errors import CrosskeysError, RefusedError, UsageError
from tests.cli.conftest import CHECKOUT, edit
from tests.report.runs import PLANNED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

SELECTION = Selection(clients=frozenset({"b", "a"}), side=Side.VAULT)


class Result:
    row = PLANNED


def watched(folder: Path, end: BaseException | None = None, name: str = "run.json") -> Any:
    """Run something that is watched and ends in a way; return its report."""

    def run() -> None:
        with watch.watching(folder, [folder / name], "plan", Target.SANDBOX, SELECTION, detail=False) as watching:
            watching.show([Result()])  # type: ignore[list-item]  # all that is asked for is a row
            if end is not None:
                raise end

    if end is None:
        run()
    else:
        with pytest.raises(type(end)):
            run()
    found = json.loads((folder / name).read_text("utf-8"))
    Draft202012Validator(json.loads((CHECKOUT / "schemas/run.schema.json").read_text("utf-8"))).validate(found)
    return found


@pytest.mark.parametrize(
    ("end", "code", "error"),
    [
        (None, 0, None),
        (typer.Exit(4), 4, None),
        (RefusedError("not safe"), 3, "not safe"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ZeroDivisionError(), 2, None),
    ],
    ids=["through", "exit", "refused", "interrupted", "a bug"],
)
def test_a_report_is_written_however_the_run_ends(
    tmp_path: Path, end: BaseException | None, code: int, error: str | None
) -> None:
    found = watched(tmp_path, end)
    assert (found["exit_code"], found["error"]) == (code, error)
    assert [row["root"] for row in found["roots"]] == [PLANNED.root]
    assert found["selection"] == {"clients": ["a", "b"], "side": ["vault"]}


def test_a_report_is_for_its_owner_and_replaces_an_earlier_one_whole(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("x" * 100_000)
    watched(tmp_path)
    assert (tmp_path / "run.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_markdown_is_written_by_its_suffix(tmp_path: Path) -> None:
    with watch.watching(tmp_path, [tmp_path / "run.md"], "plan", Target.SANDBOX, Selection(), detail=False):
        pass
    assert (tmp_path / "run.md").read_text("utf-8").startswith("### crosskeys plan: 0 roots")


@pytest.mark.parametrize("name", ["run.html", "run", "gone/run.json", "folder.json"])
def test_a_report_that_cannot_be_written_stops_the_run_before_it_begins(run: Run, fleet: Path, name: str) -> None:
    (fleet / "folder.json").mkdir()
    done = run("plan", "--report", name)
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert "help: " in done.err
    assert not (fleet / ".crosskeys").exists()


@pytest.mark.parametrize("end", [None, RefusedError("not safe")], ids=["good", "refused"])
def test_a_report_that_cannot_be_written_any_more_fails_a_good_run_and_hides_no_other_failure(
    tmp_path: Path, end: CrosskeysError | None, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()

    def run() -> None:
        with watch.watching(folder, [folder / "run.json"], "apply", Target.SANDBOX, Selection(), detail=False):
            folder.rmdir()
            if end is not None:
                raise end

    with pytest.raises(CrosskeysError) as failed:
        run()
    said = failed.value.message + capsys.readouterr().err
    assert "the run is over, but its report" in said
    assert failed.type is (UsageError if end is None else RefusedError)


def test_a_run_that_findings_stop_is_reported_as_such(run: Run, fleet: Path) -> None:
    edit(fleet / "clients/payments.yaml", "owner:", "owned_by:")
    assert run("plan", "--report", "run.json").code == 1
    found = json.loads((fleet / "run.json").read_text("utf-8"))
    assert (found["exit_code"], found["tree"], found["roots"], found["total"]) == (1, "", [], {})


def test_warnings_are_counted_with_where_to_see_them(run: Run, fleet: Path) -> None:
    assert "crosskeys check" not in run("roots").err
    with (fleet / "clients/ledger.yaml").open("a") as file:
        file.write('retire: {approved_until: "2020-01-31", reason: over}\n')
    assert run("render").code == 0
    assert run("roots").err == "1 warning, which `crosskeys check` shows\n"
    assert "Found 1 warning." in run("check").out


def test_the_schema_of_a_report_is_printed(run: Run) -> None:
    assert run("schema", "run").out == (CHECKOUT / "schemas/run.schema.json").read_text("utf-8")
