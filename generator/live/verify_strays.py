"""What stands in Vault and nobody declared: policies, roles and STS entries, by what they let anybody reach."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from generator.audit.declared import policy_name
from generator.diagnostics import Note, Span
from generator.live.answers import Unknown
from generator.live.drift_findings import (
    CUT_OFF,
    LETS_CLIENT_IN,
    ROLE_WITH_REACH,
    UNDECLARED_POWER,
    UNDECLARED_REACH,
    UNDECLARED_ROLE,
    UNDECLARED_STS,
    drift,
)
from generator.live.sign_in import role_arn
from generator.live.territory import live_rules
from generator.live.vault_roles import live_role, policy_path, policy_text, role_path
from generator.live.verified import Verified

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from generator.audit.declared import VaultRole
    from generator.diagnostics import Diagnostic
    from generator.live.reviewed import Reviewed
    from generator.live.territory import Territory
    from generator.live.vault import Vault
    from generator.manifest.fleet import Client

_IMMUTABLE = frozenset({"root", "response-wrapping", "control-group"})  # vault/policy_store.go
_HCP = ".hashicorp.cloud"
_EVERYTHING = dict.fromkeys(("root", "hcp-root"), "can do everything")


def vaults_own(version: str, address: str) -> frozenset[str]:
    """Return names of policies that are Vault's or HCP's, and not judged; elsewhere such a name is anybody's.

    `default` is looked at by itself.

    Args:
        version: Vault's, such as ``1.21.2+ent``.
        address: Where it is.
    """
    # What an agent may be given at most, since version 2; no token has it.
    agents = {"default-ceiling"} if version.partition(".")[0] not in {"", "0", "1"} else set()
    hcp = {"hcp-root"} if (urlsplit(address).hostname or "").endswith(_HCP) else set()
    return _IMMUTABLE | {"default"} | agents | hcp


@dataclass(slots=True)
class Reach:
    """What each live policy reaches that is not nothing, in words, by its name.

    Args:
        undeclared: Of those that nobody declared, as they were read.
    """

    reviewed: Reviewed
    undeclared: dict[str, str] = field(default_factory=_EVERYTHING.copy)

    def of(self, policies: Iterable[str], *, operators: bool = False) -> str:
        """Return what policies reach together, as the end of a sentence; empty for nothing.

        Args:
            policies: Their names.
            operators: Whether those that the settings leave to the people who run Vault count.
        """
        found = ((name, self._of(policy_name(name), operators)) for name in policies)
        return "; ".join(f"`{name}` {said}" for name, said in found if said)

    def _of(self, name: str, operators: bool) -> str:  # noqa: FBT001 - handed on
        declared = self.reviewed.policies.get(name)
        if declared is None:
            is_theirs = operators and name in self.reviewed.fleet.settings.live.operator_policies
            return self.undeclared.get(name) or ("is of those who run Vault" if is_theirs else "")
        client = self.reviewed.clients.get(declared.label)
        return "" if client is None or client.suspend else f"reaches the directory of `{client.name}`"


def policy(reviewed: Reviewed, vault: Vault, territory: Territory, reach: Reach, name: str) -> Verified:
    """Judge one policy that nobody declared, and remember what it reaches; those of operators are theirs to judge."""
    found = vault.read(policy_path(name))
    if isinstance(found, Unknown):
        # Nobody knows what it reaches, so whoever has it may reach all.
        reach.undeclared[name] = "could not be read"
        return Verified(unknown=(found,))
    if found is None:
        return Verified()
    if name in reviewed.fleet.settings.live.operator_policies:
        return Verified()
    rules = live_rules(name, policy_text(found))
    if reached := territory.reached(rules):
        reach.undeclared[name] = f"reaches {reached.what}"
        message = (
            f"the policy `{name}`, which is not declared, lets {_and(reached.rule.capabilities)} "
            f"`{reached.rule.path}`, and so `{reached.path}`, in {reached.what}"
        )
        return Verified((drift(UNDECLARED_REACH, _at(reviewed, reached.client), message),))
    if power := territory.power(rules):
        reach.undeclared[name] = f"can {power.what}"
        message = (
            f"the policy `{name}`, which is not declared, lets {_and(power.rule.capabilities)} `{power.rule.path}`, "
            f"and so {power.what}"
        )
        return Verified((drift(UNDECLARED_POWER, reviewed.places.setting("vault", "kv_mount"), message),))
    return Verified()


def role(reviewed: Reviewed, vault: Vault, reach: Reach, mount: str, name: str) -> Verified:
    """Judge one role of an AWS auth method that nobody declared."""
    found = vault.read(role_path(mount, name))
    if isinstance(found, Unknown):
        return Verified(unknown=(found,))
    if found is None:
        return Verified()
    live = live_role(mount, name, found).role
    return Verified((_of_role(reviewed, reach, mount, live),))


def _of_role(reviewed: Reviewed, reach: Reach, mount: str, live: VaultRole) -> Diagnostic:
    ours = mount == reviewed.mount
    called = f"the Vault role `{live.role}`" if ours else f"the role `{live.role}` of `{mount}/`"
    # Those who run Vault may log in by AWS too, but never where whoever manages the clients' roles could let others in.
    brings = reach.of(map(str, live.token_policies), operators=ours)
    client = reviewed.cut_off.get(live.role) if ours else None
    if client:
        state = "suspended" if client.suspend else "retired"
        where = ("suspend",) if client.suspend else ("retire",)
        message = f"{called} is there, and `{client.name}` is {state}{f': {brings}' if brings else ''}"
        return drift(CUT_OFF, client.source.key_span(*where), message)
    policies = ", ".join(f"`{each}`" for each in live.token_policies) or "no policy of its own"
    if inside := sorted(
        lets_in(reviewed, live), key=lambda each: (each.suspend is not None or each.retire is not None, each.name)
    ):
        message = f"{called}, which is not declared, lets {_names(inside)} in and brings {policies}"
        message += f": {brings}" if brings else ""
        client = inside[0]
        declared = reviewed.roles.get(client.vault_role.lower())
        span = reviewed.places.argument(declared, "bound_iam_principal_arns") if declared else None
        note = Note(client.source.span("role_name"), f"`{client.name}` is {client.principal_arn}")
        return drift(LETS_CLIENT_IN, span or client.source.span("role_name"), message, note)
    span = reviewed.places.setting("vault", "auth_mount")
    bound = ", ".join(f"`{arn}`" for arn in live.bound_iam_principal_arns) or "whom its other binds fit"
    if brings:
        return drift(ROLE_WITH_REACH, span, f"{called}, which is not declared, lets {bound} in: {brings}")
    return drift(UNDECLARED_ROLE, span, f"{called} is not declared; it lets {bound} in and brings {policies}")


def lets_in(reviewed: Reviewed, live: VaultRole) -> Iterator[Client]:
    """Yield the clients whom a live role lets in by their principals, or by the accounts that their instances are in.

    A `*` at either end fits whatever stands there; Vault then compares the ARN with its IAM path too, if it can look
    that up: builtin/credential/aws/path_login.go, GlobbedStringsMatch.
    """
    bound = (*live.bound_iam_principal_arns, *live.bound_iam_role_arns)
    exact = {arn for arn in bound if "*" not in (arn[:1], arn[-1:])}
    globs = [arn for arn in bound if arn not in exact]
    accounts = live.bound_account_ids if live.auth_type == "ec2" and not live.bound_iam_role_arns else ()
    for client in reviewed.fleet.clients if globs or accounts else _of(reviewed, exact):
        arns = (client.principal_arn, role_arn(client))
        if client.account_id in accounts or arns[0] in exact or any(_fits(glob, arn) for glob in globs for arn in arns):
            yield client


def _fits(glob: str, arn: str) -> bool:
    literal = glob.strip("*")
    if glob.startswith("*"):
        return literal in arn if glob.endswith("*") else arn.endswith(literal)
    return arn.startswith(literal)


def _of(reviewed: Reviewed, arns: Iterable[str]) -> Iterator[Client]:
    yield from (reviewed.by_principal[arn] for arn in arns if arn in reviewed.by_principal)


def sts(reviewed: Reviewed, account_id: str) -> Verified:
    """Report one STS entry that nobody declared."""
    account = next((each for each in reviewed.fleet.accounts if each.id == account_id), None)
    span = account.source.span().start if account and account.source else reviewed.places.setting("vault", "auth_mount")
    message = f"Vault has an STS entry for account {account_id}, which is not declared"
    return Verified((drift(UNDECLARED_STS, span, message),))


def _at(reviewed: Reviewed, client: Client | None) -> Span:
    return client.source.span("role_name") if client else reviewed.places.setting("vault", "directory")


def _names(clients: Sequence[Client]) -> str:
    return f"`{clients[0].name}`{f' and {len(clients) - 1} more clients' if len(clients) > 1 else ''}"


def _and(capabilities: Iterable[str]) -> str:
    return " and ".join(each for each in capabilities if each != "deny")
