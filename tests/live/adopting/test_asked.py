"""What of a fleet and of a Vault an import is about."""

from __future__ import annotations

from typing import Any

import pytest

from generator.live.adopting.asked import Asked
from generator.live.vault_roles import live_role
from tests.live.adopting.worlds import ACCOUNT, answer, drafted, observed


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        (Asked(), True),
        (Asked(platform=True), False),
        (Asked(platform=True, accounts=frozenset({ACCOUNT})), True),
        (Asked(accounts=frozenset({"210987654321"})), False),
        (Asked(match="PAY*"), True),
        (Asked(match="pay"), False),
        (Asked(clients=frozenset({"payments-app"})), True),
        (Asked(clients=frozenset({"payments-policy"})), True),
        (Asked(clients=frozenset({"payments"})), True),
        (Asked(clients=frozenset({"pay"})), False),
        (Asked(clients=frozenset({"payments"}), match="other*"), False),
    ],
)
def test_a_role_is_asked_for_by_its_names_a_pattern_or_its_account(asked: Asked, taken: bool) -> None:
    data: dict[str, Any] = answer("payments-app", token_policies=["payments-policy"])
    assert asked.takes(live_role("aws", "payments-app", data), "{name}-policy") is taken


@pytest.mark.parametrize(
    ("asked", "matches", "named"),
    [
        (Asked(), True, False),
        (Asked(platform=True), False, False),
        (Asked(match="pay*"), True, False),
        (Asked(match="inv*"), False, False),
        (Asked(accounts=frozenset({ACCOUNT})), True, False),
        (Asked(accounts=frozenset({"210987654321"})), False, False),
        (Asked(clients=frozenset({"payments"})), False, True),
        (Asked(clients=frozenset({"payments-policy"})), False, True),
    ],
)
def test_a_client_with_a_manifest_is_asked_for_again_by_the_same_options(
    asked: Asked, matches: bool, named: bool
) -> None:
    client = drafted(observed({"payments": answer("payments")})).fleet.clients[0]
    assert (asked.matches(client), asked.names(client)) == (matches, named)
