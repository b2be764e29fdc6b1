"""Fixtures shared by all tests."""

from __future__ import annotations

import signal
import sys

import pytest

from generator import cache
from generator.sandbox.toolchain import Toolchain, ensure


def pytest_configure() -> None:
    """Heed interrupts, and let children heed them: whoever starts pytest in the background has it ignore them."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    """The real programs, built on the first use on a machine."""

    def say(line: str) -> None:
        sys.stderr.write(f"{line}\n")

    return ensure(cache.folder(), say)
