"""A client is suspended, brought back, renamed and retired in a real Vault, beside one that stays as it is.

The tests of this module tell one story, in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hvac
import pytest

from generator.sandbox.login import token_of
from generator.sandbox.vault_contents import connect
from tests.e2e.fleets import aws_objects, client_of, digest_in, ended, is_allowed, new_fleet, vault_objects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.sandbox.toolchain import Toolchain
    from tests.e2e.fleets import FleetFolder

pytestmark = pytest.mark.toolchain

ACCOUNT = "111111111111"
PAY: dict[str, Any] = {
    "name": "pay",
    "account_id": ACCOUNT,
    "role_name": "pay-app",
    "owner": "pay@example.com",
    "grants": [{"path": "shared/ca"}],
}
LEDGER: dict[str, Any] = {"name": "ledger", "account_id": ACCOUNT, "role_name": "ledger-app"}
SETTINGS = {"shared_paths": [{"path": "shared/ca", "owner": "pki@example.com"}], "vault": {"server_id_header": "v"}}
OWN, SHARED = f"certs/{ACCOUNT}/pay-app", "shared/ca"
VAULT_ALONE = ("--yes", "--side", "vault")
ROOTS = {kind: f"accounts/{ACCOUNT}/{kind}" for kind in ("aws", "vault")}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Iterator[FleetFolder]:
    folder = tmp_path_factory.mktemp("lifecycle")
    with ended(new_fleet(folder, toolchain, SETTINGS, PAY, LEDGER)) as made:
        made.call("apply", "--yes")
        yield made


@pytest.fixture(scope="module")
def token(fleet: FleetFolder) -> hvac.Client:
    """A token of `pay` from before everything; it lives on through all that follows."""
    return log_in(fleet, "pay")


@pytest.fixture(scope="module")
def broad(fleet: FleetFolder, token: hvac.Client) -> hvac.Client:
    """A token that has the policy of `pay` and beside it, by somebody's mistake, one that allows everything."""
    root = connect(fleet.world().services)
    all_of_it = '["create", "read", "update", "delete", "list"]'
    root.sys.create_or_update_policy("everything", f'path "*" {{ capabilities = {all_of_it} }}')
    root.sys.create_or_update_policy("certs", f'path "secret/metadata/certs/{ACCOUNT}/*" {{ capabilities = ["list"] }}')
    made = root.auth.token.create(policies=["pay-policy", "everything", "certs"])
    assert token.token
    return hvac.Client(url=root.url, token=made["auth"]["client_token"])


def log_in(fleet: FleetFolder, name: str) -> hvac.Client:
    world = fleet.world()
    return token_of(world, client_of(world, name))[0]


def everything(fleet: FleetFolder) -> dict[str, object]:
    world = fleet.world()
    return vault_objects(world) | aws_objects(world, ACCOUNT)


def counts(said: str) -> dict[str, tuple[str, ...]]:
    """Return each root's outcome and numbers of additions, changes and destroys, in an apply those of its plan."""
    rows = [line.split() for line in said.splitlines()]
    return {row[0]: tuple(row[1:5]) for row in reversed(rows) if len(row) == 6 and row[0] in ROOTS.values()}


def requests(vault: hvac.Client, directory: str) -> dict[str, bool]:
    """Tell which requests about a directory and the certificate in it a token may make."""
    asked = {
        "read": (vault.read, f"secret/data/{directory}/tls"),
        "read metadata": (vault.read, f"secret/metadata/{directory}/tls"),
        "read subkeys": (vault.read, f"secret/subkeys/{directory}/tls"),
        "list": (vault.list, f"secret/metadata/{directory}"),
        "list with a slash": (vault.list, f"secret/metadata/{directory}/"),
        "write": (lambda path: vault.write_data(path, data={"data": {"a": "b"}}), f"secret/data/{directory}/new"),
        "delete": (vault.delete, f"secret/data/{directory}/new"),
        **{
            word: (lambda path: vault.write_data(path, data={"versions": [1]}), f"secret/{word}/{directory}/new")
            for word in ("delete versions", "undelete", "destroy")
        },
        "delete metadata": (vault.delete, f"secret/metadata/{directory}/new"),
    }
    return {
        word: is_allowed(request, path.replace("secret/delete versions/", "secret/delete/"))
        for word, (request, path) in asked.items()
    }


def allowed(vault: hvac.Client, directory: str) -> set[str]:
    return {word for word, may in requests(vault, directory).items() if may}


READS = {"read", "read metadata", "list", "list with a slash"}


def test_before_all_this_the_client_reads_its_own_and_what_it_was_granted(
    token: hvac.Client, broad: hvac.Client
) -> None:
    assert allowed(token, OWN) == allowed(token, SHARED) == READS
    # What its own policy does not speak of the other one allows.
    assert allowed(broad, OWN) == READS | {"read subkeys", "delete versions", "undelete", "destroy"}


def test_suspended_client_loses_everything_and_nothing_in_aws_is_touched(
    fleet: FleetFolder, token: hvac.Client, broad: hvac.Client
) -> None:
    before, tree = everything(fleet), fleet.tree()
    fleet.write("clients/pay.yaml", {**PAY, "suspend": {"reason": "key leaked"}})
    fleet.call("render")
    # The AWS root is the same to the byte, so that nothing can be planned in it.
    assert {path for path, _ in fleet.tree().items() ^ tree.items()} == {f"terraform/{ROOTS['vault']}/client-pay.tf"}
    applied = fleet.call("apply", *VAULT_ALONE)
    assert counts(applied.out) == {ROOTS["vault"]: ("changes", "0", "1", "1")}
    after = everything(fleet)
    assert before.keys() - after.keys() == {"auth/aws/role/pay-app"}
    assert {key for key in after if after[key] != before[key]} == {"sys/policies/acl/pay-policy"}

    assert allowed(token, OWN) == allowed(token, SHARED) == set()
    assert allowed(broad, OWN) == set()
    assert {"read", "list", "write"} <= allowed(broad, f"certs/{ACCOUNT}/ledger-app")
    with pytest.raises(hvac.exceptions.InvalidRequest, match="entry for role pay-app not found"):
        log_in(fleet, "pay")
    refused = fleet.call("sandbox", "login", "pay", code=4)
    assert "it is suspended" in refused.err
    fleet.call("sandbox", "login", "ledger")
    fleet.call("plan", "--check", "--side", "vault")

    fleet.write("clients/pay.yaml", PAY)
    fleet.call("render")
    assert fleet.tree() == tree


def test_client_that_comes_back_is_as_it_was_and_so_are_its_tokens(fleet: FleetFolder, token: hvac.Client) -> None:
    assert allowed(token, OWN) == set()
    applied = fleet.call("apply", *VAULT_ALONE)
    assert counts(applied.out) == {ROOTS["vault"]: ("changes", "1", "1", "0")}
    assert allowed(token, OWN) == allowed(token, SHARED) == READS
    fleet.call("sandbox", "login", "pay")


def test_renamed_client_has_the_same_objects_and_nothing_is_planned_but_moves(
    fleet: FleetFolder, token: hvac.Client
) -> None:
    before = everything(fleet)
    renamed = {**PAY, "name": "payments", "previously": "pay"}
    fleet.remove("clients/pay.yaml")
    fleet.write("clients/payments.yaml", renamed)
    refused = fleet.call("render", code=1)
    assert "add `vault: {policy: pay-policy}`" in refused.out
    fleet.write("clients/payments.yaml", {**renamed, "vault": {"policy": "pay-policy"}})
    fleet.call("render")
    applied = fleet.call("apply", "--yes")
    # Were anything pending from before, as what makes the client come back, it would count here.
    assert counts(applied.out) == dict.fromkeys(ROOTS.values(), ("changes", "0", "0", "0"))
    assert everything(fleet) == before
    assert allowed(token, OWN) == READS
    fleet.call("sandbox", "login", "payments")
    fleet.call("plan", "--check", "--side", "vault")

    del renamed["previously"]
    fleet.write("clients/payments.yaml", {**renamed, "vault": {"policy": "pay-policy"}})
    fleet.call("render")
    assert "moved" not in (fleet.folder / f"terraform/{ROOTS['vault']}/client-payments.tf").read_text("utf-8")
    fleet.call("plan", "--check")


def test_rename_without_the_policys_name_would_have_replaced_it(fleet: FleetFolder) -> None:
    """Why the rule asks for it: what Terraform plans when it is written as the new name."""
    moved = {**PAY, "name": "checkout", "previously": "payments", "vault": {"policy": "checkout-policy"}}
    kept = fleet.manifest("clients/payments.yaml")
    fleet.remove("clients/payments.yaml")
    fleet.write("clients/checkout.yaml", moved)
    fleet.call("render")
    assert counts(fleet.call("plan", "--side", "vault").out)[ROOTS["vault"]] == ("changes", "1", "1", "1")
    fleet.remove("clients/checkout.yaml")
    fleet.write("clients/payments.yaml", kept)
    fleet.call("render")


def test_retired_client_loses_its_access_before_its_iam_role_and_its_manifest_stays(
    fleet: FleetFolder, token: hvac.Client, broad: hvac.Client
) -> None:
    before, kept = everything(fleet), fleet.manifest("clients/payments.yaml")
    retire = {"approved_until": "2999-12-31", "reason": "moved to another platform"}
    fleet.write("clients/payments.yaml", {**kept, "retire": retire})
    fleet.call("render")
    done = fleet.call("apply", "--yes", "--client", "payments")
    assert counts(done.out) == dict.fromkeys(ROOTS.values(), ("changes", "0", "0", "2"))
    applied = [line.split()[1] for line in done.err.splitlines() if line.startswith("apply ")]
    assert applied == [ROOTS["vault"], ROOTS["aws"]]
    after = everything(fleet)
    assert before.keys() - after.keys() == {
        "auth/aws/role/pay-app",
        "sys/policies/acl/pay-policy",
        f"arn:aws:iam::{ACCOUNT}:role/pay-app",
        f"arn:aws:iam::{ACCOUNT}:instance-profile/pay-app",
    }
    assert after == {key: before[key] for key in after}

    assert allowed(token, OWN) == allowed(token, SHARED) == set()
    assert "it is retired" in fleet.call("sandbox", "login", "payments", code=4).err
    fleet.call("sandbox", "login", "ledger")
    # Its certificates are still there for those who may read them.
    assert "read" in allowed(broad, OWN)


def test_policy_of_the_retired_clients_name_would_open_to_its_tokens_what_it_allows(
    fleet: FleetFolder, token: hvac.Client
) -> None:
    stranger = {**LEDGER, "name": "stranger", "role_name": "stranger", "owner": "x@example.com"}
    fleet.write("clients/stranger.yaml", {**stranger, "vault": {"policy": "pay-policy"}})
    refused = fleet.call("check", "--format", "concise", code=1)
    assert "CK312" in refused.out
    assert "CK909" in refused.out
    fleet.remove("clients/stranger.yaml")
    theirs = f"certs/{ACCOUNT}/ledger-app"
    assert allowed(token, theirs) == set()
    root = connect(fleet.world().services)
    root.sys.create_or_update_policy("pay-policy", f'path "secret/data/{theirs}/*" {{ capabilities = ["read"] }}')
    assert allowed(token, theirs) == {"read"}
    root.sys.delete_policy("pay-policy")


def test_last_client_of_all_goes_only_by_the_digest_and_the_roots_of_its_account_stay(fleet: FleetFolder) -> None:
    retire = {"approved_until": "2999-12-31", "reason": "the account closes"}
    fleet.write("clients/ledger.yaml", {**LEDGER, "owner": "team@example.com", "retire": retire})
    fleet.call("render")
    refused = fleet.call("apply", "--yes", code=3)
    # Nothing is pending of the client that was retired before.
    assert counts(refused.out) == dict.fromkeys(ROOTS.values(), ("changes", "0", "0", "2"))
    assert "the last client of the fleet would go" in refused.err
    assert "auth/aws/role/ledger-app" in everything(fleet)
    fleet.call("apply", "--yes", "--destroy", digest_in(refused.err))
    assert not [key for key in everything(fleet) if "ledger" in key or "pay" in key]
    fleet.call("plan", "--check", "--side", "vault")
    assert {path for path in fleet.tree() if path.endswith(".tf")} == {
        f"terraform/{root}/root.tf" for root in ROOTS.values()
    }
