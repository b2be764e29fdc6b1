"""What becomes of a question to a live system: an answer, None where there is nothing, or that it cannot be known."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that could not be read; never taken for something that is not there.

    Args:
        what: What was asked for, as its system names it: ``auth/aws/role/payments`` or an ARN.
        why: Why it could not be read, one sentence without a full stop.
        help: What to do about it.
    """

    what: str
    why: str
    help: str
