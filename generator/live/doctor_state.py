"""Whether the state backend answers, by reading one root's state as Terraform does."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from generator.render.render import Renderer
from generator.report.checkup import Check, Status
from generator.resources import data
from generator.run import keepers
from generator.run.keepers import Access
from generator.run.state import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.manifest.settings import FleetSettings
    from generator.report.states import StateRow

_AREA = "state"


def state(folder: Path, settings: FleetSettings, root: str, environment: Mapping[str, str]) -> Check:
    """Read the state of a root, and judge what comes of it.

    Args:
        folder: The fleet's folder.
        settings: The fleet's.
        root: The root's name; any tells whether the backend answers.
        environment: In which the backend is reached.
    """
    place = Place.of(folder, settings, root)
    with tempfile.TemporaryDirectory(prefix="crosskeys-") as aside:
        access = Access(Path(aside), Renderer([data("templates")]), 1, lambda _running: None)
        (row,) = keepers.read_all([place], environment, access)
    return judged(row)


def judged(row: StateRow) -> Check:
    """Judge what reading a state came to."""
    match row.outcome:
        case "failed":
            advice = "see that the backend's credentials and settings are right; then crosskeys state --read"
            return Check(_AREA, "backend", Status.UNKNOWN, row.reason or "the state cannot be read", advice)
        case "none":
            said = f"{row.backend} answers; {row.root} has no state yet"
        case _:
            said = f"{row.backend} answers; {row.root} has {row.objects} objects"
    if row.locked_by:
        advice = "see that the run still lives; if not, terraform force-unlock"
        return Check(_AREA, "backend", Status.WARNING, f"{said}, locked by {row.locked_by}", advice)
    return Check(_AREA, "backend", Status.OK, said)
