"""This tool decides as a real Vault does: 20,000 random cases in the corners of its rules, and no disagreement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.differential import compare, corpus
from tests.differential.mutants import MUTANTS, Mutant
from tests.differential.server import serving
from tests.differential.texts import REFUSED, TAKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.sandbox.toolchain import Toolchain
    from tests.differential.compare import Answered, Tally
    from tests.differential.server import Vault

pytestmark = pytest.mark.toolchain

SEED = 20
TRIALS = 300
CASES = 20_000
LEAST = {
    "capabilities: other than without LIST's two steps": 500,
    "decided by: + at depth 0": 500,
    "decided by: + at depth 1": 1000,
    "decided by: + at depth 2": 500,
    "decided by: + at depth 3": 300,
    "decided by: + at depth 4": 100,
    "decided by: + that is no segment": 50,
    "decided by: deny at depth 0": 50,
    "decided by: deny at depth 1": 300,
    "decided by: deny at depth 2": 300,
    "decided by: deny at depth 3": 200,
    "decided by: deny at depth 4": 100,
    "decided by: nothing": 2000,
    "decided by: prefix": 2000,
    "exact before wildcards": 500,
    "merged: several policies": 500,
    "merged: several rules": 1000,
    "path: a rule's but for its case": 50,
    "path: a rule's but for one character": 500,
    "path: slash at the beginning": 300,
    "path: slash at the end": 1500,
    "path: two slashes": 500,
    "policies: 1": 30,
    "policies: 2": 30,
    "policies: 3": 30,
    "policies: 4": 30,
    "policies: one in JSON": 30,
    "policies: one with a deprecated policy": 30,
    "policies: templated": 20,
    "prefixes: several match": 500,
    "request: LIST other than capabilities": 20,
    "request: create allowed": 50,
    "request: create denied": 100,
    "request: delete allowed": 20,
    "request: delete denied": 50,
    "request: denied for its wrapping": 20,
    "request: denied for want of sudo": 5,
    "request: list allowed": 300,
    "request: list denied": 500,
    "request: merged constraints decide": 30,
    "request: parameters allowed": 20,
    "request: parameters denied": 50,
    "request: patch allowed": 30,
    "request: patch denied": 100,
    "request: read allowed": 200,
    "request: read denied": 500,
    "request: update allowed": 30,
    "request: update denied": 100,
    "tie broken by: first wildcard": 500,
    "tie broken by: glob at the end": 200,
    "tie broken by: length": 30,
    "tie broken by: number of +": 300,
    "tie broken by: text": 30,
}


@pytest.fixture(scope="module")
def vault(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    with serving(tmp_path_factory.mktemp("vault"), toolchain) as vault:
        yield vault


@pytest.fixture(scope="module")
def answered(vault: Vault) -> list[Answered]:
    """What Vault said, once for all tests."""
    return list(compare.answers(vault, (corpus.trial(SEED, number) for number in range(TRIALS))))


@pytest.fixture(scope="module")
def tally(answered: list[Answered]) -> Tally:
    total = compare.Tally()
    for trial in answered:
        total.add(trial)
    return total


def test_vault_and_this_tool_agree_on_every_case(tally: Tally) -> None:
    assert tally.disagreements == []
    assert tally.cases >= CASES


def test_at_least_a_third_of_the_answers_grant_something(tally: Tally) -> None:
    assert tally.granted >= tally.cases / 3


def test_every_corner_is_visited_often(tally: Tally) -> None:
    assert {name: tally.corners[name] for name, least in LEAST.items() if tally.corners[name] < least} == {}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_in_the_evaluator_would_be_found(mutant: Mutant, answered: list[Answered]) -> None:
    with mutant.applied():
        assert any(any(compare.disagreements(trial, compare.compiled(trial.trial))) for trial in answered)


@pytest.mark.parametrize("text", TAKEN, ids=range(len(TAKEN)))
def test_what_is_read_vault_takes(text: str, vault: Vault) -> None:
    vault.ask("PUT", "sys/policies/acl/text", {"policy": text})


@pytest.mark.parametrize("text", [text for text, *_ in REFUSED], ids=[message for *_, message in REFUSED])
def test_what_is_said_to_be_refused_vault_refuses(text: str, vault: Vault) -> None:
    status, _ = vault.send("PUT", "sys/policies/acl/text", body={"policy": text})
    assert status == 400
