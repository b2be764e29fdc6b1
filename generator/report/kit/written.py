"""Writing a kit, as a folder or as a zip archive: all of it or nothing, and over nothing but an earlier kit."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from generator.errors import RefusedError, UsageError
from generator.report.kit.contents import SUMS, File, sums

if TYPE_CHECKING:
    from collections.abc import Mapping

_LARGEST = 10_000_000  # bytes of what is looked at as an earlier kit
_DAY = (1980, 1, 1, 0, 0, 0)  # the first that a zip archive knows


def write(target: Path, files: Mapping[str, File]) -> bool:
    """Write a kit, aside first; return whether anything had to be written.

    Args:
        target: A zip archive when its name ends in ``.zip``, otherwise a folder; its parents are made.
        files: The kit's files.

    Raises:
        RefusedError: When something is there that is not an earlier kit, as it was written.
        UsageError: When it cannot be written; what is there stays.
    """
    archive = target.suffix == ".zip"
    try:
        found = _found(target, archive=archive)
        if found == {path: file.data for path, file in files.items()}:
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as aside:
            made = Path(aside, "kit")
            (_write_archive if archive else _write_folder)(made, files)
            _swap(made, target, Path(aside, "old"))
    except OSError as error:
        raise UsageError(
            f"the kit was not written: {error.strerror}: {error.filename or target}",
            help="make room or set the permissions right, then run this again",
        ) from error
    return True


def _found(target: Path, *, archive: bool) -> dict[str, bytes] | None:
    """Return the files of the kit that is there; None when nothing is.

    Raises:
        RefusedError: When it is no kit, or not as it was written: somebody may have put something into it.
    """
    if not os.path.lexists(target):
        return None
    found = _archived(target) if archive else _in_folder(target)
    if found == {}:
        return None
    listed = {path: File(data) for path, data in (found or {}).items() if path != SUMS}
    if found is None or found.get(SUMS) != sums(dict(sorted(listed.items()))):
        raise RefusedError(
            f"{target} is there already, and it is not a kit as it was written",
            help="name another place with --out, or move away what is there",
        )
    return found


def _in_folder(folder: Path) -> dict[str, bytes] | None:
    if folder.is_symlink() or not folder.is_dir():
        return None
    found: dict[str, bytes] = {}
    size = 0
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            continue
        size += path.lstat().st_size
        if not stat.S_ISREG(mode) or size > _LARGEST:
            return None
        found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


def _archived(file: Path) -> dict[str, bytes] | None:
    if file.is_symlink() or not file.is_file() or file.stat().st_size > _LARGEST:
        return None
    try:
        with zipfile.ZipFile(file) as archive:
            # Stored as they are: what is compressed may be any size.
            entries = archive.infolist()
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                return None
            return {entry.filename: archive.read(entry) for entry in entries} or None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError):
        return None


def _write_folder(folder: Path, files: Mapping[str, File]) -> None:
    for path, file in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.data)
        target.chmod(_mode(file))
    for made in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        made.chmod(0o755)


def _write_archive(target: Path, files: Mapping[str, File]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:  # deflate's bytes differ between versions of zlib
        for path, file in files.items():
            entry = zipfile.ZipInfo(path, _DAY)
            entry.create_system = 3  # Unix, wherever this runs: the modes count
            entry.external_attr = (stat.S_IFREG | _mode(file)) << 16
            archive.writestr(entry, file.data)
    target.chmod(0o644)


def _mode(file: File) -> int:
    # Nothing in a kit is secret, and who unpacks it is not who runs it.
    return 0o755 if file.executable else 0o644


def _swap(made: Path, target: Path, old: Path) -> None:
    """Put what was made where an earlier kit, an empty folder or nothing is."""
    if not target.is_dir():
        made.replace(target)
        return
    target.replace(old)  # a folder that is not empty cannot be replaced in one step
    try:
        made.replace(target)
    except BaseException:
        with suppress(OSError):
            old.replace(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
