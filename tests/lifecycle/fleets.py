"""Small fleets out of real files, and what the rules say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator import pipeline
from generator.manifest.fleet import resolve
from generator.manifest.load import load
from generator.render.layout import layout
from generator.render.render import Renderer
from generator.resources import data

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from pathlib import Path

    from generator.diagnostics import Diagnostic
    from generator.manifest.fleet import Fleet

RETIRED = 'retire: {approved_until: "2027-01-31", reason: moved}\n'
VAULT = "terraform/accounts/111111111111/vault"
AWS = "terraform/accounts/111111111111/aws"


def client(name: str, more: str = "", account_id: str = "111111111111", role: str | None = None) -> str:
    return f'name: {name}\naccount_id: "{account_id}"\nrole_name: {role or f"{name}-app"}\nowner: x@example.com\n{more}'


def write(folder: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def judged(folder: Path, files: Mapping[str, str], today: dt.date | None = None) -> tuple[Diagnostic, ...]:
    """Write the files and return every finding about them."""
    write(folder, files)
    return pipeline.validate(folder, today).findings


def fleet_of(folder: Path, files: Mapping[str, str]) -> Fleet:
    """Write the files, which have no findings, and return the fleet that they say."""
    assert judged(folder, files) == ()
    return resolve(load(folder)[0])


def texts_of(fleet: Fleet) -> dict[str, str]:
    """Return what a fleet is rendered to by the package's own templates."""
    return Renderer([data("templates")]).render(page for root in layout(fleet) for page in root.pages)
