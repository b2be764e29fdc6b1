"""The environment of every program that crosskeys starts: an allow-list, so that no credential slips in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_ALLOWED = (
    "HOME",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LOGNAME",
    "PATH",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
    # How this machine reaches the network; Go programs never send loopback traffic through a proxy.
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "all_proxy",
    "https_proxy",
    "http_proxy",
    "no_proxy",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
)


def allowed(extra: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a child process.

    Of the ambient variables only those pass that say who and where the user is and how the network is reached: never
    AWS_*, VAULT_* or TF_*, which would mix the sandbox with a live system.

    Args:
        extra: Variables that this child needs beyond those; they win.
    """
    return {name: os.environ[name] for name in _ALLOWED if name in os.environ} | dict(extra)
