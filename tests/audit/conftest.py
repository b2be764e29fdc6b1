"""The example fleet of this checkout, resolved and rendered."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.manifest.fleet import Fleet, resolve
from generator.manifest.load import load
from generator.render.layout import layout
from generator.render.render import Renderer

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def fleet() -> Fleet:
    manifests, findings = load(CHECKOUT)
    assert not findings
    return resolve(manifests)


@pytest.fixture(scope="session")
def texts(fleet: Fleet) -> dict[str, str]:
    return Renderer([CHECKOUT / "templates"]).render(page for root in layout(fleet) for page in root.pages)
