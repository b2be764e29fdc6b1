"""Many questions at once, and no more than the other side answers."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from generator.live.pace import Pace, each

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_requests_are_spread_evenly_over_all_threads() -> None:
    pace = Pace(200)
    begin = time.monotonic()
    done = list(each(lambda _: pace.wait(), range(41), 8))
    assert len(done) == 41
    assert time.monotonic() - begin >= 40 / 200


def test_without_a_bound_nothing_waits() -> None:
    pace = Pace(0)
    begin = time.monotonic()
    for _ in range(10_000):
        pace.wait()
    assert time.monotonic() - begin < 1


def test_every_item_is_asked_once_and_by_as_many_threads_as_allowed() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def ask(number: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.002)
        with lock:
            running -= 1
        return number * number

    assert dict(each(ask, range(100), 4)) == {number: number * number for number in range(100)}
    assert most == 4


def test_items_are_taken_only_as_they_are_needed() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    answers = each(lambda number: number, items(), 4)
    for _ in range(10):
        next(answers)
    answers.close()  # type: ignore[attr-defined]  # a generator is what it is
    assert taken < 40


def test_a_failure_ends_it_and_nothing_new_is_begun() -> None:
    begun: list[int] = []

    def ask(number: int) -> int:
        begun.append(number)
        if number == 3:
            raise OSError("gone")
        time.sleep(0.01)
        return number

    with pytest.raises(OSError, match="gone"):
        list(each(ask, range(1000), 2))
    assert len(begun) < 20
