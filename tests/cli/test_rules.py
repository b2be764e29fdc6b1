"""The verbs rules and explain."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from generator.rules.pages import page, pages
from generator.rules.registry import FAMILIES, catalogue
from tests.cli.conftest import copy_of_example

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run


def test_rules_are_listed_by_family_with_id_severity_name_and_title(call: Run) -> None:
    shown = call("rules").out
    assert [line for line in shown.splitlines() if line in FAMILIES.values()] == list(FAMILIES.values())
    for rule in catalogue().values():
        (line,) = (line for line in shown.splitlines() if line.startswith(f"  {rule.id} "))
        assert line.split() == [rule.id, rule.severity, rule.name, *rule.title.split()]


def test_rules_as_json_are_all_of_them(call: Run) -> None:
    listed = json.loads(call("rules", "--format", "json").out)
    assert [each["id"] for each in listed] == list(catalogue())
    assert set(listed[0]) == {"id", "name", "severity", "family", "title"}


@pytest.mark.parametrize("rule", ["CK108", "ck108", "duplicate-key", "Duplicate-Key"])
def test_rule_is_explained_by_id_or_name(call: Run, rule: str) -> None:
    assert call("explain", rule).out == page(catalogue()["CK108"])


@pytest.mark.parametrize(
    ("rule", "advice"),
    [
        ("duplicate-keys", "did you mean duplicate-key?"),
        ("CK1O8", "CK108"),
        ("nonsense", "`crosskeys rules` lists all of them"),
    ],
)
def test_unknown_rule_is_a_usage_error_with_the_nearest_ones(call: Run, rule: str, advice: str) -> None:
    ended = call("explain", rule)
    assert (ended.code, ended.out) == (2, "")
    assert f"there is no rule `{rule}`" in ended.err
    assert advice in ended.err


def test_pages_are_written_and_those_of_former_names_go(call: Run, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    for name in ("CK108-former-name.md", "notes.md"):
        (tmp_path / "rules" / name).write_text("x")
    assert call("-C", str(tmp_path), "rules", "--write", "rules").code == 0
    written = {path.name: path.read_text("utf-8") for path in (tmp_path / "rules").iterdir()}
    assert written == {**pages(catalogue()), "notes.md": "x"}


def test_folder_that_cannot_be_written_is_a_usage_error(call: Run, tmp_path: Path) -> None:
    (tmp_path / "rules").write_text("a file")
    ended = call("-C", str(tmp_path), "rules", "--write", "rules")
    assert ended.code == 2
    assert "cannot be written" in ended.err


@pytest.mark.parametrize("verb", ["validate", "check"])
def test_the_texts_of_the_catalogue_are_not_loaded_to_judge_a_fleet(tmp_path: Path, verb: str) -> None:
    code = (
        "import sys; from generator.cli import app\n"
        f"try: app(['-C', {str(copy_of_example(tmp_path / 'fleet'))!r}, {verb!r}])\n"
        "except SystemExit as end: assert not end.code\n"
        "print([name for name in sys.modules if name.startswith('generator.rules.catalogue')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("verb", ["validate", "check"])
def test_a_warning_is_shown_and_gates_nothing(call: Run, tmp_path: Path, verb: str) -> None:
    rule = catalogue()["CK317"]
    for path, text in rule.bad.files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(str(text), "utf-8")
    assert call("-C", str(tmp_path), "render").code == 0
    ended = call("-C", str(tmp_path), verb)
    assert ended.code == 0
    assert "warning[CK317]" in ended.out
    assert "CVE-2025-11621" in ended.out
    assert "1.21.0" in ended.out
