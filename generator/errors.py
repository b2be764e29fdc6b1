"""The one root of errors, and the table of exit codes."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class ExitCode(IntEnum):
    """What a verb's exit status says; part of the contract with users."""

    CLEAN = 0
    FINDINGS = 1
    USAGE = 2
    REFUSED = 3
    REMOTE = 4
    INTERRUPTED = 130


_PRECEDENCE = (
    ExitCode.INTERRUPTED,
    ExitCode.USAGE,
    ExitCode.REFUSED,
    ExitCode.REMOTE,
    ExitCode.FINDINGS,
    ExitCode.CLEAN,
)


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the one exit code for a run in which several apply: 130, then 2, 3, 4, 1, 0."""
    return min(codes, key=_PRECEDENCE.index, default=ExitCode.CLEAN)


class CrosskeysError(Exception):
    """An error that ends a verb, said in one sentence, with what to do next.

    Args:
        message: What is wrong.
        help: What to do about it; shown on a line of its own.
    """

    exit_code = ExitCode.USAGE

    def __init__(self, message: str, *, help: str | None = None) -> None:  # noqa: A002 - the diagnostics' word for it
        super().__init__(message)
        self.message = message
        self.help = help


class UsageError(CrosskeysError):
    """The command line or the fleet settings ask for something that cannot be (exit 2)."""


class InternalError(CrosskeysError):
    """The tool contradicts itself; nothing was written (exit 2)."""


class RefusedError(CrosskeysError):
    """What was asked for is not safe (exit 3)."""

    exit_code = ExitCode.REFUSED


class RemoteError(CrosskeysError):
    """Vault, AWS, Terraform or another program failed or could not be read (exit 4)."""

    exit_code = ExitCode.REMOTE
