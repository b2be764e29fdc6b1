"""Fixtures shared by all tests, and the order in which tests run."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from generator import cache
from generator.sandbox.toolchain import Toolchain, ensure
from tests.order import Rows, place

if TYPE_CHECKING:
    from xdist.remote import Producer


def pytest_configure() -> None:
    """Make every process that tests start the same, whoever starts pytest."""
    # Where CI is set nothing of the cache is believed, and each run of the tool would parse all shapes anew.
    os.environ.pop("CI", None)
    # Whoever starts pytest in the background has it ignore interrupts, and so would all that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest files start first, the others as they come."""
    items.sort(key=lambda item: place(item.nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Rows | None:
    """Spread files over processes so that they end at the same time."""
    return Rows(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    """The real programs, built on the first use on a machine."""

    def say(line: str) -> None:
        sys.stderr.write(f"{line}\n")

    return ensure(cache.folder(), say)
