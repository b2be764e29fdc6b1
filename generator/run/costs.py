"""What roots cost, by the report of an earlier run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from generator.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


class _Row(BaseModel):
    # A report says more of a root than this, and a later version may say more still.
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    root: str
    seconds: float = Field(ge=0, le=1e6, allow_inf_nan=False)


class _Report(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    roots: list[_Row]


def measured(path: Path) -> dict[str, int]:
    """Return the milliseconds that each root took in a run; several steps of a root add up.

    Args:
        path: What ``plan --format json`` or ``apply --format json`` printed.

    Raises:
        UsageError: When the file cannot be read or is no such report.
    """
    try:
        report = _Report.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", help="name the report of an earlier run"
        ) from error
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) or "its beginning"
        raise UsageError(
            f"{path} is no report of a run: {error.errors()[0]['msg']} at {where}",
            help="keep one with `crosskeys plan --format json`",
        ) from error
    found: dict[str, int] = {}
    for row in report.roots:
        # No time is that of a root that was not run, or had nothing to be applied: it says nothing of what a run costs.
        if row.seconds:
            found[row.root] = found.get(row.root, 0) + max(1, round(row.seconds * 1000))
    return found
