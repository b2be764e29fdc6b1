"""Every backend's settings reach Terraform as it takes them; the real `terraform init` decodes them, offline."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from generator.manifest.settings import FleetSettings
from generator.render.layout import Page, backend_of
from generator.render.render import Renderer
from generator.resources import data

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.toolchain

ROOT = "accounts/111111111111/vault"
NOWHERE = "http://127.0.0.1:1"
# Each with the words in which Terraform then fails for want of a network or a credential: its settings were decoded.
BACKENDS: dict[str, tuple[dict[str, object], str]] = {
    "azurerm": ({"storage_account_name": "s", "container_name": "c", "key": "{root}"}, ""),
    "consul": ({"path": "{root}", "address": "127.0.0.1:1", "scheme": "http"}, "connection refused"),
    "cos": (
        {"bucket": "b-1", "prefix": "{root}", "region": "ap-x", "assume_role": {"role_arn": "r", "session_name": "s"}},
        "",
    ),
    "gcs": ({"bucket": "b", "prefix": "{root}"}, "could not find default credentials"),
    "http": ({"address": f"{NOWHERE}/{{root}}", "retry_max": 0}, "connection refused"),
    "kubernetes": (
        {
            "secret_suffix": "{root_label}",
            "host": NOWHERE,
            "exec": {"api_version": "client.authentication.k8s.io/v1", "command": "false", "args": ["a", "b"]},
        },
        "exec",
    ),
    "local": ({"path": "state/{root}.tfstate"}, ""),
    "oss": ({"bucket": "b", "prefix": "{root}", "region": "x", "endpoint": "127.0.0.1:1"}, ""),
    "pg": ({"schema_name": "{root}"}, "connect"),
    "remote": ({"hostname": "127.0.0.1:1", "organization": "o", "workspaces": {"name": "{root_label}"}}, "discovery"),
    "s3": (
        {
            "bucket": "b",
            "key": "{root}",
            "region": "us-east-1",
            "use_lockfile": True,
            "max_retries": 1,
            "allowed_account_ids": ["999999999999"],
            "endpoints": {"s3": NOWHERE, "sts": NOWHERE, "iam": NOWHERE},
            "assume_role": {
                "role_arn": "arn:aws:iam::999999999999:role/state",
                "policy_arns": ["arn:aws:iam::aws:policy/A"],
            },
        },
        "STS",
    ),
}
UNDECODED = {
    "Unsupported argument",
    "Unsupported block type",
    "Missing required argument",
    "Incorrect attribute value type",
}


def init(folder: Path, backend: dict[str, object]) -> list[dict[str, str]]:
    """Render a root with the backend and return what ``terraform init`` complains about."""
    settings = FleetSettings.model_validate({"terraform": {"backend": backend}})
    page = Page("root.tf", "state.tf.j2", "crosskeys.yaml", {"backend": backend_of(settings, ROOT)})
    (folder / "root.tf").write_text(Renderer([data("templates")]).render([page])["root.tf"])
    (folder / "terraform.rc").touch()
    done = subprocess.run(
        ["terraform", f"-chdir={folder}", "init", "-input=false", "-json"],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TF_CLI_CONFIG_FILE": str(folder / "terraform.rc"),
            "CHECKPOINT_DISABLE": "1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": "example",
            "AWS_SECRET_ACCESS_KEY": "example",
            "PGHOST": "127.0.0.1",
            "PGPORT": "1",
            "NO_PROXY": "127.0.0.1",
            # What asks a service by its public name fails at once here, on a machine with a network too.
            "HTTPS_PROXY": NOWHERE,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [message["diagnostic"] for message in messages if message["type"] == "diagnostic"]


@pytest.mark.parametrize("kind", sorted(BACKENDS))
def test_right_settings_are_decoded(tmp_path: Path, kind: str) -> None:
    settings, fails_with = BACKENDS[kind]
    found = init(tmp_path, {"type": kind, **settings})
    errors = [each for each in found if each["severity"] == "error"]
    assert not UNDECODED & {error["summary"] for error in errors}, errors
    assert fails_with in "".join(error["summary"] + error["detail"] for error in errors)


@pytest.mark.parametrize("kind", sorted(BACKENDS))
def test_a_misspelt_setting_is_named(tmp_path: Path, kind: str) -> None:
    found = init(tmp_path, {"type": kind, **BACKENDS[kind][0], "misspelt": "x"})
    assert [each["summary"] for each in found if each["severity"] == "error"] == ["Unsupported argument"]
    assert "misspelt" in found[0]["detail"]


def test_a_backend_that_does_not_exist_is_named(tmp_path: Path) -> None:
    (found,) = init(tmp_path, {"type": "nosuch", "key": "{root}"})
    assert "nosuch" in found["detail"]
