from __future__ import annotations

import pytest

from generator.errors import UsageError
from generator.render.layout import Root, RootKind
from generator.run.roots import select

PLATFORM = Root("platform", RootKind.PLATFORM, None, (), handover=False)
AWS1 = Root("accounts/111111111111/aws", RootKind.AWS, "111111111111", ("payments", "ledger"), handover=False)
VAULT1 = Root("accounts/111111111111/vault", RootKind.VAULT, "111111111111", ("payments", "ledger"), handover=False)
AWS2 = Root("accounts/222222222222/aws", RootKind.AWS, "222222222222", ("billing",), handover=True)
VAULT2 = Root("accounts/222222222222/vault", RootKind.VAULT, "222222222222", ("billing",), handover=False)
ROOTS = (PLATFORM, AWS1, VAULT1, AWS2, VAULT2)


def test_nothing_named_means_all_roots() -> None:
    assert select(ROOTS, set(), set()) == ROOTS


def test_an_account_means_its_roots_without_the_platform() -> None:
    assert select(ROOTS, {"222222222222"}, set()) == (AWS2, VAULT2)


def test_a_client_means_both_roots_of_its_account() -> None:
    assert select(ROOTS, set(), {"ledger"}) == (AWS1, VAULT1)


def test_accounts_and_clients_add_up() -> None:
    assert select(ROOTS, {"222222222222"}, {"payments"}) == (AWS1, VAULT1, AWS2, VAULT2)


def test_a_misspelt_client_is_refused_with_the_similar_name() -> None:
    with pytest.raises(UsageError, match="no client paymnts") as caught:
        select(ROOTS, set(), {"paymnts", "billing"})
    assert caught.value.help == "did you mean payments?"


def test_an_unknown_account_is_refused_even_beside_a_known_client() -> None:
    with pytest.raises(UsageError, match="no account 999") as caught:
        select(ROOTS, {"999"}, {"payments"})
    assert "crosskeys roots" in (caught.value.help or "")
