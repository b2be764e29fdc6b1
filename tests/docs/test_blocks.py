"""What the documents show is what happens."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from generator.manifest.account import AccountManifest
from generator.manifest.client import ClientManifest
from generator.manifest.settings import FleetSettings
from generator.manifest.source import parse
from generator.manifest.validate import Sourced, validate
from tests.docs.blocks import CHECKOUT, Block, blocks, run

if TYPE_CHECKING:
    from pathlib import Path

    from generator.manifest.values import Model

CONSOLES = [block for block in blocks("console") if block.words == ()]
IN_SANDBOX = [block for block in blocks("console") if block.words == ("sandbox",)]
KINDS: dict[str, type[Model]] = {
    "client": ClientManifest,
    "account": AccountManifest,
    "fleet": FleetSettings,
}


def test_every_block_says_what_it_is() -> None:
    in_tutorial = [block for block in blocks("console") if block.words == ("tutorial",)]
    assert len(CONSOLES) + len(IN_SANDBOX) + len(in_tutorial) == len(blocks("console"))
    assert len(CONSOLES) >= 4
    assert len(IN_SANDBOX) >= 3
    assert {block.words[0] for block in blocks("yaml")} == KINDS.keys()
    assert all(block.words for block in blocks("hcl"))


@pytest.mark.parametrize("block", CONSOLES, ids=str)
def test_a_console_shows_what_its_commands_print(block: Block, fleet: Path, environment: dict[str, str]) -> None:
    run(block, fleet, environment)


@pytest.mark.toolchain
def test_consoles_in_the_sandbox_show_what_their_commands_print(
    fleet_with_sandbox: Path, environment: dict[str, str]
) -> None:
    for block in IN_SANDBOX:
        run(block, fleet_with_sandbox, environment)


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_a_manifest_is_what_it_claims_to_be(block: Block) -> None:
    model = KINDS[block.words[0]]
    document = parse(block.text.encode(), str(block))
    assert not isinstance(document, tuple), document
    assert isinstance(validate(document, model), Sourced), validate(document, model)


@pytest.mark.parametrize("block", blocks("hcl"), ids=str)
def test_what_is_shown_of_a_rendered_file_stands_in_it(block: Block) -> None:
    assert block.text in (CHECKOUT / block.words[0]).read_text("utf-8")


@pytest.mark.parametrize("block", blocks("sh"), ids=str)
def test_commands_that_are_only_shown_are_at_least_shell_and_have_their_make_targets(block: Block) -> None:
    subprocess.run(["bash", "-n", "-c", block.text], check=True)
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"^make ([a-z-]+)", block.text, re.MULTILINE)) <= targets
