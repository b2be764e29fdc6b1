"""A small fleet to put hostile files into."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.hostile.promise import small_fleet

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small fleet, rendered once; to be copied."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROSSKEYS_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        return small_fleet(tmp_path_factory.mktemp("hostile") / "fleet")


@pytest.fixture(autouse=True)
def _only_these_settings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("CROSSKEYS_", "AWS_", "VAULT_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CROSSKEYS_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "cache-of-hostile"))


@pytest.fixture
def fleet(rendered: Path, tmp_path: Path) -> Path:
    return shutil.copytree(rendered, tmp_path / "fleet")
