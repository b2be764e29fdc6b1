"""The doctor where half of it is broken: it says so, and goes on with the rest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run


def statuses(said: str) -> dict[str, str]:
    return {f"{each['area']} {each['name']}": each["status"] for each in json.loads(said)["checks"]}


def test_without_a_sandbox_the_rest_is_looked_at_and_the_way_up_is_said(call: Run, fleet: Path) -> None:
    done = call("-C", str(fleet), "doctor", "--format", "json")
    found = statuses(done.out)
    assert (done.code, found["sandbox not asked"], found["fleet manifests"]) == (4, "unknown", "ok")
    assert "crosskeys sandbox up" in done.out
    assert not (fleet / ".crosskeys").exists(), "it changes nothing"


def test_without_terraform_settings_vault_and_credentials_each_is_a_line(
    call: Run, fleet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fleet / "crosskeys.yaml").write_text("version: 1\nvault: {namespace: [}\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("AWS_PROFILE", "there-is-none")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    done = call("-C", str(fleet), "doctor", "--target", "live", "--format", "json")
    found = statuses(done.out)
    assert done.code == 4
    assert found["machine terraform"] == found["fleet manifests"] == found["environment VAULT_ADDR"] == "failed"
    assert found["machine git"] == "warning"
    assert found["vault not asked"] == "unknown"
    assert done.err == ""


def test_an_empty_folder_is_looked_at_too(call: Run, tmp_path: Path) -> None:
    done = call("-C", str(tmp_path), "doctor", "--target", "live", "--format", "json")
    assert statuses(done.out)["environment VAULT_ADDR"] == "failed"
    assert done.code == 4


def test_a_token_is_not_shown_to_another_vault_than_the_fleets(
    call: Run, fleet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def refuse(*_: object) -> None:
        raise AssertionError("it was asked")

    monkeypatch.setattr("generator.live.vault.Vault.__init__", refuse)
    monkeypatch.setenv("VAULT_ADDR", "https://elsewhere.example.com")
    monkeypatch.setenv("VAULT_TOKEN", "hvs.aaaaaaaaaaaaaaaaaaaaaaaa")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    done = call("-C", str(fleet), "doctor", "--target", "live", "--format", "json")
    found = statuses(done.out)
    assert found["vault not asked"] == found["aws not asked"] == found["state not asked"] == "unknown"
    assert "hvs." not in done.out


@pytest.mark.parametrize("fmt", ["sarif", "github"])
def test_formats_for_findings_are_refused(call: Run, fleet: Path, fmt: str) -> None:
    assert call("-C", str(fleet), "doctor", "--format", fmt).code == 2
