"""Nothing is destroyed by surprise: manifests go without a word, clients are retired, and accounts are left over.

The tests of this module tell one story, in order.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.fleets import aws_objects, digest_in, ended, new_fleet, vault_objects

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from generator.sandbox.toolchain import Toolchain
    from tests.e2e.fleets import FleetFolder

pytestmark = pytest.mark.toolchain

NEAR, FAR = "101010101010", "202020202020"
RETIRE = {"approved_until": "2999-12-31", "reason": "moved to another platform"}


def client(name: str, account_id: str, **more: object) -> dict[str, Any]:
    return {
        "name": name,
        "account_id": account_id,
        "role_name": f"{name}-app",
        "owner": "team@example.com",
        "aws": {"role": "existing"},
        **more,
    }


PAY, LEDGER, SEARCH = client("pay", NEAR), client("ledger", NEAR), client("search", FAR)
VAULT_ALONE = ("--yes", "--side", "vault")
NEAR_ALONE, FAR_ALONE = ((*VAULT_ALONE, "--account", account_id) for account_id in (NEAR, FAR))


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[FleetFolder]:
    folder = tmp_path_factory.mktemp("destroys")
    settings = {"platform": {"auth_mount": True, "client_config": True, "kv_mount": True}}
    with ended(new_fleet(folder, toolchain, settings, PAY, LEDGER, SEARCH)) as made:
        made.call("apply", *VAULT_ALONE)
        yield made


def roles(fleet: FleetFolder) -> set[str]:
    return {path.rpartition("/")[2] for path in vault_objects(fleet.world()) if "/role/" in path}


def aws_roles(fleet: FleetFolder) -> set[str]:
    found = (arn for account in (NEAR, FAR) for arn in aws_objects(fleet.world(), account))
    return {arn.rpartition("/")[2] for arn in found if ":role/" in arn}


def write(fleet: FleetFolder, manifest: dict[str, Any]) -> None:
    fleet.write(f"clients/{manifest['name']}.yaml", manifest)
    fleet.call("render")


@pytest.fixture(scope="module")
def digests() -> list[str]:
    """The digest of what the first test would have destroyed."""
    return []


def test_a_plan_of_chosen_roots_prepares_their_accounts_and_the_next_run_the_others(fleet: FleetFolder) -> None:
    fleet.call("check")
    fleet.call("sandbox", "down")
    planned = fleet.run("--profile", "plan", "--client", "search", "--side", "vault")
    assert "clients=3" not in planned.err
    assert "AWS has lost its memory" in planned.err
    assert aws_roles(fleet) == {"search-app"}
    assert "prepared the AWS accounts" in fleet.call("sandbox", "up").err
    assert aws_roles(fleet) == {"pay-app", "ledger-app", "search-app"}
    fleet.call("plan", "--client", "search", "--side", "vault")
    assert fleet.call("sandbox", "up").err == ""


def without_seconds(said: str) -> str:
    return re.sub(r"\d+\.\d(?= s$|$)", "…", said, flags=re.MULTILINE)


def test_what_a_plan_of_chosen_roots_would_destroy_is_judged_by_the_whole_fleet(fleet: FleetFolder) -> None:
    one = ("--profile", "plan", "--account", NEAR, "--side", "vault")
    unchanged = fleet.run(*one)
    assert "clients=2 accounts=1" in unchanged.err
    assert "clients=3" not in unchanged.err
    fleet.write("clients/pay.yaml", {**PAY, "suspend": {"reason": "key leaked"}})
    write(fleet, {**LEDGER, "suspend": {"reason": "key leaked"}})
    part, whole = fleet.run(*one), fleet.run("--no-cache", *one[1:])
    assert part.err.index("clients=2 accounts=1") < part.err.index("clients=3 accounts=2")
    assert without_seconds(part.out) == without_seconds(whole.out)
    assert without_seconds(part.err).startswith(without_seconds(whole.err))
    assert "2 of 8 objects of the fleet would go" in whole.err
    fleet.write("clients/pay.yaml", PAY)
    write(fleet, LEDGER)


def test_a_manifest_that_is_deleted_without_a_word_destroys_nothing(
    fleet: FleetFolder, tmp_path: Path, digests: list[str]
) -> None:
    fleet.remove("clients/pay.yaml")
    fleet.call("render")
    planned = fleet.call("plan", "--side", "vault", "--account", NEAR, "--out", str(tmp_path / "plans"))
    assert "an apply of this would be refused" in planned.err
    refused = fleet.call("apply", *VAULT_ALONE, code=3)
    kept = fleet.call("apply", str(tmp_path / "plans"), "--yes", code=3)
    for said in (planned.err, refused.err, kept.err):
        assert "2 objects would go that no manifest announces" in said
        for what in ("vault_aws_auth_backend_role.pay", "vault_policy.pay"):
            assert re.search(rf"pay +{NEAR} +accounts/{NEAR}/vault {what}", said)
        assert "pay can no longer log in" in said
        assert "git restore" in said
        assert "retire: " in said
        digests.append(digest_in(said))
    assert len(set(digests)) == 1
    assert roles(fleet) == {"pay-app", "ledger-app", "search-app"}


def test_the_digest_allows_exactly_what_it_was_printed_for(fleet: FleetFolder, digests: list[str]) -> None:
    fleet.remove("clients/ledger.yaml")
    fleet.call("render")
    refused = fleet.call("apply", *NEAR_ALONE, "--destroy", digests[0], code=3)
    assert "what would be destroyed is not what --destroy allows" in refused.err
    assert digest_in(refused.err) != digests[0]
    assert roles(fleet) == {"pay-app", "ledger-app", "search-app"}
    write(fleet, LEDGER)
    fleet.call("apply", *NEAR_ALONE, "--destroy", digests[0])
    assert roles(fleet) == {"ledger-app", "search-app"}


def test_a_retired_client_goes_beside_one_that_comes(fleet: FleetFolder) -> None:
    fleet.write("clients/pay.yaml", PAY)
    write(fleet, {**LEDGER, "retire": RETIRE})
    fleet.call("apply", *NEAR_ALONE)
    assert roles(fleet) == {"pay-app", "search-app"}


def test_a_permission_that_is_over_allows_nothing(fleet: FleetFolder) -> None:
    write(fleet, {**PAY, "retire": {**RETIRE, "approved_until": "2020-01-31"}})
    refused = fleet.call("apply", *NEAR_ALONE, code=3)
    assert "2 objects would go that no manifest announces" in refused.err
    assert "pay-app" in roles(fleet)
    write(fleet, PAY)


def test_nothing_of_the_platform_is_ever_destroyed_not_even_by_its_digest(fleet: FleetFolder) -> None:
    settings = fleet.manifest("crosskeys.yaml")
    fleet.write("crosskeys.yaml", {**settings, "platform": {"auth_mount": True, "client_config": True}})
    fleet.call("render")
    planned = fleet.call("plan", "--side", "platform", code=3)
    assert "vault_mount.kv" in planned.err
    assert "every certificate in it is lost" in planned.err
    assert "--destroy" not in planned.err
    refused = fleet.call("apply", "--yes", "--side", "platform", "--destroy", "0" * 64, code=3)
    assert "1 object of the platform would go" in refused.err
    mounts = vault_objects(fleet.world())["sys/mounts"]
    assert isinstance(mounts, dict)
    assert "secret/" in mounts
    fleet.write("crosskeys.yaml", settings)
    fleet.call("render")


def test_the_last_client_of_an_account_leaves_a_root_that_can_still_destroy(fleet: FleetFolder) -> None:
    before = (fleet.folder / f"terraform/accounts/{FAR}/vault/root.tf").read_bytes()
    fleet.remove("clients/search.yaml")
    fleet.call("render")
    left = {path for path in fleet.tree() if FAR in path}
    assert left == {f"terraform/accounts/{FAR}/{side}/root.tf" for side in ("aws", "vault")}
    assert (fleet.folder / f"terraform/accounts/{FAR}/vault/root.tf").read_bytes() == before
    fleet.call("check")
    fleet.call("audit")
    refused = fleet.call("apply", *FAR_ALONE, code=3)
    assert f"accounts/{FAR}/vault vault_aws_auth_backend_role.search" in refused.err

    kept = fleet.call("prune", "--check", code=1)
    assert f"kept accounts/{FAR}/vault: vault_aws_auth_backend_role.search, vault_policy.search" in kept.out
    fleet.call("apply", *FAR_ALONE, "--destroy", digest_in(refused.err))
    assert roles(fleet) == {"pay-app"}


def test_an_edited_leftover_root_is_believed_no_more(fleet: FleetFolder) -> None:
    path = fleet.folder / f"terraform/accounts/{FAR}/vault/root.tf"
    before = path.read_text("utf-8")
    path.write_text(before.replace('"admin"', '"elsewhere"'), "utf-8")
    for verb in ("render", "plan", "prune"):
        assert "CK910" in fleet.call(verb, code=1).out
    path.write_text(before, "utf-8")


def test_a_root_of_which_nothing_is_left_is_pruned_with_its_state(fleet: FleetFolder) -> None:
    state = fleet.sandbox / f"state/accounts/{FAR}/vault.tfstate"
    assert state.exists()
    checked = fleet.call("prune", "--check", code=1)
    assert f"would remove accounts/{FAR}/vault" in checked.out
    assert state.exists()
    fleet.call("prune")
    assert not [path for path in fleet.tree() if FAR in path]
    assert not (fleet.folder / f"terraform/accounts/{FAR}").exists()
    assert not list(state.parent.glob("vault.tfstate*"))
    assert fleet.call("prune").out == "no root is left over\n"


def test_a_root_whose_files_are_gone_is_missed(fleet: FleetFolder) -> None:
    manifest, root = fleet.manifest("clients/pay.yaml"), fleet.folder / f"terraform/accounts/{NEAR}/vault/root.tf"
    write(fleet, SEARCH)
    kept = root.read_bytes()
    for name in ("pay", "ledger"):
        fleet.remove(f"clients/{name}.yaml")
    root.unlink()
    fleet.call("render")
    refused = fleet.call("apply", *VAULT_ALONE, code=3)
    assert "roots whose files are gone still have objects" in refused.err
    assert "vault_policy.pay" in refused.err
    root.parent.mkdir(parents=True, exist_ok=True)
    root.write_bytes(kept)
    assert "vault_policy.pay" in fleet.call("apply", *NEAR_ALONE, code=3).err
    write(fleet, manifest)
    assert roles(fleet) == {"pay-app"}


def test_what_is_left_at_a_live_vault_the_sandbox_cannot_prune(fleet: FleetFolder) -> None:
    settings = fleet.manifest("crosskeys.yaml")
    fleet.remove("clients/search.yaml")
    fleet.write("crosskeys.yaml", {**settings, "live": {"vault_address": "https://vault.example.com:8200"}})
    fleet.call("render")
    refused = fleet.call("prune", code=3)
    assert f"what is left of accounts/{FAR}/aws, accounts/{FAR}/vault at https://vault.example.com:8200" in refused.err
    assert f"terraform/accounts/{FAR}/vault/root.tf" in fleet.tree()
