"""Paths in the KV mount: what is shared, and what clients are granted of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from generator.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.diagnostics import Span
    from generator.manifest.fleet import Client, Fleet

GRANT_OUTSIDE_SHARED_PATHS = "CK505"
GRANT_INTO_A_DIRECTORY = "CK506"
PATH_OF_VAULT_ITSELF = "CK508"
PATH_WITH_MOUNT = "CK509"

# https://developer.hashicorp.com/vault/docs/secrets: mounts that are there from the start and cannot be moved
_VAULTS_OWN = frozenset({"sys", "auth", "identity", "cubbyhole"})


def check(fleet: Fleet) -> Iterator[Diagnostic]:
    """Yield findings about the shared paths, the directories' template and every grant."""
    mount = fleet.settings.vault.kv_mount
    if fleet.source:
        written = [(fleet.settings.vault.directory, fleet.source.span("vault", "directory"))]
        for index, path in enumerate(fleet.settings.shared_paths):
            written.append((path.path, fleet.source.span("shared_paths", index, "path")))
        for text, span in written:
            if misplaced := _misplaced(text, span, mount):
                yield misplaced
    shared = {shared.path for shared in fleet.settings.shared_paths}
    directories = {client.directory for client in fleet.clients}
    above_directories = {above for directory in directories for above in _above(directory)}
    for client in fleet.declared:
        yield from _grants(client, mount, shared, directories, above_directories)


def _misplaced(path: str, span: Span, mount: str) -> Diagnostic | None:
    first = path.partition("/")[0]
    if first in _VAULTS_OWN:
        return Diagnostic(
            PATH_OF_VAULT_ITSELF,
            Severity.ERROR,
            span,
            f"`{path}` is read as a path in the KV mount, and {first}/ is Vault's own",
            "name a path in the KV mount; no manifest gives power over Vault itself",
        )
    prefix = re.match(f"{re.escape(mount)}/(?:data|metadata)/", path)
    return _with_mount(path, path[prefix.end() :], span, mount) if prefix else None


def _with_mount(path: str, plain: str, span: Span, mount: str) -> Diagnostic:
    return Diagnostic(
        PATH_WITH_MOUNT,
        Severity.ERROR,
        span,
        f"`{path}` is written with the mount or with data/ or metadata/, which are put before every path",
        f"leave {mount}/ and data/ or metadata/ out: write {plain}",
    )


def _grants(
    client: Client, mount: str, shared: set[str], directories: set[str], above_directories: set[str]
) -> Iterator[Diagnostic]:
    for index, grant in enumerate(client.grants):
        above = _above(grant.path)
        if shared.isdisjoint(above):
            yield _outside(grant.path, client.source.span("grants", index, "path"), mount, shared)
        elif not directories.isdisjoint(above) or grant.path in above_directories:
            yield Diagnostic(
                GRANT_INTO_A_DIRECTORY,
                Severity.ERROR,
                client.source.span("grants", index, "path"),
                f"`{grant.path}` reaches a client's own directory",
                "share another path; nobody is granted what is one client's alone",
            )


def _outside(path: str, span: Span, mount: str, shared: set[str]) -> Diagnostic:
    if misplaced := _misplaced(path, span, mount):
        return misplaced
    plain = re.sub(f"^(?:{re.escape(mount)}/)?(?:(?:data|metadata)/)?", "", path)
    if not shared.isdisjoint(_above(plain)):
        return _with_mount(path, plain, span, mount)
    known = ", ".join(sorted(shared)) or "none"
    return Diagnostic(
        GRANT_OUTSIDE_SHARED_PATHS,
        Severity.ERROR,
        span,
        f"`{path}` is not at or below a shared path",
        f"the fleet's shared paths are: {known}",
    )


def _above(path: str) -> set[str]:
    segments = path.split("/")
    return {"/".join(segments[:count]) for count in range(1, len(segments) + 1)}
