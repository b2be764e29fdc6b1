"""A client's own Vault Agent logs in with the IAM role that Terraform made, and renders its certificate."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import hvac
import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from generator.run.environment import allowed
from tests.e2e.fleets import HEADER, client_of

if TYPE_CHECKING:
    from pathlib import Path

    from generator.sandbox.toolchain import Toolchain
    from generator.sandbox.world import World

pytestmark = pytest.mark.toolchain


def configuration(world: World, role: str, directory: str, folder: Path) -> str:
    certificate = f'{{{{ with secret "secret/data/{directory}/tls" }}}}{{{{ .Data.data.certificate }}}}{{{{ end }}}}'
    settings = {"type": "iam", "role": role, "header_value": HEADER, "region": world.fleet.settings.aws.region}
    return json.dumps(
        {
            "vault": {"address": world.services.vault_address, "retry": {"num_retries": 1}},
            "exit_after_auth": True,
            "auto_auth": {
                "method": [{"type": "aws", "mount_path": "auth/aws", "exit_on_err": True, "config": settings}],
                "sink": [{"type": "file", "config": {"path": str(folder / "token"), "mode": 0o600}}],
            },
            "template_config": {"exit_on_retry_failure": True},
            "template": [{"contents": certificate, "destination": str(folder / "tls.pem"), "perms": "0600"}],
        }
    )


def run_agent(
    world: World, toolchain: Toolchain, name: str, directory: str, folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run an agent with a client's credentials until it has done its work or given up."""
    client = client_of(world, name)
    keys = world.accounts.assume(client.principal_arn, "workload")
    (folder / "agent.json").write_text(configuration(world, client.vault_role, directory, folder))
    environment = allowed(
        {
            "AWS_ACCESS_KEY_ID": keys.access_key_id,
            "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
            "AWS_SESSION_TOKEN": keys.session_token,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    )
    command = [str(toolchain.vault), "agent", f"-config={folder / 'agent.json'}"]
    # run() kills the agent when its time is up.
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_agent_logs_in_writes_its_token_and_renders_its_certificate(
    world: World, toolchain: Toolchain, tmp_path: Path
) -> None:
    client = client_of(world, "payments")
    agent = run_agent(world, toolchain, "payments", client.directory, tmp_path)
    assert agent.returncode == 0, agent.stdout + agent.stderr
    subject = x509.load_pem_x509_certificate((tmp_path / "tls.pem").read_bytes()).subject
    assert subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "payments"
    sink = tmp_path / "token"
    assert sink.stat().st_mode & 0o777 == 0o600
    own = hvac.Client(url=world.services.vault_address, token=sink.read_text())
    token = own.auth.token.lookup_self()["data"]
    assert token["policies"] == ["default", "payments-policy"]
    assert token["meta"]["canonical_arn"] == client.principal_arn


def test_agent_gets_no_certificate_of_another_client(world: World, toolchain: Toolchain, tmp_path: Path) -> None:
    other = client_of(world, "reports-us")
    agent = run_agent(world, toolchain, "payments", other.directory, tmp_path)
    assert agent.returncode != 0
    assert "permission denied" in agent.stdout + agent.stderr
    assert not (tmp_path / "tls.pem").exists()
