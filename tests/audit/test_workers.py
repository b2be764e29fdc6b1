from __future__ import annotations

import operator
import os
import signal
import subprocess
import sys
import time

import pytest

from generator.audit import workers
from generator.errors import InternalError

_SLEEP = """
import sys, time
from generator.audit import workers
if __name__ == "__main__":
    try:
        workers.each(time.sleep, [(0.02,)] * 5000, 2)
    except KeyboardInterrupt:
        print("interrupted")
"""


def test_results_come_in_the_order_of_the_arguments() -> None:
    assert workers.each(operator.sub, [(number, 1) for number in range(60)], 2) == list(range(-1, 59))


def test_an_error_of_one_ends_them_all() -> None:
    with pytest.raises(ZeroDivisionError):
        workers.each(operator.floordiv, [(1, 1), (1, 0), (1, 1)], 2)


def test_a_killed_worker_is_an_error_with_advice() -> None:
    with pytest.raises(InternalError) as caught:
        workers.each(os._exit, [(1,)], 2)
    assert caught.value.help


def test_an_interrupt_is_answered_by_one_process_without_a_traceback() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _SLEEP],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    time.sleep(1.5)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    assert output == "interrupted\n"
