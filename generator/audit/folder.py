"""A folder of plain Terraform files, whoever wrote them: the texts of all that Terraform would take from it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from generator.audit.faults import SYNTAX, TOO_LARGE, UNKNOWN, Unreadable, UnreadableTreeError
from generator.audit.hcl import LONGEST
from generator.diagnostics import Span
from generator.errors import UsageError
from generator.render.layout import TREE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from generator.diagnostics import Diagnostic

_CONFIGURATION = (".tf", ".tf.json")
_VALUES = (".auto.tfvars", ".auto.tfvars.json")
_VALUES_NAMED = frozenset({"terraform.tfvars", "terraform.tfvars.json"})
_PROGRAMS = "terraform.d"
_CACHE = ".terraform"
_LARGEST = 4 * LONGEST
"""Bytes that the longest text may have."""


def texts(folder: Path) -> Mapping[str, str]:
    """Return the text of every file below ``folder/terraform`` that Terraform would take, by path from ``folder``.

    What Terraform leaves alone is left alone: hidden files and editors' copies of configuration, variables that no
    command line names, tests, and what ``init`` leaves. Which these are: IsIgnoredFile and dirFiles in Terraform's
    internal/configs/parser_config_dir.go, and collectVariableValues in internal/command/meta_vars.go.

    Raises:
        UnreadableTreeError: With a finding for each file that Terraform would take and that has no text to read:
            links, files that set variables, programs of providers, what is not UTF-8 or too long.
        UsageError: When the folder or one in it cannot be read.
    """
    found: dict[str, str] = {}
    findings: list[Diagnostic] = []
    try:
        for path in sorted(_taken(folder, TREE)):
            try:
                found[path] = _text(folder, path)
            except Unreadable as fault:
                findings.append(fault.finding)
    except OSError as error:
        raise UsageError(
            f"the tree cannot be read: {error.strerror}: {error.filename}",
            help=f"name a folder that holds {TREE}/accounts/ACCOUNT_ID/vault and the like",
        ) from error
    if findings:
        raise UnreadableTreeError(tuple(findings))
    return found


def _taken(folder: Path, below: str) -> Iterator[str]:
    with os.scandir(folder / below) as entries:
        for entry in entries:
            path = f"{below}/{entry.name}"
            if entry.is_symlink():
                if _is_taken(entry.name) or entry.is_dir():
                    yield path
            elif not entry.is_dir():
                if _is_taken(entry.name):
                    yield path
            elif entry.name == _PROGRAMS:
                yield path
            elif entry.name != _CACHE:
                yield from _taken(folder, path)


def _is_taken(name: str) -> bool:
    if name.endswith(_VALUES) or name in _VALUES_NAMED:
        return True
    hidden = name.startswith(".") or name.endswith("~") or (name.startswith("#") and name.endswith("#"))
    return name.endswith(_CONFIGURATION) and not hidden


def _text(folder: Path, path: str) -> str:
    name = path.rpartition("/")[2]
    if (folder / path).is_symlink():
        raise Unreadable(UNKNOWN, Span(path), "a symbolic link: what it leads to may change without this tree")
    if name == _PROGRAMS:
        raise Unreadable(UNKNOWN, Span(path), "a folder from which Terraform would run programs as providers")
    if name.endswith(_VALUES) or name in _VALUES_NAMED:
        raise Unreadable(UNKNOWN, Span(path), "a file that sets variables: the values would stand apart from their use")
    if not (folder / path).is_file():
        raise Unreadable(UNKNOWN, Span(path), "neither a file nor a folder")
    if (folder / path).stat().st_size > _LARGEST:
        raise Unreadable(TOO_LARGE, Span(path), f"the file is longer than {LONGEST} characters")
    content = (folder / path).read_bytes()
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unreadable(SYNTAX, Span(path, line, 1, line, 1), "the file is not UTF-8") from None
