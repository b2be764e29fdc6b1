"""Whose a path of a policy is: the client's own directory, a path that the fleet shares, or neither."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from generator.audit.proof_pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.manifest.fleet import Client, Fleet

# KV version 2, every operation on a secret: https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2
AREAS = frozenset({"data", "metadata", "delete", "undelete", "destroy", "subkeys"})


class Sharing(StrEnum):
    """Whose a path is."""

    OWN = "own"
    SHARED = "shared"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Place:
    """Whose a path is.

    Args:
        owner: Who owns the shared path; empty unless shared.
        shared_path: The fleet's shared path that it lies below; empty unless shared.
    """

    sharing: Sharing
    owner: str = ""
    shared_path: str = ""


def nested(one: str, other: str) -> bool:
    """Tell whether one of two paths of the KV mount is the other or lies below it."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


@dataclass(frozen=True, slots=True)
class Places:
    """What a fleet's manifests say of paths.

    Args:
        kv_mount: The mount of the KV engine.
        clients: The clients by name.
        shared: The owners of the shared paths, by path.
        directories: The clients' names by their directories.
    """

    kv_mount: str
    clients: Mapping[str, Client]
    shared: Mapping[str, str]
    directories: Mapping[str, str]

    @classmethod
    def of(cls, fleet: Fleet) -> Places:
        """Return what a fleet's manifests say."""
        return cls(
            fleet.settings.vault.kv_mount,
            {client.name: client for client in fleet.clients},
            {shared.path: shared.owner for shared in fleet.settings.shared_paths},
            {client.directory: client.name for client in fleet.clients},
        )

    def place(self, path: str, client: str) -> Place:
        """Return whose the path of a rule in a client's policy is.

        Only what lies below a directory by whole segments is in it: ``…/app*`` reaches ``app2`` as well. Of a client
        that no manifest names nothing is its own.
        """
        around = self._around(path)
        if client in self.clients and self.clients[client].directory in around:
            return Place(Sharing.OWN)
        shared = max((each for each in around if each in self.shared), key=len, default=None)
        return Place(Sharing.OTHER) if shared is None else Place(Sharing.SHARED, self.shared[shared], shared)

    def client_of(self, path: str) -> str | None:
        """Return the client in whose directory a rule's path lies, None when in nobody's."""
        return next((self.directories[each] for each in self._around(path) if each in self.directories), None)

    def owners_met(self, path: str) -> tuple[str, ...]:
        """Return who owns the shared paths that a rule's path reaches into, lies in, or is wider than."""
        pattern = Pattern.of(path)
        return tuple(
            sorted(
                {
                    owner
                    for shared, owner in self.shared.items()
                    if any(pattern.meets((*self.kv_mount.split("/"), area, *shared.split("/"))) for area in AREAS)
                }
            )
        )

    def _around(self, path: str) -> tuple[str, ...]:
        """Return every directory of the KV mount that a rule's path lies in, itself included."""
        mount = f"{self.kv_mount}/"
        area, _, inside = path.removeprefix(mount).partition("/")
        if not path.startswith(mount) or area not in AREAS:
            return ()
        segments = inside.split("/")
        return tuple("/".join(segments[:count]) for count in range(1, len(segments) + 1))
