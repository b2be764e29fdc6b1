"""A loopback proxy to a server that answers as it is told: with faults, or with what the server says."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Fault:
    """How requests are answered instead of by the server.

    Args:
        status: The status to answer with; 0 closes the connection without an answer.
        body: What the answer says.
        meant: Which requests; told the method, the path and the body.
        times: How many requests are answered so; the others reach the server.
        kind: What the answer is, as its Content-Type.
    """

    status: int
    body: bytes = b'{"errors":["as told"]}'
    meant: Callable[[str, str, bytes], bool] = lambda _method, _path, _body: True
    times: int = 1 << 30
    kind: str = "application/json"


@dataclass
class Proxy:
    """A proxy that serves.

    Args:
        server: Where it leads to.
        port: Where it listens.
        fault: What it does instead of asking the server; None asks.
        faults: How often it has.
    """

    server: str | Callable[[str, str, bytes], tuple[int, bytes]]
    port: int = 0
    fault: Fault | None = None
    faults: Counter[int] = field(default_factory=Counter)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def due(self, method: str, path: str, body: bytes) -> Fault | None:
        fault = self.fault
        if fault is None or fault.times <= 0 or not fault.meant(method, path, body):
            return None
        fault.times -= 1
        self.faults[fault.status] += 1
        return fault


@contextmanager
def between(server: str | Callable[[str, str, bytes], tuple[int, bytes]]) -> Iterator[Proxy]:
    """Yield a proxy to a server's base URL, or to a function that answers instead of one."""
    proxy = Proxy(server)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fault = proxy.due(self.command, self.path, body)
            if fault is not None and fault.status == 0:
                self.close_connection = True
                return
            if fault is not None:
                self.reply(fault.status, [("Content-Type", fault.kind)], fault.body)
                return
            if not isinstance(server, str):
                status, content = server(self.command, self.path, body)
                self.reply(status, [], content)
                return
            inner = http.client.HTTPConnection(server.removeprefix("http://"), timeout=30)
            inner.request(self.command, self.path, body, dict(self.headers))
            got = inner.getresponse()
            content = got.read()
            kept = [(k, v) for k, v in got.getheaders() if k.lower() not in {"content-length", "transfer-encoding"}]
            inner.close()
            self.reply(got.status, kept, content)

        def reply(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_LIST = answer  # noqa: N815 - http.server's names

        def log_message(self, *_arguments: object) -> None:
            pass

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving.daemon_threads = True
    proxy.port = serving.server_port
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        serving.shutdown()
        serving.server_close()
        thread.join()
