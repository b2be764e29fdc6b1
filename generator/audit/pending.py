"""Import files that stand in a tree: which of their blocks are kept when it is rendered.

No manifest says them, so rendering keeps what it finds, as far as it says no more than that an object which its root
declares is imported, by its own id. A block whose object is declared no longer, or by another name, is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from generator.audit.declared import Import
from generator.audit.faults import Unreadable
from generator.audit.imports import import_id, import_path, import_text, is_import_path
from generator.audit.reading import read_each
from generator.diagnostics import Diagnostic, Severity, Span
from generator.render.head import is_untouched
from generator.render.layout import TREE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from generator.audit.declared import Declaration, Declared
    from generator.audit.moulds import Declarations
    from generator.render.layout import Root

SPOILT_IMPORTS = "CK981"


@dataclass(frozen=True, slots=True)
class Pending:
    """What a tree imports.

    Args:
        texts: The import files as they should be, by path.
        declared: What these declare.
        spoilt: A finding for each import file that cannot be believed, by path.
    """

    texts: Mapping[str, str]
    declared: tuple[Declaration, ...]
    spoilt: Mapping[str, Diagnostic]

    def of(self, roots: Iterable[Root]) -> tuple[Root, ...]:
        """Return roots with their import files."""
        files: dict[str, list[str]] = {}
        for path in self.texts:
            files.setdefault(path.removeprefix(f"{TREE}/").rpartition("/")[0], []).append(path)
        return tuple(replace(root, imports=tuple(files[root.name])) if root.name in files else root for root in roots)


def pending(found: Mapping[str, str], declared: Declared, roots: Iterable[Root], cache: Path | None) -> Pending:
    """Return what a tree imports.

    Args:
        found: Text of every file of the tree that rendering made, by its path.
        declared: What is declared by the tree as it should be.
        roots: The roots that the manifests say.
        cache: A folder that remembers what was parsed; None for none. The outcome is the same.
    """
    files = {path: found[path] for path in sorted(found) if is_import_path(path)}
    if not files:
        return Pending({}, (), {})
    blocks = read_each(files, cache)
    spoilt = {path: fault for path, text in files.items() if (fault := _fault(path, text, blocks[path]))}
    origins = {page.path: page.origin for root in roots for page in root.pages}
    texts: dict[str, str] = {}
    for path in files.keys() - spoilt.keys():
        kept = _kept(declared, path, blocks[path])
        if kept:
            text = import_text(declared, kept, origins)
            texts[path] = files[path] if text == files[path] else text
    rewritten = {path: text for path, text in texts.items() if text is not files[path]}
    blocks |= read_each(rewritten, cache)
    texts = {path: texts[path] for path in sorted(texts)}
    read = (blocks[path] for path in texts)
    return Pending(texts, tuple(item for each in read if not isinstance(each, Unreadable) for item in each), spoilt)


def settled(declared: Declared, known: Mapping[str, Collection[str]]) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """Return the import files that have done their work, and of the others what they have yet to import, by path.

    Args:
        declared: All that the tree declares.
        known: Addresses of what the state of each root knows, by the root's name.
    """
    left: dict[str, list[str]] = {}
    for block in declared.of(Import):
        waiting = left.setdefault(block.span.path, [])
        if block.to not in known.get(block.root, ()):
            waiting.append(block.to)
    return (
        [path for path, waiting in left.items() if not waiting],
        {path: tuple(waiting) for path, waiting in left.items() if waiting},
    )


def _kept(declared: Declared, path: str, blocks: Declarations | Unreadable) -> list[Declaration]:
    """Return the objects whose imports are exact and stand in their own file."""
    if isinstance(blocks, Unreadable):
        return []
    imports = {(item.root, item.to): item.id for item in blocks if isinstance(item, Import)}
    return [
        item
        for key, name in imports.items()
        if (item := declared.objects.get(key)) and import_path(item) == path and import_id(declared, item) == name
    ]


def _fault(path: str, text: str, blocks: Declarations | Unreadable) -> Diagnostic | None:
    if isinstance(blocks, Unreadable):
        span, why = blocks.finding.span, blocks.finding.message
    elif other := next((item for item in blocks if not isinstance(item, Import)), None):
        span, why = other.span, f"it holds more than import blocks: {other.address}"
    elif not is_untouched(text):
        span, why = Span(path), "it no longer fits the digest in its head"
    else:
        return None
    help_ = f"restore it (`git restore {path}`) or delete it: `crosskeys import` writes it again"
    return Diagnostic(SPOILT_IMPORTS, Severity.ERROR, span, f"this import file is not as it was written: {why}", help_)
