"""What a client's token opens: paths that are tried, and whether each should and did open."""

from __future__ import annotations

from dataclasses import dataclass

import hvac

FORBIDDEN = "403 permission denied"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One path that a client tried.

    Args:
        whose: The client whose path it is, or "shared".
        path: The path in the KV mount.
        wanted: Whether it should succeed.
        allowed: Whether it did.
        answer: What came back, without any secret.
    """

    whose: str
    path: str
    wanted: bool
    allowed: bool
    answer: str

    @property
    def is_right(self) -> bool:
        """Whether the answer is the one that the fleet says."""
        return self.wanted == self.allowed


def read(vault: hvac.Client, mount: str, whose: str, path: str, *, wanted: bool) -> Attempt:
    """Try to read a secret.

    Raises:
        hvac.exceptions.VaultError: When Vault answers neither yes nor no.
        requests.RequestException: When it does not answer.
    """
    try:
        found = vault.secrets.kv.v2.read_secret_version(path, mount_point=mount, raise_on_deleted_version=True)
    except hvac.exceptions.Forbidden:
        return Attempt(whose, path, wanted, allowed=False, answer=FORBIDDEN)
    except hvac.exceptions.InvalidPath:
        return Attempt(whose, path, wanted, allowed=True, answer="404, and would have been read")
    names = ", ".join(sorted(found["data"]["data"]))
    return Attempt(whose, path, wanted, allowed=True, answer=f"read: {names}")


def listed(vault: hvac.Client, mount: str, whose: str, path: str, *, wanted: bool) -> tuple[Attempt, tuple[str, ...]]:
    """Try to list a directory; return the attempt and the secrets in it, without the folders.

    Raises:
        hvac.exceptions.VaultError: When Vault answers neither yes nor no.
        requests.RequestException: When it does not answer.
    """
    try:
        keys = vault.secrets.kv.v2.list_secrets(path, mount_point=mount)["data"]["keys"]
    except hvac.exceptions.Forbidden:
        return Attempt(whose, f"{path}/", wanted, allowed=False, answer=FORBIDDEN), ()
    except hvac.exceptions.InvalidPath:
        return Attempt(whose, f"{path}/", wanted, allowed=True, answer="may be listed, and nothing is there"), ()
    secrets = tuple(key for key in keys if not key.endswith("/"))
    return Attempt(whose, f"{path}/", wanted, allowed=True, answer=f"listed: {', '.join(keys)}"), secrets
