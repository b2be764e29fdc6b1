"""From the fleet's folder to its settings, account manifests and client manifests, or to findings."""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from generator.diagnostics import Diagnostic, Severity, Span
from generator.manifest import source
from generator.manifest.account import AccountManifest
from generator.manifest.client import ClientManifest
from generator.manifest.faults import NOT_A_REGULAR_FILE, fault
from generator.manifest.few import few
from generator.manifest.settings import FleetSettings
from generator.manifest.shapes import Shapes
from generator.manifest.validate import Sourced, validate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

SETTINGS = "crosskeys.yaml"
CLIENTS = "clients"
ACCOUNTS = "clients/accounts"

NO_CLIENTS = "CK301"
STRAY_FILE = "CK302"
NAME_IS_NOT_STEM = "CK303"

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Manifests:
    """All that a fleet's people wrote.

    Args:
        settings: The fleet settings; the defaults where the fleet has no file.
        settings_source: The document they came from, if there is one.
        accounts: Account manifests by account id.
        clients: Client manifests, by path.
    """

    settings: FleetSettings
    settings_source: Sourced[FleetSettings] | None
    accounts: Mapping[str, Sourced[AccountManifest]]
    clients: tuple[Sourced[ClientManifest], ...]


def load_settings(folder: Path) -> Sourced[FleetSettings] | tuple[Diagnostic, ...] | None:
    """Return the fleet settings of ``folder``, None where it has no ``crosskeys.yaml``, or findings about it."""
    if not os.path.lexists(folder / SETTINGS):
        return None
    return _read(folder, SETTINGS, FleetSettings, None)


def load(folder: Path, only: Collection[str] | None = None) -> tuple[Manifests, tuple[Diagnostic, ...]]:
    """Return everything that could be read below ``folder``, and findings about what could not.

    Every file is read; one that has findings is left out of the result, and with it what depends on it: the clients of
    an account whose manifest has findings, everything when the settings have. So rules about the rest still hold.

    Args:
        folder: The fleet's folder.
        only: Paths of the manifests to read, for all that there are; the settings are read in any case.
    """
    findings: list[Diagnostic] = []
    unread: set[str] = set()
    settings = load_settings(folder)
    if isinstance(settings, tuple):
        findings += settings
        settings = None
    accounts: dict[str, Sourced[AccountManifest]] = {}
    clients: list[Sourced[ClientManifest]] = []
    seen = 0
    shapes = Shapes()
    for path in _files(folder, CLIENTS, findings) if only is None else sorted(only):
        parent, _, name = path.rpartition("/")
        stem = name.removesuffix(".yaml")
        if stray := _stray(path):
            findings.append(stray)
        elif parent == ACCOUNTS:
            account = _read_account(folder, path, stem, shapes)
            if isinstance(account, tuple):
                findings += account
                unread.add(stem)
            else:
                accounts[stem] = account
        else:
            seen += 1
            client = _read(folder, path, ClientManifest, shapes)
            if isinstance(client, tuple):
                findings += client
            else:
                findings += _stem(client, stem)
                clients.append(client)
    if not seen:
        findings.append(
            Diagnostic(
                NO_CLIENTS,
                Severity.ERROR,
                Span(CLIENTS),
                "there is no client manifest",
                help="`crosskeys new` writes the first, `crosskeys import` those of what is registered already; an "
                "empty folder is never read as a wish to delete every client",
            )
        )
    if any(finding.span.path == SETTINGS for finding in findings):
        return Manifests(FleetSettings(), None, {}, ()), tuple(findings)
    known = tuple(client for client in clients if client.model.account_id not in unread)
    return Manifests(
        settings.model if settings else FleetSettings(), settings, dict(sorted(accounts.items())), known
    ), tuple(findings)


def _read(folder: Path, path: str, model: type[M], shapes: Shapes | None) -> Sourced[M] | tuple[Diagnostic, ...]:
    document, findings = source.examine(f"{folder}/{path}", path, shapes)
    if document is None:
        return findings
    result = validate(document, model)
    if not findings:
        return result
    said = {finding.span for finding in findings}
    further = result if isinstance(result, tuple) else ()
    return few((*findings, *(finding for finding in further if finding.span not in said)))


def _read_account(
    folder: Path, path: str, stem: str, shapes: Shapes
) -> Sourced[AccountManifest] | tuple[Diagnostic, ...]:
    if re.fullmatch("[0-9]{12}", stem, re.ASCII) is None:
        return (
            Diagnostic(
                NAME_IS_NOT_STEM,
                Severity.ERROR,
                Span(path),
                f"an account manifest is named after its account: `{stem}` is not twelve digits",
                help="name the file clients/accounts/<account_id>.yaml",
            ),
        )
    return _read(folder, path, AccountManifest, shapes)


def _stem(client: Sourced[ClientManifest], stem: str) -> tuple[Diagnostic, ...]:
    name = client.model.name
    if name == stem:
        return ()
    return (
        Diagnostic(
            NAME_IS_NOT_STEM,
            Severity.ERROR,
            client.span("name"),
            f"the client is named `{name}` and its file `{stem}.yaml`",
            help=f"name the file {name}.yaml, or the client {stem}",
        ),
    )


def _stray(path: str) -> Diagnostic | None:
    if not path.isprintable():  # nor are bytes that are not UTF-8
        message = "the path has characters that cannot be printed, or is not UTF-8"
        return Diagnostic(STRAY_FILE, Severity.ERROR, Span(_shown(path)), message, "rename the file or the folder")
    suffix = posixpath.splitext(path)[1]
    if suffix == ".yaml":
        return None
    return Diagnostic(
        STRAY_FILE,
        Severity.ERROR,
        Span(path),
        "only manifests belong below clients/, and this is not a .yaml file",
        help="rename it to end in .yaml" if suffix.lower() in {".yml", ".yaml"} else "move it elsewhere",
    )


def _shown(path: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in path)


def _files(folder: Path, start: str, findings: list[Diagnostic]) -> Iterator[str]:
    """Yield what lies below ``start`` and is no folder, in a stable order; add a finding for an unreadable folder.

    Links are not followed: they are left to the reader to refuse.
    """
    if (folder / start).is_symlink():  # it may lead anywhere, and all that lies there would be named
        message = "this is a symbolic link, not a folder"
        findings.append(fault(NOT_A_REGULAR_FILE, Span(start), message, "put the folder itself here"))
        return
    pending = [start]
    while pending:
        current = pending.pop()
        try:
            with os.scandir(folder / current) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        except OSError as error:
            message = f"the folder cannot be read: {error.strerror}"
            findings.append(
                fault(NOT_A_REGULAR_FILE, Span(_shown(current)), message, "put a folder that can be read here")
            )
            continue
        folders = []
        for entry in entries:
            path = f"{current}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                folders.append(path)
            elif entry.name != ".gitkeep":
                yield path
        pending.extend(reversed(folders))
