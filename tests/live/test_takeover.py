"""What would be taken over: judged from what plans create and what live systems answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from generator.audit.declared import (
    AuthBackendClient,
    AuthBackendIdentity,
    Declared,
    IamRole,
    Mount,
    Reference,
    VaultPolicy,
)
from generator.diagnostics import Span
from generator.errors import RefusedError, RemoteError
from generator.live.answers import Unknown
from generator.live.existing import in_vault
from generator.live.pace import Pace
from generator.live.systems import Systems
from generator.live.takeover import Found, There, look_up, require_none, would_create
from generator.live.vault import Vault
from generator.manifest.fleet import Fleet
from generator.manifest.settings import FleetSettings
from generator.render.layout import Root, RootKind
from generator.report.runs import ResourceChange
from generator.run.results import PlanOutcome, PlanResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from generator.live.existing import OfVault

AT = Span("terraform/x.tf", 1)
ROOT = Root("accounts/111111111111/vault", RootKind.VAULT, "111111111111", ("pay",), handover=False)
PLATFORM = Root("platform", RootKind.PLATFORM, None, (), handover=False)
NO_FLEET = Fleet(FleetSettings(), ())


def policy(label: str) -> VaultPolicy:
    return VaultPolicy(root=ROOT.name, span=AT, label=label, name=f"{label}-policy", rules=())


def declaring(*items: Any) -> Declared:
    return Declared({(item.root, item.address): item for item in items})


def answering(read: Callable[[str], Mapping[str, Any] | Unknown | None]) -> Systems:
    vault = mock.create_autospec(Vault, instance=True)
    vault.read.side_effect = read
    return Systems(lambda: vault, lambda _account: None, Pace(0))


def planned(*changes: ResourceChange) -> PlanResult:
    return PlanResult(ROOT, PlanOutcome.CHANGES, changes=changes)


def test_what_a_plan_creates_is_looked_up_and_nothing_else() -> None:
    items = [policy(action) for action in ("create", "import", "replace", "update", "delete", "move")]
    changes = [ResourceChange(item.address, item.label, was=item.name.title()) for item in items]
    data = ResourceChange("terraform_data.x", "create")
    wanted = would_create([planned(*changes, data)], declaring(*items))
    assert [one.item for one in wanted] == [items[0]]


@pytest.mark.parametrize(("imported", "looked_up"), [(False, True), (True, False)])
def test_what_gets_another_name_by_being_replaced_is_looked_up_under_that(*, imported: bool, looked_up: bool) -> None:
    declared = declaring(policy("pay"))
    change = ResourceChange("vault_policy.pay", "replace", imported, was="payments-policy")
    wanted = would_create([planned(change)], declared)
    found = look_up(wanted, declared, NO_FLEET, answering(lambda _path: {"policy": ""}))
    assert [(one.address, one.replaces) for one in found.there] == [("vault_policy.pay", True)] * looked_up
    if looked_up:
        with pytest.raises(RefusedError) as error:
            require_none(found, "live")
        assert (
            error.value.help
            == "remove it where nobody needs it, or give what is to be made another name in its manifest"
        )


def test_where_nothing_is_there_nothing_is_refused() -> None:
    wanted = would_create([planned(ResourceChange("vault_policy.pay", "create"))], declaring(policy("pay")))
    found = look_up(wanted, declaring(policy("pay")), NO_FLEET, answering(lambda _path: None))
    assert found == Found()
    require_none(found, "live")


def test_what_this_fleet_has_made_is_nobody_elses() -> None:
    there = Found((There(ROOT, "vault_policy.pay", "x"), There(ROOT, "vault_policy.b", "x")))
    assert there.but({(ROOT.name, "vault_policy.pay"), ("accounts/222222222222/vault", "vault_policy.b")}).there == (
        There(ROOT, "vault_policy.b", "x"),
    )


def test_after_twenty_that_cannot_be_read_no_more_are_asked() -> None:
    items = [policy(f"c{number}") for number in range(500)]
    declared = declaring(*items)
    asked: list[str] = []

    def read(path: str) -> Unknown:
        asked.append(path)
        return Unknown(path, "permission denied", "let the token read it")

    wanted = would_create([planned(*(ResourceChange(item.address, "create") for item in items))], declared)
    found = look_up(wanted, declared, NO_FLEET, answering(read))
    assert len(found.unknown) + found.unasked == 500
    assert len(asked) < 100
    with pytest.raises(RemoteError) as error:
        require_none(found, "live")
    assert "whether 500 objects that would be made are there cannot be told" in error.value.message
    assert f"and {found.unasked} more, which were not asked for after these" in error.value.message
    assert error.value.help == "let the token read it"


def test_every_object_is_named_with_its_client_and_the_command_that_adopts_it() -> None:
    found = Found(
        (There(PLATFORM, "vault_mount.kv", "x"), There(ROOT, "vault_policy.pay", "a\x1b policy")),
        (Unknown("sys/auth", "permission denied", "let the token read sys/auth"),),
    )
    with pytest.raises(RefusedError) as error:
        require_none(found, "live")
    assert error.value.message.splitlines() == [
        "nothing was applied: 2 objects that would be made are there already, and this fleet did not make:",
        "  -    -             platform vault_mount.kv                       x",
        "  pay  111111111111  accounts/111111111111/vault vault_policy.pay  a\\x1b policy",
        "whether 1 object that would be made is there cannot be told:",
        "  sys/auth: permission denied",
    ]
    help_ = error.value.help or ""
    assert "crosskeys import --target live --platform\n" in help_
    assert "crosskeys import --target live --client pay\n" in help_
    assert help_.endswith("let the token read sys/auth")


def test_of_many_clients_some_commands_are_shown() -> None:
    found = Found(tuple(There(ROOT, f"vault_policy.c{number}", "x") for number in range(30)))
    with pytest.raises(RefusedError) as error:
        require_none(found, "live")
    assert error.value.message.count("vault_policy.c") == 30
    assert (error.value.help or "").count("--client") == 10
    assert "and so for 20 more" in (error.value.help or "")


def test_an_account_that_nobody_here_may_look_into_is_unknown() -> None:
    root = Root("accounts/111111111111/aws", RootKind.AWS, "111111111111", ("pay",), handover=True)
    role = IamRole(root=root.name, span=AT, label="pay", name="pay", assume_role_policy=Reference("x", "json"))
    account = mock.Mock(id="111111111111")
    fleet = Fleet(FleetSettings(), (account,))
    systems = answering(lambda _path: None)
    plans = [PlanResult(root, PlanOutcome.CHANGES, changes=(ResourceChange(role.address, "create"),))]
    found = look_up(would_create(plans, declaring(role)), declaring(role), fleet, systems)
    assert [one.why for one in found.unknown] == ["it is handed over"]


CLIENT = AuthBackendClient(root="platform", span=AT, label="aws", backend="aws")
IDENTITY = AuthBackendIdentity(root="platform", span=AT, label="aws", backend="aws")
KV = Mount(root="platform", span=AT, label="kv", path="secret", type="kv")
UNTOUCHED_CLIENT = {
    "access_key": "",
    "allowed_sts_header_values": None,
    "endpoint": "",
    "max_retries": -1,
    "rotation_period": 0,
    "use_sts_region_from_client": False,
}
UNTOUCHED_IDENTITY = {
    "ec2_alias": "role_id",
    "ec2_metadata": ["auth_type", "account_id"],
    "iam_alias": "role_id",
    "iam_metadata": ["account_id", "auth_type"],
}


@pytest.mark.parametrize(
    ("item", "answer", "words"),
    [
        (CLIENT, UNTOUCHED_CLIENT, None),
        (CLIENT, {**UNTOUCHED_CLIENT, "access_key": "AKIASECRET", "max_retries": 3}, "sets access_key, max_retries"),
        (IDENTITY, UNTOUCHED_IDENTITY, None),
        (IDENTITY, {**UNTOUCHED_IDENTITY, "iam_alias": "full_arn"}, "sets iam_alias"),
        (KV, {"kv/": {"type": "kv"}, "secret/x/": {"type": "kv"}}, None),
        (KV, {"secret/": {"type": "transit"}}, "a secrets engine of type transit"),
        (policy("pay"), {"policy": 'path "a" { capabilities = ["read"] }\npath "b" { capabilities = ["read"] }'},
         "a policy for a and more"),
        (policy("pay"), {"policy": ""}, "a policy that allows nothing"),
        (policy("pay"), {"policy": 'path "{{identity.entity.id}}" {}'}, "a policy of 32 characters"),
    ],
)  # fmt: skip
def test_what_is_there_is_said_in_few_words_and_no_values(
    item: OfVault, answer: Mapping[str, Any], words: str | None
) -> None:
    vault = mock.Mock()
    vault.read.return_value = answer
    assert in_vault(item, declaring(item), vault) == words
