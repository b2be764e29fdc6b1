"""The example fleet, applied once for all tests that leave it as it is."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.e2e import drifting
from tests.e2e.fleets import POISON, FleetFolder, copy_of_example, ended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.sandbox.toolchain import Toolchain
    from generator.sandbox.world import World


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[FleetFolder]:
    """The example fleet, under version control, applied from nothing in the environment of a careless shell."""
    with ended(copy_of_example(tmp_path_factory.mktemp("example"), toolchain)) as fleet:
        author = ("-c", "user.name=tests", "-c", "user.email=tests@example.com")
        for command in (("init", "--quiet"), ("add", "."), (*author, "commit", "--quiet", "--message", "The fleet")):
            subprocess.run(["git", "-C", fleet.folder, *command], check=True)
        fleet.run("-vv", "apply", "--yes", environment=POISON)
        yield fleet


@pytest.fixture(scope="session")
def world(example: FleetFolder) -> World:
    """The example fleet's sandbox."""
    return example.world()


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[drifting.Live]:
    """A fleet in whose Vault each test of drift changes something, and puts it back."""
    with drifting.applied(tmp_path_factory.mktemp("verify"), toolchain) as fleet:
        yield fleet
