"""Paths of requests to Vault, as command lines name them."""

from __future__ import annotations

import re

from generator.errors import UsageError

# What Go's router cleans: Vault answers such a request with a redirect, before it decides about anything.
_REDIRECTED = re.compile(r"//|(?:^|/)\.\.?(?:/|$)")


def named(path: str) -> str:
    """Return a path, which need not be that of a request.

    Raises:
        UsageError: When it is none.
    """
    if not path.strip("/") or not path.isprintable():
        raise UsageError(f"`{path!a}` is no path", help="name a path such as secret/data/payments")
    return path


def requested(path: str) -> str:
    """Return the path of a request that Vault would decide about.

    Raises:
        UsageError: When it is none, or Vault would redirect the request to another.
    """
    if redirected := _REDIRECTED.search(named(path)):
        raise UsageError(
            f"Vault redirects a request to `{path}` before it decides", help=f"leave out `{redirected[0]}`"
        )
    return path
