"""What is mounted in a namespace: its auth methods and its secrets engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from generator.live.answers import Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.live.vault import Vault

AUTH = "sys/auth"
"""Where Vault lists the auth methods."""
ENGINES = "sys/mounts"
"""Where Vault lists the secrets engines."""

Mounted = dict[str, "Mapping[str, Any]"]
"""What Vault says of each mount, by its path without slashes at the ends."""


def mounts(vault: Vault, area: str) -> Mounted | Unknown:
    """Return what is mounted.

    Args:
        vault: Whom to ask.
        area: ``AUTH`` or ``ENGINES``.
    """
    found = vault.read(area)
    return found if isinstance(found, Unknown) else mounted(found or {})


def mounted(found: Mapping[str, Any]) -> Mounted:
    """Return what is mounted from Vault's answer, in which other things stand beside the mounts."""
    return {path.strip("/"): each for path, each in found.items() if path.endswith("/") and isinstance(each, dict)}
