"""Strict YAML that remembers where each key and value stands.

YAML lets one text mean several things: ``no`` is a boolean or a string, ``012345670123`` a number in base eight, a
repeated key silently wins. A manifest decides who may read certificates, so this reader takes the part of YAML that
all readers understand alike (strings, integers, booleans, null, lists, maps) and refuses the rest by name and place.
"""

from __future__ import annotations

import codecs
import os
import stat
from typing import TYPE_CHECKING, Final

from generator.diagnostics import Diagnostic, Span
from generator.manifest import faults
from generator.manifest.characters import hidden_in_text
from generator.manifest.composer import compose
from generator.manifest.document import Document
from generator.manifest.faults import fault
from generator.manifest.nodes import plain

if TYPE_CHECKING:
    from pathlib import Path

    from generator.manifest.shapes import Shapes

__all__ = ["MAX_BYTES", "Document", "excerpt_source", "parse", "read"]

MAX_BYTES: Final = 64 * 1024
_MOST_SHOWN = 1024 * 1024  # a rendered file is larger than a manifest


def read(path: Path, shown: str) -> Document | tuple[Diagnostic, ...]:
    """Read one manifest from disk; never follows a link and never waits on a pipe.

    Args:
        path: The file.
        shown: Its path relative to the fleet's folder, for diagnostics.

    Returns:
        The document, or everything that is wrong with it.
    """
    document, findings = examine(path, shown)
    return document if document and not findings else findings


def examine(
    path: Path | str, shown: str, shapes: Shapes | None = None
) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    """Read one manifest from disk as ``read`` does, to judge what can be judged of one that has faults.

    Args:
        path: The file.
        shown: Its path relative to the fleet's folder, for diagnostics.
        shapes: Those of the manifests that were read before; the outcome is the same without.

    Returns:
        Everything that is wrong with the text, and the document unless that leaves its other keys in doubt.
    """
    try:
        content = _content(path, MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        message, advice = f"the file cannot be read: {reason}", "set its permissions right; every manifest is read"
        return None, (fault(faults.NOT_A_REGULAR_FILE, Span(shown), message, advice),)
    return _parse(content, shown, shapes) if isinstance(content, bytes) else (None, (_not_regular(shown, content),))


def excerpt_source(path: Path) -> str | None:
    """Return a file's text to show lines of; None where there is none that could be shown.

    As careful as reading a manifest: what findings are about may be a pipe, a link to a device, or endless.
    """
    try:
        content = _content(path, _MOST_SHOWN)
        return content.decode() if isinstance(content, bytes) else None
    except (OSError, UnicodeDecodeError):
        return None


def _content(path: Path | str, most: int) -> bytes | int:
    """Return up to so many bytes of a regular file, or the mode of what is none."""
    mode = os.lstat(path).st_mode
    if not stat.S_ISREG(mode):
        return mode
    # The path may have been swapped since, so the flags and the second look guard against what stands there now.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123 - it is open already
        mode = os.fstat(descriptor).st_mode
        return file.read(most) if stat.S_ISREG(mode) else mode


def parse(data: bytes, shown: str) -> Document | tuple[Diagnostic, ...]:
    """Parse one manifest.

    Args:
        data: The file's bytes.
        shown: Its path relative to the fleet's folder, for diagnostics.

    Returns:
        The document, or everything that is wrong with it, in the order of the file.
    """
    document, findings = _parse(data, shown)
    return document if document and not findings else findings


def _parse(data: bytes, shown: str, shapes: Shapes | None = None) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    text = _decode(data, shown)
    if isinstance(text, tuple):
        return None, text
    cut = shapes.cut(text) if shapes else None
    if shapes and cut and (known := shapes.content(cut)):
        return Document(shown, text, known), ()
    root, findings = compose(text, shown)
    if root is None:
        return None, findings
    content = plain(root)
    if shapes and cut and not findings:
        shapes.learn(cut, content)
    return Document(shown, text, content), findings


_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
)


def _not_regular(shown: str, mode: int) -> Diagnostic:
    kind = next((name for test, name in _KINDS if test(mode)), "a device")
    return fault(faults.NOT_A_REGULAR_FILE, Span(shown), f"this is {kind}, not a file", "put the manifest itself here")


def _decode(data: bytes, shown: str) -> str | tuple[Diagnostic, ...]:
    if len(data) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES // 1024} KiB"
        return (fault(faults.TOO_LARGE, Span(shown), message, "a manifest describes one client: split it"),)
    if data.startswith(codecs.BOM_UTF8):
        message = "the file begins with a byte order mark (U+FEFF)"
        return (fault(faults.ENCODING, Span(shown, 1, 1, 1, 1), message, "save it as UTF-8 without BOM"),)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = len(data[data.rfind(b"\n", 0, error.start) + 1 : error.start].decode()) + 1
        message = f"byte 0x{data[error.start]:02x} at offset {error.start} is not UTF-8"
        return (fault(faults.ENCODING, Span(shown, line, column, line, column + 1), message, "save the file as UTF-8"),)
    return hidden_in_text(text, shown) or text
