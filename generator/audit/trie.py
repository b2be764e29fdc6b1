"""Every client's directory in the KV mount, by segments: whose does a pattern meet?

Building takes one step for each segment of each directory. Looking up takes one step for each segment of a pattern
that is literal, and a step for each name of that level for ``+`` and for a prefix that ends within a segment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from generator.audit.proof_pattern import ANY, Pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

# KV version 2, every operation on a secret: https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2
AREAS = ("data", "metadata", "delete", "undelete", "destroy", "subkeys")
_ENOUGH = 2  # of two owners one is another's, whoever asks


@dataclass(slots=True)
class _Node:
    """A segment.

    Args:
        children: By name.
        owners: Whose directory ends here, at most two.
        below: Whose directories end here or further down, at most two.
    """

    children: dict[str, _Node] = field(default_factory=dict)
    owners: list[str] = field(default_factory=list)
    below: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reach:
    """A way into a directory.

    Args:
        owner: Whose directory it is.
        path: A request path in it that the pattern matches.
    """

    owner: str
    path: str


class Directories:
    """The directories of one KV mount.

    Args:
        mount: The mount's path, without slashes at the ends.
        directories: Each owner with a directory below the mount.
    """

    def __init__(self, mount: str, directories: Iterable[tuple[str, str]]) -> None:
        tree = _Node()
        for owner, directory in directories:
            node = tree
            _note(node.below, owner)
            for segment in directory.split("/"):
                node = node.children.setdefault(segment, _Node())
                _note(node.below, owner)
            _note(node.owners, owner)
        # All areas have the same directories, so they share one tree.
        self._top = _Node(dict.fromkeys(AREAS, tree), below=tree.below)
        for segment in reversed(mount.split("/")):
            self._top = _Node({segment: self._top}, below=tree.below)

    def reached(self, pattern: Pattern, by: str) -> Reach | None:
        """Return a way by which a pattern meets the directory of anyone else; None when it meets none.

        Args:
            pattern: What a rule's path matches.
            by: Who has the rule.
        """
        segments, rest = pattern.segments, pattern.rest
        waiting: list[tuple[_Node, tuple[str, ...]]] = [(self._top, ())]
        while waiting:
            node, path = waiting.pop()
            for segment in segments[len(path) :]:
                if _other(node.owners, by):
                    break
                if segment == ANY:
                    # The first name is looked at first, so that the outcome is the first in the fleet's order.
                    names = reversed([name for name, child in node.children.items() if _other(child.below, by)])
                    waiting += [(node.children[name], (*path, name)) for name in names]
                    break
                if segment not in node.children:
                    break
                node, path = node.children[segment], (*path, segment)
            if other := _other(node.owners, by):
                return Reach(other, pattern.example(after=path))
            if rest is not None and len(path) == len(segments):
                for name, child in node.children.items():
                    if name.startswith(rest) and _other(child.below, by):
                        return _down(child, (*path, name), by)
        return None


def _down(node: _Node, path: tuple[str, ...], by: str) -> Reach:
    """Return the first directory of anyone else at or below a node that has one."""
    while (other := _other(node.owners, by)) is None:
        name, node = next((name, child) for name, child in node.children.items() if _other(child.below, by))
        path = (*path, name)
    return Reach(other, "/".join((*path, "example")))


def _note(owners: list[str], owner: str) -> None:
    if len(owners) < _ENOUGH and owner not in owners:
        owners.append(owner)


def _other(owners: list[str], than: str) -> str | None:
    for owner in owners:
        if owner != than:
            return owner
    return None
