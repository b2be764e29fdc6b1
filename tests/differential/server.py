"""A Vault of the tests' own, in memory, and what the differential tests ask of it."""

from __future__ import annotations

import http.client
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from generator.run.environment import allowed
from generator.sandbox import server
from generator.sandbox.server import LOOPBACK, Server, wait_for
from tests.differential import corpus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from generator.sandbox.toolchain import Toolchain

_ROOT = "root"
_PATIENCE = 60.0


@dataclass(slots=True)
class Vault:
    """A Vault that serves; each thread has a connection of its own."""

    port: int
    _local: threading.local = field(default_factory=threading.local)
    _connections: list[http.client.HTTPConnection] = field(default_factory=list)

    def send(
        self, method: str, path: str, token: str = _ROOT, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Return the status and the body of one request."""
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=60)
            self._connections.append(connection)
        content = None if body is None else json.dumps(body)
        connection.request(method, f"/v1/{path}", content, {"X-Vault-Token": token, **(headers or {})})
        response = connection.getresponse()
        return response.status, response.read()

    def close(self) -> None:
        """Close every thread's connection."""
        for connection in self._connections:
            connection.close()

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Return what the root token gets for a request that has to succeed."""
        status, content = self.send(method, path, body=body)
        assert status < 300, (method, path, status, content)
        return json.loads(content) if content else None

    def token(self, texts: Sequence[str], worker: str, *, entity: bool) -> str:
        """Return a new token that carries these policies and no others."""
        names = [f"{worker}-{number}" for number in range(len(texts))]
        for name, text in zip(names, texts, strict=True):
            self.ask("PUT", f"sys/policies/acl/{name}", {"policy": text})
        asked: dict[str, object] = {"policies": names, "no_default_policy": True, "ttl": "1h"}
        if entity:
            answer = self.ask("POST", "auth/token/create/aliased", {**asked, "entity_alias": "differential"})
        else:
            answer = self.ask("POST", "auth/token/create", {**asked, "type": "batch"})
        return str(answer["auth"]["client_token"])

    def capabilities(self, token: str, paths: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return what `sys/capabilities` says of each path."""
        data = self.ask("POST", "sys/capabilities", {"token": token, "paths": list(paths)})["data"]
        return {path: tuple(data[path]) for path in paths}

    def allows(self, token: str, request: corpus.Request) -> bool:
        """Tell whether a request is let through: but for one refusal, everything but 403 comes after that."""
        headers = {"X-Vault-Wrap-TTL": f"{request.wrap}s"} if request.wrap else {}
        method, path, body = request.method, quote(request.path, safe="/"), None
        if method == "GET?":
            method, path = "GET", f"{path}?list=true"
        elif method == "GET" and request.parameters:
            path = f"{path}?{urlencode(request.parameters, doseq=True)}"
        elif request.parameters:
            body = dict(request.parameters)
        if method == "PATCH":
            headers["Content-Type"] = "application/merge-patch+json"
        status, content = self.send(method, path, token, body, headers)
        assert status in {200, 204, 400, 403, 404, 405, 500}, (request, status, content)
        return status != http.client.FORBIDDEN and b"cannot write to a path ending in '/'" not in content


@contextmanager
def serving(folder: Path, toolchain: Toolchain) -> Iterator[Vault]:
    """Yield a Vault with the mount, the keys and the entity that the corpus is about, and end it."""
    here = Server("vault", "the tests' Vault", folder, health="/v1/sys/health")

    def command(port: int) -> list[str]:
        address = f"-dev-listen-address={LOOPBACK}:{port}"
        return [str(toolchain.vault), "server", "-dev", address, f"-dev-root-token-id={_ROOT}", "-dev-no-store-token"]

    running, _ = server.up(
        here, str(toolchain.vault), command, allowed({"HOME": str(folder), "VAULT_LOG_LEVEL": "err"})
    )
    vault = Vault(running.port)
    try:
        assert wait_for(lambda: vault.send("GET", "sys/mounts")[0] == http.client.OK, running, _PATIENCE)
        _furnish(vault)
        yield vault
    finally:
        vault.close()
        server.stop(here)


def _furnish(vault: Vault) -> None:
    vault.ask("POST", f"sys/mounts/{corpus.MOUNT}", {"type": "kv", "options": {"version": "1"}})
    for path in corpus.EXISTING:
        vault.ask("PUT", path, {"here": "yes"})
    accessor = vault.ask("GET", "sys/auth")["data"]["token/"]["accessor"]
    metadata = {"team": corpus.ENTITY_TEAM}
    entity = vault.ask("POST", "identity/entity", {"name": corpus.ENTITY_NAME, "metadata": metadata})["data"]["id"]
    alias = {"name": "differential", "canonical_id": entity, "mount_accessor": accessor}
    vault.ask("POST", "identity/entity-alias", alias)
    group = {"name": corpus.GROUP_NAME, "member_entity_ids": [entity], "metadata": {"tier": corpus.GROUP_TIER}}
    vault.ask("POST", "identity/group", group)
    role = {"allowed_entity_aliases": ["differential"], "allowed_policies_glob": ["*"], "orphan": True}
    vault.ask("POST", "auth/token/roles/aliased", role)
