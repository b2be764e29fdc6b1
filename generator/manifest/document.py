"""What a manifest says, and where."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from generator.diagnostics import Span
from generator.manifest.composer import compose
from generator.manifest.nodes import Loc, Mapping, Node, Sequence, Value


@dataclass(frozen=True, slots=True)
class Document:
    """One manifest as it was written.

    Args:
        shown: The file's path relative to the fleet's folder.
        text: The whole text; spans count its lines and characters.
        content: What it says, as plain Python values.
    """

    shown: str
    text: str
    content: Value

    @property
    def root(self) -> Node:
        """The outermost node, read from the text again: of thousands of manifests few are asked for places."""
        return _root(self.text, self.shown)

    def span_of(self, loc: Loc) -> Span:
        """Return where the value at ``loc`` stands, or the innermost value around it that exists.

        Args:
            loc: A path of keys and indices as pydantic reports it; parts that name nothing here (the tags of unions,
                the name of a missing key) are skipped.
        """
        return self._find(loc)[0].span

    def key_span_of(self, loc: Loc) -> Span:
        """Return where the key of the value at ``loc`` stands; for a list's item and the root, the value itself."""
        node, key = self._find(loc)
        return key or node.span

    def _find(self, loc: Loc) -> tuple[Node, Span | None]:
        node, key = self.root, None
        for part in loc:
            if isinstance(node, Mapping) and isinstance(part, str) and part in node.items:
                key, node = node.keys[part], node.items[part]
            elif isinstance(node, Sequence) and isinstance(part, int) and 0 <= part < len(node.items):
                node, key = node.items[part], None
        return node, key


@lru_cache(maxsize=8)  # all that is asked about one file is asked in a row
def _root(text: str, shown: str) -> Node:
    root, _ = compose(text, shown)
    return root or Mapping(Span(shown), {}, {})
