"""A Vault that is slow, or that refuses for a while, is asked no faster than it may be, and asked again."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from generator.live import vault as live_vault
from generator.live.answers import Unknown
from generator.live.pace import Pace, each
from generator.live.vault import WORKERS, Vault
from tests.run.proxy import Fault, Proxy, between

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER = b'{"data": {"policy": "x"}}'
LATENCY = 0.02  # seconds
REFUSED = b'{"errors": ["request path: rate limit quota exceeded"]}'


class SlowVault:
    """Answers each request after a while, and remembers when each came and how many it had at a time."""

    def __init__(self) -> None:
        self.came: list[float] = []
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def __call__(self, _method: str, _path: str, _body: bytes) -> tuple[int, bytes]:
        with self._lock:
            self.came.append(time.monotonic())
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(LATENCY)
        with self._lock:
            self._now -= 1
        return 200, ANSWER


@pytest.fixture
def slow() -> SlowVault:
    return SlowVault()


@pytest.fixture
def server(slow: SlowVault, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    monkeypatch.setattr(live_vault, "_FIRST_DELAY", 0.001)
    with between(slow) as proxy:
        yield proxy


def asked(server: Proxy, rate: float) -> Vault:
    return Vault({"VAULT_ADDR": server.address, "VAULT_TOKEN": "root"}, "admin", Pace(rate))


def read(vault: Vault, number: int) -> list[object]:
    return [answer for _, answer in each(vault.read, [f"sys/policies/acl/{n}" for n in range(number)], WORKERS)]


def test_no_second_sees_more_requests_than_the_rate(server: Proxy, slow: SlowVault) -> None:
    assert read(asked(server, 50), 70) == [{"policy": "x"}] * 70
    came = sorted(slow.came)
    assert len(came) == 70
    assert max(sum(begin <= at < begin + 0.5 for at in came) for begin in came) <= 50 * 0.5 + WORKERS
    assert came[-1] - came[0] >= 69 / 50 - 0.05


def test_without_a_rate_several_are_asked_at_a_time_and_no_more_than_there_are_workers(
    server: Proxy, slow: SlowVault
) -> None:
    assert len(read(asked(server, 0), 160)) == 160
    assert 4 <= slow.most <= WORKERS


def test_request_that_is_refused_for_its_rate_is_asked_again_until_it_is_answered(
    server: Proxy, slow: SlowVault
) -> None:
    server.fault = Fault(429, REFUSED, times=12)
    assert read(asked(server, 0), 40) == [{"policy": "x"}] * 40
    assert server.faults[429] == 12
    assert len(slow.came) == 40


def test_rate_that_stays_used_up_is_unknown_and_says_what_to_do(server: Proxy) -> None:
    server.fault = Fault(429, REFUSED)
    (found,) = read(asked(server, 0), 1)
    assert isinstance(found, Unknown)
    assert found.why == "Vault's rate limit quota is used up"
    assert "--rate" in found.help
    assert server.faults[429] > 5


NOT_VAULTS = (
    Fault(404, b"<html>no such page</html>", kind="text/html"),
    Fault(404, b'{"message": "no Route matched with those values"}'),
    Fault(404, b"[]"),
    Fault(400, b'{"errors": [{"code": "E1"}]}'),
    Fault(200, b"<html>log in</html>", kind="text/html"),
)


@pytest.mark.parametrize("fault", NOT_VAULTS, ids=lambda fault: f"{fault.status} {fault.body.decode()}")
def test_answer_of_something_before_vault_is_never_taken_for_absent(server: Proxy, fault: Fault) -> None:
    server.fault = fault
    assert all(isinstance(each, Unknown) for each in (*read(asked(server, 0), 1), asked(server, 0).list("x")))


@pytest.mark.parametrize("body", [b'{"errors": []}', b'{"request_id": "1", "data": null, "warnings": ["gone"]}'])
def test_what_vault_has_not_is_absent(server: Proxy, body: bytes) -> None:
    server.fault = Fault(404, body)
    assert (read(asked(server, 0), 1), asked(server, 0).list("x")) == ([None], None)
