"""Fixtures shared by all tests."""

from __future__ import annotations

import sys

import pytest

from generator import cache
from generator.sandbox.toolchain import Toolchain, ensure


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    """The real programs, built on the first use on a machine."""

    def say(line: str) -> None:
        sys.stderr.write(f"{line}\n")

    return ensure(cache.folder(), say)
