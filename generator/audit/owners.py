"""Who answers for what, by the manifests of before and after: only manifests say it, and approvals depend on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.audit.change import Change, Effect, Topic, quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.manifest.fleet import Fleet


def owners(before: Fleet, after: Fleet) -> Iterator[Change]:
    """Yield each change of who owns a client, an account or a shared path, and of what is shared."""
    yield from _owners("the client", _of_clients(before), _of_clients(after))
    yield from _owners("the account", _of_accounts(before), _of_accounts(after))
    was, now = _of_shared_paths(before), _of_shared_paths(after)
    yield from _owners("the shared path", was, now)
    for path in sorted(now.keys() - was.keys()):
        yield _change(path, Effect.WIDENS, f"{quote(path)} may be shared from now on, and {quote(now[path])} owns it")
    for path in sorted(was.keys() - now.keys()):
        yield _change(path, Effect.NARROWS, f"{quote(path)} is no longer shared", was[path])


def _of_clients(fleet: Fleet) -> Mapping[str, str]:
    return {client.name: client.owner for client in fleet.clients}


def _of_accounts(fleet: Fleet) -> Mapping[str, str]:
    return {account.id: account.owner or "nobody" for account in fleet.accounts}


def _of_shared_paths(fleet: Fleet) -> Mapping[str, str]:
    return {shared.path: shared.owner for shared in fleet.settings.shared_paths}


def _owners(what: str, was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Change]:
    for name in sorted(was.keys() & now.keys()):
        if was[name] != now[name]:
            said = f"the owner of {what} {quote(name)} was {quote(was[name])} and is {quote(now[name])}"
            # Whoever owned it until now: a change does not choose who approves it.
            yield _change(name, Effect.CHANGES, said, was[name])


def _change(subject: str, effect: Effect, message: str, approval: str = "") -> Change:
    return Change(topic=Topic.OWNERS, subject=subject, effect=effect, message=message, approval=approval)
