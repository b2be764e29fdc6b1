"""Answers to who reaches what: for people, or as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from generator.audit.questions import Question
from generator.audit.sharing import Place, Places, Sharing
from generator.report.machine import to_json
from generator.report.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.audit.access import Login
    from generator.audit.questions import Answer
    from generator.manifest.fleet import Fleet


@dataclass(frozen=True, slots=True)
class Answers:
    """What was asked, what the tree says, and what the manifests know of it.

    Args:
        question: What was asked.
        found: The answers, by account, client and principal.
        fleet: The manifests, as far as they can be read.
    """

    question: Question
    found: tuple[Answer, ...]
    fleet: Fleet

    @property
    def reaching(self) -> tuple[str, ...]:
        """The clients that reach what was asked, in order."""
        return tuple(dict.fromkeys(each.grant.login.client for each in self.found if _reaches(each)))

    @property
    def unseen(self) -> tuple[str, ...]:
        """The policies of the logins that the tree does not declare: what they allow nobody can say here."""
        return tuple(sorted({name for each in self.found for name in each.grant.login.undeclared}))


def full(answers: Answers) -> str:
    """Return the answers by client and principal, a rule a line, and what they amount to."""
    places = Places.of(answers.fleet)
    lines = []
    for login, group in groupby(answers.found, key=lambda each: each.grant.login):
        lines += [*_head(login, answers.fleet, places), *_table([_cells(each, places) for each in group]), ""]
    return "\n".join((*lines, *_summary(answers))) + "\n"


def concise(answers: Answers) -> str:
    """Return a line a rule: ``file:line: client capabilities path``, and whether it is masked."""
    return "".join(
        f"{_where(each)}: {visible(each.grant.login.client)} {_operations(each)} {visible(each.grant.rule.path)}\n"
        for each in answers.found
    )


def as_json(answers: Answers) -> str:
    """Return the answers as a JSON object."""
    places = Places.of(answers.fleet)
    accounts = {account.id: account.name for account in answers.fleet.accounts}
    question = answers.question
    return to_json(
        {
            "question": {
                "client": question.client,
                "principal_arn": question.principal_arn,
                "account_id": question.account_id,
                "path": question.path,
                "operation": question.operation,
            },
            "clients": answers.reaching,
            "undeclared_policies": answers.unseen,
            "rules": [_object(each, places, accounts.get(each.grant.login.account_id)) for each in answers.found],
        }
    )


def _reaches(answer: Answer) -> bool:
    return any(operation != "deny" for operation in answer.operations)


def _head(login: Login, fleet: Fleet, places: Places) -> Iterator[str]:
    client = places.clients.get(login.client)
    account = next((each for each in fleet.accounts if each.id == login.account_id), None)
    owner = visible(client.owner) if client else "no manifest names it"
    name = f" {visible(account.name)}" if account and account.name else ""
    yield f"{visible(login.client)} ({owner}), account {visible(login.account_id)}{name}"
    by = f"by the Vault role {visible(login.role.role)} of auth/{visible(login.mount)}"
    yield f"  {visible(login.principal_arn)} {by}"


def _cells(answer: Answer, places: Places) -> tuple[str, ...]:
    rule = visible(answer.grant.rule.path)
    place = places.place(answer.grant.rule.path, answer.grant.login.client)
    return _operations(answer), rule, _place(place), _where(answer)


def _operations(answer: Answer) -> str:
    if not answer.decides:
        return "masked"
    return ", ".join(answer.operations) or "nothing"


def _place(place: Place) -> str:
    if place.sharing is Sharing.SHARED:
        return f"shared by {visible(place.owner)}"
    return "own" if place.sharing is Sharing.OWN else "neither own nor shared"


def _where(answer: Answer) -> str:
    span = answer.grant.rule.span or answer.grant.policy.span
    return visible(f"{span.path}:{span.line}")


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "    " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _summary(answers: Answers) -> Iterator[str]:
    question = answers.question
    verb = f"may {question.operation}" if question.operation else "reach"
    what = visible(question.path) if question.path else "anything"
    if not answers.reaching:
        others = " of those that were asked about" if question != Question(path=question.path) else ""
        yield f"By what terraform/ declares, nobody{others} {_singular(verb)} {what}."
        return
    count = _count(len(answers.reaching), "client")
    rules = _count(len(answers.found), "rule")
    if question.path:
        yield f"{count} {verb if len(answers.reaching) > 1 else _singular(verb)} {what}; {rules} about it."
    else:
        yield f"{count}, {rules}."
    if answers.unseen:
        yield f"Not seen here: what their tokens may do by {', '.join(map(visible, answers.unseen))}."


def _singular(verb: str) -> str:
    return "reaches" if verb == "reach" else verb


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _object(answer: Answer, places: Places, account_name: str | None) -> dict[str, Any]:
    login, rule = answer.grant.login, answer.grant.rule
    client = places.clients.get(login.client)
    place = places.place(rule.path, login.client)
    span = rule.span or answer.grant.policy.span
    return {
        "client": login.client,
        "owner": client.owner if client else None,
        "account_id": login.account_id,
        "account_name": account_name,
        "principal_arn": login.principal_arn,
        "vault_role": login.role.role,
        "auth_mount": login.mount,
        "policy": answer.grant.policy.name,
        "path": rule.path,
        "capabilities": sorted(rule.capabilities),
        "operations": answer.operations,
        "decides": answer.decides,
        "sharing": place.sharing,
        "shared_owner": place.owner or None,
        "file": span.path,
        "line": span.line,
    }
