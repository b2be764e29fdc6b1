"""What Vault would refuse, or take for something else than was meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from generator.diagnostics import Diagnostic, Severity
from generator.manifest.values import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.diagnostics import Span
    from generator.manifest.fleet import Client, Fleet

UNUSABLE_VAULT_NAME = "CK501"
RESERVED_POLICY_NAME = "CK502"
TTL_ABOVE_MAXIMUM = "CK503"
WILDCARD_SEGMENT = "CK504"

# vault/policy_store.go, and hcp-root on HCP Vault
_RESERVED = frozenset({"root", "default", "default-ceiling", "response-wrapping", "control-group", "hcp-root"})
# Vault's framework.GenericNameRegex
_VAULT_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?", re.ASCII)


def check(fleet: Fleet) -> Iterator[Diagnostic]:
    """Yield findings about each client's Vault names, directory and token limits."""
    yield from _defaults(fleet)
    for client in fleet.declared:
        yield from _names(client)
        yield from _limits(client)


def _names(client: Client) -> Iterator[Diagnostic]:
    written = client.source.model.vault
    for name, key, given in (
        (client.vault_role, "role", written.role),
        (client.vault_policy, "policy", written.policy),
    ):
        if _VAULT_NAME.fullmatch(name) is None:
            yield Diagnostic(
                UNUSABLE_VAULT_NAME,
                Severity.ERROR,
                client.source.span("vault", key) if given else client.source.span("role_name"),
                f"`{name}` is legal in IAM and not as the name of a Vault {key}",
                f"set `vault.{key}` to a name of letters, digits, _ and, neither first nor last, . or -",
            )
    if client.vault_policy.lower() in _RESERVED:
        yield Diagnostic(
            RESERVED_POLICY_NAME,
            Severity.ERROR,
            client.source.span("vault", "policy") if written.policy else client.source.span("name"),
            f"the policy name `{client.vault_policy}` is reserved by Vault",
            "set `vault.policy` to another name",
        )
    if re.search(r"(?:^|/)(?:\+|\.{1,2})(?:/|$)", client.directory) or "*" in client.directory:
        yield Diagnostic(
            WILDCARD_SEGMENT,
            Severity.ERROR,
            client.source.span("role_name"),
            f"the directory `{client.directory}` has a segment that Vault reads as a wildcard or a step up",
            "in a policy `+` stands for any one segment: a role of that name would reach every role's directory",
        )


def _defaults(fleet: Fleet) -> Iterator[Diagnostic]:
    ttl, max_ttl = fleet.settings.defaults.token_ttl, fleet.settings.defaults.token_max_ttl
    if fleet.source and ttl and max_ttl:
        yield from _above_maximum(fleet.source.span("defaults", "token_ttl"), seconds(ttl), seconds(max_ttl))


def _limits(client: Client) -> Iterator[Diagnostic]:
    written = client.source.model.vault
    if written.token_ttl or written.token_max_ttl:  # otherwise the fleet's defaults are at fault
        key = "token_ttl" if written.token_ttl else "token_max_ttl"
        yield from _above_maximum(client.source.span("vault", key), client.token_ttl, client.token_max_ttl)


def _above_maximum(span: Span, ttl: int | None, max_ttl: int | None) -> Iterator[Diagnostic]:
    if ttl and max_ttl and ttl > max_ttl:
        yield Diagnostic(
            TTL_ABOVE_MAXIMUM,
            Severity.ERROR,
            span,
            f"token_ttl ({ttl} s) is longer than token_max_ttl ({max_ttl} s)",
            "shorten `token_ttl` or raise `token_max_ttl`; what a client leaves out is the fleet's default",
        )
