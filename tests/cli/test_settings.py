"""A flag comes before a CROSSKEYS_ variable, that before `run:` in crosskeys.yaml, and that before the default."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from generator import cache, pipeline
from generator.cli import runs
from generator.cli.selection import Selection, Side, Target, selected
from tests.cli.conftest import edit

if TYPE_CHECKING:
    from pathlib import Path

    from generator.live.systems import Systems
    from tests.cli.conftest import Run


def no_systems() -> Systems:
    raise AssertionError("nothing is looked up where nothing is planned")


NOWHERE = runs.Place((), no_systems)


def set_in_fleet(fleet: Path, key: str, value: object) -> None:
    with (fleet / "crosskeys.yaml").open("a") as file:
        file.write(f"\nrun: {{{key}: {value}}}\n")


def format_of(out: str) -> str:
    try:
        json.loads(out)
    except ValueError:
        return "full" if "-->" in out else "concise"
    return "json"


def test_format(run: Run, fleet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(fleet / "clients/payments.yaml", "owner:", "owned_by:")
    assert format_of(run("validate").out) == "full"
    set_in_fleet(fleet, "format", "concise")
    assert format_of(run("validate").out) == "concise"
    monkeypatch.setenv("CROSSKEYS_FORMAT", "json")
    assert format_of(run("validate").out) == "json"
    assert format_of(run("validate", "--format", "full").out) == "full"


def test_jobs(run: Run, fleet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def planned(_workspaces: Any, _aside: Any, effort: Any, *_rest: Any, **_more: Any) -> tuple[()]:
        asked.append(effort.jobs)
        return ()

    monkeypatch.setattr(runs, "place_of", lambda *_: NOWHERE)
    monkeypatch.setattr(runs, "_planned", planned)
    run("plan")
    set_in_fleet(fleet, "jobs", 7)
    run("plan")
    monkeypatch.setenv("CROSSKEYS_JOBS", "5")
    run("plan")
    run("plan", "--jobs", "3")
    run("plan", "-j", "2")
    assert asked == [os.cpu_count(), 7, 5, 3, 2]


def test_log_format(run: Run, fleet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_json(err: str) -> bool:
        lines = err.splitlines()
        assert lines
        return all(line.startswith("{") for line in lines)

    assert not is_json(run("-v", "check").err)
    set_in_fleet(fleet, "log_format", "json")
    assert is_json(run("-v", "check").err)
    monkeypatch.setenv("CROSSKEYS_LOG_FORMAT", "text")
    assert not is_json(run("-v", "check").err)
    assert is_json(run("-v", "--log-format", "json", "check").err)


def test_target(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def place(_here: Any, target: str, *_rest: Any) -> runs.Place:
        asked.append(target)
        return NOWHERE

    monkeypatch.setattr(runs, "place_of", place)
    monkeypatch.setattr(runs, "_planned", lambda *_, **__: ())
    run("plan")
    monkeypatch.setenv("CROSSKEYS_TARGET", "live")
    run("plan")
    run("plan", "--target", "sandbox")
    assert asked == ["sandbox", "live", "sandbox"]


@pytest.mark.parametrize(
    ("side", "kinds", "number"),
    [("vault", {"platform", "vault"}, 4), ("aws", {"aws"}, 4), ("platform", {"platform"}, 1)],
)
def test_a_side_is_the_roots_that_its_credentials_are_for(fleet: Path, side: str, kinds: set[str], number: int) -> None:
    validated = pipeline.validate(fleet)
    rendered = pipeline.render(fleet, validated.fleet, cache.folder() / "parseback")
    roots = selected(fleet, rendered, Target.SANDBOX, Selection(side=Side(side)))
    assert {root.kind.value for root in roots} == kinds
    assert len(roots) >= number
