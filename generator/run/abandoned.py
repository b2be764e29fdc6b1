"""State of roots whose files are gone: objects that live on and that no plan would mention."""

from __future__ import annotations

import glob
import json
from pathlib import Path
from typing import TYPE_CHECKING

from generator.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Collection

_NAMES = ("platform", "accounts/*/aws", "accounts/*/vault")


def require_none(pattern: str, roots: Collection[str]) -> None:
    """Check that every local state file that still holds objects belongs to a root.

    Args:
        pattern: Absolute path of a state file, in which ``{root}`` stands for the root's name.
        roots: The names of every root of the fleet, the leftover ones too.

    Raises:
        RefusedError: When some do not, naming root and objects.
    """
    before, _, after = pattern.partition("{root}")
    found = [
        (path[len(before) : len(path) - len(after)], Path(path))
        for name in _NAMES
        for path in sorted(glob.glob(f"{glob.escape(before)}{name}{glob.escape(after)}"))  # noqa: PTH207 - a string pattern
    ]
    left = [(name, objects) for name, path in found if name not in roots and (objects := _objects(path))]
    if left:
        lines = "".join(f"\n  {name}: {', '.join(objects)}" for name, objects in left)
        raise RefusedError(
            f"roots whose files are gone still have objects, which no plan would destroy:{lines}",
            help="restore the root.tf of each from version control (`git restore --source COMMIT terraform/...`), then "
            "apply and `crosskeys prune`; a sandbox of no worth is forgotten by `make clean`",
        )


def _objects(path: Path) -> list[str]:
    try:
        resources = json.loads(path.read_text("utf-8"))["resources"]
        return [f"{each['type']}.{each['name']}" for each in resources if each["mode"] == "managed"]
    except (OSError, ValueError, KeyError, TypeError):
        return [f"{path} could not be read"]
