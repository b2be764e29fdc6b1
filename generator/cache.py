"""Where this user's cache is: what can be made again, for all fleets and outside of any checkout."""

from __future__ import annotations

import os
from pathlib import Path


def folder() -> Path:
    """Return the cache folder: CROSSKEYS_CACHE_DIR, else crosskeys in the XDG cache. It need not exist."""
    if chosen := os.environ.get("CROSSKEYS_CACHE_DIR"):
        return Path(chosen).expanduser().absolute()
    # By the XDG base directory specification a relative path in it is to be ignored.
    base = os.environ.get("XDG_CACHE_HOME", "")
    return Path(base if Path(base).is_absolute() else Path.home() / ".cache", "crosskeys")


def chosen(at: Path | None) -> Path:
    """Make a folder the cache of this process and of all that it starts, unless it is None; return the cache folder."""
    if at is not None:
        os.environ["CROSSKEYS_CACHE_DIR"] = os.fspath(at.absolute())
    return folder()
