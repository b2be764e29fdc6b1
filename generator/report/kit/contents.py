"""All files of a kit. Pure but for reading the templates."""

from __future__ import annotations

import hashlib
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.report.kit import cloudformation
from generator.report.kit.pages import Pages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from generator.audit.declared import Declared
    from generator.report.kit.scope import Scope

SUMS = "SHA256SUMS"
"""The file that lists the digests of all others, as ``sha256sum -c`` takes it."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of a kit."""

    data: bytes
    executable: bool = False


def contents(scope: Scope, declared: Declared, texts: Mapping[str, str], folders: Sequence[Path]) -> dict[str, File]:
    """Return the files of a kit by path, in the order of the paths.

    Args:
        scope: What it is about.
        declared: What the rendered tree declares.
        texts: Text of every file of the rendered tree, by path.
        folders: Template folders; a fleet's own come before the package's.

    Raises:
        UsageError: When a setting that every kit tells is missing, or a template is wrong.
    """
    pages = Pages(folders)
    sources = scope.files(texts)
    items = cloudformation.objects(declared, scope.root, sources)
    found: dict[str, str] = {}
    if items:
        found |= {f"terraform/{posixpath.basename(path)}": texts[path] for path in sources}
        found["terraform/backend.tf"] = pages.backend()
    imports = any(posixpath.basename(path).startswith("import-") for path in sources)
    if 0 < len(items) <= cloudformation.MOST_RESOURCES and not imports:
        found["cloudformation.yaml"] = cloudformation.template(declared, scope.root, items)
    applied = {
        "terraform": "terraform/root.tf" in found,
        "cloudformation": "cloudformation.yaml" in found,
        "large": len(found.get("cloudformation.yaml", "").encode()) > cloudformation.LARGEST_BODY,
        "imports": imports,
    }
    for client in scope.clients:
        folder = f"clients/{client.name}/" if scope.whole else ""
        found |= {f"{folder}{path}": text for path, text in pages.client(scope, client, applied)}
    if scope.whole:
        found["README.md"] = pages.account(scope, applied)
    files = {path: File(text.encode(), executable=path.endswith(".sh")) for path, text in sorted(found.items())}
    return {SUMS: File(sums(files)), **files}


def sums(files: Mapping[str, File]) -> bytes:
    """Return the digests of files, as ``sha256sum`` writes them."""
    return "".join(f"{hashlib.sha256(file.data).hexdigest()}  {path}\n" for path, file in files.items()).encode()
