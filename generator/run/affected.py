"""Which roots differ between two states of a fleet's files, and what made them differ. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from generator.manifest.load import ACCOUNTS, SETTINGS
from generator.render.head import origin_of
from generator.render.layout import TREE, RootKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LOCK_FILE = ".terraform.lock.hcl"
TEMPLATES = "templates"

_FILE = re.compile(rf"{TREE}/(?P<root>platform|accounts/(?P<account>[0-9]{{12}})/(?:aws|vault))/(?P<name>.+)", re.ASCII)
_CLIENT = re.compile(r"(?:import-)?client-(?P<client>[^/]+)\.tf", re.ASCII)


class ChangeKind(StrEnum):
    """What became of a file or of a whole root."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of a root that differs.

    Args:
        path: Relative to the fleet's folder.
        change: What became of it.
        client: The client whose file it is; None for what all of a root's clients share.
        sources: Manifests, settings and templates that it is made of and that differ too; empty where none does, for
            then another version of crosskeys rendered it, or somebody edited it.
    """

    path: str
    change: ChangeKind
    client: str | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Affected:
    """One root that differs.

    Args:
        name: Its path below ``terraform/``.
        kind: What it declares.
        account_id: Its account; None for the platform.
        change: What became of it; a root that is removed cannot be planned.
        files: The files that differ, by path; never empty.
    """

    name: str
    kind: RootKind
    account_id: str | None
    change: ChangeKind
    files: tuple[FileChange, ...]

    @property
    def clients(self) -> tuple[str, ...]:
        """The clients whose own files differ."""
        return tuple(file.client for file in self.files if file.client is not None)


def affected(
    before: Mapping[str, bytes], after: Mapping[str, bytes], templates: Mapping[str, str]
) -> tuple[Affected, ...]:
    """Return the roots whose bytes differ and no other, in the order in which roots are laid out.

    Args:
        before: Rendered files, manifests, settings and templates as they were, by path.
        after: The same as they are.
        templates: The template of each file that is rendered, such as ``vault/client.tf.j2``, by the file's path.
    """
    differing = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    made = _Made(before, after, frozenset(differing), templates)
    files: dict[str, list[FileChange]] = {}
    for path in sorted(differing):
        if found := _FILE.fullmatch(path):
            files.setdefault(found["root"], []).append(made.change_of(path, found))
    then, now = _roots(before), _roots(after)
    roots = (_root(name, files, was=name in then, is_now=name in now) for name in files)
    return tuple(sorted(roots, key=lambda root: (root.account_id or "", list(RootKind).index(root.kind))))


def _roots(files: Mapping[str, bytes]) -> set[str]:
    found = (_FILE.fullmatch(path) for path in files)
    return {match["root"] for match in found if match and match["name"] != LOCK_FILE}


def _root(name: str, files: Mapping[str, Sequence[FileChange]], *, was: bool, is_now: bool) -> Affected:
    change = ChangeKind.CHANGED if was and is_now else ChangeKind.ADDED if is_now else ChangeKind.REMOVED
    account = name.split("/")[1] if "/" in name else None
    # An account without a manifest is there for its clients' sake: they make its shared files come and go, even where
    # they have no file of their own in this root.
    beside = [*files[name], *files.get(f"accounts/{account}/vault", ())]
    causes = tuple(dict.fromkeys(source for file in beside if file.client for source in file.sources))
    whole = tuple(
        replace(file, sources=causes)
        if not file.sources and file.client is None and file.change is not ChangeKind.CHANGED
        else file
        for file in files[name]
    )
    return Affected(name, RootKind(name.rpartition("/")[2]), account, change, whole)


@dataclass(frozen=True, slots=True)
class _Made:
    """Knows what a rendered file is made of."""

    before: Mapping[str, bytes]
    after: Mapping[str, bytes]
    differing: frozenset[str]
    templates: Mapping[str, str]

    def change_of(self, path: str, found: re.Match[str]) -> FileChange:
        change = (
            ChangeKind.ADDED
            if path not in self.before
            else ChangeKind.REMOVED
            if path not in self.after
            else ChangeKind.CHANGED
        )
        client = _CLIENT.fullmatch(found["name"])
        sources = tuple(dict.fromkeys(source for source in self._sources(path, found) if source in self.differing))
        return FileChange(path, change, client["client"] if client else None, sources)

    def _sources(self, path: str, found: re.Match[str]) -> Iterator[str]:
        for files in (self.after, self.before):
            origin = origin_of(files.get(path, b"").decode("utf-8", "replace"))
            if origin is not None:
                yield origin
        if found["account"]:
            yield f"{ACCOUNTS}/{found['account']}.yaml"
        yield SETTINGS
        if path in self.templates:
            yield f"{TEMPLATES}/{self.templates[path]}"
            # What begins with an underscore is included by others.
            yield from sorted(each for each in self.differing if each.startswith(f"{TEMPLATES}/_"))
