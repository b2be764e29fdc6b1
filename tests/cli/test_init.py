"""A new fleet: in order from the first client on, and never written over anything."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from generator.errors import ExitCode, InternalError
from generator.manifest import scaffold
from generator.manifest.load import load_settings
from generator.manifest.validate import Sourced
from tests.cli.terminal import typed

if TYPE_CHECKING:
    from pathlib import Path

    from generator.manifest.settings import FleetSettings
    from tests.cli.conftest import Run

CLIENT = ("--account-id", "123456789012", "--role-name", "payments-app", "--owner", "a@example.com")


def contents(folder: Path) -> set[str]:
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in paths if path.parts[0] != ".crosskeys"}


def settings(folder: Path) -> FleetSettings:
    read = load_settings(folder)
    assert isinstance(read, Sourced), read
    return read.model


@pytest.mark.parametrize("ci", ["github", "gitlab", "none"])
def test_a_fleet_with_its_first_client_is_in_order(call: Run, tmp_path: Path, ci: str) -> None:
    begun = call("-C", str(tmp_path), "init", "fleet", "--ci", ci)
    assert begun.code == ExitCode.CLEAN
    assert {f"+ fleet/{path}" for path in contents(tmp_path / "fleet")} == set(begun.out.splitlines())
    assert "crosskeys -C fleet new" in begun.err
    fleet = str(tmp_path / "fleet")
    made = call("-C", fleet, "new", "payments", *CLIENT, "--register-account", "production", "--render")
    assert made.code == ExitCode.CLEAN, made
    checked = call("-C", fleet, "check")
    assert checked.out == "1 client in 1 account: in order, and terraform/ is up to date\n"


def test_each_ci_has_its_files_and_no_other(call: Run, tmp_path: Path) -> None:
    seen = {}
    for ci in ("github", "gitlab", "none"):
        assert call("-C", str(tmp_path), "init", ci, "--ci", ci).code == ExitCode.CLEAN
        seen[ci] = contents(tmp_path / ci)
    for_any = {"CODEOWNERS", "ci/take-data", "ci/other-changes"}
    assert seen["none"] & for_any == set()
    for_gitlab = {".gitlab-ci.yml", *(f"ci/{name}.gitlab-ci.yml" for name in ("live", "shard", "verify"))}
    assert seen["gitlab"] - seen["none"] == for_gitlab | for_any
    assert {path for path in seen["github"] - seen["none"] - for_any if not path.startswith(".github/")} == set()
    assert ".github/workflows/check.yml" in seen["github"]
    assert {"crosskeys.yaml", ".gitignore", ".gitattributes", "schemas/client.schema.json"} <= seen["none"]


def test_settings_are_what_the_flags_say(call: Run, tmp_path: Path) -> None:
    flags = (
        "--vault-address",
        "https://vault.example.org:8200",
        "--namespace",
        "admin/pki",
        "--auth-mount",
        "aws-prod",
    )
    assert call("-C", str(tmp_path), "init", *flags, "--kv-mount", "kv").code == ExitCode.CLEAN
    made = settings(tmp_path)
    assert made.live.vault_address == "https://vault.example.org:8200"
    assert (made.vault.namespace, made.vault.auth_mount, made.vault.kv_mount) == ("admin/pki", "aws-prod", "kv")
    text = (tmp_path / "crosskeys.yaml").read_text()
    assert text.count("vault_address:") == 1, "the example has given way"
    (tmp_path / "crosskeys.yaml").write_text(text.replace("#   cluster_id", "  cluster_id"))
    assert settings(tmp_path).live.cluster_id


def test_without_flags_settings_are_the_scaffolds(call: Run, tmp_path: Path) -> None:
    assert call("-C", str(tmp_path), "init", "--namespace", "admin").code == ExitCode.CLEAN
    made = settings(tmp_path)
    assert made.accounts == "registered"
    assert made.live.vault_address is None
    assert made.vault.namespace == "admin"


@pytest.mark.parametrize(
    "flags",
    [("--vault-address", "vault.example.com"), ("--namespace", "a b"), ("--auth-mount", "/aws"), ("--kv-mount", "a\n")],
)
def test_a_setting_that_cannot_be_is_refused_and_nothing_is_written(
    call: Run, tmp_path: Path, flags: tuple[str, str]
) -> None:
    ended = call("-C", str(tmp_path), "init", "fleet", *flags)
    assert ended.code == ExitCode.USAGE
    assert "expected" in ended.err
    assert list(tmp_path.iterdir()) == []


def test_what_exists_is_named_and_nothing_is_written(call: Run, tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine\n")
    (tmp_path / "clients").symlink_to("/")
    (tmp_path / "README.md").write_text("# Ours\n")
    ended = call("-C", str(tmp_path), "init")
    assert ended.code == ExitCode.REFUSED
    assert "there already: .gitignore, clients\n" in ended.err
    assert {path.name for path in tmp_path.iterdir()} == {".gitignore", "clients", "README.md"}
    (tmp_path / ".gitignore").unlink()
    (tmp_path / "clients").unlink()
    assert call("-C", str(tmp_path), "init").code == ExitCode.CLEAN
    assert call("-C", str(tmp_path), "init").code == ExitCode.REFUSED


def test_a_place_that_cannot_be_written_to_is_said(call: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = call("-C", str(tmp_path), "init", "file/fleet")
    assert ended.code == ExitCode.USAGE
    assert "Traceback" not in ended.err
    assert (tmp_path / "file").read_text() == ""


def test_json_says_what_was_written(call: Run, tmp_path: Path) -> None:
    said = json.loads(call("-C", str(tmp_path), "init", "fleet", "--format", "json").out)
    assert set(said["added"]) == contents(tmp_path / "fleet")


def test_questions_have_defaults_and_are_asked_until_the_answer_fits(tmp_path: Path) -> None:
    answers = ["vault.example.com", "https://vault.example.com:8200", "", "aws/prod", "", "jenkins", "gitlab"]
    ended = typed(tmp_path, "init", answers=answers)
    assert ended.code == ExitCode.CLEAN, ended.err
    assert "expected https://host:port" in ended.err
    assert "Vault's namespace [admin]: " in ended.err
    made = settings(tmp_path)
    assert (made.live.vault_address, made.vault.auth_mount) == ("https://vault.example.com:8200", "aws/prod")
    assert (tmp_path / ".gitlab-ci.yml").exists()


def test_the_scaffold_must_have_the_sections_that_are_filled_in() -> None:
    with pytest.raises(InternalError, match="live"):
        scaffold.settings("version: 1\n", {"live.vault_address": "https://vault.example.com"})
