"""A fleet of which a little was touched since it was in order: what that can concern is read, the rest is as it was.

The rules and the proof compare clients by names and by what lies in one account. So whatever a changed manifest can
collide with is in an account of its own or shares a name with it, and all of those accounts are judged as a fleet of
their own. Only that nothing is wrong is ever concluded from that: where anything is, the whole fleet is read. Why this
finds what a whole run finds: docs/adr/0022-read-what-a-change-concerns.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from generator import pipeline
from generator.manifest.load import ACCOUNTS, CLIENTS
from generator.render.layout import TREE, RootKind
from generator.untouched import Known, is_rendered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet

    from generator.manifest.fleet import Client, Fleet
    from generator.pipeline import Rendered
    from generator.untouched import Before

_ACCOUNT = re.compile(rf"{TREE}/accounts/([0-9]{{12}})/")

Facts = dict[str, list[str]]
"""Of each manifest, by its path: the account that it is about, then all names by which it could meet another."""


def facts(fleet: Fleet) -> Facts:
    """Return what other manifests could meet of each; nothing for a fleet in which that cannot be told by names.

    Args:
        fleet: A fleet without findings.
    """
    top = fleet.settings.vault.directory.partition("/")[0]
    # Otherwise a grant could lie in a directory, or the other way round, and the two need share no name.
    if "{" in top or any(shared.path.partition("/")[0] == top for shared in fleet.settings.shared_paths):
        return {}
    found = {client.path: [client.account_id, *_names(fleet, client)] for client in fleet.clients}
    for account in fleet.accounts:
        if account.source:
            found[account.source.path] = [account.id, *([account.sts.external_id] if account.sts else [])]
    return found


@dataclass(frozen=True, slots=True)
class _Part:
    """What was touched and what it can concern, without a finding about manifests, and isolated.

    Args:
        facts: Those of the whole fleet as it is now.
        inside: The folders with all files of the part, each with a slash at its end.
    """

    facts: Facts
    inside: tuple[str, ...]
    rendered: Rendered


def nearby(before: Before) -> Known | None:
    """Return what is known of a fleet, from what was touched since it was in order; None when all must be read.

    Raises:
        InternalError: When a rendered file does not say what the fleet says.
        UsageError: When a template cannot be rendered.
    """
    part = _part(before, lambda _: frozenset())
    if part is None:
        return None
    return Known(
        clients=sum(map(_is_client, part.facts)),
        accounts=len({account for account, *_ in part.facts.values()}),
        others=sum(is_rendered(path) and not path.startswith(part.inside) for path in before.seen.files),
        comparison=part.rendered.comparison,
    )


def chosen(before: Before, accounts: AbstractSet[str], clients: AbstractSet[str]) -> Rendered | None:
    """Return the part of a fleet that some accounts and clients are in, and what was touched since it was in order.

    The tree is as it should be then; None when all must be read.

    Args:
        before: The fleet.
        accounts: Ids of accounts.
        clients: Names of clients.

    Raises:
        InternalError: When a rendered file does not say what the fleet says.
        UsageError: When a template cannot be rendered.
    """

    def of(facts: Facts) -> AbstractSet[str] | None:
        account_of = {_stem(path): account for path, (account, *_) in facts.items() if _is_client(path)}
        known = accounts <= {account for account, *_ in facts.values()} and clients <= account_of.keys()
        return accounts | {account_of[name] for name in clients} if known else None

    part = _part(before, of)
    if part is None or not part.rendered.comparison.is_current:
        return None
    others = {folder: each for folder, each in before.whole.roots.items() if not f"{folder}/".startswith(part.inside)}
    return replace(part.rendered, others=others)


def _part(before: Before, chosen: Callable[[Facts], AbstractSet[str] | None]) -> _Part | None:
    """Return the part of a fleet that what was touched concerns; None when that cannot be told, or is not in order.

    Args:
        before: The fleet.
        chosen: Gives further accounts by the fleet's facts; None when there are none such.
    """
    whole, seen = before.whole, before.seen
    touched = {path for path, look in seen.files.items() if whole.files.get(path) != look}
    removed = whole.files.keys() - seen.files.keys()
    manifests = {path for path in touched if path.startswith(f"{CLIENTS}/")}
    accounts = {_account(path) for path in (touched - manifests) | removed}
    if None in accounts or not whole.facts:
        return None
    fresh = facts(pipeline.validate(before.folder, None, manifests).fleet) if manifests else {}
    if fresh.keys() != manifests:
        return None
    changed = [*fresh.values(), *(whole.facts[path] for path in manifests if path in whole.facts)]
    accounts |= {account for account, *_ in changed}
    names = {name for _, *names in changed for name in names}
    merged = {**whole.facts, **fresh}
    accounts |= {account for account, *others in merged.values() if not names.isdisjoint(others)}
    further = chosen(merged)
    if further is None:
        return None
    accounts |= further
    part = {path for path, (account, *_) in merged.items() if account in accounts}
    validated = pipeline.validate(before.folder, before.today, part)
    found = facts(validated.fleet)
    if validated.findings or found.keys() != part or any(found[path] != fresh[path] for path in fresh):
        return None
    tops = (
        f"{TREE}/{RootKind.PLATFORM}",
        *(f"{TREE}/accounts/{account}" for account in sorted(filter(None, accounts))),
    )
    rendered = pipeline.render(before.folder, validated.fleet, before.cache, tops)
    return None if rendered.proof.findings else _Part(merged, tuple(f"{top}/" for top in tops), rendered)


def _names(fleet: Fleet, client: Client) -> Iterator[str]:
    """Yield every name of a client's, and those that what it was called before has left: none tells cases apart."""
    policy = fleet.settings.vault.policy
    names = [client.name, client.role_name, client.vault_role, client.vault_policy, client.directory]
    for name in (client.name, client.previously):
        if name:
            names += [name, policy.format(name=name, account_id=client.account_id, role_name=client.role_name)]
    yield from sorted({name.lower() for name in names})


def _account(path: str) -> str | None:
    """Return the account of a rendered file, empty for the platform's; None for any other file."""
    match = _ACCOUNT.match(path)
    return match[1] if match else "" if path.startswith(f"{TREE}/{RootKind.PLATFORM}/") else None


def _is_client(path: str) -> bool:
    return not path.startswith(f"{ACCOUNTS}/")


def _stem(path: str) -> str:
    """Return the name of a client by its manifest's path, which is that of every manifest without a finding."""
    return path.rpartition("/")[2].removesuffix(".yaml")
