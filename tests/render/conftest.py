"""A small fleet on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from generator.manifest.fleet import resolve
from generator.manifest.load import load
from generator.render import tree
from generator.render.layout import layout
from generator.render.render import Renderer
from generator.resources import data

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class FleetFolder:
    """The folder of a fleet whose manifests are in order."""

    folder: Path

    def add(self, name: str, account_id: str = "111111111111", more: str = "") -> None:
        path = self.folder / "clients" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'name: {name}\naccount_id: "{account_id}"\nrole_name: {name}\nowner: x@example.com\n{more}')

    def remove(self, name: str) -> None:
        (self.folder / "clients" / f"{name}.yaml").unlink()

    def wanted(self) -> dict[str, str]:
        manifests, findings = load(self.folder)
        assert findings == ()
        renderer = Renderer([self.folder / "templates", data("templates")])
        return renderer.render(page for root in layout(resolve(manifests)) for page in root.pages)

    def compare(self) -> tree.Comparison:
        return tree.compare(self.folder, self.wanted())

    def render(self) -> tree.Comparison:
        comparison = self.compare()
        tree.write(self.folder, comparison)
        return comparison

    def texts(self) -> dict[str, str]:
        """Return the text of every file below ``terraform/``."""
        files = sorted(path for path in (self.folder / "terraform").rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path.read_text() for path in files}


@pytest.fixture
def fleet(tmp_path: Path) -> FleetFolder:
    """Two clients in one account and one in another, nothing rendered yet."""
    made = FleetFolder(tmp_path / "fleet")
    made.folder.mkdir()
    made.add("pay")
    made.add("ledger")
    made.add("search", "222222222222")
    return made
