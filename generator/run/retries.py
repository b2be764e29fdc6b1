"""Which failures may pass by themselves, how long to wait for that, and what planning anew may then do.

The texts are those of Terraform and of the two providers, as they stand in a diagnostic. A failure may pass only when
each of its errors may: one that is here to stay makes the others not worth waiting for.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from generator.report.runs import ResourceChange, TerraformDiagnostic

_BASE, _LONGEST = 1.0, 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Passing:
    """A kind of failure that may pass by itself.

    Args:
        cause: What it is, in words.
        pattern: What its text has in it.
        source: Where that text comes from.
    """

    cause: str
    pattern: re.Pattern[str]
    source: str


@dataclass(frozen=True, slots=True)
class Again:
    """How a root is planned and applied anew after a failure.

    Args:
        retries: How often at most after a failure that may pass.
        folder: Where the new plans are kept.
        when_stale: Whether a saved plan that no longer fits the state is made anew too, once.
    """

    retries: int
    folder: Path
    when_stale: bool = False


PASSING = (
    Passing(
        "Vault is sealed, overloaded or failing over",
        # 412: the node that answered is behind. 501 (not initialised) is here to stay.
        re.compile(r"^Code: (?:412|429|500|502|503|504)\. (?:Errors|Raw Message):", re.MULTILINE),
        "vault/api response.go, ResponseError.Error; client.go, DefaultRetryPolicy; Vault's API documentation",
    ),
    Passing(
        "AWS asks to slow down",
        re.compile(
            r"api error (?:Throttling|ThrottlingException|ThrottledException|RequestThrottledException"
            r"|TooManyRequestsException|RequestLimitExceeded|BandwidthLimitExceeded|RequestThrottled|SlowDown"
            r"|PriorRequestNotComplete|EC2ThrottledException)\b|StatusCode: 429\b"
        ),
        "aws-sdk-go-v2 aws/retry/standard.go, DefaultThrottleErrorCodes without LimitExceeded: a quota, to IAM",
    ),
    Passing(
        "AWS had a fault of its own",
        re.compile(r"StatusCode: 50[0234]\b|api error RequestTimeout(?:Exception)?\b"),
        "aws-sdk-go-v2 aws/retry/standard.go, DefaultRetryableHTTPStatusCodes and DefaultRetryableErrorCodes",
    ),
    Passing(
        "IAM has not heard of it everywhere yet",
        re.compile(
            r"MalformedPolicyDocument(?:Exception)?: Invalid principal in policy|api error NoSuchEntity"
            r"|api error (?:EntityTemporarilyUnmodifiable|ConcurrentModification)"
        ),
        "IAM user guide, troubleshooting, eventual consistency; IAM API reference, errors of CreateRole",
    ),
    Passing(
        "the network or the server at its other end dropped out",
        re.compile(
            r"connection refused|connection reset by peer|broken pipe|i/o timeout|TLS handshake timeout|unexpected EOF"
            r"|: EOF\b|Client\.Timeout exceeded|context deadline exceeded|server misbehaving"
            r"|Temporary failure in name resolution|no route to host|network is unreachable"
        ),
        "Go net, net/http; aws-sdk-go-v2 aws/retry/retryable_error.go, RetryableConnectionError",
    ),
    Passing(
        "somebody else holds the state lock",
        re.compile(r"Error acquiring the state lock[\s\S]*(?:Lock Info:|resource temporarily unavailable)"),
        "terraform internal/command/clistate/state.go; internal/states/statemgr/filesystem_lock_unix.go",
    ),
)
"""Every kind of failure that is waited for. Whatever is not here is here to stay: a retry would only hide it."""


def cause(diagnostics: Iterable[TerraformDiagnostic]) -> str | None:
    """Return why a failure may pass by itself; None when it may not.

    Args:
        diagnostics: All that Terraform complained about.
    """
    causes = [_cause(each) for each in diagnostics if each.severity is Severity.ERROR]
    return causes[0] if causes and all(causes) else None


def delay(attempt: int, chance: Callable[[float, float], float] = random.uniform) -> float:
    """Return how long to wait before an attempt, in seconds: by chance, below a bound that doubles up to 30 s.

    The spread keeps many roots that failed together from coming back together (AWS Architecture Blog, "Exponential
    Backoff And Jitter", full jitter).

    Args:
        attempt: 1 for the first retry.
        chance: Draws a number between two.
    """
    return chance(0.0, min(_LONGEST, _BASE * 2 ** (attempt - 1)))


def beyond(agreed: Iterable[ResourceChange], now: Iterable[ResourceChange]) -> tuple[ResourceChange, ...]:
    """Return the changes of a new plan that the agreed one does not cover.

    Whatever was agreed may still be done; of a replacement, what is left is a creation once the old object is gone, and
    of an import with an update the one or the other.

    Args:
        agreed: The changes that were shown and gated.
        now: The changes that are planned anew.
    """
    agreed = tuple(agreed)
    covered = {(change.address, change.action) for change in agreed}
    covered |= {(change.address, "create") for change in agreed if change.action == "replace"}
    covered |= {(change.address, "import") for change in agreed if change.imported}
    return tuple(change for change in now if (change.address, change.action) not in covered)


def _cause(diagnostic: TerraformDiagnostic) -> str | None:
    text = f"{diagnostic.summary}\n{diagnostic.detail}"
    return next((kind.cause for kind in PASSING if kind.pattern.search(text)), None)
