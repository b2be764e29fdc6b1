"""States that are made up, and a server that keeps them, for tests of moving them."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LINEAGE, OTHER_LINEAGE = "3f3d1c0e-0b9e-4c52-8f0a-3f0f6f9c9f1e", "aaaaaaaa-0b9e-4c52-8f0a-3f0f6f9c9f1e"
SECRET = "a value that nobody may see"


def state(serial: int = 7, *, lineage: str = LINEAGE, names: tuple[str, ...] = ("near", "far")) -> bytes:
    """Return a state file with a policy of each name."""
    resources = [
        {
            "mode": "managed",
            "type": "vault_policy",
            "name": name,
            "provider": 'provider["registry.terraform.io/hashicorp/vault"]',
            "instances": [
                {"schema_version": 0, "attributes": {"id": name, "policy": SECRET}, "sensitive_attributes": []}
            ],
        }
        for name in names
    ]
    content = {"version": 4, "terraform_version": "1.9.0", "serial": serial, "lineage": lineage, "outputs": {}}
    return json.dumps({**content, "resources": resources, "check_results": None}).encode()


@dataclass
class StateServer:
    """What Terraform's backend ``http`` talks to: a state and a lock a path.

    Args:
        states: The states, by path.
        locks: The locks, as Terraform describes them, by path.
        writing: Set as soon as a state is about to be written.
        may_write: While it is not set, whoever writes a state has to wait.
        when_written: Called once a state was written.
    """

    address: str = ""
    states: dict[str, bytes] = field(default_factory=dict)
    locks: dict[str, bytes] = field(default_factory=dict)
    writing: threading.Event = field(default_factory=threading.Event)
    may_write: threading.Event = field(default_factory=threading.Event)
    when_written: Callable[[], object] = lambda: None


@contextmanager
def serving() -> Iterator[StateServer]:
    """Serve states on loopback."""
    kept = StateServer()
    kept.may_write.set()

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Let clients be killed without a word."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def do_GET(self) -> None:
            found = kept.states.get(self.path)
            self.answer(404 if found is None else 200, found or b"")

        def do_POST(self) -> None:
            body, path = self.body(), self.path.partition("?")[0]
            kept.writing.set()
            kept.may_write.wait(30)
            kept.states[path] = body
            kept.when_written()
            self.answer(200)

        def do_LOCK(self) -> None:
            held = kept.locks.setdefault(self.path, body := self.body())
            self.answer(200 if held is body else 423, held)

        def do_UNLOCK(self) -> None:
            self.body()
            kept.locks.pop(self.path, None)
            self.answer(200)

        def log_message(self, *_: object) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        kept.address = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield kept
        finally:
            kept.may_write.set()
            server.shutdown()
            thread.join()
