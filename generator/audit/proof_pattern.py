"""A path of a Vault policy as the set of request paths that it may match; never too small, sometimes too large.

Source: vault/policy.go (parsePaths) and vault/acl.go (AllowOperation, CheckAllowedFromNonExactPaths) of Vault 1.21.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ANY = "+"


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a rule's path matches.

    Args:
        segments: Segments that a request path has at its beginning; ``+`` is any one, an empty one too.
        rest: What follows, as the beginning of a string of any length; None when nothing follows.
    """

    segments: tuple[str, ...]
    rest: str | None

    @classmethod
    def of(cls, path: str) -> Pattern:
        """Return the pattern of a rule's path; what Vault would refuse is taken for the widest that it could mean."""
        text = path.lstrip("/")
        # What a template becomes is known only at login: whatever begins like this.
        literal, template, _ = text.partition("{{")
        if template:
            text = f"{literal}*"
        if not text.endswith("*"):
            return cls(tuple(text.split("/")), None)
        *segments, rest = text[:-1].split("/")
        return cls(tuple(segments), "" if rest == ANY else rest)

    def within(self, directory: Sequence[str]) -> bool:
        """Tell whether it matches nothing but a directory and what lies below it."""
        return ANY not in directory and self.segments[: len(directory)] == tuple(directory)

    def meets(self, directory: Sequence[str]) -> bool:
        """Tell whether it matches a directory, or anything below it.

        The directory's own path without a slash counts: Vault looks a LIST up by that too.
        """
        if any(mine not in {ANY, theirs} for mine, theirs in zip(self.segments, directory, strict=False)):
            return False
        here = len(self.segments)
        return here >= len(directory) or (self.rest is not None and directory[here].startswith(self.rest))

    def example(self, *, after: Sequence[str]) -> str:
        """Return one path that it matches and that begins with segments that it matches."""
        left = self.segments[len(after) :]
        middle = ["example" if segment == ANY else segment for segment in left]
        end = [] if self.rest is None else [self.rest or "example"]
        return "/".join((*after, *middle, *end))


def matches(path: str, request: str) -> bool:
    """Tell whether a rule's path matches a request path: by a regular expression, for checking what was found.

    It knows nothing of `Pattern`: two ways to read Vault's rules must agree.
    """
    text = path.lstrip("/")
    text, star = (text[:-1], ".*") if text.endswith("*") else (text, "")
    expression = "/".join("[^/]*" if segment == "+" else re.escape(segment) for segment in text.split("/"))
    return re.fullmatch(expression + star, request, re.DOTALL) is not None
