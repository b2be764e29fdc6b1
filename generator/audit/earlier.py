"""A fleet as it was at a commit, read by the same code as the one on disk."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from generator import history
from generator.audit import tree
from generator.audit.faults import UnreadableTreeError
from generator.diagnostics import has_errors
from generator.errors import UsageError
from generator.manifest.fleet import resolve
from generator.manifest.load import CLIENTS, SETTINGS, load
from generator.render.layout import TREE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.audit.tree import Tree
    from generator.diagnostics import Diagnostic
    from generator.manifest.fleet import Fleet


@dataclass(frozen=True, slots=True)
class Earlier:
    """A fleet as it was.

    Args:
        tree: Its tree; None when it cannot be read literally.
        fleet: Its manifests, as far as they can be read.
        is_whole: Whether all of its manifests can be read, or it had none yet.
        findings: What in the tree cannot be read.
        texts: The tree's files by path, to show findings in.
    """

    tree: Tree | None
    fleet: Fleet
    is_whole: bool
    findings: tuple[Diagnostic, ...]
    texts: Mapping[str, str]


def at(folder: Path, revision: str, cache: Path | None = None) -> Earlier:
    """Return the fleet of a folder as it was at a commit: the regular files of its manifests, settings and tree.

    Args:
        folder: The fleet's folder as it is now.
        revision: The commit.
        cache: A folder that remembers what was parsed; None for none.

    Raises:
        UsageError: When git cannot say, or there is no room to write the files aside.
    """
    files = history.files_at(folder, revision, TREE, CLIENTS, SETTINGS)
    texts = {path: data.decode("utf-8", "replace") for path, data in files.items() if path.startswith(f"{TREE}/")}
    with tempfile.TemporaryDirectory(prefix="crosskeys-") as aside:
        _write(Path(aside), files)
        manifests, faults = load(Path(aside))
        fleet, is_whole = resolve(manifests), not has_errors(faults) or len(texts) == len(files)
        try:
            return Earlier(tree.load(Path(aside), cache), fleet, is_whole, (), texts)
        except UnreadableTreeError as error:
            return Earlier(None, fleet, is_whole, error.findings, texts)


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    try:
        for path, content in files.items():
            # A tree can be made by hand that has what git itself would never write to disk.
            if {"", ".", ".."} & set(path.split("/")):
                raise UsageError(f"the commit has a file of an impossible name: {path!r}", help="see `git fsck`")
            target = folder / PurePosixPath(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    except OSError as error:
        raise UsageError(
            f"the files of the commit cannot be written aside: {error.strerror}: {error.filename}",
            help="make room in the folder that TMPDIR names",
        ) from error
