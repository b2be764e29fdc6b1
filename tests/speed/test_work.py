"""How much work a verb does on a thousand clients, counted and not timed: a regression shows on any machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from generator import untouched

if TYPE_CHECKING:
    from pathlib import Path

CLIENTS, ACCOUNTS = 1000, 100
OF_AN_ACCOUNT = 2 * CLIENTS // ACCOUNTS + 2
MANIFESTS, RENDERED = CLIENTS + ACCOUNTS + 1, 2 * (CLIENTS + ACCOUNTS)

# What a run opens below the fleet's folder, starts, parses and renders, on the last line of stderr.
_COUNTING = """
import atexit, json, os, sys
folder, counts = os.fsencode(sys.argv[2]).decode(), {"opened": 0, "started": 0, "parsed": 0, "rendered": 0}
def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and arguments[0].startswith(folder):
        counts["opened"] += 1
    counts["started"] += event == "subprocess.Popen"
sys.addaudithook(hook)
def counted(module, name, key):
    real = getattr(module, name)
    def call(*given, **named):
        counts[key] += 1
        return real(*given, **named)
    setattr(module, name, call)
from generator.audit import reading
from generator.render.render import Renderer
counted(reading, "read_file", "parsed")
counted(Renderer, "_render", "rendered")
atexit.register(lambda: sys.stderr.write(json.dumps(counts)))
from generator.cli import main, runs
runs.place_of = lambda *_: sys.exit(0)  # where the servers begin
main()
"""


@dataclass(frozen=True)
class Fleet:
    folder: Path
    cache: Path

    def work(self, *arguments: str, code: int = 0, **environment: str) -> dict[str, int]:
        kept = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("COV")}
        done = subprocess.run(
            [sys.executable, "-c", _COUNTING, "-C", self.folder, "--cache-dir", self.cache, *arguments],
            env=kept | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        counts: dict[str, int] = json.loads(done.stderr.splitlines()[-1])
        return counts


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    folder = tmp_path_factory.mktemp("fleet")
    (folder / "clients/accounts").mkdir(parents=True)
    (folder / "crosskeys.yaml").write_text("version: 1\ndefaults: {token_ttl: 1h, token_max_ttl: 4h}\n")
    for number in range(ACCOUNTS):
        path = folder / f"clients/accounts/{100_000_000_000 + number}.yaml"
        path.write_text(f"name: account-{number}\nowner: owner@example.com\n")
    for number in range(CLIENTS):
        account = 100_000_000_000 + number % ACCOUNTS
        text = f'name: c{number}\naccount_id: "{account}"\nrole_name: app-{number}\nowner: team@example.com\n'
        (folder / f"clients/c{number}.yaml").write_text(text)
    return Fleet(folder, tmp_path_factory.mktemp("cache"))


def test_a_first_render_reads_each_manifest_once_and_parses_one_file_of_a_shape(fleet: Fleet) -> None:
    work = fleet.work("render")
    assert work["rendered"] == RENDERED
    assert work["parsed"] <= 12
    assert work["started"] == 0
    # Each manifest, each file written aside, and the lock.
    assert work["opened"] <= MANIFESTS + RENDERED + 5


def test_a_check_parses_nothing_that_was_parsed_before(fleet: Fleet) -> None:
    work = fleet.work("check")  # the render was a moment ago: no shortcut
    assert work["parsed"] == 0
    assert work["started"] == 0
    assert work["rendered"] == RENDERED
    # Twice, if it took so long that it could be remembered.
    assert work["opened"] <= 2 * (MANIFESTS + RENDERED) + 5


def test_an_untouched_fleet_is_not_read(fleet: Fleet) -> None:
    time.sleep(untouched.SETTLED_NS / 1e9 + 0.1)  # until then a second change might not show
    fleet.work("check")
    for verb in (("check",), ("render", "--check")):
        assert fleet.work(*verb) == {"opened": 0, "started": 0, "parsed": 0, "rendered": 0}


def test_continuous_integration_believes_nothing_that_was_remembered(fleet: Fleet) -> None:
    work = fleet.work("check", CI="true")
    assert work["rendered"] == RENDERED
    assert 0 < work["parsed"] <= 12


def test_without_a_cache_everything_is_read(fleet: Fleet) -> None:
    work = fleet.work("--no-cache", "check")
    assert work["rendered"] == RENDERED
    assert 0 < work["parsed"] <= 12


def test_continuous_integration_reads_an_untouched_fleet(fleet: Fleet) -> None:
    assert fleet.work("check", CI="true")["opened"] >= MANIFESTS + RENDERED


def test_a_changed_byte_is_seen_though_the_fleet_was_in_order(fleet: Fleet) -> None:
    path = fleet.folder / "terraform/accounts/100000000000/vault/client-c0.tf"
    text, times = path.read_text(), path.stat()
    path.write_text(text.replace("3600", "3601"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # the same size and time of change as before
    assert fleet.work("check", code=1)["rendered"] == OF_AN_ACCOUNT
    path.write_text(text)
    assert fleet.work("check")["rendered"] == OF_AN_ACCOUNT


def test_of_a_changed_manifest_what_is_in_touched_accounts_is_read_rendered_and_proven(fleet: Fleet) -> None:
    path = fleet.folder / "clients/c7.yaml"
    path.write_text(f"{path.read_text()}description: changed\n")
    for verb, code in (("check", 1), ("render", 0), ("check", 0)):
        work = fleet.work(verb, code=code)
        assert work["rendered"] == 2 * OF_AN_ACCOUNT  # a file of another account was written anew above
        assert work["parsed"] == 0
        assert work["opened"] <= 4 * OF_AN_ACCOUNT


def test_a_plan_of_one_client_reads_the_accounts_that_it_and_what_was_touched_are_in(fleet: Fleet) -> None:
    one = ("plan", "--client", "c9", "--side", "vault")
    work = fleet.work(*one)
    assert work["rendered"] == 3 * OF_AN_ACCOUNT
    assert work["parsed"] == 0
    assert work["started"] == 0
    assert work["opened"] <= 6 * OF_AN_ACCOUNT
    for whole in ((*one, "--out", "plans"), (*one, "--shard", "1/1"), ("plan", "--side", "vault")):
        assert fleet.work(*whole)["rendered"] == RENDERED
    assert fleet.work(*one, CI="true")["rendered"] == RENDERED
