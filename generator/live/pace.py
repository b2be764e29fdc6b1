"""Many questions at once, and no more a second than the other side is willing to answer."""

from __future__ import annotations

import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
R = TypeVar("R")


class Pace:
    """Lets through so many requests a second, evenly spread; shared by all threads of a run.

    HCP Vault's tiers answer 60 to 400 requests a second and refuse the others:
    https://developer.hashicorp.com/hcp/docs/vault/constraints-and-known-issues.

    Args:
        per_second: How many; 0 for no bound.
    """

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next request may go out."""
        if not self._gap:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(self._next, now)
            self._next = turn + self._gap
        if turn > now:
            time.sleep(turn - now)


def each(function: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[tuple[T, R]]:
    """Yield every item with what the function makes of it, as they are done.

    Items are taken as they are needed and no result is kept, so memory does not grow with their number. When the
    caller stops early, or a call raises, nothing new is begun and what runs is waited for.

    Args:
        function: Called in a thread of its own.
        items: In any order.
        workers: How many calls run at the same time.
    """
    rest = iter(items)
    running: dict[Future[R], T] = {}
    with ThreadPoolExecutor(workers, thread_name_prefix="live") as pool:
        try:
            while True:
                # Twice as many as there are threads, so that none waits for this one.
                while len(running) < 2 * workers and (item := next(rest, _END)) is not _END:
                    running[pool.submit(function, item)] = item  # type: ignore[arg-type, assignment]  # an item, or _END
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield running.pop(future), future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


_END = object()
