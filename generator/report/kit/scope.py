"""What a kit is about: one client, or all clients of an account."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.errors import RefusedError, UsageError
from generator.render.layout import TREE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.manifest.fleet import Account, Client, Fleet


@dataclass(frozen=True, slots=True)
class Scope:
    """What a kit is about.

    Args:
        fleet: The fleet, without findings.
        account: The account that the kit is for.
        clients: Those that it tells how to log in: neither suspended nor retired.
        whole: Whether it is about all of the account; otherwise about its one client.
    """

    fleet: Fleet
    account: Account
    clients: tuple[Client, ...]
    whole: bool

    @property
    def left_out(self) -> tuple[str, ...]:
        """The account's clients that are left out, each with the reason; none where one client was asked for."""
        hindrances = (_hindrance(client) for client in self.account.clients if self.whole)
        return tuple(hindrance for hindrance in hindrances if hindrance)

    @property
    def root(self) -> str:
        """Name of the account's AWS root."""
        return f"accounts/{self.account.id}/aws"

    def files(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Return those of the AWS root's files that the kit's recipient applies; nothing in a managed account.

        A kit for one client has the account's own objects only where that client needs them, and other clients' never.

        Args:
            paths: Every file of the rendered tree, relative to the fleet's folder.
        """
        if self.account.managed:
            return ()
        folder = f"{TREE}/{self.root}/"
        inside = sorted(path for path in paths if path.startswith(folder))
        return tuple(path for path in inside if self.whole or self._names(path.removeprefix(folder)))

    def _names(self, file: str) -> bool:
        (client,) = self.clients
        named = {"root.tf", f"client-{client.name}.tf"} | ({"sts.tf"} if client.needs_sts else set())
        return file.removeprefix("import-") in named


def of_client(fleet: Fleet, name: str) -> Scope:
    """Return what a kit for one client is about.

    Raises:
        UsageError: When there is no such client.
        RefusedError: When it cannot log in.
    """
    found = next((client for client in fleet.clients if client.name == name), None)
    if found is None:
        raise UsageError(
            f"there is no client `{name}` in this fleet", help=_near(name, [c.name for c in fleet.clients])
        )
    if hindrance := _hindrance(found):
        raise RefusedError(
            f"there is no kit for {hindrance}",
            help="it is of no use to who cannot log in" if found.retire else "take `suspend` out of its manifest first",
        )
    account = next(account for account in fleet.accounts if account.id == found.account_id)
    return Scope(fleet, account, (found,), whole=False)


def of_account(fleet: Fleet, account_id: str) -> Scope:
    """Return what a kit for all clients of an account is about.

    Raises:
        UsageError: When there is no such account.
        RefusedError: When none of its clients can log in.
    """
    found = next((account for account in fleet.accounts if account.id == account_id), None)
    if found is None:
        near = _near(account_id, [account.id for account in fleet.accounts])
        raise UsageError(f"there is no account `{account_id}` in this fleet", help=near)
    clients = tuple(client for client in found.clients if _hindrance(client) is None)
    if not clients:
        raise RefusedError(
            f"there is no kit for the account {account_id}: none of its clients can log in",
            help="; ".join(_hindrance(client) or "" for client in found.clients) or "it has no clients",
        )
    return Scope(fleet, found, clients, whole=True)


def _hindrance(client: Client) -> str | None:
    """Return why a client cannot log in, as the end of a sentence; None when it can."""
    if client.retire:
        return f"{client.name}: it is retired ({client.retire.reason})"
    if client.suspend:
        return f"{client.name}: it is suspended ({client.suspend.reason})"
    return None


def _near(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=3)
    return f"did you mean {', '.join(near)}?" if near else f"the fleet has {', '.join(sorted(known)[:10]) or 'none'}"
