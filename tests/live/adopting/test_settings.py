"""Settings that are drafted from what most registrations have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from generator.live.adopting.registrations import registrations
from generator.live.adopting.settings import Where, disagreements, draft
from generator.manifest import scaffold
from generator.manifest.settings import FleetSettings
from tests.live.adopting.worlds import ACCOUNT, answer, observed, policy_text

if TYPE_CHECKING:
    from generator.live.adopting.observed import Observed


def _drafted(found: Observed, where: Where | None = None) -> dict[str, Any]:
    regs, _ = registrations(found.roles, found.policies, found.roles)
    text = draft(found, regs, where or Where("admin"), "team@example.com")
    assert scaffold.faults(text) == ()
    said: dict[str, Any] = yaml.safe_load(text)
    return said


def test_of_nothing_the_defaults_are_drafted() -> None:
    said = _drafted(observed({}))
    assert said["accounts"] == "registered"
    assert FleetSettings.model_validate({"vault": said["vault"]}).vault == FleetSettings().vault


def test_patterns_limits_mounts_and_shared_paths_are_those_of_most() -> None:
    roles, policies = {}, {}
    for number in range(5):
        iam_role = f"app{number}"
        name = f"{ACCOUNT}-{iam_role}"
        roles[name] = answer(iam_role, token_policies=[f"read-{name}"], token_ttl=1800, token_max_ttl=3600)
        text = policy_text(iam_role, ACCOUNT, "common")
        policies[f"read-{name}"] = text.replace("secret/", "team/kv/").replace("certs/", "tls/eu/")
    roles["odd"] = answer("odd")
    policies["odd-policy"] = policy_text("odd", ACCOUNT, "read-by-one").replace("secret/", "team/kv/")
    said = _drafted(observed(roles, policies))
    vault = said["vault"]
    assert (vault["kv_mount"], vault["directory"]) == ("team/kv", "tls/eu/{account_id}/{role_name}")
    assert (vault["role"], vault["policy"]) == ("{account_id}-{role_name}", "read-{account_id}-{role_name}")
    assert said["defaults"] == {"token_ttl": "30m", "token_max_ttl": "1h"}
    assert said["shared_paths"] == [{"path": "common", "owner": "team@example.com"}]


def test_the_auth_methods_configuration_is_taken_over() -> None:
    found = observed(
        {},
        client={"iam_server_id_header_value": "vault.example.com", "use_sts_region_from_client": False},
        identity={"iam_alias": "unique_id", "iam_metadata": ["account_id"]},
    )
    vault = _drafted(found)["vault"]
    assert vault["server_id_header"] == "vault.example.com"
    assert vault["sts_region_from_client"] is False
    assert (vault["iam_alias"], vault["iam_metadata"]) == ("unique_id", ["account_id"])


def test_a_live_vault_is_named_with_its_cluster() -> None:
    said = _drafted(observed({}), Where(None, "https://vault.example.com:8200", "0f1e"))
    assert said["vault"]["namespace"] is None
    assert said["live"] == {"vault_address": "https://vault.example.com:8200", "cluster_id": "0f1e"}


def test_settings_that_exist_are_told_what_is_there() -> None:
    client = {"iam_server_id_header_value": "vault.example.com", "use_sts_region_from_client": False}
    found = observed({}, client=client, identity={"iam_alias": "unique_id"})
    assert list(disagreements(found, FleetSettings())) == ["vault.server_id_header: vault.example.com"]
    managed = FleetSettings.model_validate({"platform": {"client_config": True}})
    assert "vault.iam_alias: unique_id" in list(disagreements(found, managed))
    agreeing = FleetSettings.model_validate({"vault": {"server_id_header": "vault.example.com"}})
    assert list(disagreements(found, agreeing)) == []
