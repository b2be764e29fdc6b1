"""What git knows of a fleet's files.

Reads only, and only what is there: no hook, pager or filter of the repository's runs, and nothing is fetched.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# The user's own settings of git stay, for they say which repositories are trusted. What a hook has set of its own
# repository does not: the folder alone says which repository is meant. Credentials are no business of git's here.
_PASSED = re.compile(
    r"HOME|LOGNAME|PATH|SUDO_UID|TMPDIR|USER|XDG_CONFIG_HOME"
    r"|GIT_CEILING_DIRECTORIES|GIT_CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+)",
    re.ASCII,
)
_SET = {
    "GIT_ALLOW_PROTOCOL": "none",  # a partial clone would fetch what it lacks, from wherever it came
    "GIT_NO_REPLACE_OBJECTS": "1",  # a replaced commit is known to this clone alone
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_REGULAR = ("100644 blob", "100755 blob", "100664 blob")  # links and submodules have other modes; the last is historic
_SHA1_DIGITS = 40
_ABSENT = 1  # how git ends when there is no such thing; whatever else goes wrong is 128 and more


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit.

    Args:
        sha: 40 or 64 hex digits.
        date: When it was committed: ISO 8601, with its offset.
        author: Name and address, as git has them: text of whoever wrote the commit.
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
    found = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}", may_lack=True)
    if found:
        return found.decode().strip()
    if ref == "HEAD":
        raise UsageError("nothing is committed here yet", help="commit the fleet first")
    help_ = (
        "fetch it (a shallow clone lacks most), or name another" if is_shallow(folder) else "fetch it, or name another"
    )
    raise UsageError(f"git knows no commit `{ref}` here", help=help_)


def merge_base(folder: Path, ref: str) -> str:
    """Return the commit at which HEAD left ``ref``.

    Raises:
        UsageError: When git knows no such commit, or the two have no common history here.
    """
    found = _git(folder, "merge-base", commit(folder, ref), commit(folder, "HEAD"), may_lack=True)
    if not found:
        help_ = "run `git fetch --unshallow`" if is_shallow(folder) else "name a branch that HEAD came from"
        raise UsageError(f"HEAD and `{ref}` have no common history here", help=help_)
    return found.decode().strip()


def commit_before(folder: Path, date: str) -> str | None:
    """Return where the branch of HEAD stood at the beginning of a moment, None when its history begins later.

    What was committed before but merged later counts from its merge: only first parents are followed.

    Args:
        folder: The fleet's folder.
        date: ISO 8601: a day, which begins in UTC, or a time; one without an offset is in UTC.

    Raises:
        UsageError: When that is no date, nothing is committed, or the folder is in no repository.
    """
    try:
        moment = dt.datetime.fromisoformat(date)
    except ValueError:
        raise UsageError(
            f"`{date}` is no date", help="write it as 2026-01-31, or as 2026-01-31T12:00:00+00:00"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    # Seconds, because git takes any other text for some date too, and a day for that day at the present hour.
    last = int(moment.timestamp()) - 1
    if last < 0:
        return None
    found = _git(folder, "rev-list", "-1", "--first-parent", f"--min-age={last}", commit(folder, "HEAD"))
    return found.decode().strip() or None


def is_shallow(folder: Path) -> bool:
    """Tell whether the clone lacks history, so that its first commits are not the first."""
    return _git(folder, "rev-parse", "--is-shallow-repository").strip() == b"true"


def within_repository(folder: Path) -> str:
    """Return the folder's path within its repository, ending in a slash; empty for the top."""
    return _git(folder, "rev-parse", "--show-prefix").decode("utf-8", "surrogateescape").removesuffix("\n")


def files_at(folder: Path, revision: str, *below: str) -> dict[str, bytes]:
    """Return the content of every regular file at a commit; links and submodules are left out.

    Args:
        folder: The fleet's folder, anywhere in the repository.
        revision: The commit.
        below: Folders and files, relative to ``folder``; what the commit has not is left out.

    Returns:
        Contents by path, relative to ``folder``; bytes of a path that are no UTF-8 as surrogates.

    Raises:
        UsageError: When the clone lacks one of them, or the folder is in no repository.
    """
    blobs = ids_at(folder, revision, *below)
    return dict(zip(blobs, _contents(folder, tuple(blobs.values())), strict=True))


def ids_at(folder: Path, revision: str, *below: str) -> dict[str, str]:
    """Return git's id of every regular file at a commit, by path as ``files_at`` does, without reading any.

    Raises:
        UsageError: When the folder is in no repository, or git knows no such commit.
    """
    listed = _git(folder, "ls-tree", "-r", "-z", commit(folder, revision), "--", *below)
    blobs: dict[str, str] = {}
    for entry in listed.decode("utf-8", "surrogateescape").split("\0"):
        head, _, path = entry.partition("\t")
        if head.startswith(_REGULAR):
            blobs[path] = head.split()[2]
    return blobs


def has_id(content: bytes, blob: str) -> bool:
    """Tell whether git's id of a file is that of a content: the hash of its kind, length and bytes.

    Args:
        content: The bytes.
        blob: The id, in hex: of SHA-1, or of SHA-256 in a repository that uses that.
    """
    kind = "sha1" if len(blob) == _SHA1_DIGITS else "sha256"
    return hashlib.new(kind, b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest() == blob


def changes(folder: Path, *below: str) -> Mapping[str, Changes]:
    """Return the first and last change of every file that HEAD's history has, by path relative to ``folder``.

    A merge counts where it has made of a file what none of its parents had. Renames are not followed. A file that was
    removed is among them too; one that was removed and came again has come with the latest commit that brought it.

    Args:
        folder: The fleet's folder, anywhere in the repository.
        below: Folders and files, relative to ``folder``.

    Raises:
        UsageError: When nothing is committed, or the folder is in no repository.
    """
    head = commit(folder, "HEAD")
    prefix = within_repository(folder)
    # Not --relative: git forgets it for merges. No parent comes before its children, whatever the clocks said.
    log = _git(
        folder, "log", "-z", "--date-order", "--format=/%H %cI %an <%ae>", "--no-show-signature",
        "--name-status", "--no-renames", "--no-relative", "--no-ext-diff", "--diff-merges=combined", head, "--", *below,
    )  # fmt: skip
    found: dict[str, Changes] = {}
    brought: dict[str, str] = {}
    settled: set[str] = set()
    for at, how, path in _touched(log.decode("utf-8", "surrogateescape")):
        inside = path.removeprefix(prefix)
        if inside in settled:
            continue
        if how == "D" and brought.get(inside) == "A":
            settled.add(inside)
            continue
        found[inside] = Changes(at, found[inside].last if inside in found else at)
        brought[inside] = how
    return found


def _touched(log: str) -> Iterator[tuple[Commit, str, str]]:
    """Yield each commit with what became of each of its files, the latest commit first."""
    at: Commit | None = None
    how = ""
    for part in log.split("\0"):
        if part.startswith("/"):  # no name does: git knows none that is absolute
            sha, date, author = part[1:].split(" ", 2)
            at = Commit(sha, date, _printable(author))
        elif how and at is not None:
            yield at, how, part
            how = ""
        else:
            # git puts a line break before a commit's first file, and another NUL before a merge's.
            how = part.removeprefix("\n")


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _contents(folder: Path, blobs: tuple[str, ...]) -> Iterator[bytes]:
    answer = _git(folder, "cat-file", "--batch", standard_input="".join(f"{blob}\n" for blob in blobs).encode())
    start = 0
    for _ in blobs:
        end = answer.index(b"\n", start)
        size = answer[start:end].split()[-1]
        if not size.isdigit():  # "<object> missing"
            raise UsageError("this clone lacks files of that commit", help="fetch them: clone without a filter")
        yield answer[end + 1 : end + 1 + int(size)]
        start = end + 2 + int(size)


def _git(folder: Path, *arguments: str, standard_input: bytes = b"", may_lack: bool = False) -> bytes:
    """Return what git says; nothing when what was asked for is not there and ``may_lack``."""
    environment = {name: value for name, value in os.environ.items() if _PASSED.fullmatch(name)} | _SET
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
    if done.returncode == _ABSENT and may_lack:
        return b""
    if done.returncode:
        raise _error(folder, arguments[0], done.stderr.decode(errors="replace"))
    return done.stdout


def _error(folder: Path, command: str, said: str) -> UsageError:
    if "not a git repository" in said:
        return UsageError(f"{folder} is in no git repository", help="run this in a clone of the fleet's repository")
    if "dubious ownership" in said:
        return UsageError(
            f"git does not read {folder}: its repository belongs to another user",
            help="if you trust that user: git config --global --add safe.directory, and the repository's top folder",
        )
    if "transport" in said and "not allowed" in said:
        return UsageError("this clone lacks files of that commit", help="fetch them: clone without a filter")
    first = next((line for line in said.splitlines() if line.strip()), "it ended with an error and no word")
    return UsageError(f"git {command}: {_printable(first)}", help="see what `git fsck` and `git status` say")
