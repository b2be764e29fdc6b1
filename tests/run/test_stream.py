from __future__ import annotations

import json

import pytest

from generator.diagnostics import Severity
from generator.report.runs import ResourceChange, TerraformDiagnostic
from generator.run.stream import Transcript


def message(kind: str, text: str = "", **fields: object) -> str:
    return json.dumps({"@message": text, "type": kind, **fields})


def planned(address: str, action: str, kind: str = "planned_change") -> str:
    return message(kind, change={"action": action, "resource": {"addr": address}})


def read(*lines: str) -> Transcript:
    transcript = Transcript("platform")
    for line in lines:
        transcript.read(line)
    return transcript


def test_drift_reads_and_no_ops_are_no_changes() -> None:
    transcript = read(
        planned("a.a", "update", kind="resource_drift"),
        planned("data.a.a", "read"),
        planned("a.b", "noop"),
        planned("a.c", "remove"),
    )
    assert transcript.changes == (ResourceChange("a.c", "remove"),)
    assert not transcript.planned


def test_an_import_is_counted_apart_beside_what_changes_of_it() -> None:
    def importing(address: str, action: str) -> str:
        change = {"action": action, "resource": {"addr": address}, "importing": {"id": "x"}}
        return message("planned_change", change=change)

    transcript = read(
        importing("a.a", "import"), importing("a.b", "update"), importing("a.c", "replace"), planned("a.d", "update")
    )
    assert transcript.changes == (
        ResourceChange("a.a", "import", imported=True),
        ResourceChange("a.b", "update", imported=True),
        ResourceChange("a.c", "replace", imported=True),
        ResourceChange("a.d", "update"),
    )
    assert [change.destroys for change in transcript.changes] == [False, False, True, False]
    assert transcript.planned == {"import": 3, "change": 2, "add": 1, "destroy": 1}


def test_what_is_replaced_is_known_by_the_id_that_the_state_has() -> None:
    def refreshed(address: str, id_: str) -> str:
        return message("refresh_start", hook={"resource": {"addr": address}, "id_key": "id", "id_value": id_})

    transcript = read(
        *(refreshed(f"a.{name}", f"old-{name}") for name in "ab"), planned("a.a", "replace"), planned("a.b", "update")
    )
    assert [(change.address, change.was) for change in transcript.changes] == [("a.a", "old-a"), ("a.b", "")]


def test_what_was_imported_is_known_when_all_is_done() -> None:
    def summary(operation: str) -> str:
        return message("change_summary", changes={"add": 0, "import": 5, "operation": operation})

    assert read(summary("apply")).done == {"import": 5}
    assert not read(summary("plan")).done
    assert not read(message("change_summary", changes={"import": None, "operation": "apply"})).done


def test_an_action_this_version_does_not_know_is_kept() -> None:
    assert read(planned("a.a", "explode")).changes == (ResourceChange("a.a", "explode"),)


@pytest.mark.parametrize(
    "line",
    ["", "plain", "[]", "1", '{"type": "planned_change"}', message("planned_change"), message("diagnostic"),
     message("diagnostic", diagnostic={"summary": None}), message("apply_complete", hook=None), '{"@message": 1}'],
)  # fmt: skip
def test_lines_of_another_shape_break_nothing(line: str) -> None:
    transcript = read(line)
    assert (transcript.changes, transcript.diagnostics, transcript.done.total()) == ((), (), 0)


def test_outputs_of_provisioners_are_no_progress() -> None:
    transcript = Transcript("platform")
    assert transcript.read(message("apply_start", "a.a: Creating...")) == "a.a: Creating..."
    assert transcript.read(message("provision_progress", "a.a (local-exec): secret")) is None


def test_objects_that_it_began_to_create_may_be_there_unless_it_complained_about_them() -> None:
    def hook(kind: str, address: str, action: str = "create") -> str:
        return message(kind, hook={"resource": {"addr": address}, "action": action})

    transcript = read(
        hook("apply_start", "a.made"),
        hook("apply_complete", "a.made"),
        hook("apply_start", "a.refused"),
        hook("apply_errored", "a.refused"),
        hook("apply_start", "a.unheard_of"),
        hook("apply_start", "a.changed", "update"),
    )
    assert transcript.begun == ("a.made", "a.unheard_of")


def test_the_same_complaint_is_kept_once() -> None:
    complaint = message("diagnostic", diagnostic={"severity": "error", "summary": "execution halted", "detail": ""})
    assert read(complaint, complaint).diagnostics == (TerraformDiagnostic(Severity.ERROR, "execution halted"),)


def test_a_failure_that_only_warned_is_still_an_error() -> None:
    warning = message("diagnostic", diagnostic={"severity": "warning", "summary": "Deprecated", "detail": ""})
    diagnostics = read(warning, "panic: boom").failure("apply", -9)
    assert [(d.severity, d.summary, d.detail) for d in diagnostics] == [
        (Severity.WARNING, "Deprecated", ""),
        (Severity.ERROR, "terraform apply was killed by signal 9 without saying why", "panic: boom"),
    ]
