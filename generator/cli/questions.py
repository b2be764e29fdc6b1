"""Asking on a terminal: each answer is checked, and the question is asked again until it fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Callable


def ask(question: str, check: Callable[[str], str], *, default: str | None = None) -> str:
    """Return the answer to a question, asked on stderr.

    Args:
        question: Without its question mark.
        check: Returns the answer, or raises typer.BadParameter with what is wrong with it.
        default: What an empty answer means; None takes no empty answer.

    Raises:
        KeyboardInterrupt: When there is no answer: Ctrl-C, or the end of the input.
    """
    try:
        answer: str = typer.prompt(question, default, value_proc=check, err=True, show_default=bool(default))
    except typer.Abort as abort:
        raise KeyboardInterrupt from abort
    return answer
