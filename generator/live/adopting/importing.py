"""From drafts to the whole of an import: which declared objects are there, and by which files they are imported."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from generator.audit.declared import Resource
from generator.audit.imports import import_files, import_id
from generator.live.adopting import reasons
from generator.live.adopting.taken import Taken, Taking
from generator.live.answers import Unknown
from generator.live.pace import each
from generator.live.vault import WORKERS
from generator.render.layout import TREE
from generator.report.imported import Change, Left

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.live.adopting.asked import Asked
    from generator.live.adopting.drafting import Drafts
    from generator.pipeline import Rendered

_CLIENT = "client-"


@dataclass(frozen=True, slots=True)
class Adopted:
    """What is to be imported of a rendered tree.

    Args:
        files: The import files, by path.
        clients: Names of the clients whose objects they import.
        objects: How many objects they import.
        changes: What an apply changes of these.
        left: What is there and is not imported.
        unknown: What could not be read.
    """

    files: Mapping[str, str]
    clients: frozenset[str]
    objects: int
    changes: tuple[Change, ...]
    left: tuple[Left, ...]
    unknown: tuple[Unknown, ...]


def adopted(rendered: Rendered, drafts: Drafts, taking: Taking, asked: Asked) -> Adopted:
    """Return what is to be imported: of what is rendered for the first time or named, all that is there.

    What was rendered before and is not named was applied since, or is to be named.

    Args:
        rendered: The fleet with the drafts, rendered.
        drafts: The drafts.
        taking: Looks the objects up.
        asked: What is asked for.
    """
    chosen: list[Resource] = []
    changes: list[Change] = []
    left: list[Left] = []
    unknown: dict[str, Unknown] = {}
    for item, found in each(taking.of, _items(rendered, drafts, asked), WORKERS):
        match found:
            case Unknown():
                unknown[found.what] = found
            case Taken() if found.replaced:
                detail = f"{found.replaced} differs, which Terraform does not change in place"
                left.append(Left(reasons.REPLACED, f"{item.address} of {item.root}", detail))
            case Taken():
                chosen.append(item)
                changes += (replace(each, root=item.root, address=item.address) for each in found.changes)
            case None:
                continue
    files = import_files(rendered.fleet, rendered.declared, [(item.root, item.address) for item in chosen])
    return Adopted(
        files,
        frozenset(client for item in chosen if (client := _client(item))),
        len(chosen),
        tuple(sorted(changes, key=lambda change: (change.what, change.field))),
        tuple(left),
        tuple(unknown[what] for what in sorted(unknown)),
    )


def _items(rendered: Rendered, drafts: Drafts, asked: Asked) -> Iterator[Resource]:
    """Yield the objects that Terraform can import and that are named, or new where nothing is."""
    clients = {client.name: client for client in rendered.fleet.declared}
    named = {name for name, client in clients.items() if asked.clients and asked.names(client)} | set(drafts.clients)
    # What an import that was interrupted has written has manifests by now: the same is asked for again.
    matching = {name for name, client in clients.items() if asked.matches(client)}
    accounts = {clients[name].account_id for name in named | matching}
    new = set(rendered.comparison.added)
    for item in rendered.declared.objects.values():
        if not isinstance(item, Resource) or import_id(rendered.declared, item) is None:
            continue
        client = _client(item)
        account_id = item.root.split("/")[1] if "/" in item.root else None
        fits = asked.is_everything or client in matching or (client is None and account_id in accounts)
        if (
            client in named
            or account_id in asked.accounts
            or (account_id is None and asked.platform)
            or (fits and item.span.path in new)
        ):
            yield item


def _client(item: Resource) -> str | None:
    """Return the client in whose file an object is declared, None for one of an account's or the platform's."""
    name = posixpath.basename(item.span.path)
    is_client = name.startswith(_CLIENT) and item.span.path.startswith(f"{TREE}/")
    return name.removeprefix(_CLIENT).removesuffix(".tf") if is_client else None
