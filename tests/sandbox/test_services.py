"""The sandbox's servers on real parts: Vault with raft storage and the AWS auth plugin, moto."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import boto3
import pytest

from generator.errors import ExitCode, RemoteError
from generator.run import processes
from generator.sandbox import process, server, services, vault_server
from generator.sandbox.vault_server import connected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.sandbox.services import Services, Status
    from generator.sandbox.toolchain import Toolchain

pytestmark = pytest.mark.toolchain


class Sandbox:
    """One sandbox of real servers, shared by this module's tests; each brings up what it needs."""

    def __init__(self, folder: Path, toolchain: Toolchain) -> None:
        self.folder = folder
        self.toolchain = toolchain
        self.lines: list[str] = []
        self.first = self.up()

    def up(self) -> Services:
        self.lines = []
        at = services.up(self.folder, self.toolchain, self.lines.append)
        if at.vault_is_new:
            with connected(at.vault_address, at.vault_token) as client:
                client.sys.enable_auth_method("aws")
        return at

    def status(self) -> Status:
        return services.status(self.folder)

    def pids(self) -> tuple[int, int]:
        status = self.status()
        assert status.vault.pid is not None
        assert status.aws.pid is not None
        return status.vault.pid, status.aws.pid

    def processes(self) -> list[process.Process]:
        return [found for name in ("vault", "aws") for found in process.marked(f"{name}:{self.folder.resolve()}")]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[Sandbox]:
    made = Sandbox(tmp_path_factory.mktemp("fleet") / ".crosskeys" / "sandbox", toolchain)
    try:
        yield made
    finally:
        services.down(made.folder)


class Stranger(BaseHTTPRequestHandler):
    """Another program's server, which answers whatever it is asked."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        pass


@contextmanager
def listening(port: int) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", port), Stranger) as stranger:
        Thread(target=stranger.serve_forever, kwargs={"poll_interval": 0.01}).start()
        try:
            yield
        finally:
            stranger.shutdown()


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    # Its threads end one after the other, and the last one closes the port.
    while (processes.started(pid) is not None or threads(pid) > 1) and time.monotonic() < deadline:
        time.sleep(0.01)


def threads(pid: int) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/task").iterdir()))
    except OSError:
        return 0


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def write_policy(at: Services, name: str) -> None:
    with connected(at.vault_address, at.vault_token) as client:
        client.sys.create_or_update_policy(name, 'path "secret/*" { capabilities = ["read"] }')


def policies(at: Services) -> list[str]:
    with connected(at.vault_address, at.vault_token) as client:
        names: list[str] = client.sys.list_policies()["data"]["policies"]
    return names


def aws_auth_method_works(at: Services) -> bool:
    with connected(at.vault_address, at.vault_token) as client:
        client.write_data("auth/aws/config/client", data={"iam_server_id_header_value": "vault.example.com"})
        answer = client.read("auth/aws/config/client")
    return bool(answer["data"]["iam_server_id_header_value"] == "vault.example.com")


def test_first_up_gives_a_new_vault_and_an_aws_whose_sessions_belong_to_their_own_accounts(sandbox: Sandbox) -> None:
    assert sandbox.first.vault_is_new
    assert sandbox.first.vault_restarted
    assert sandbox.first.aws_restarted
    assert sandbox.first.vault_token not in repr(sandbox.first)
    at = sandbox.up()
    sts = boto3.client(
        "sts",
        endpoint_url=at.aws_endpoint,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    session = sts.assume_role(RoleArn="arn:aws:iam::111111111111:role/any", RoleSessionName="any")
    assert session["AssumedRoleUser"]["Arn"].split(":")[4] == "111111111111"
    inside = boto3.client(
        "sts",
        endpoint_url=at.aws_endpoint,
        region_name="us-east-1",
        aws_access_key_id=session["Credentials"]["AccessKeyId"],
        aws_secret_access_key=session["Credentials"]["SecretAccessKey"],
        aws_session_token=session["Credentials"]["SessionToken"],
    )
    assert inside.get_caller_identity()["Account"] == "111111111111"


def test_aws_auth_method_resolves_to_the_registered_plugin(sandbox: Sandbox) -> None:
    assert aws_auth_method_works(sandbox.up())


def test_up_twice_changes_nothing(sandbox: Sandbox) -> None:
    before, pids = sandbox.up(), sandbox.pids()
    again = sandbox.up()
    assert sandbox.pids() == pids
    assert (again.vault_is_new, again.vault_restarted, again.aws_restarted) == (False, False, False)
    assert (again.vault_address, again.aws_endpoint) == (before.vault_address, before.aws_endpoint)
    assert sandbox.lines == []


def test_everything_kept_is_for_the_user_alone(sandbox: Sandbox) -> None:
    sandbox.up()
    kept = [sandbox.folder, *sandbox.folder.rglob("*")]
    assert {path.name for path in kept} >= {"vault-keys.json", "vault.log", "aws.log", "raft.db"}
    assert [path for path in kept if path.stat().st_mode & 0o077 and not path.parent.stat().st_mode & 0o700] == []
    assert sandbox.folder.stat().st_mode & 0o777 == 0o700
    assert (sandbox.folder / "vault-keys.json").stat().st_mode & 0o777 == 0o600
    assert (sandbox.folder / "vault.log").stat().st_mode & 0o777 == 0o600
    log = (sandbox.folder / "vault.log").read_text()
    assert sandbox.first.vault_token not in log


def test_servers_listen_on_loopback_only(sandbox: Sandbox) -> None:
    sandbox.up()
    inodes = set()
    for found in sandbox.processes():
        for descriptor in Path(f"/proc/{found.pid}/fd").iterdir():
            match = re.fullmatch(r"socket:\[(\d+)\]", str(descriptor.readlink()))
            if match:
                inodes.add(match[1])
    listeners = [
        fields[1]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for fields in map(str.split, Path(table).read_text().splitlines()[1:])
        if fields[3] == "0A" and fields[9] in inodes
    ]
    assert len(listeners) >= 3  # Vault's API and cluster ports, AWS
    assert [address for address in listeners if not address.startswith("0100007F:")] == []


def test_killed_vault_comes_back_with_its_data_and_without_the_plugin_it_left(sandbox: Sandbox) -> None:
    before = sandbox.up()
    write_policy(before, "kept")
    vault, aws = sandbox.pids()
    leftover = [found for found in process.marked(f"vault:{sandbox.folder.resolve()}") if found.pid != vault]
    assert leftover
    kill(vault)
    assert sandbox.status().vault.state == "down"
    after = sandbox.up()
    assert (after.vault_restarted, after.vault_is_new, after.aws_restarted) == (True, False, False)
    assert after.vault_address == before.vault_address
    assert "kept" in policies(after)
    assert aws_auth_method_works(after)
    assert [found for found in leftover if found.alive] == []
    assert sandbox.pids()[1] == aws


def test_killed_aws_comes_back_with_nothing_in_it(sandbox: Sandbox) -> None:
    before = sandbox.up()
    vault, aws = sandbox.pids()
    kill(aws)
    assert sandbox.status().aws.state == "down"
    after = sandbox.up()
    assert (after.aws_restarted, after.vault_restarted) == (True, False)
    assert after.aws_endpoint == before.aws_endpoint
    assert sandbox.pids()[0] == vault


def test_taken_ports_are_left_to_whoever_has_them(sandbox: Sandbox) -> None:
    before = sandbox.up()
    write_policy(before, "moved")
    services.down(sandbox.folder)
    with listening(port_of(before.vault_address)), listening(port_of(before.aws_endpoint)):
        after = sandbox.up()
        assert after.vault_address != before.vault_address
        assert after.aws_endpoint != before.aws_endpoint
        assert "moved" in policies(after)
        assert sandbox.status().is_up


def test_port_taken_between_look_and_start_is_given_up(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sandbox.up()
    kill(sandbox.pids()[1])
    looks = iter([True])
    honest = server.is_free
    monkeypatch.setattr(server, "is_free", lambda port: next(looks, None) or honest(port))
    with listening(port_of(before.aws_endpoint)):
        after = sandbox.up()
    assert after.aws_endpoint != before.aws_endpoint
    assert sandbox.status().is_up


@pytest.mark.parametrize("started", ["", "another-boot/1"])
def test_process_that_only_has_the_recorded_number_is_left_alone(sandbox: Sandbox, started: str) -> None:
    sandbox.up()
    services.down(sandbox.folder)
    with subprocess.Popen(["sleep", "60"]) as stranger:
        try:
            for name in ("vault", "aws"):
                record = sandbox.folder / f"{name}.json"
                fields = json.loads(record.read_text())
                record.write_text(json.dumps(fields | {"pid": stranger.pid, "started": started}))
            assert sandbox.status().vault.state == "down"
            assert services.down(sandbox.folder) is False
            assert sandbox.up().vault_restarted
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_down_ends_every_process_and_twice_is_fine(sandbox: Sandbox) -> None:
    sandbox.up()
    assert len(sandbox.processes()) == 3  # Vault, its plugin, AWS
    assert services.down(sandbox.folder) is True
    assert sandbox.processes() == []
    assert services.down(sandbox.folder) is False
    assert not sandbox.status().is_up


def test_down_where_nothing_ever_was_makes_nothing(tmp_path: Path) -> None:
    assert services.down(tmp_path / "sandbox") is False
    assert list(tmp_path.iterdir()) == []


def test_two_ups_at_once_start_each_server_once_and_servers_outlive_them(sandbox: Sandbox) -> None:
    services.down(sandbox.folder)
    script = (
        "import json, sys; from pathlib import Path; from generator.sandbox import services, toolchain\n"
        "paths = json.loads(sys.argv[2])\n"
        "tools = toolchain.Toolchain(*(path and Path(path) for path in paths))\n"
        "at = services.up(Path(sys.argv[1]), tools, lambda line: None)\n"
        "print(json.dumps([at.vault_address, at.aws_endpoint, at.vault_restarted, at.aws_restarted]))\n"
    )
    paths = json.dumps([path and str(path) for path in dataclasses.astuple(sandbox.toolchain)])
    argv = [sys.executable, "-c", script, str(sandbox.folder), paths]
    with (
        subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as one,
        subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as other,
    ):
        answers = [json.loads(run.communicate(timeout=60)[0]) for run in (one, other)]
    assert answers[0][:2] == answers[1][:2]
    assert sorted(answer[2:] for answer in answers) == [[False, False], [True, True]]
    assert sandbox.status().is_up
    assert len(sandbox.processes()) == 3


def test_ambient_credentials_and_settings_reach_no_server(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    services.down(sandbox.folder)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECRET_ACCESS_KEY", "VAULT_TOKEN", "VAULT_ADDR", "TF_VAR_x"):
        monkeypatch.setenv(name, "ambient-value")
    sandbox.up()
    environments = [Path(f"/proc/{found.pid}/environ").read_bytes() for found in sandbox.processes()]
    assert len(environments) == 3
    assert [text for text in environments if b"ambient-value" in text] == []
    assert all(b"HOME=" in text for text in environments)


def test_hung_server_is_replaced(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_HUNG_PATIENCE", 0.1)
    monkeypatch.setattr(process, "_PATIENCE", 0.3)
    sandbox.up()
    _, aws = sandbox.pids()
    os.kill(aws, signal.SIGSTOP)
    assert sandbox.status().aws.state == "hung"
    # Only a killed process ends while it is stopped, and SIGKILL comes after the patience with SIGTERM.
    assert sandbox.up().aws_restarted
    assert sandbox.pids()[1] != aws


def test_changed_plugin_is_registered_again(sandbox: Sandbox, tmp_path: Path) -> None:
    if sandbox.toolchain.vault_plugins is None:
        pytest.skip("this Vault has the AWS auth method built in")
    sandbox.up()
    shutil.copytree(sandbox.toolchain.vault_plugins, tmp_path / "plugins")
    with (tmp_path / "plugins" / "aws").open("ab") as file:
        file.write(b"another build")
    changed = dataclasses.replace(sandbox.toolchain, vault_plugins=tmp_path / "plugins")
    after = services.up(sandbox.folder, changed, sandbox.lines.append)
    assert after.vault_restarted
    assert not after.vault_is_new
    assert aws_auth_method_works(after)


def test_vault_started_but_not_initialised_is_initialised(sandbox: Sandbox) -> None:
    services.down(sandbox.folder)
    vault_server._forget(sandbox.folder)
    vault_server._start(sandbox.folder, sandbox.toolchain)
    assert sandbox.status().vault.state == "sealed"
    after = sandbox.up()
    assert (after.vault_is_new, after.vault_restarted) == (True, False)
    assert aws_auth_method_works(after)


def test_vault_killed_while_it_initialises_is_started_over(sandbox: Sandbox) -> None:
    services.down(sandbox.folder)
    vault_server._forget(sandbox.folder)
    running, _ = vault_server._start(sandbox.folder, sandbox.toolchain)
    with closing(HTTPConnection("127.0.0.1", running.port)) as connection:
        connection.request("PUT", "/v1/sys/init", json.dumps({"secret_shares": 1, "secret_threshold": 1}))
        log, deadline = sandbox.folder / "vault.log", time.monotonic() + 20
        while "security barrier initialized" not in log.read_text() and time.monotonic() < deadline:
            time.sleep(0.001)
        kill(running.process.pid)
    after = sandbox.up()
    assert after.vault_is_new
    assert any("starting Vault over" in line for line in sandbox.lines)
    assert aws_auth_method_works(after)


OTHER_KEYS = json.dumps({"unseal_key": "A" * 43 + "=", "root_token": "hvs.x"})


@pytest.mark.parametrize(("state", "keys"), [("up", None), ("up", OTHER_KEYS), ("down", "{"), ("down", OTHER_KEYS)])
def test_vault_whose_keys_are_lost_is_started_over(sandbox: Sandbox, state: str, keys: str | None) -> None:
    write_policy(sandbox.up(), "gone")
    if state == "down":
        services.down(sandbox.folder)
    file = sandbox.folder / "vault-keys.json"
    if keys is None:
        file.unlink()
    else:
        file.write_text(keys)
    after = sandbox.up()
    assert after.vault_is_new
    assert "gone" not in policies(after)
    assert any("starting Vault over" in line for line in sandbox.lines)


def test_vault_that_fails_for_another_reason_keeps_its_data(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    write_policy(sandbox.up(), "precious")
    services.down(sandbox.folder)
    with monkeypatch.context() as patched:
        patched.setattr(vault_server, "_ACTIVE_PATIENCE", 0.0)
        patched.setattr(vault_server, "is_sealed", lambda _: True)
        with pytest.raises(RemoteError, match="does not become active"):
            sandbox.up()
    assert "precious" in policies(sandbox.up())


def test_folder_deleted_under_running_servers_is_started_anew(sandbox: Sandbox) -> None:
    sandbox.up()
    old = sandbox.processes()
    shutil.rmtree(sandbox.folder)
    assert sandbox.status().vault.state == "down"
    after = sandbox.up()
    assert after.vault_is_new
    assert after.aws_restarted
    assert [found for found in old if found.alive] == []


def test_server_that_does_not_come_up_says_why(sandbox: Sandbox, tmp_path: Path) -> None:
    broken = tmp_path / "vault"
    broken.write_text("#!/bin/sh\necho 'storage is on fire'\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(RemoteError, match="storage is on fire") as caught:
        services.up(sandbox.folder, dataclasses.replace(sandbox.toolchain, vault=broken), sandbox.lines.append)
    assert caught.value.exit_code is ExitCode.REMOTE
    assert caught.value.help is not None
    assert str(sandbox.folder) in caught.value.help


def test_folder_that_cannot_be_made_is_an_error_with_advice(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RemoteError, match="cannot bring the sandbox up") as caught:
        services.up(tmp_path / "file" / "sandbox", sandbox.toolchain, sandbox.lines.append)
    assert caught.value.help
