"""Questions to a tree: who reaches what, and which rule decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.audit.access import Grant
from generator.audit.acl_terms import Operation, Semantics
from generator.audit.deciding import OPERATIONS, Token, matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.audit.access import Login
    from generator.audit.declared import PathRule, VaultPolicy


_ORDER = (*OPERATIONS, "sudo", "subscribe", "deny")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked; each part that is given narrows the answer.

    Args:
        client: The client's name.
        principal_arn: The IAM principal that logs in, in any form in which AWS shows it.
        account_id: The principal's account.
        path: The path of a request to Vault, as ``secret/data/certs/…``.
        operation: What the request does.
    """

    client: str | None = None
    principal_arn: str | None = None
    account_id: str | None = None
    path: str | None = None
    operation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One rule of one login that is about what was asked.

    Args:
        operations: What the rule allows of what was asked: of a path the operations that Vault grants by this rule,
            else the rule's capabilities, ``deny`` among them.
        decides: False for a rule that matches the path while a narrower one decides: it is masked.
    """

    grant: Grant
    operations: tuple[str, ...]
    decides: bool = True


def answers(logins: Iterable[Login], question: Question) -> tuple[Answer, ...]:
    """Return every rule that is about what was asked: by account, client, principal, then as the policies have them."""
    asked = sorted(
        (login for login in logins if _is_asked(login, question)),
        key=lambda login: (login.account_id, login.client, login.principal_arn),
    )
    return tuple(answer for login in asked for answer in _answers(login, question))


def otherwise(logins: Iterable[Login], question: Question) -> tuple[str, ...]:
    """Return the clients whose requests to list what was asked are decided otherwise from Vault 2.0.3 on."""
    if question.path is None or question.operation not in {None, Operation.LIST}:
        return ()
    path = question.path.lstrip("/")
    return tuple(
        sorted({login.client for login in logins if _is_asked(login, question) and _depends(login.policies, path)})
    )


def _depends(policies: tuple[VaultPolicy, ...], path: str) -> bool:
    return len({Token.of(policies, each).decide(Operation.LIST, path).allowed for each in Semantics}) > 1


def canonical(arn: str) -> str:
    """Return a principal's ARN as Vault compares it: a session is its role, and a role has no path.

    Source: parseIamArn of builtin/credential/aws/path_login.go in Vault.
    """
    parts = arn.split(":", 5)
    if len(parts) < 6:  # noqa: PLR2004 - arn:partition:service:region:account:resource
        return arn
    partition, service, account_id, resource = parts[1], parts[2], parts[4], parts[5]
    kind, *names = resource.split("/")
    if service == "sts" and kind == "assumed-role" and len(names) == 2:  # noqa: PLR2004 - role and session
        return f"arn:{partition}:iam::{account_id}:role/{names[0]}"
    if service == "iam" and kind in {"role", "user"} and names:
        return f"arn:{partition}:iam::{account_id}:{kind}/{names[-1]}"
    return arn


def _is_asked(login: Login, question: Question) -> bool:
    return (
        question.client in {None, login.client}
        and (question.principal_arn is None or _binds(login.principal_arn, canonical(question.principal_arn)))
        and (question.account_id is None or _is_in(login, question.account_id))
    )


def _binds(bound: str, arn: str) -> bool:
    return arn.startswith(bound[:-1]) if bound.endswith("*") else bound == arn


def _is_in(login: Login, account_id: str) -> bool:
    if not login.principal_arn.endswith("*"):
        return login.account_id == account_id
    before, _, _ = login.principal_arn.partition("*")
    parts = before.split(":", 5)
    return account_id.startswith(parts[4]) if len(parts) == 5 else login.account_id in {"", account_id}  # noqa: PLR2004 - the account is what the wildcard cuts


def _answers(login: Login, question: Question) -> Iterator[Answer]:
    grants = [Grant(login=login, policy=policy, rule=rule) for policy in login.policies for rule in policy.rules]
    if question.path is None:
        for grant in grants:
            if question.operation is None or question.operation in grant.rule.capabilities:
                yield Answer(grant=grant, operations=tuple(sorted(grant.rule.capabilities, key=_ORDER.index)))
        return
    path = question.path.lstrip("/")
    granted, deciding = _decided(login.policies, path, (question.operation,) if question.operation else OPERATIONS)
    for grant in grants:
        rule = id(grant.rule)
        if rule in deciding:
            yield Answer(grant=grant, operations=tuple(granted.get(rule, ())))
        elif matches(grant.rule.path, path):
            yield Answer(grant=grant, operations=(), decides=False)


def _decided(
    policies: tuple[VaultPolicy, ...], path: str, operations: tuple[str, ...]
) -> tuple[dict[int, list[str]], set[int]]:
    """Return what is granted by which rule, and which rules decide about anything; rules by identity."""
    granted: dict[int, list[str]] = {}
    deciding: set[int] = set()
    token = Token.of(policies)
    for operation in operations:
        decision = token.decide(operation, path)
        deciding |= {id(rule) for rule in decision.rules}
        for rule in decision.rules:
            if decision.allowed and _grants(rule, operation):
                granted.setdefault(id(rule), []).append(operation)
    return granted, deciding


def _grants(rule: PathRule, operation: str) -> bool:
    return operation in rule.capabilities
