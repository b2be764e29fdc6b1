"""A live run begins only where it meets the Vault that the fleet names."""

from __future__ import annotations

import datetime as dt
import json
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from generator.errors import ExitCode, RefusedError, RemoteError
from generator.live import gate, vault, workspaces
from generator.manifest.settings import Backend, FleetSettings, Live, TerraformSettings
from generator.render.layout import Root, RootKind
from tests.cli.conftest import edit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Run

NAMED = "https://vault.example.com:8200"
LIVE = f'live: {{vault_address: "{NAMED}"}}'


@pytest.fixture
def local_state_is_meant(fleet: Path) -> None:
    edit(fleet / "crosskeys.yaml", LIVE, f'live: {{vault_address: "{NAMED}", local_state: true}}')


@pytest.mark.parametrize("verb", [["plan"], ["apply", "--yes"]], ids=" ".join)
class TestRefusals:
    """The causes, in the order in which they are looked for; none of them asks anything of the network."""

    @pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
    def test_a_stand_in_for_aws(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, verb: list[str], variable: str
    ) -> None:
        monkeypatch.setenv(variable, "http://127.0.0.1:5000")
        monkeypatch.setenv("VAULT_ADDR", NAMED)
        ended = run(*verb, "--target", "live")
        assert ended.code == ExitCode.REFUSED
        assert f"unset {variable}" in ended.err

    def test_a_workspace_of_terraforms(self, run: Run, monkeypatch: pytest.MonkeyPatch, verb: list[str]) -> None:
        monkeypatch.setenv("TF_WORKSPACE", "other")
        ended = run(*verb, "--target", "live")
        assert ended.code == ExitCode.REFUSED
        assert "unset TF_WORKSPACE" in ended.err

    def test_state_in_local_files(self, run: Run, monkeypatch: pytest.MonkeyPatch, verb: list[str]) -> None:
        monkeypatch.setenv("VAULT_ADDR", NAMED)
        ended = run(*verb, "--target", "live")
        assert ended.code == ExitCode.REFUSED
        assert "live.local_state" in ended.err

    @pytest.mark.usefixtures("local_state_is_meant")
    def test_no_address(self, run: Run, verb: list[str]) -> None:
        ended = run(*verb, "--target", "live")
        assert ended.code == ExitCode.USAGE
        assert "VAULT_ADDR is not set" in ended.err

    def test_a_fleet_that_names_no_vault(
        self, run: Run, fleet: Path, monkeypatch: pytest.MonkeyPatch, verb: list[str]
    ) -> None:
        edit(fleet / "crosskeys.yaml", LIVE, "live: {local_state: true}")
        monkeypatch.setenv("VAULT_ADDR", NAMED)
        ended = run(*verb, "--target", "live")
        assert ended.code == ExitCode.REFUSED
        assert "set live.vault_address" in ended.err

    @pytest.mark.usefixtures("local_state_is_meant")
    @pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "vault.localhost", "[::1]", "[::]"])
    def test_an_address_on_this_machine(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, verb: list[str], host: str
    ) -> None:
        monkeypatch.setenv("VAULT_ADDR", f"http://{host}:8200")
        ended = run(*verb, "--target", "live")
        assert ended.code == ExitCode.REFUSED
        assert "on this machine" in ended.err

    @pytest.mark.usefixtures("local_state_is_meant")
    @pytest.mark.parametrize(
        "address", ["https://other.example.com:8200", "http://vault.example.com:8200", "https://vault.example.com"]
    )
    def test_another_address(self, run: Run, monkeypatch: pytest.MonkeyPatch, verb: list[str], address: str) -> None:
        monkeypatch.setenv("VAULT_ADDR", address)
        ended = run(*verb, "--target", "live")
        assert ended.code == ExitCode.REFUSED
        assert f"set VAULT_ADDR={NAMED}" in ended.err

    @pytest.mark.usefixtures("local_state_is_meant")
    def test_another_namespace(self, run: Run, monkeypatch: pytest.MonkeyPatch, verb: list[str]) -> None:
        monkeypatch.setenv("VAULT_ADDR", f"{NAMED}/")
        monkeypatch.setenv("VAULT_NAMESPACE", "admin/team/")
        ended = run(*verb, "--target", "live")
        assert ended.code == ExitCode.REFUSED
        assert "unset VAULT_NAMESPACE" in ended.err

    def test_a_vault_that_does_not_answer(
        self, run: Run, fleet: Path, monkeypatch: pytest.MonkeyPatch, verb: list[str]
    ) -> None:
        nowhere = "https://vault.invalid:8200"
        edit(fleet / "crosskeys.yaml", LIVE, f'live: {{vault_address: "{nowhere}", local_state: true}}')
        monkeypatch.setenv("VAULT_ADDR", nowhere)
        monkeypatch.setenv("NO_PROXY", "*")
        ended = run(*verb, "--target", "live")
        assert ended.code == ExitCode.REMOTE
        assert nowhere in ended.err


def test_what_is_handed_over_is_said_and_left_out(run: Run) -> None:
    ended = run("plan", "--target", "live", "--account", "444444444444")
    assert "accounts/444444444444/aws is handed over" in ended.err


@contextmanager
def answering(status: int, body: bytes, certificate: Path | None = None) -> Iterator[str]:
    """Serve one answer to every request on loopback, by TLS where there is a certificate; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        if certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def required(address: str, cluster_id: str | None, **environment: str) -> None:
    live = Live(vault_address=address, cluster_id=cluster_id, local_state=True)
    gate.require(FleetSettings(version=1, live=live), {"VAULT_ADDR": address, **environment})


@pytest.fixture
def _loopback_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_is_loopback", lambda _host: False)
    monkeypatch.setattr(vault, "_FIRST_DELAY", 0.001)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.mark.usefixtures("_loopback_passes")
def test_a_vault_of_another_cluster_is_refused() -> None:
    with answering(200, json.dumps({"cluster_id": "theirs"}).encode()) as address:
        with pytest.raises(RefusedError, match="cluster theirs, and the fleet's is ours"):
            required(address, "ours")
        required(address, "theirs")
        required(address, None)


@pytest.mark.usefixtures("_loopback_passes")
@pytest.mark.parametrize(
    ("status", "body"), [(500, b"{}"), (404, b"not Vault"), (200, b"not JSON"), (200, b"[]"), (200, b"")]
)
def test_an_answer_that_is_not_vaults_is_no_answer(status: int, body: bytes) -> None:
    with answering(status, body) as address, pytest.raises(RemoteError, match="does not answer"):
        required(address, None)


def self_signed(file: Path) -> Path:
    """Write a key and a certificate for loopback that no authority vouches for."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + dt.timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + made.public_bytes(pem))
    return file


@pytest.mark.usefixtures("_loopback_passes")
def test_vault_of_an_authority_of_ones_own_is_met_where_the_environment_names_that(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path / "vault.pem")
    with answering(200, b'{"cluster_id": "ours"}', certificate) as address:
        required(address, "ours", VAULT_CACERT=str(certificate))
        with pytest.raises(RemoteError, match="certificate verify failed") as error:
            required(address, "ours")
    assert "VAULT_CACERT" in (error.value.help or "")


AMBIENT = {
    "PATH": "/bin",
    "VAULT_ADDR": NAMED,
    "VAULT_TOKEN": "t",
    "AWS_ACCESS_KEY_ID": "k",
    "ARM_CLIENT_SECRET": "a",
    "PGPASSWORD": "p",
    "TF_LOG": "info",
    "TF_CLI_CONFIG_FILE": "/nonexistent",
    "GITHUB_TOKEN": "g",
}


def environments(fleet: Path, settings: FleetSettings) -> tuple[set[str], set[str]]:
    """Return which of the ambient variables an AWS root and a Vault root are given."""
    roots = [Root(kind.value, kind, "1", (), handover=False) for kind in (RootKind.AWS, RootKind.VAULT)]
    aws, vault = workspaces.of(fleet, settings, roots, AMBIENT)
    return AMBIENT.keys() & aws.environment.keys(), AMBIENT.keys() & vault.environment.keys()


def test_each_side_gets_its_own_credentials_only(fleet: Path) -> None:
    aws, vault = environments(fleet, FleetSettings(version=1))
    assert aws == {"PATH", "AWS_ACCESS_KEY_ID", "TF_LOG"}
    assert vault == {"PATH", "VAULT_ADDR", "VAULT_TOKEN", "TF_LOG"}


def test_a_state_backend_gets_its_credentials_on_both_sides(fleet: Path) -> None:
    backend = Backend.model_validate({"type": "s3", "bucket": "state", "key": "{root}"})
    aws, vault = environments(fleet, FleetSettings(version=1, terraform=TerraformSettings(backend=backend)))
    assert aws == {"PATH", "AWS_ACCESS_KEY_ID", "TF_LOG"}
    assert vault == {"PATH", "AWS_ACCESS_KEY_ID", "VAULT_ADDR", "VAULT_TOKEN", "TF_LOG"}


@pytest.mark.parametrize(
    ("kind", "gets"),
    [("local", set()), ("http", set()), ("s3", {"AWS_ACCESS_KEY_ID"}), ("pg", {"PGPASSWORD"})],
)
def test_whoever_only_reaches_state_gets_that_backends_credentials_alone(kind: str, gets: set[str]) -> None:
    backend = Backend.model_validate({"type": kind, "key": "{root}"})
    settings = FleetSettings(version=1, terraform=TerraformSettings(backend=backend))
    assert AMBIENT.keys() & workspaces.of_state(settings, AMBIENT).keys() == {"PATH", "TF_LOG", *gets}
