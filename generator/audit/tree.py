"""The rendered tree as it stands on disk: its texts, and all that they declare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.audit.faults import Unreadable, UnreadableTreeError
from generator.audit.read import together
from generator.audit.reading import read_each
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


def load(folder: Path, cache: Path | None = None) -> Tree:
    """Read everything that Terraform would take from the rendered roots below ``folder``; nothing is rendered.

    Args:
        folder: The fleet's folder.
        cache: A folder that remembers what was parsed; None for none. The outcome is the same.

    Raises:
        UnreadableTreeError: For a file that rendering did not make, and for all that cannot be taken literally.
        UsageError: When a folder of the tree cannot be read.
    """
    found = tree.compare(folder, {})
    if found.foreign:
        raise UnreadableTreeError(found.foreign_findings())
    return Tree(found.found, declared(found.found, cache))


def of(texts: Mapping[str, str], declared: Declared) -> Tree:
    """Return a tree that was read already, every file of it, judged as a whole.

    Args:
        texts: Every file by its path, relative to the fleet's folder.
        declared: What they declare, each of them by itself.

    Raises:
        UnreadableTreeError: As ``audit.read.read`` does.
    """
    return Tree(texts, together(declared.objects.values(), ()))


def declared(texts: Mapping[str, str], cache: Path | None = None) -> Declared:
    """Return all that a tree declares, just as ``audit.read.read`` does, in a hundredth of the time.

    Args:
        texts: Every file of the tree by its path, relative to the fleet's folder.
        cache: A folder that remembers what was parsed; None for none.

    Raises:
        UnreadableTreeError: As ``audit.read.read`` does.
    """
    outcomes = read_each(texts, cache).values()
    unreadable = [outcome.finding for outcome in outcomes if isinstance(outcome, Unreadable)]
    found = [item for outcome in outcomes if not isinstance(outcome, Unreadable) for item in outcome]
    return together(found, unreadable)
