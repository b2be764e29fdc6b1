"""`verify --login` before anything answers: what it takes, and what it says where Vault or AWS cannot be reached."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run


@pytest.mark.parametrize(
    "arguments",
    [
        ("--login", "payments", "--client", "payments"),
        ("--login", "payments", "--since-last"),
        ("--login", "payments", "--format", "sarif"),
        ("--login", "nobody", "--target", "live"),
        ("--assume",),
    ],
)
@pytest.mark.usefixtures("fleet")
def test_what_makes_no_sense_is_refused(run: Run, arguments: tuple[str, ...]) -> None:
    refused = run("verify", *arguments)
    assert refused.code == 2
    assert refused.err


@pytest.mark.usefixtures("fleet")
def test_no_login_is_signed_while_aws_is_somewhere_else(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert run("verify", "--target", "live", "--login", "payments").code == 3


def test_where_there_are_no_credentials_it_says_where_to_run_it(
    run: Run, fleet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "VAULT_ADDR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(fleet / "none"))
    monkeypatch.setattr(socket, "getaddrinfo", _nowhere)
    done = run("verify", "--target", "live", "--login", "payments", "--format", "json")
    assert done.code == 4, done.err
    (step,) = json.loads(done.out)["steps"]
    assert (step["name"], step["outcome"]) == ("AWS identity", "unknown")
    assert "run this on the client's instance" in step["help"]


def _nowhere(*_arguments: object, **_options: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "no such host")
