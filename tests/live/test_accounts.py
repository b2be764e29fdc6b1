"""Thousands of accounts can be looked at: each costs little, and few are remembered."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.loaders import JSONFileLoader

from generator.live import systems
from generator.live.answers import Unknown
from generator.live.aws import AwsAccount, session_of
from generator.live.pace import Pace
from generator.live.systems import Systems

if TYPE_CHECKING:
    import boto3

NOWHERE = "http://127.0.0.1:1"


def account(number: int) -> Any:
    return SimpleNamespace(id=f"{number:012}")


def no_vault() -> Any:
    raise AssertionError("nobody asks Vault")


@pytest.fixture
def asked() -> list[str]:
    """The accounts for which a session was made."""
    return []


@pytest.fixture
def several(asked: list[str]) -> Systems:
    def session(of: Any) -> boto3.session.Session | Unknown | None:
        asked.append(of.id)
        if of.id.endswith("7"):
            return None
        return Unknown(of.id, "why", "help") if of.id.endswith("8") else session_of("id", "key", None, "us-east-1")

    return Systems(no_vault, session, Pace(0), NOWHERE)


def test_what_a_service_can_be_asked_is_read_once_for_all_accounts(
    several: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    several.aws(account(0))
    read: list[str] = []
    load_file = JSONFileLoader.load_file

    def counted(self: JSONFileLoader, file_path: str) -> Any:
        read.append(file_path)
        return load_file(self, file_path)

    monkeypatch.setattr(JSONFileLoader, "load_file", counted)
    for number in range(1, 6):
        several.aws(account(number))
    assert [path for path in read if "service-2" in path] == []


def test_account_is_asked_by_the_same_client_while_it_is_remembered(several: Systems, asked: list[str]) -> None:
    first = several.aws(account(0))
    assert isinstance(first, AwsAccount)
    assert several.aws(account(0)) is first
    assert several.aws(account(7)) is several.aws(account(7)) is None
    assert isinstance(several.aws(account(8)), Unknown)
    assert several.aws(account(8)) is several.aws(account(8))
    assert asked == ["000000000000", "000000000007", "000000000008"]


def test_as_many_are_remembered_as_memory_is_for(
    several: Systems, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systems, "_REMEMBERED", 2)
    first = several.aws(account(0))
    for number in (1, 2):
        several.aws(account(number))
    assert several.aws(account(2)) is several.aws(account(2))
    assert several.aws(account(0)) is not first
    assert [int(each) for each in asked] == [0, 1, 2, 0]
