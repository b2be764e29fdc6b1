"""The fuzzer finds nothing, and would."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from generator.manifest import composer
from tests.hostile.fuzz import Fuzzer, Tally, case
from tests.hostile.promise import CLIENT, TARGETS

if TYPE_CHECKING:
    from pathlib import Path

SEED, COUNT = 4, 5_000


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory: pytest.TempPathFactory) -> Fuzzer:
    return Fuzzer(tmp_path_factory.mktemp("fuzz"))


@pytest.fixture(scope="module")
def tally(fuzzer: Fuzzer) -> Tally:
    return fuzzer.run(SEED, range(COUNT))


def test_thousands_of_changed_manifests_end_well(tally: Tally) -> None:
    assert tally.failures == []
    assert tally.count == COUNT


def test_the_cases_reach_far(tally: Tally) -> None:
    """Changes that are all refused for their syntax would show little."""
    assert tally.accepted > COUNT / 25
    assert tally.read_back > 100
    assert len(tally.rules) >= 25


@pytest.mark.toolchain
def test_what_was_rendered_is_as_terraform_formats_it(fuzzer: Fuzzer, tally: Tally, tmp_path: Path) -> None:
    assert tally.read_back == len(fuzzer.texts)
    for name, text in fuzzer.texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", tmp_path],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CHECKPOINT_DISABLE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_a_case_can_be_had_again() -> None:
    assert [case(SEED, number) for number in range(50)] == [case(SEED, number) for number in range(50)]
    assert len({case(SEED, number) for number in range(50)}) > 40
    assert {case(SEED, number)[0] for number in range(50)} == set(TARGETS)


def test_a_fault_of_the_reader_is_found(fuzzer: Fuzzer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composer, "MAX_VALUE", None)
    failures = fuzzer.run(SEED, range(20)).failures
    assert failures
    assert all(failure[1].startswith("TypeError") for failure in failures)


def test_output_that_a_terminal_acts_on_is_found(fuzzer: Fuzzer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generator.report.console.visible", lambda text: text)
    problems = list(fuzzer.judge(CLIENT, "a\u00a0b: 1\n".encode(), Tally()))
    assert "the output has characters that a terminal acts on" in problems
