"""Fixtures shared by all tests."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from generator import cache
from generator.sandbox.toolchain import Toolchain, ensure

HERE = Path(__file__).parent


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


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together, for `pytest -n`, what shares a sandbox or an order: a file, and all that is end to end."""
    for item in items:
        path = item.path.relative_to(HERE)
        item.add_marker(pytest.mark.xdist_group("e2e" if path.parts[0] == "e2e" else str(path)))
