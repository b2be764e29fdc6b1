"""Where the data folders that ship with the package lie."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from generator.errors import InternalError

_PACKAGE = Path(__file__).parent


def data(name: Literal["templates", "schemas", "toolchain", "scaffold"]) -> Path:
    """Return a data folder: inside the package when installed from a wheel, beside it in a checkout.

    The folder may be read-only.

    Raises:
        InternalError: The installation lacks the folder.
    """
    for folder in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise InternalError(f"this installation of crosskeys lacks its folder {name}/", help="install crosskeys again")
