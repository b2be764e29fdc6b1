"""Suspending, retiring and renaming: what the keys of a client's life cycle can and cannot say together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.diagnostics import Diagnostic, Note, Severity
from generator.rules.names import collision

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from generator.diagnostics import Span
    from generator.manifest.fleet import Client, Fleet

LAPSED_RETIREMENT = "CK901"
SUSPENDED_AND_RETIRED = "CK902"
RENAMED_AND_RETIRED = "CK903"
FORMER_NAME_IN_USE = "CK904"
RENAMED_IN_A_CIRCLE = "CK905"
SHARED_FORMER_NAME = "CK906"
VAULT_NAME_FOLLOWS_RENAME = "CK907"
DIRECTORY_FOLLOWS_RENAME = "CK908"
REUSED_POLICY_NAME = "CK909"


def check(fleet: Fleet, today: dt.date | None) -> Iterator[Diagnostic]:
    """Yield findings about clients that are suspended, retired or renamed.

    Args:
        fleet: The fleet.
        today: The day by which permissions are judged; None judges none.
    """
    by_name = {client.name: client for client in fleet.clients}
    for client in fleet.clients:
        if client.retire:
            yield from _retired(client, today)
        elif client.previously:
            yield from _former_name(client, client.previously, by_name)
            yield from _what_follows_the_name(fleet, client, client.previously)
    yield from _shared_former_names(fleet)
    yield from _reused_policies(fleet, by_name)


def _retired(client: Client, today: dt.date | None) -> Iterator[Diagnostic]:
    retire = client.source.model.retire
    if retire and today and retire.has_lapsed(today):
        yield Diagnostic(
            LAPSED_RETIREMENT,
            Severity.WARNING,
            client.source.span("retire", "approved_until"),
            f"the permission to destroy what `{client.name}` had ended with {retire.approved_until}",
            "where something of it is left, have a later day approved; where all is gone, nothing needs to be done",
        )
    if client.suspend:
        yield Diagnostic(
            SUSPENDED_AND_RETIRED,
            Severity.ERROR,
            client.source.key_span("suspend"),
            "a retired client has no policy that could be suspended",
            "remove `suspend`: retiring ends all access; or remove `retire`, if the client is to come back",
        )
    if client.previously:
        yield Diagnostic(
            RENAMED_AND_RETIRED,
            Severity.ERROR,
            client.source.key_span("previously"),
            f"a retired client has nothing that could move here from `{client.previously}`",
            f"remove `previously`, and give the manifest its name `{client.previously}` back unless the rename was "
            "applied",
        )


def _former_name(client: Client, former: str, by_name: Mapping[str, Client]) -> Iterator[Diagnostic]:
    other = by_name.get(former)
    if other is None:
        return
    span = client.source.span("previously")
    if circle := _circle(client, by_name):
        yield Diagnostic(
            RENAMED_IN_A_CIRCLE,
            Severity.ERROR,
            span,
            f"`{client.name}` is said to be renamed from itself: {' from '.join(f'`{name}`' for name in circle)}",
            "Terraform moves nothing in a circle; remove `previously`, and swap names by way of a third one, applying "
            "each step",
        )
        return
    state = "is retired, and its manifest keeps the name" if other.retire else "still has a manifest"
    yield Diagnostic(
        FORMER_NAME_IN_USE,
        Severity.ERROR,
        span,
        f"`{former}` {state}: what it has cannot move to `{client.name}`",
        f"a rename is one manifest that gets another name: remove `previously`, or the manifest of `{former}`",
        (Note(other.source.span("name"), "the other one is here"),),
    )


def _circle(client: Client, by_name: Mapping[str, Client]) -> tuple[str, ...]:
    """Return the names from a client over its former ones back to itself, nothing when they lead elsewhere."""
    names = [client.name]
    current: Client | None = client
    while current and current.previously and current.previously not in names:
        names.append(current.previously)
        current = by_name.get(current.previously)
    closed = current is not None and current.previously == client.name
    return (*names, client.name) if closed else ()


def _what_follows_the_name(fleet: Fleet, client: Client, former: str) -> Iterator[Diagnostic]:
    written, naming = client.source.model, fleet.settings.vault
    for key, given, template, now in (
        ("policy", written.vault.policy, naming.policy, client.vault_policy),
        ("role", written.vault.role, naming.role, client.vault_role),
    ):
        before = _named(template, client, former)
        if given is None and before != now:
            line = f"`{key}: {before}` below `vault:`" if "vault" in written.model_fields_set else ""
            yield Diagnostic(
                VAULT_NAME_FOLLOWS_RENAME,
                Severity.ERROR,
                client.source.span("previously"),
                f"with the client's name that of its Vault {key} would change from `{before}` to `{now}`, "
                f"and Terraform would replace it",
                f"add {line or f'`vault: {{{key}: {before}}}`'}, or what the manifest of `{former}` said there",
            )
    before = _named(naming.directory, client, former)
    if before != client.directory:
        yield Diagnostic(
            DIRECTORY_FOLLOWS_RENAME,
            Severity.WARNING,
            client.source.span("previously"),
            f"with the client's name its directory changes from `{before}` to `{client.directory}`",
            "copy what the client reads to its new directory before this is applied",
        )


def _shared_former_names(fleet: Fleet) -> Iterator[Diagnostic]:
    first: dict[str, Span] = {}
    for client in sorted(fleet.declared, key=lambda each: each.path):
        if client.previously:
            span = client.source.span("previously")
            other = first.setdefault(client.previously, span)
            if other is not span:
                yield collision(
                    SHARED_FORMER_NAME,
                    span,
                    f"another client is said to be renamed from `{client.previously}` too",
                    "what one client had can move to one client: keep `previously` in one of the two",
                    other,
                )


def _reused_policies(fleet: Fleet, by_name: Mapping[str, Client]) -> Iterator[Diagnostic]:
    """A token carries the names of its policies, and gets what a policy of that name allows at the time."""
    bearers: dict[str, Client] = {}
    for client in fleet.clients:
        former = client.previously if client.previously not in by_name else None
        names = {_named(fleet.settings.vault.policy, client, name) for name in (client.name, former) if name}
        if client.retire:
            names.add(client.vault_policy)
        else:
            # Two clients with one policy now are a finding of their own.
            names.discard(client.vault_policy)
        bearers |= {name.lower(): client for name in names}
    for client in fleet.declared:
        other = bearers.get(client.vault_policy.lower())
        if other is not None and other is not client:
            yield Diagnostic(
                REUSED_POLICY_NAME,
                Severity.WARNING,
                client.source.span("vault", "policy")
                if client.source.model.vault.policy
                else client.source.span("name"),
                f"the policy `{client.vault_policy}` may have been that of `{other.name}`: tokens from then that still "
                f"live would read what `{client.name}` may",
                "set `vault.policy` to a name of its own",
                (Note(other.source.span("name"), "the other one is here"),),
            )


def _named(template: str, client: Client, name: str) -> str:
    return template.format(name=name, account_id=client.account_id, role_name=client.role_name)
