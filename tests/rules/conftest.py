"""Fleets out of real files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from generator.manifest.fleet import resolve
from generator.manifest.load import load
from generator.rules.fleet import check

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from generator.diagnostics import Diagnostic

    Judge = Callable[[Mapping[str, str]], tuple[Diagnostic, ...]]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Write the files, whose manifests have no findings of their own, and return what the rules say of the fleet."""

    def judged(files: Mapping[str, str]) -> tuple[Diagnostic, ...]:
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text, encoding="utf-8")
        manifests, findings = load(tmp_path)
        assert findings == ()
        return check(resolve(manifests))

    return judged
