"""Whatever bytes stand in a manifest or in the settings, the promise holds."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.hostile.cases import FAMILIES, HEAD
from tests.hostile.promise import ACCOUNT, CHECKOUT, CLIENT, SETTINGS, TARGETS, broken, digest, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("path", TARGETS)
def test_nasty_yaml_ends_well_and_nothing_is_written(path: str, family: str, fleet: Path) -> None:
    heads = (b"", HEAD.encode()) if path == CLIENT else (b"",)
    good, before = (fleet / path).read_bytes(), digest(fleet)
    for content in (head + text for text in FAMILIES[family] for head in heads):
        (fleet / path).write_bytes(content)
        outcome = run(fleet, "check")
        assert not list(broken(outcome)), (content, outcome)
    (fleet / path).write_bytes(good)
    assert digest(fleet) == before


@pytest.mark.parametrize("fmt", ["concise", "json", "sarif", "github", "markdown"])
def test_no_format_lets_control_characters_through(fmt: str, fleet: Path) -> None:
    for content in (text for family in ("unseen", "encodings", "line breaks") for text in FAMILIES[family]):
        (fleet / CLIENT).write_bytes(content)
        outcome = run(fleet, "validate", "--format", fmt)
        assert not list(broken(outcome)), (content, outcome)
        if fmt in {"json", "sarif"}:
            json.loads(outcome.out)


def test_a_run_that_would_write_writes_nothing(fleet: Path) -> None:
    for name in ("nothing", "tags", "encodings", "doubles", "aliases of aliases"):
        for path in TARGETS:
            good = (fleet / path).read_bytes()
            (fleet / path).write_bytes(FAMILIES[name][0])
            before = digest(fleet / "terraform")
            assert run(fleet, "render").code in {1, 2}
            assert digest(fleet / "terraform") == before
            (fleet / path).write_bytes(good)


def test_tags_of_python_run_nothing(fleet: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    for tag in ("apply:os.system", "apply:subprocess.check_output", "new:os.system"):
        (fleet / CLIENT).write_text(f"!!python/object/{tag} ['touch {trap}']\n")
        assert run(fleet, "check").code == 1
    assert not trap.exists()


@pytest.mark.parametrize(("path", "code"), [(CLIENT, 1), (ACCOUNT, 1), (SETTINGS, 2)])
def test_the_exit_code_tells_settings_from_manifests(path: str, code: int, fleet: Path) -> None:
    (fleet / path).write_text("a: [")
    assert run(fleet, "check").code == code


def test_the_promise_can_be_broken() -> None:
    outcome = run(CHECKOUT, "no-such-verb")
    assert not list(broken(outcome))
    for other in (
        replace(outcome, code=3),
        replace(outcome, out="Traceback"),
        replace(outcome, out="\x1b[31m"),
        replace(outcome, seconds=2.0),
        replace(outcome, out="", err=""),
        replace(outcome, err="error: crosskeys itself failed"),
    ):
        assert list(broken(other))
