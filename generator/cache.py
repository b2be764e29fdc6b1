"""The folder for what is built or computed once and can be made again: outside every checkout, the user's own."""

from __future__ import annotations

import os
from pathlib import Path


def folder() -> Path:
    """Return CROSSKEYS_CACHE_DIR, or else crosskeys in the XDG cache; it need not exist."""
    if chosen := os.environ.get("CROSSKEYS_CACHE_DIR"):
        return Path(chosen).expanduser().absolute()
    # By the XDG base directory specification a relative path in it is to be ignored.
    base = os.environ.get("XDG_CACHE_HOME", "")
    return Path(base if Path(base).is_absolute() else Path.home() / ".cache", "crosskeys")
