"""EC2 instances as programs on them see them: a shell, and a metadata service that says which role they have."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from generator.run.environment import allowed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from generator.sandbox.aws_accounts import Credentials

METADATA = "http://169.254.169.254"
_TOKEN = "metadata-token"


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance.

    Args:
        programs: A folder of programs that it has beside the system's.
        home: Its user's home.
        proxy: Where its metadata service answers: whoever asks for METADATA is sent there.
    """

    programs: Path
    home: Path
    proxy: str

    def run(self, script: str, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run a script by the system's shell."""
        return subprocess.run(
            ["sh", "-eu", "-c", script],
            cwd=folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def environment(self) -> dict[str, str]:
        """Return what its programs find in the environment."""
        kept = allowed({"HOME": str(self.home), "PATH": f"{self.programs}:{os.environ['PATH']}"})
        for name in [name for name in kept if name.lower().endswith("_proxy")]:
            del kept[name]
        return {**kept, "http_proxy": self.proxy}


@contextmanager
def instance(programs: Path, home: Path, role: str, keys: Credentials) -> Iterator[Instance]:
    """Yield an instance whose profile holds a role.

    Args:
        programs: A folder of programs.
        home: Its user's home.
        role: The role's name.
        keys: Credentials of a session of the role.
    """
    expiry = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    credentials = {
        "Code": "Success",
        "Type": "AWS-HMAC",
        "AccessKeyId": keys.access_key_id,
        "SecretAccessKey": keys.secret_access_key,
        "Token": keys.session_token,
        "LastUpdated": "2026-01-01T00:00:00Z",
        "Expiration": expiry,
    }
    folder = "/latest/meta-data/iam/security-credentials/"
    answers = {folder: role, f"{folder}{role}": json.dumps(credentials)}
    server = ThreadingHTTPServer(("127.0.0.1", 0), _service(answers))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Instance(programs, home, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _service(answers: Mapping[str, str]) -> type[BaseHTTPRequestHandler]:
    """Return version 2 of the metadata service: without a token it says nothing."""

    class Service(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            asked = self.path == f"{METADATA}/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
            self._say(_TOKEN if asked else None, 400)

        def do_GET(self) -> None:
            if self.headers["X-aws-ec2-metadata-token"] != _TOKEN:
                self._say(None, 401)
            else:
                self._say(answers.get(self.path.removeprefix(METADATA)), 404)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _say(self, text: str | None, otherwise: int) -> None:
            body = (text or "").encode()
            self.send_response(otherwise if text is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-aws-ec2-metadata-token-ttl-seconds", "21600")
            self.end_headers()
            self.wfile.write(body)

    return Service
