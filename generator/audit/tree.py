"""The rendered tree as it stands on disk: its texts, and all that they declare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.audit.faults import UnreadableTreeError
from generator.audit.read import read
from generator.render import tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from generator.audit.declared import Declared


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree that was read.

    Args:
        texts: Every file by its path, relative to the fleet's folder.
        declared: What they declare.
    """

    texts: Mapping[str, str]
    declared: Declared


def load(folder: Path) -> Tree:
    """Read everything that Terraform would take from the rendered roots below ``folder``; nothing is rendered.

    Raises:
        UnreadableTreeError: For a file that rendering did not make, and for all that cannot be taken literally.
        UsageError: When a folder of the tree cannot be read.
    """
    found = tree.compare(folder, {})
    if found.foreign:
        raise UnreadableTreeError(found.foreign_findings())
    return Tree(found.found, read(found.found))
