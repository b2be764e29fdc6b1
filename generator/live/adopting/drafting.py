"""From registrations to manifests that are in order, all of them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.diagnostics import Severity
from generator.errors import UsageError
from generator.live.adopting import reasons
from generator.live.adopting.accounts import account_values, sts_of
from generator.live.adopting.aws_side import EXISTING, AwsSide, aws_side
from generator.live.adopting.clients import vault_side
from generator.live.adopting.names import candidates
from generator.live.adopting.registrations import registrations
from generator.live.answers import Unknown
from generator.live.pace import each
from generator.live.vault import WORKERS
from generator.manifest import proposal
from generator.manifest.load import ACCOUNTS, CLIENTS
from generator.report.imported import Left
from generator.rules.fleet import check

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from generator.diagnostics import Diagnostic
    from generator.live.adopting.asked import Asked
    from generator.live.adopting.aws_side import Iam
    from generator.live.adopting.clients import VaultSide
    from generator.live.adopting.observed import Observed
    from generator.live.adopting.registrations import Registration
    from generator.manifest.fleet import Account, Fleet


@dataclass(frozen=True, slots=True)
class Drafts:
    """Manifests for what has none.

    Args:
        fleet: The fleet with them.
        texts: Their texts by path, those of accounts first.
        clients: Names of the clients.
        left: What was left alone.
        unknown: What could not be read.
        faults: What is wrong with the fleet and with none of the drafts; nothing may be written then.
    """

    fleet: Fleet
    texts: Mapping[str, str]
    clients: tuple[str, ...]
    left: tuple[Left, ...]
    unknown: tuple[Unknown, ...]
    faults: tuple[Diagnostic, ...] = ()


def drafts(fleet: Fleet, observed: Observed, iam: Iam, asked: Asked, today: dt.date) -> Drafts:
    """Return manifests for the registrations that are asked for and have none.

    Args:
        fleet: The fleet as it is.
        observed: What Vault has.
        iam: Asks AWS.
        asked: What is asked for.
        today: The day by which the rules judge permissions to destroy.

    Raises:
        UsageError: When a client's or an account's owner is not known.
    """
    pattern = fleet.settings.vault.policy
    known = {client.vault_role.lower() for client in fleet.clients}
    wanted = [name for name, live in observed.roles.items() if name not in known and asked.takes(live, pattern)]
    found, left = registrations(observed.roles, observed.policies, wanted)
    sides, objections = _vault_sides(found, fleet, observed)
    accounts = _accounts(sides, fleet, observed, asked)
    with_accounts = _extended(fleet, accounts)
    clients, more, unknown = _clients(sides, {account.id: account for account in with_accounts.accounts}, iam, asked)
    drafted = Drafts(fleet, accounts, (), (*left, *objections, *more), unknown)
    return _in_order(drafted, clients, today)


def _vault_sides(
    found: Iterable[Registration], fleet: Fleet, observed: Observed
) -> tuple[tuple[VaultSide, ...], tuple[Left, ...]]:
    taken = {client.name for client in fleet.clients}
    sides: list[VaultSide] = []
    left: list[Left] = []
    for registration in found:
        name = next((name for name in candidates(registration, fleet.settings.vault.policy) if name not in taken), None)
        if name is None:
            left.append(registration.left(reasons.NO_NAME, f"with the policy {registration.policy}"))
            continue
        side = vault_side(registration, name, fleet.settings)
        if not isinstance(side, Left) and registration.needs_sts:
            sts = sts_of(registration, fleet, observed)
            side = sts if isinstance(sts, Left) else side
        if isinstance(side, Left):
            left.append(side)
        else:
            taken.add(name)
            sides.append(side)
    return tuple(sides), tuple(left)


def _accounts(sides: Iterable[VaultSide], fleet: Fleet, observed: Observed, asked: Asked) -> dict[str, str]:
    """Return the manifests of accounts that have none and need one, by path."""
    registered = {account.id for account in fleet.accounts if account.source}
    by_account: dict[str, list[VaultSide]] = {}
    for side in sides:
        if side.registration.account_id not in registered:
            by_account.setdefault(side.registration.account_id, []).append(side)
    texts = {}
    for account_id, inside in sorted(by_account.items()):
        needs_sts = any(side.registration.needs_sts for side in inside)
        values = account_values(account_id, fleet.settings, asked, observed.sts[account_id] if needs_sts else None)
        if values:
            path = f"{ACCOUNTS}/{account_id}.yaml"
            texts[path] = proposal.text("account", path, values)
    return texts


def _extended(fleet: Fleet, texts: Mapping[str, str]) -> Fleet:
    grown = proposal.extended(fleet, texts)
    if isinstance(grown, tuple):
        raise UsageError(f"{grown[0].span.path} cannot be drafted: {grown[0].message}", help=grown[0].help)
    return grown


@dataclass(frozen=True, slots=True)
class _Client:
    """A client manifest to be."""

    side: VaultSide
    path: str
    text: str


def _clients(
    sides: Iterable[VaultSide], accounts: Mapping[str, Account], iam: Iam, asked: Asked
) -> tuple[list[_Client], list[Left], tuple[Unknown, ...]]:
    def look(side: VaultSide) -> AwsSide | Left | Unknown:
        account = accounts.get(side.registration.account_id)
        return aws_side(side.registration, account, iam) if account else AwsSide(EXISTING)

    clients: list[_Client] = []
    left: list[Left] = []
    unknown: dict[str, Unknown] = {}
    ownerless: list[str] = []
    for side, aws in each(look, sides, WORKERS):
        if isinstance(aws, Unknown):
            unknown[aws.what] = aws
            continue
        if isinstance(aws, Left):
            left.append(aws)
            continue
        left += [aws.left] if aws.left else []
        owner = aws.owner or asked.owner
        if owner is None:
            ownerless.append(side.name)
        clients.append(_drafted(side, aws, owner))
    if ownerless:
        raise UsageError(
            f"nothing says who answers for {', '.join(sorted(ownerless)[:5])}{' and others' * (len(ownerless) > 5)}",  # noqa: PLR2004 - enough to go by
            help="say it with --owner, a team's mail address; manifests can be told apart later",
        )
    return sorted(clients, key=lambda client: client.side.name), left, tuple(unknown[what] for what in sorted(unknown))


def _drafted(side: VaultSide, aws: AwsSide, owner: str | None) -> _Client:
    path = f"{CLIENTS}/{side.name}.yaml"
    values: dict[str, proposal.Value] = {
        "name": side.name,
        "account_id": side.registration.account_id,
        "role_name": side.registration.role_name,
        "owner": owner,
        "vault": side.vault,
        "aws": aws.aws,
        "grants": tuple({"path": grant, "access": "read"} for grant in side.grants),
    }
    return _Client(side, path, proposal.text("client", path, values))


def _in_order(drafted: Drafts, clients: list[_Client], today: dt.date) -> Drafts:
    """Apply every rule to the fleet as it would be, and leave out the clients that would break one.

    Args:
        drafted: The fleet without the drafts, with the texts of the accounts that may be needed.
        clients: The clients.
        today: The day by which permissions to destroy are judged.
    """
    left = list(drafted.left)
    while True:
        # An account is written for its clients alone.
        needed = {f"{ACCOUNTS}/{client.side.registration.account_id}.yaml" for client in clients}
        texts = {path: text for path, text in drafted.texts.items() if path in needed}
        texts |= {client.path: client.text for client in clients}
        grown = proposal.extended(drafted.fleet, texts)
        findings = grown if isinstance(grown, tuple) else check(grown, today)
        errors = tuple(finding for finding in findings if finding.severity is Severity.ERROR)
        names = tuple(client.side.name for client in clients)
        if not errors and not isinstance(grown, tuple):
            return Drafts(grown, texts, names, tuple(left), drafted.unknown)
        by_path = _blamed(errors)
        blamed = {client.path: finding for client in clients if (finding := _against(client, by_path))}
        if not blamed:
            return Drafts(drafted.fleet, {}, (), tuple(left), drafted.unknown, errors)
        left += (
            client.side.registration.left(reasons.AGAINST_RULE, f"{finding.rule}: {finding.message}")
            for client in clients
            if (finding := blamed.get(client.path))
        )
        clients = [client for client in clients if client.path not in blamed]


def _blamed(errors: Iterable[Diagnostic]) -> dict[str, Diagnostic]:
    blamed: dict[str, Diagnostic] = {}
    for finding in errors:
        for span in (finding.span, *(note.span for note in finding.notes)):
            blamed.setdefault(span.path, finding)
    return blamed


def _against(client: _Client, blamed: Mapping[str, Diagnostic]) -> Diagnostic | None:
    account = f"{ACCOUNTS}/{client.side.registration.account_id}.yaml"
    return blamed.get(client.path) or blamed.get(account)
