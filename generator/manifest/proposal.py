"""Manifests that are about to be written: their text, and the fleet as it would be with them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeAlias, Union

from generator.manifest.account import AccountManifest
from generator.manifest.client import ClientManifest
from generator.manifest.fleet import Fleet, resolve
from generator.manifest.load import ACCOUNTS, Manifests
from generator.manifest.scalars import resolve as resolve_scalar
from generator.manifest.source import parse
from generator.manifest.validate import MISSING_FIELD, Sourced, validate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.diagnostics import Diagnostic
    from generator.manifest.values import Model

KINDS: Final[Mapping[str, type[Model]]] = {"client": ClientManifest, "account": AccountManifest}
"""The models of manifests, by the names of their schemas."""

Value: TypeAlias = Union[str, int, "Mapping[str, Value]", "tuple[str | Mapping[str, Value], ...]", None]
"""What a manifest's key can have as its value."""

# What every reader of YAML takes for the string that it looks like; the rest is quoted.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./@+(),;-]*(?: [A-Za-z0-9_./@+(),;-]+)*", re.ASCII)


def scalar(value: str) -> str:
    """Return a string as a YAML scalar of one line, quoted where it must be."""
    if _PLAIN.fullmatch(value) and resolve_scalar(value) == value:
        return value
    # A JSON string is a double-quoted YAML scalar: https://yaml.org/spec/1.2.2/#12-json
    return json.dumps(value, ensure_ascii=False)


def text(kind: str, path: str, values: Mapping[str, Value]) -> str:
    """Return a manifest's text, in which editors find its schema.

    Args:
        kind: ``client`` or ``account``.
        path: Where it is to be, relative to the fleet's folder.
        values: Its keys, in order; those without a value are left out.
    """
    schema = f"{'../' * path.count('/')}schemas/{kind}.schema.json"
    given = {key: value for key, value in values.items() if value}
    return "\n".join([f"# yaml-language-server: $schema={schema}", *block(given), ""])


def block(values: Mapping[str, Value]) -> Iterator[str]:
    """Yield the lines of a YAML mapping in block style; None and what holds nothing is left out."""
    for key, value in values.items():
        match value:
            case bool() | int():
                yield f"{scalar(key)}: {json.dumps(value)}"
            case str():
                yield f"{scalar(key)}: {scalar(value)}"
            case Mapping() if inside := list(block(value)):
                yield f"{scalar(key)}:"
                yield from (f"  {line}" for line in inside)
            case tuple() if value:
                yield f"{scalar(key)}:"
                for item in value:
                    first, *others = [scalar(item)] if isinstance(item, str) else block(item)
                    yield f"  - {first}"
                    yield from (f"    {line}" for line in others)
            case _:
                continue


def faults(kind: str, key: str, value: str) -> tuple[Diagnostic, ...]:
    """Return what is wrong with one value of a manifest, as far as that can be told by itself."""
    read = _read(kind, "", f"{key}: {scalar(value)}\n")
    return () if isinstance(read, Sourced) else tuple(fault for fault in read if fault.rule != MISSING_FIELD)


def extended(fleet: Fleet, texts: Mapping[str, str]) -> Fleet | tuple[Diagnostic, ...]:
    """Return the fleet as it would be with further manifests, or what is wrong with each of these by itself.

    Args:
        fleet: The fleet as it is.
        texts: The manifests' texts, by path relative to the fleet's folder.
    """
    accounts = {account.id: account.source for account in fleet.accounts if account.source}
    clients = [client.source for client in fleet.clients]
    findings: list[Diagnostic] = []
    for path, content in texts.items():
        folder, _, name = path.rpartition("/")
        read = _read("account" if folder == ACCOUNTS else "client", path, content)
        if isinstance(read, tuple):
            findings += read
        elif isinstance(read.model, AccountManifest):
            accounts[name.removesuffix(".yaml")] = Sourced(read.model, read.document)
        elif isinstance(read.model, ClientManifest):
            clients.append(Sourced(read.model, read.document))
    if findings:
        return tuple(findings)
    return resolve(Manifests(fleet.settings, fleet.source, dict(sorted(accounts.items())), tuple(clients)))


def _read(kind: str, path: str, content: str) -> Sourced[Model] | tuple[Diagnostic, ...]:
    document = parse(content.encode(errors="surrogateescape"), path)
    return document if isinstance(document, tuple) else validate(document, KINDS[kind])
