"""Writing files that are not there yet: all of them or none."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from generator.errors import RefusedError, UsageError
from generator.render.tree import WORK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def require_free(folder: Path, paths: Iterable[str]) -> None:
    """Require that nothing is where files are to be written, and that their folders are real ones.

    Args:
        folder: The folder below which they are to be.
        paths: Their paths relative to it.

    Raises:
        RefusedError: When something is there already.
    """
    taken = sorted({hindrance for path in paths if (hindrance := _hindrance(folder, path))})
    if taken:
        raise RefusedError(
            f"nothing was written, because this is there already: {', '.join(taken)}",
            help="move it away or choose another name; what exists is never overwritten",
        )


def place(folder: Path, texts: Mapping[str, str]) -> None:
    """Write files that are not there yet, each aside first and then renamed into place.

    Args:
        folder: The fleet's folder, locked by the caller.
        texts: Their texts, by path relative to it.

    Raises:
        RefusedError: When something is there already.
        UsageError: When one cannot be written; then none is.
    """
    require_free(folder, texts)
    try:
        with tempfile.TemporaryDirectory(dir=folder / WORK, prefix="new-") as aside, _undone_on_failure() as made:
            staged = {path: Path(aside, str(number)) for number, path in enumerate(texts)}
            for path, text in texts.items():
                staged[path].write_text(text, "utf-8", newline="\n")
            for path in texts:
                target = folder / path
                for parent in reversed([each for each in target.parents if not each.exists()]):
                    parent.mkdir()
                    made.append(parent)
                staged[path].replace(target)
                made.append(target)
    except OSError as error:
        raise UsageError(
            f"nothing was written: {error.strerror}: {error.filename or folder}",
            help="make room or set the permissions right, then run this again",
        ) from error


def _hindrance(folder: Path, path: str) -> str | None:
    """Return what is in the way of a file: the file itself, or a parent that is no folder or a link to one."""
    parts = path.split("/")
    for parent in ("/".join(parts[:number]) for number in range(1, len(parts))):
        if (folder / parent).is_symlink() or ((folder / parent).exists() and not (folder / parent).is_dir()):
            return parent
    return path if os.path.lexists(folder / path) else None


@contextmanager
def _undone_on_failure() -> Iterator[list[Path]]:
    """Yield a list for what is made, and remove all of that when the block fails."""
    made: list[Path] = []
    try:
        yield made
    except BaseException:
        for path in reversed(made):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        raise
