"""The benchmarks measure what they say: the same fleets each time, equal work of the peer, and results that add up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks import cases, terramate
from benchmarks.__main__ import main
from benchmarks.fleets import make_fleet, write_fleet
from benchmarks.goals import judge
from benchmarks.measure import Case, FailedError, Measured, run
from generator import cache, pipeline
from generator.audit.read import read_file
from generator.sandbox.gobuild import built

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.fleets import SyntheticFleet

CHECKOUT = Path(__file__).parents[2]
CLIENTS = 20
MEASURED = {"render cold", "render check", "changed check", "floor", "git status"}


def test_a_fleet_is_the_same_each_time_and_varied() -> None:
    fleet = make_fleet(1000, seed=1)
    assert fleet == make_fleet(1000, seed=1)
    assert fleet != make_fleet(1000, seed=2)
    keys: set[str] = set()
    for client in fleet.clients.values():
        keys |= {*client, *client.get("vault", ()), *client.get("aws", ())}
    assert keys > {"grants", "suspend", "retire", "ec2", "resolve_unique_ids", "token_bound_cidrs", "tags", "role_path"}
    inside = [client["account_id"] for client in fleet.clients.values()]
    assert {inside.count(account) for account in inside} >= {1, 2, 3, 4}


def test_no_rule_complains_about_a_made_up_fleet(tmp_path: Path) -> None:
    write_fleet(tmp_path, 150, seed=3)
    validated = pipeline.validate(tmp_path)
    assert validated.findings == ()
    assert len(validated.fleet.clients) == 150


@pytest.mark.toolchain
def test_terramate_generates_what_crosskeys_renders(tmp_path: Path) -> None:
    fleet = write_fleet(tmp_path / "ours", 40, seed=44)  # it has all that a manifest can say
    rendered = pipeline.render(tmp_path / "ours", pipeline.validate(tmp_path / "ours").fleet, None)
    ours = {path: text for path, text in rendered.comparison.wanted.items() if "/platform/" not in path}
    terramate.write_project(tmp_path / "theirs", fleet)
    subprocess.run(["git", "init", "--quiet", tmp_path / "theirs"], check=True)
    settings = tmp_path / "terramate.rc"
    settings.write_text(terramate.SETTINGS)
    program = built(terramate.TERRAMATE, cache.folder(), print) / "terramate"
    subprocess.run(
        [program, "-C", tmp_path / "theirs", "generate"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TM_CLI_CONFIG_FILE": str(settings)},
        capture_output=True,
        check=True,
    )
    theirs = dict(as_rendered(tmp_path / "theirs", fleet))
    assert theirs.keys() == ours.keys()
    for path, text in theirs.items():
        assert declared(path, text) == declared(path, ours[path]), path


def as_rendered(project: Path, fleet: SyntheticFleet) -> Iterator[tuple[str, str]]:
    """Yield Terramate's files under the paths of the rendered tree, each client's objects labelled with its name."""
    for path in (project / "accounts").glob("*/*.tf"):
        side, _, name = path.stem.partition("-")
        yield f"terraform/accounts/{path.parent.name}/{side}/{name}.tf", path.read_text("utf-8")
    for client in fleet.clients.values():
        for path in terramate.stack_of(project, client).glob("*.tf"):
            text = path.read_text("utf-8").replace('"client"', f'"{client["name"]}"')
            for kind in ("vault_policy", "aws_iam_policy_document", "aws_iam_role"):
                text = text.replace(f"{kind}.client.", f"{kind}.{client['name']}.")
            yield f"terraform/accounts/{client['account_id']}/{path.stem}/client-{client['name']}.tf", text


def declared(path: str, text: str) -> list[dict[str, object]]:
    """Return what a file declares, without where it stands."""
    found = read_file(path, text)
    said = [
        {field.name: getattr(item, field.name) for field in fields(item) if field.name != "span"} | {"is": type(item)}
        for item in found
    ]
    for item in said:
        if isinstance(item.get("policy"), str):
            # Terramate's heredocs keep no blank line at the beginning of a grant.
            item["policy"] = [line for line in str(item["policy"]).splitlines() if line and not line.startswith("#")]
    return sorted(said, key=str)


def test_the_harness_measures_a_small_fleet_and_writes_page_json_and_charts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text((CHECKOUT / "docs/benchmarks.md").read_text("utf-8"), "utf-8")
    all_of_them = cases.of_size
    monkeypatch.setattr(cases, "of_size", lambda stand: [case for case in all_of_them(stand) if case.key in MEASURED])
    monkeypatch.setattr(cases, "starting", lambda _: ())
    argv = ["--sizes", str(CLIENTS), "--repeats", "1", "--without-peers", "--page", str(page)]
    assert main(argv) == 0
    results = json.loads((tmp_path / "page/results.json").read_text("utf-8"))
    found = results["sizes"][str(CLIENTS)]["cases"]
    assert set(found) == MEASURED
    assert all(case["seconds"] > 0 and case["memory"] > 1_000_000 for case in found.values())
    assert results["absent"]["Terramate"] == "left out"
    assert {"met", "missed", "not measured"} >= {goal["outcome"] for goal in results["goals"]}
    for name in ("time.svg", "memory.svg"):
        drawn = ET.fromstring((tmp_path / "page" / name).read_text("utf-8"))  # noqa: S314 - drawn here
        assert len(drawn.findall("{http://www.w3.org/2000/svg}polyline")) == 4
    text = page.read_text("utf-8")
    assert f"### {CLIENTS} clients" in text
    assert "No run has been recorded" not in text
    assert str(tmp_path) not in text


def test_what_a_command_takes_is_measured_with_its_children(tmp_path: Path) -> None:
    script = "import subprocess, sys, time; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    inner = "import time; full = bytearray(120_000_000); time.sleep(0.3)"
    case = Case("key", "title", (sys.executable, "-c", script, inner), tmp_path, os.environ)
    measured = run(case, tmp_path)
    assert 0.3 < measured.seconds < 20
    assert 120e6 < measured.memory < 200e6
    assert measured.processes == 2


def test_a_command_that_ends_otherwise_than_it_must_ends_the_benchmarks(tmp_path: Path) -> None:
    case = Case("key", "title", (sys.executable, "-c", "raise SystemExit('broken')"), tmp_path, os.environ)
    with pytest.raises(FailedError, match="ended with 1, not 0:\nbroken"):
        run(case, tmp_path)


def measured(seconds: float, memory: int = 1) -> Measured:
    return Measured("title", 1, seconds, seconds, seconds, seconds, memory, 1)


def test_goals_are_ratios_of_medians_and_those_without_figures_are_said_to_have_none() -> None:
    small = {"render cold": measured(1), "render check": measured(1)}
    large = {"render cold": measured(10), "render check": measured(12), "terramate cold": measured(20, 5)}
    stages = {10_000: {"rendered": 3.0, "read what was rendered back": 1.0, "proved": 1.0}}
    goals = {goal.title: goal for goal in judge({1_000: small, 10_000: large}, {}, stages)}
    proof = goals["first render with its proof to terramate generate at 10,000 clients"]
    assert (proof.value, proof.outcome) == (0.5, "met")
    less = goals["first render less its proof, to terramate generate at 10,000 clients"]
    assert less.value == pytest.approx(0.3)
    assert goals["render --check: 10,000 clients to 1,000"].outcome == "missed"
    assert goals["peak memory of any verb to terramate's at 10,000 clients"].value == 0.2
    assert goals["--version to python -c pass"].outcome == "not measured"
