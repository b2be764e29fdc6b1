"""Several processes for one function, ended with this one."""

from __future__ import annotations

import multiprocessing
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, TypeVar

from generator.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

_CHUNK = 25


def each(function: Callable[..., T], items: Iterable[tuple[object, ...]], workers: int) -> list[T]:
    """Return what a function makes of each tuple of arguments, in their order.

    Args:
        function: At the top level of a module; all that goes in and comes out must pickle.
        items: The arguments.
        workers: How many processes work.

    Raises:
        InternalError: When a process was ended from outside.
    """
    # Forking a process that has threads is unsafe, so the workers start afresh.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        try:
            # An interrupt reaches the whole process group. Workers inherit the mask and so leave it to this process,
            # which answers it as soon as they are on their way.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                found = pool.map(function, *zip(*items, strict=True), chunksize=_CHUNK)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
            return list(found)
        except BrokenProcessPool as error:
            raise InternalError(
                "a process that reads the rendered files back was ended from outside",
                help="run this again; if it was for want of memory, close other programs first",
            ) from error
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
