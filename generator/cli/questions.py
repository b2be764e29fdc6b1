"""Asking on a terminal: each answer is checked, and the question is asked again until it fits."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from generator.cli.context import say
from generator.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


def ask(question: str, check: Callable[[str], str], *, default: str | None = None) -> str:
    """Return the answer to a question, asked on stderr: stdout is for results, whoever reads it.

    Args:
        question: Without its question mark.
        check: Returns the answer, or raises UsageError with what is wrong with it.
        default: What an empty answer means; None takes no empty answer.

    Raises:
        KeyboardInterrupt: When there is no answer: Ctrl-C, or the end of the input.
    """
    while True:
        sys.stderr.write(f"{question} [{default}]: " if default else f"{question}: ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            say("")
            raise KeyboardInterrupt
        answer = line.strip() or default
        if answer is None:
            continue
        try:
            return check(answer)
        except UsageError as wrong:
            say(wrong.message)
