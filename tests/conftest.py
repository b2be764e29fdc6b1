"""Fixtures shared by all tests."""

from __future__ import annotations

import sys

import pytest

from generator.sandbox.toolchain import Toolchain, default_cache, ensure


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    """The real programs, built on the first use on a machine."""

    def say(line: str) -> None:
        sys.stderr.write(f"{line}\n")

    return ensure(default_cache(), say)
