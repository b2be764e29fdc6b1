"""Fleets in folders of their own, run by the command line against real servers, and what is then found there."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import hvac
import yaml

from generator import pipeline
from generator.cli import app
from generator.cli.context import ending_well
from generator.sandbox import services
from generator.sandbox.vault_contents import connect
from generator.sandbox.world import FOLDER, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from generator.manifest.fleet import Client
    from generator.sandbox.aws_accounts import Credentials
    from generator.sandbox.toolchain import Toolchain

REPOSITORY = Path(__file__).parents[2]
CROSSKEYS = Path(sys.executable).with_name("crosskeys")
HEADER = "vault.example.com"

POISON = {
    "AWS_ACCESS_KEY_ID": "ambient",
    "AWS_CONFIG_FILE": "/nonexistent/config",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_ENDPOINT_URL_IAM": "http://127.0.0.1:1",
    "AWS_PROFILE": "nope",
    "AWS_REGION": "nowhere-1",
    "HTTPS_PROXY": "http://127.0.0.1:1",
    "HTTP_PROXY": "http://127.0.0.1:1",
    "TF_CLI_ARGS": "-no-such",
    "TF_CLI_CONFIG_FILE": "/nonexistent/terraform.rc",
    "TF_DATA_DIR": "/nonexistent/data",
    "TF_LOG": "trace",
    "TF_VAR_sts_endpoint": "http://127.0.0.1:1",
    "TF_WORKSPACE": "nope",
    "VAULT_ADDR": "http://127.0.0.1:1",
    "VAULT_CACERT": "/nonexistent/ca.pem",
    "VAULT_NAMESPACE": "nope",
    "VAULT_TOKEN": "ambient",
}
"""What a shell may have left over from work on live systems: each of these alone would make a run fail."""


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    out: str
    err: str


@dataclass(frozen=True, slots=True)
class FleetFolder:
    """A fleet's folder, its sandbox and every word that was said about it.

    Args:
        folder: With manifests, settings and the rendered tree.
        said: What every run has printed, on stdout and stderr.
    """

    folder: Path
    toolchain: Toolchain
    said: list[str] = field(default_factory=list)

    def run(self, *arguments: str, code: int = 0, environment: Mapping[str, str] | None = None) -> Done:
        """Run the command line and require an exit code; there is no terminal."""
        done = subprocess.run(
            [CROSSKEYS, "-C", self.folder, *arguments],
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        self.said.append(done.stdout + done.stderr)
        assert done.returncode == code, f"exit {done.returncode}, not {code}\n{done.stdout}\n{done.stderr}"
        return Done(done.stdout, done.stderr)

    def call(self, *arguments: str, code: int = 0) -> Done:
        """Run the command line in this process, where one of its own is not what a test is about."""
        out, err = io.StringIO(), io.StringIO()
        # A run in the sandbox takes out of its environment what could lead to a live system.
        with patch.dict(os.environ), redirect_stdout(out), redirect_stderr(err):
            ended = ending_well(lambda: app(["-C", str(self.folder), *arguments], prog_name="crosskeys"))
        done = Done(out.getvalue(), err.getvalue())
        self.said.append(done.out + done.err)
        assert ended == code, f"exit {ended}, not {code}\n{done.out}\n{done.err}"
        return done

    def write(self, path: str, manifest: Mapping[str, object]) -> None:
        """Write a manifest or the settings."""
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(yaml.safe_dump(manifest), "utf-8")

    def remove(self, path: str) -> None:
        """Remove a manifest."""
        (self.folder / path).unlink()

    def manifest(self, path: str) -> dict[str, Any]:
        """Return what a manifest says, read by nothing of this project; nothing when there is none."""
        if not (self.folder / path).is_file():
            return {}
        said: dict[str, Any] = yaml.safe_load((self.folder / path).read_text("utf-8"))
        return said

    @property
    def sandbox(self) -> Path:
        """Where the sandbox keeps its things."""
        return self.folder / FOLDER

    def world(self) -> World:
        """Return the sandbox with its servers up; nothing is prepared in them."""
        up = services.up(self.sandbox, self.toolchain, self.said.append)
        return World(self.sandbox, pipeline.validate(self.folder).fleet, up, self.toolchain)

    def tree(self) -> dict[str, str]:
        """Return the digest of every file of the rendered tree, whoever made it."""
        return {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted((self.folder / "terraform").rglob("*"))
            if path.is_file()
        }


def new_fleet(
    folder: Path, toolchain: Toolchain, settings: Mapping[str, object], *clients: Mapping[str, object]
) -> FleetFolder:
    """Make and render a fleet of these clients alone."""
    fleet = FleetFolder(folder, toolchain)
    fleet.write("crosskeys.yaml", {"version": 1, **settings})
    for client in clients:
        fleet.write(f"clients/{client['name']}.yaml", {"owner": "team@example.com", **client})
    fleet.call("render")
    return fleet


def copy_of_example(folder: Path, toolchain: Toolchain) -> FleetFolder:
    """Copy the example fleet of this repository, as it stands rendered."""
    for name in ("clients", "terraform"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns(".terraform*"))
    shutil.copy(REPOSITORY / "crosskeys.yaml", folder)
    shutil.copy(REPOSITORY / ".gitignore", folder)
    return FleetFolder(folder, toolchain)


@contextmanager
def ended(fleet: FleetFolder) -> Iterator[FleetFolder]:
    """Bring the fleet's sandbox down at the end, whatever happens."""
    try:
        yield fleet
    finally:
        services.down(fleet.sandbox)


def client_of(world: World, name: str) -> Client:
    """Return a client of the fleet."""
    return next(client for client in world.fleet.clients if client.name == name)


def log_in(world: World, keys: Credentials, role: str, header: str | None = HEADER) -> tuple[hvac.Client, Any]:
    """Log in to Vault with AWS credentials; return a client with the token, and what Vault says of it.

    Raises:
        hvac.exceptions.VaultError: When Vault refuses.
    """
    vault = hvac.Client(url=world.services.vault_address)
    answer = vault.auth.aws.iam_login(
        keys.access_key_id,
        keys.secret_access_key,
        keys.session_token,
        header_value=header,
        role=role,
        region=world.fleet.settings.aws.region,
        mount_point=world.fleet.settings.vault.auth_mount,
    )
    return vault, answer["auth"]


def digest_in(said: str) -> str:
    """Return the digest of destroys that a plan or a refused apply has printed."""
    found: set[str] = set(re.findall("--destroy ([0-9a-f]{64})", said))
    assert len(found) == 1, said
    return found.pop()


def is_allowed(request: Callable[..., object], *arguments: object) -> bool:
    """Tell whether Vault grants a request, be there something or nothing."""
    try:
        request(*arguments)
    except hvac.exceptions.Forbidden:
        return False
    except hvac.exceptions.InvalidPath:
        return True
    return True


def reachable(vault: hvac.Client, directory: str) -> dict[str, bool]:
    """Tell what a token can do with a directory and the certificate in it."""
    return {
        f"{request.__name__} {area}": is_allowed(request, f"secret/{area}/{directory}{below}")
        for area in ("data", "metadata")
        for request, below in ((vault.read, "/tls"), (vault.list, ""))
    }


def vault_objects(world: World) -> dict[str, object]:
    """Return everything in Vault that a fleet is about, by path."""
    vault, found = connect(world.services), {}
    for path in ("sys/auth", "sys/mounts", "auth/aws/config/client", "auth/aws/config/identity"):
        found[path] = _data(vault.read(path))
    for folder in ("auth/aws/role", "auth/aws/config/sts", "sys/policies/acl"):
        listed = vault.list(folder)
        for name in listed["data"]["keys"] if listed else ():
            found[f"{folder}/{name}"] = None if name == "root" else _data(vault.read(f"{folder}/{name}"))
    return found


def aws_objects(world: World, account_id: str) -> dict[str, object]:
    """Return every IAM role of an account with its policies, and every instance profile."""
    iam = world.accounts.client("iam", world.accounts.owner_of(account_id))
    roles = iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
    profiles = iam.list_instance_profiles()["InstanceProfiles"]
    return {each["Arn"]: {**each, "RoleLastUsed": None} for each in (*roles, *profiles)}


def _data(answer: Any) -> object:
    return answer and answer["data"]
