"""The rendered tree on disk: what differs from what it should be, and making it so."""

from __future__ import annotations

import difflib
import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from generator.diagnostics import Diagnostic, Severity, Span
from generator.errors import RefusedError, UsageError
from generator.render.head import is_ours, is_untouched
from generator.render.layout import TREE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

STALE_FILE = "CK701"
FOREIGN_FILE = "CK702"
HAND_EDITED_FILE = "CK703"
UNIQUE_IDS_TURNED_OFF = "CK704"

_RESOLVES = re.compile(r"^ *resolve_aws_unique_ids *= *true$", re.MULTILINE)

WORK = ".crosskeys"
"""The folder, ignored by git, in which runs keep what is not the fleet's."""

# What Terraform itself leaves in a root; the lock file is meant to be committed, and a run says what to do about state.
_TERRAFORMS = frozenset({".terraform", ".terraform.lock.hcl", "errored.tfstate"})
TOPS = (f"{TREE}/platform", f"{TREE}/accounts")
"""The folders below which nothing but rendered files may be."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The tree on disk against the tree as it should be; everything by path, relative to the fleet's folder.

    Args:
        wanted: Text of every file that should be there.
        found: Text of every file there that rendering made.
        foreign: Files in rendered roots that rendering did not make, and those in ``spoilt``.
        spoilt: A finding for each file that no manifest says and that is not as it was written: nothing can tell how
            it was.
    """

    wanted: Mapping[str, str]
    found: Mapping[str, str]
    foreign: tuple[str, ...]
    spoilt: Mapping[str, Diagnostic] = field(default_factory=dict)

    def keeping(self, texts: Mapping[str, str], spoilt: Mapping[str, Diagnostic]) -> Comparison:
        """Return the comparison with files that stay although no manifest says them, and some that cannot be believed.

        Args:
            texts: What the former should say, by path.
            spoilt: A finding for each of the latter, by path.
        """
        if not texts and not spoilt:
            return self
        return replace(
            self,
            wanted={**self.wanted, **texts},
            found={path: text for path, text in self.found.items() if path not in spoilt},
            foreign=tuple(sorted((*self.foreign, *spoilt))),
            spoilt={**self.spoilt, **spoilt},
        )

    @property
    def added(self) -> tuple[str, ...]:
        """Files that should be there and are not."""
        return tuple(sorted(self.wanted.keys() - self.found.keys()))

    @property
    def changed(self) -> tuple[str, ...]:
        """Files whose text should be another."""
        return tuple(sorted(path for path, text in self.found.items() if self.wanted.get(path, text) != text))

    @property
    def removed(self) -> tuple[str, ...]:
        """Files that should not be there."""
        return tuple(sorted(self.found.keys() - self.wanted.keys()))

    @property
    def is_current(self) -> bool:
        """Whether the tree is as it should be."""
        return self.wanted == self.found and not self.foreign

    def findings(self) -> tuple[Diagnostic, ...]:
        """Return a finding for every file that is not as it should be."""
        return (*self.foreign_findings(), *self._stale_findings(), *self.replacements())

    def replacements(self) -> tuple[Diagnostic, ...]:
        """Return a warning for every Vault role that applying this render would destroy to make it anew."""
        return tuple(
            Diagnostic(
                UNIQUE_IDS_TURNED_OFF,
                Severity.WARNING,
                Span(path),
                "unique ids are turned off: Terraform will replace the Vault role, since Vault refuses that in place",
                "see that the plan replaces this role and nothing else; logins fail for the moment in between",
            )
            for path in self.changed
            if _RESOLVES.search(self.found[path]) and not _RESOLVES.search(self.wanted[path])
        )

    def foreign_findings(self) -> tuple[Diagnostic, ...]:
        """Return a finding for every file that rendering did not make or cannot make again."""
        return tuple(self.spoilt.get(path) or _foreign(path) for path in self.foreign)

    def _stale_findings(self) -> Iterator[Diagnostic]:
        run = "run `crosskeys render` and commit what it writes"
        for path in self.added:
            yield Diagnostic(STALE_FILE, Severity.ERROR, Span(path), "the file is missing", run)
        for path in self.removed:
            yield Diagnostic(STALE_FILE, Severity.ERROR, Span(path), "no manifest says that this file exists", run)
        for path in self.changed:
            if is_untouched(self.found[path]):
                yield Diagnostic(STALE_FILE, Severity.ERROR, Span(path), "the file is out of date", run)
            else:
                yield Diagnostic(
                    HAND_EDITED_FILE,
                    Severity.ERROR,
                    Span(path),
                    "the file was edited by hand: it no longer fits the digest in its head",
                    "change the manifest that the head names instead, then run `crosskeys render`",
                )

    def diff(self) -> str:
        """Return a unified diff from the tree on disk to the tree as it should be."""
        changes = sorted((*self.added, *self.changed, *self.removed))
        return "".join(
            line
            for path in changes
            for line in difflib.unified_diff(
                self.found.get(path, "").splitlines(keepends=True),
                self.wanted.get(path, "").splitlines(keepends=True),
                f"a/{path}" if path in self.found else "/dev/null",
                f"b/{path}" if path in self.wanted else "/dev/null",
            )
        )


def _foreign(path: str) -> Diagnostic:
    return Diagnostic(
        FOREIGN_FILE,
        Severity.ERROR,
        Span(path),
        "this file was not rendered, and Terraform would take it into the root",
        "move it out of the rendered roots; a root's files are exactly those that its manifests say",
    )


def compare(folder: Path, wanted: Mapping[str, str], tops: Sequence[str] = TOPS) -> Comparison:
    """Return how the tree below ``folder`` differs from ``wanted``.

    Args:
        folder: The fleet's folder.
        wanted: Text of every file that should be there, by its path.
        tops: The folders of the tree to look into.

    Raises:
        UsageError: When a folder of the tree cannot be read.
    """
    found: dict[str, str] = {}
    foreign: list[str] = []
    try:
        paths = tuple(_files(folder, tops))
    except OSError as error:
        raise UsageError(f"the rendered tree cannot be read: {error.strerror}: {error.filename}") from error
    base = os.fspath(folder)
    for path in paths:
        text = _text(f"{base}/{path}")
        if text is not None and text == wanted.get(path):
            found[path] = wanted[path]  # one text for both: a large fleet's are half of all memory
        elif text is not None and is_ours(text):
            found[path] = text
        else:
            foreign.append(path)
    return Comparison(wanted, found, tuple(sorted(foreign)))


def write(folder: Path, comparison: Comparison) -> None:
    """Make the tree as it should be: everything is written aside first, then renamed into place.

    A folder that is not there yet is renamed into place with all that is in it.

    Raises:
        RefusedError: When there is a file that rendering did not make.
        UsageError: When a file cannot be written; until all are written aside, nothing is replaced.
    """
    if comparison.foreign:
        raise RefusedError(
            f"{comparison.foreign[0]} was not rendered: nothing is written beside or over it",
            help="move it out of the rendered roots, then run `crosskeys render` again",
        )
    pending = (*comparison.added, *comparison.changed)
    base = os.fspath(folder)
    try:
        (folder / WORK).mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder / WORK, prefix="render-") as aside:
            for parent in {path.rpartition("/")[0]: None for path in pending}:
                os.makedirs(f"{aside}/{parent}", exist_ok=True)  # noqa: PTH103 - ten thousand: strings cost a tenth
            for path in pending:
                with open(f"{aside}/{path}", "wb") as file:  # noqa: PTH123 - as above
                    file.write(comparison.wanted[path].encode())
            for path in _moved(base, pending):
                os.replace(f"{aside}/{path}", f"{base}/{path}")  # noqa: PTH105 - as above
            for path in comparison.removed:
                (folder / path).unlink()
                _drop_empty(folder, folder / path)
    except OSError as error:
        raise UsageError(
            f"the rendered tree could not be written: {error.strerror}: {error.filename2 or error.filename or folder}",
            help="make room or set the permissions right, then run `crosskeys render` again; no file is half written",
        ) from error


def _moved(base: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Return what is to be renamed for files to be in place: themselves, or the outermost folder that is missing."""
    outermost: dict[str, str] = {}
    moved: dict[str, None] = {}
    for path in paths:
        parent = path.rpartition("/")[0]
        if parent not in outermost:
            steps = parent.split("/")
            folders = ("/".join(steps[:count]) for count in range(1, len(steps) + 1))
            outermost[parent] = next((each for each in folders if not os.path.lexists(f"{base}/{each}")), "")
        moved[outermost[parent] or path] = None
    return tuple(moved)


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold the fleet's write lock.

    Raises:
        RefusedError: When another process holds it.
        UsageError: When there is no place for it.
    """
    try:
        (folder / WORK).mkdir(exist_ok=True)
        file = (folder / WORK / "lock").open("w")
    except OSError as error:
        raise UsageError(
            f"the fleet cannot be locked for writing: {error.strerror}: {error.filename}",
            help=f"make {WORK}/ a folder that can be written to",
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RefusedError(
                "another crosskeys is writing to this fleet", help="wait for it to end, then run this again"
            ) from None
        yield


def digest(texts: Mapping[str, str]) -> str:
    """Return the SHA-256 of a tree by its files' texts, as hex digits."""
    return digest_of(digests(texts))


def digest_of(folders: Mapping[str, str]) -> str:
    """Return the SHA-256 of a tree, over its folders and what ``digests`` has of each, in path order, as hex digits."""
    return hashlib.sha256("".join(f"{path}\0{each}" for path, each in sorted(folders.items())).encode()).hexdigest()


def digests(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the SHA-256 of each folder that has files, over their paths and texts in path order, as hex digits."""
    found: defaultdict[str, hashlib._Hash] = defaultdict(hashlib.sha256)
    for path, text in sorted(texts.items()):
        body = text.encode()
        found[path.rpartition("/")[0]].update(f"{path}\0{len(body)}\0".encode() + body)
    return {folder: each.hexdigest() for folder, each in found.items()}


def _files(folder: Path, tops: Sequence[str]) -> Iterator[str]:
    # A link in the tree's own place would lead all of it to where no owner of the tree looks.
    tops = (TREE,) if os.path.islink(folder / TREE) else tops  # noqa: PTH114 - as in write
    pending = [path for path in tops if os.path.lexists(folder / path)]
    while pending:
        current = pending.pop()
        if os.path.islink(folder / current) or not os.path.isdir(folder / current):  # noqa: PTH112, PTH114 - as in write
            yield current
            continue
        with os.scandir(folder / current) as entries:
            for entry in entries:
                if entry.name in _TERRAFORMS:
                    continue
                path = f"{current}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    pending.append(path)
                else:
                    yield path


def _text(path: str) -> str | None:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb", buffering=0) as file:  # noqa: PTH123 - as in write
            return file.read().decode()
    except (OSError, UnicodeDecodeError):
        return None


def _drop_empty(folder: Path, path: Path) -> None:
    for parent in path.parents:
        if parent == folder or any(parent.iterdir()):
            return
        parent.rmdir()


def clear(folder: Path) -> None:
    """Remove what an interrupted write left aside."""
    for kind in ("render", "new"):  # as written here, and by place
        for left in (folder / WORK).glob(f"{kind}-*"):
            shutil.rmtree(left, ignore_errors=True)
