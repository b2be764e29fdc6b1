"""Who answers for what, by the manifests of before and after: only manifests say it, and approvals depend on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.audit.change import Change, Effect, Topic, quote
from generator.audit.sharing import nested

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.manifest.fleet import Fleet


def owners(before: Fleet, after: Fleet, renamed: Mapping[str, str]) -> Iterator[Change]:
    """Yield each change of who owns a client, an account or a shared path, and of what is shared.

    Args:
        before: The manifests of before.
        after: The manifests of after.
        renamed: New names of clients by their former ones: a client keeps its owner under another name.
    """
    called = {renamed.get(name, name): owner for name, owner in _of_clients(before).items()}
    yield from _owners("the client", called, _of_clients(after))
    yield from _owners("the account", _of_accounts(before), _of_accounts(after))
    was, now = _of_shared_paths(before), _of_shared_paths(after)
    yield from _owners("the shared path", was, now)
    for path in sorted(now.keys() - was.keys()):
        said = f"{quote(path)} may be shared from now on, and {quote(now[path])} owns it"
        # Part of a shared path, or more than one: whoever owns that now is not passed over by naming it otherwise.
        yield _change(path, Effect.WIDENS, said, *(owner for each, owner in was.items() if nested(each, path)))
    for path in sorted(was.keys() - now.keys()):
        yield _change(path, Effect.NARROWS, f"{quote(path)} is no longer shared", was[path])


def _of_clients(fleet: Fleet) -> Mapping[str, str]:
    return {client.name: client.owner for client in fleet.clients}


def _of_accounts(fleet: Fleet) -> Mapping[str, str]:
    return {account.id: account.owner or "" for account in fleet.accounts}


def _of_shared_paths(fleet: Fleet) -> Mapping[str, str]:
    return {shared.path: shared.owner for shared in fleet.settings.shared_paths}


def _owners(what: str, was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Change]:
    for name in sorted(was.keys() & now.keys()):
        if was[name] != now[name]:
            owner = [quote(owner) if owner else "nobody" for owner in (was[name], now[name])]
            said = f"the owner of {what} {quote(name)} was {owner[0]} and is {owner[1]}"
            # Whoever owned it until now: a change does not choose who approves it.
            yield _change(name, Effect.CHANGES, said, was[name])


def _change(subject: str, effect: Effect, message: str, *owners: str) -> Change:
    approvals = tuple(sorted({owner for owner in owners if owner}))
    return Change(topic=Topic.OWNERS, subject=subject, effect=effect, message=message, approvals=approvals)
