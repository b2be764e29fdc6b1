"""The documents, and copies of the example fleet in which their commands are run."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from generator.sandbox import services, world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.sandbox.toolchain import Toolchain

CHECKOUT = Path(__file__).parents[2]


def copy_of_example(folder: Path) -> Path:
    for name in ("clients", "terraform", "schemas"):
        shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns(".terraform*"))
    shutil.copy(CHECKOUT / "crosskeys.yaml", folder)
    return folder


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    return copy_of_example(tmp_path / "fleet")


@pytest.fixture(scope="module")
def fleet_with_sandbox(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[Path]:  # noqa: ARG001 - built before the clock of a test runs
    folder = copy_of_example(tmp_path_factory.mktemp("docs") / "fleet")
    yield folder
    services.down(folder / world.FOLDER)


@pytest.fixture
def environment() -> dict[str, str]:
    """What a reader's shell has: the installed program on PATH, and nothing of this machine's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "VAULT_", "CROSSKEYS_"))}
    kept |= {name: os.environ[name] for name in ("CROSSKEYS_CACHE_DIR",) if name in os.environ}
    return kept | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "NO_COLOR": "1"}
