"""What git knows of a fleet's files. Reads only; no hook, pager or network of the repository's is used."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_FIELD, _RECORD = "\x1f", "\x1e"
_FORMAT = f"{_RECORD}%H{_FIELD}%cI{_FIELD}%an <%ae>"


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit.

    Args:
        sha: 40 or 64 hex digits.
        date: When it was committed: ISO 8601, with its offset.
        author: Name and address, as git has them.
    """

    sha: str
    date: str
    author: str


@dataclass(frozen=True, slots=True)
class Changes:
    """When a file came and when it last changed; both by commits that HEAD descends from."""

    first: Commit
    last: Commit


def commit(folder: Path, ref: str) -> str:
    """Return the commit that a branch, tag, digest or other revision names.

    Raises:
        UsageError: When git knows no such commit, or the folder is in no repository.
    """
    found = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}", may_fail=True)
    if not found:
        inside = _git(folder, "rev-parse", "--is-inside-work-tree", may_fail=True)
        help_ = "fetch it, or name another" if inside else "run this in a clone of the fleet's repository"
        raise UsageError(f"git knows no commit `{ref}` here", help=help_)
    return found.decode().strip()


def merge_base(folder: Path, ref: str) -> str:
    """Return the commit at which HEAD left ``ref``.

    Raises:
        UsageError: When git knows no such commit, or the two have no common history here.
    """
    found = _git(folder, "merge-base", commit(folder, ref), "HEAD", may_fail=True)
    if not found:
        raise UsageError(f"HEAD and `{ref}` have no common history here", help="fetch the whole history of both")
    return found.decode().strip()


def commit_before(folder: Path, date: str) -> str | None:
    """Return the last commit of HEAD's history that was committed before a date, None when it begins later."""
    found = _git(folder, "rev-list", "-1", f"--before={date}", "HEAD")
    return found.decode().strip() or None


def is_shallow(folder: Path) -> bool:
    """Tell whether the clone lacks history, so that its first commits are not the first."""
    return _git(folder, "rev-parse", "--is-shallow-repository").strip() == b"true"


def files_at(folder: Path, revision: str, *below: str) -> dict[str, bytes]:
    """Return the content of every regular file at a commit.

    Args:
        folder: The fleet's folder, anywhere in the repository.
        revision: The commit.
        below: Folders and files, relative to ``folder``; what the commit has not is left out.

    Returns:
        Contents by path, relative to ``folder``.
    """
    listed = _git(folder, "ls-tree", "-r", "-z", revision, "--", *below)
    blobs: dict[str, str] = {}
    for entry in listed.decode("utf-8", "surrogateescape").split("\0"):
        head, _, path = entry.partition("\t")
        if head.startswith("100"):  # a regular file's mode; links and submodules have others
            blobs[path] = head.split()[2]
    return dict(zip(blobs, _contents(folder, tuple(blobs.values())), strict=True))


def changes(folder: Path, *below: str) -> Mapping[str, Changes]:
    """Return the first and last change of every file that HEAD's history has, by path relative to ``folder``."""
    log = _git(folder, "log", f"--format={_FORMAT}", "--name-only", "--no-renames", "-z", "--relative", "--", *below)
    found: dict[str, Changes] = {}
    for record in log.decode("utf-8", "replace").split(_RECORD)[1:]:
        head, _, names = record.partition("\0")
        at = Commit(*head.split(_FIELD))
        for path in names.strip("\0\n").split("\0"):
            if path:
                found[path] = Changes(at, found[path].last if path in found else at)
    return found


def _contents(folder: Path, blobs: tuple[str, ...]) -> Iterator[bytes]:
    answer = _git(folder, "cat-file", "--batch", standard_input="".join(f"{blob}\n" for blob in blobs).encode())
    start = 0
    for _ in blobs:
        end = answer.index(b"\n", start)
        size = int(answer[start:end].split()[2])
        yield answer[end + 1 : end + 1 + size]
        start = end + 2 + size


def _git(folder: Path, *arguments: str, standard_input: bytes = b"", may_fail: bool = False) -> bytes:
    # A hook that calls this tool has GIT_DIR and the like set for its own repository's needs.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            ["git", "--no-pager", "-C", str(folder), *arguments],  # noqa: S607 - the git that the user runs
            input=standard_input,
            capture_output=True,
            env=environment,
            check=False,
        )
    except OSError as error:
        raise UsageError(f"git cannot be run: {error.strerror}", help="install git") from error
    if done.returncode and not may_fail:
        raise UsageError(f"git {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout if not done.returncode else b""
