"""Which roots a branch has changed: the tree as git has it against the tree as it stands."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator import history
from generator.errors import UsageError
from generator.manifest.load import CLIENTS, SETTINGS
from generator.render.layout import TREE
from generator.run.affected import LOCK_FILE, TEMPLATES, Affected, affected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from generator.render.layout import Root


@dataclass(frozen=True, slots=True)
class Since:
    """What differs since HEAD left a branch; what is not committed yet counts.

    Args:
        ref: The branch or other revision that was asked about.
        commit: Where HEAD left it.
        roots: The roots that differ, those included that are no more.
    """

    ref: str
    commit: str
    roots: tuple[Affected, ...]

    @property
    def names(self) -> frozenset[str]:
        """The names of the roots that differ."""
        return frozenset(root.name for root in self.roots)


def since(folder: Path, ref: str, roots: Iterable[Root], texts: Mapping[str, str]) -> Since:
    """Compare the rendered roots with those of the commit at which HEAD left ``ref``.

    Beside rendered files a provider lock file counts that the commit had: another version of a provider may plan
    something else. One that is new does not, for a live run leaves it behind in every root that it was the first in.

    Args:
        folder: The fleet's folder.
        ref: A branch or another revision of git.
        roots: The fleet's roots.
        texts: Every rendered file by its path, which is what stands on disk.

    Raises:
        UsageError: When git cannot say, or a manifest cannot be read.
    """
    commit = history.merge_base(folder, ref)
    before = history.files_at(folder, commit, TREE, CLIENTS, SETTINGS, TEMPLATES)
    after = {path: text.encode() for path, text in texts.items()}
    sources = (*_below(folder, CLIENTS, ".yaml"), *_below(folder, TEMPLATES, ".j2"), SETTINGS)
    locks = (path for path in before if path.endswith(f"/{LOCK_FILE}"))
    for path in (*sources, *locks):
        content = _content(folder / path)
        if content is not None:
            after[path] = content
    templates = {page.path: page.template for root in roots for page in root.pages}
    return Since(ref, commit, affected(before, after, templates))


def _below(folder: Path, top: str, ending: str) -> Iterator[str]:
    for parent, _, names in os.walk(folder / top):
        for name in names:
            if name.endswith(ending):
                yield f"{os.path.relpath(parent, folder)}/{name}"


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if path.is_file() else None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", help="make it readable, then run again") from error
