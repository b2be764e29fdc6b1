"""Names by pattern, and back: which client a policy or a role is named after."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.live.adopting.registrations import Registration
    from generator.live.vault_roles import LiveRole

_NAME = "[a-z][a-z0-9-]{0,63}"
_PLACEHOLDER = re.compile(r"(\{(?:name|account_id|role_name)\})")


def name_by(pattern: str, text: str, known: Mapping[str, str]) -> str | None:
    """Return the client's name that a pattern makes a text of, letters' case apart; None where it makes none.

    Args:
        pattern: In which ``{name}`` and what is known are replaced, such as ``{name}-policy``.
        text: The text, such as ``payments-policy``.
        known: What is known beside the name, by placeholder.
    """
    parts = _PLACEHOLDER.split(pattern.lower())
    expression, met = "", False
    for part in parts:
        if part == "{name}":
            expression += "(?P=name)" if met else f"(?P<name>{_NAME})"
            met = True
        else:
            expression += re.escape(known[part[1:-1]].lower() if _PLACEHOLDER.fullmatch(part) else part)
    match = re.fullmatch(expression, text.lower(), re.ASCII) if met else None
    return match["name"] if match else None


def candidates(registration: Registration, policy_pattern: str) -> Iterator[str]:
    """Yield the names that a client can have by its registration, the best first.

    Args:
        registration: The registration.
        policy_pattern: The fleet's pattern for policies.
    """
    known = {"account_id": registration.account_id, "role_name": registration.role_name}
    found = (
        name_by(policy_pattern, registration.policy, known),
        _plain(registration.role.role),
        _plain(registration.role_name),
    )
    names = list(dict.fromkeys(name for name in found if name))
    yield from names
    yield from (f"{name}-{registration.account_id}" for name in names if len(name) + 13 <= 64)  # noqa: PLR2004 - the form's


def names_of(live: LiveRole, policy_pattern: str) -> frozenset[str]:
    """Return what a live role may be asked for by: its own name, those of its policies and of its client.

    Args:
        live: The role.
        policy_pattern: The fleet's pattern for policies.
    """
    role = live.role
    policies = [str(policy) for policy in role.token_policies]
    fields = (role.bound_iam_principal_arns or ("",))[0].split(":")
    known = {"account_id": "".join(fields[4:5]), "role_name": fields[-1].rpartition("/")[2]}
    names = (name_by(policy_pattern, policy, known) for policy in policies)
    return frozenset(name for name in (role.role, _plain(role.role), *policies, *names) if name)


def _plain(text: str) -> str | None:
    plain = re.sub("[^a-z0-9-]+", "-", text.lower(), flags=re.ASCII).strip("-")
    return plain if re.fullmatch(_NAME, plain, re.ASCII) else None
