"""The catalogue is whole and true: every rule's bad fleet breaks that rule, its good one none."""

from __future__ import annotations

import ast
import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from generator import pipeline
from generator.audit import acl_policy
from generator.audit.acl_faults import UnreadablePolicyError
from generator.audit.faults import UnreadableTreeError
from generator.audit.proof import prove
from generator.audit.read import read
from generator.diagnostics import Diagnostic, Severity, Span, has_errors
from generator.render import tree
from generator.render.render import Renderer
from generator.render.tree import STALE_FILE
from generator.resources import data
from generator.rules.registry import FAMILIES, Example, Rule, catalogue

if TYPE_CHECKING:
    from collections.abc import Sequence

GENERATOR = Path(__file__).parents[2] / "generator"
RULES = tuple(catalogue().values())
PLAYED = tuple(rule for rule in RULES if not rule.bad.live)
TODAY = dt.date(2026, 1, 1)


PACKAGES = Renderer([data("templates")])
SEEN: dict[str, tuple[Diagnostic, ...]] = {}
"""What was found in each example, by all that it is made of: many rules have the same good one."""


@pytest.fixture(autouse=True)
def _templates_are_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def renderer(folders: Sequence[Path]) -> Renderer:
        return Renderer(folders) if any(folder.exists() for folder in folders[:-1]) else PACKAGES

    monkeypatch.setattr(pipeline, "Renderer", renderer)


def play(example: Example, folder: Path) -> tuple[Diagnostic, ...]:
    """Return all that is found in an example, which is played in the folder unless one just like it was before."""
    key = repr(example)
    if key not in SEEN:
        SEEN[key] = played(example, folder)
    return SEEN[key]


def played(example: Example, folder: Path) -> tuple[Diagnostic, ...]:
    """Write an example's fleet, go with it as far as its findings let it, and return all of them."""
    for path, content in example.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content if isinstance(content, bytes) else content.encode())
    for path, target in example.links.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).symlink_to(target)
    validated = pipeline.validate(folder, TODAY)
    if validated.has_errors:
        return validated.findings
    tree.write(folder, pipeline.render(folder, validated.fleet, None).comparison)
    for path, edit in example.edits.items():
        before = (folder / path).read_text("utf-8") if (folder / path).exists() else ""
        assert edit.old in before
        after = before.replace(edit.old, edit.new, 1) if edit.old else before + edit.new
        (folder / path).write_text(after, "utf-8")
    validated = pipeline.validate(folder, TODAY)
    rendered = pipeline.render(folder, validated.fleet, None)
    texts = {
        path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in (folder / "terraform").rglob("*.tf")
    }
    compared = rendered.comparison.findings()
    try:
        audited = prove(read(texts), validated.fleet).findings
    except UnreadableTreeError as error:
        audited = error.findings
    if any(finding.rule == STALE_FILE for finding in compared):
        audited = ()  # the tree is that of other manifests
    return (*validated.findings, *compared, *audited, *policies(folder))


def policies(folder: Path) -> tuple[Diagnostic, ...]:
    """Return what `crosskeys capabilities` finds in the policies that lie beside a fleet."""
    found: list[Diagnostic] = []
    for path in sorted(folder.glob("policies/*.hcl")):
        try:
            acl_policy.parse(path.read_text("utf-8"), Span(path.relative_to(folder).as_posix(), 1, 1), path.stem)
        except UnreadablePolicyError as error:
            found += error.findings
    return tuple(found)


class TestEachRule:
    @pytest.mark.parametrize("rule", PLAYED, ids=lambda rule: rule.name)
    def test_is_broken_by_its_bad_example_and_no_other_is_but_those_that_it_names(
        self, rule: Rule, tmp_path: Path
    ) -> None:
        found = play(rule.bad, tmp_path)
        assert {finding.rule for finding in found} == {rule.id, *rule.bad.also}
        for finding in found:
            assert finding.severity is catalogue()[finding.rule].severity
            assert finding.help
            assert not finding.message.endswith(".")

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
    def test_is_kept_by_its_good_example_and_so_are_all_others(self, rule: Rule, tmp_path: Path) -> None:
        assert play(rule.good, tmp_path) == ()

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
    def test_is_explained_in_whole_sentences_with_a_source(self, rule: Rule) -> None:
        assert re.fullmatch("[a-z0-9]+(?:-[a-z0-9]+)+|tag|directive", rule.name)
        assert rule.title[0].isupper()
        assert not rule.title.endswith(".")
        for text in (rule.why, rule.fix):
            assert text.endswith(".")
            assert "  " not in text
        assert rule.source.startswith("https://") or rule.source.endswith("of this tool's own")
        assert rule.bad != rule.good


def emitted() -> dict[str, str]:
    """The constants by which the code names its rules: where each stands, by id."""
    found: dict[str, str] = {}
    for path in sorted(GENERATOR.rglob("*.py")):
        if path.parent.name == "catalogue":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"CK\d{3}", node.value):
                assert node.value not in found, f"{node.value} in {path} and {found[node.value]}"
                found[node.value] = str(path)
    return found


def test_catalogue_has_exactly_the_rules_that_the_code_can_emit() -> None:
    assert emitted().keys() == catalogue().keys()


def test_every_rule_is_in_a_family_and_every_family_has_one() -> None:
    assert {rule.id[:3] for rule in RULES} == FAMILIES.keys()


def test_names_and_ids_are_each_ones_own() -> None:
    assert len({rule.name for rule in RULES}) == len({rule.id for rule in RULES}) == len(RULES)


def test_ids_and_names_stay_what_they_were() -> None:
    # People write them into reviews, settings of editors and filters: a rule is added at the end of its family, one
    # that goes takes its id with it.
    known = dict(
        line.split() for line in (Path(__file__).parent / "known-rules.txt").read_text("utf-8").splitlines() if line
    )
    assert {rule.id: rule.name for rule in RULES} == known


def test_a_warning_never_gates(tmp_path: Path) -> None:
    warnings = [rule for rule in PLAYED if rule.severity is Severity.WARNING]
    assert len(warnings) >= 4
    for number, rule in enumerate(warnings):
        found = play(rule.bad, tmp_path / str(number))
        assert found
        own = [finding for finding in found if finding.rule not in rule.bad.also]
        assert not has_errors(own)
        assert pipeline.code_of(own) == 0
