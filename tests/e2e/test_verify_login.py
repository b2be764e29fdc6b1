"""A login that goes wrong is explained by the line that causes it: each cause provoked on real servers.

The applied example fleet is left as it is: what is written to its Vault is put back.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import boto3
import pytest

from generator.live import vault as live_vault
from generator.live.login import Outcome, Step, Visit, code_of, log_in
from generator.manifest.client import Suspend
from generator.sandbox.login import session_of
from generator.sandbox.vault_contents import connect
from tests.e2e.fleets import client_of
from tests.run.proxy import Fault, between

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import hvac

    from generator.sandbox.world import World
    from tests.e2e.fleets import FleetFolder

pytestmark = pytest.mark.toolchain

ROLE = "auth/aws/role/payments-app"
MINE = "clients/payments.yaml"


@pytest.fixture(scope="module")
def root(world: World) -> hvac.Client:
    return connect(world.services)


@pytest.fixture
def visit(world: World) -> Visit:
    """The client payments, as its workload would log in."""
    client = client_of(world, "payments")
    return Visit(client, world.fleet, session_of(world, client), anonymous(world), world.services.aws_endpoint)


def anonymous(world: World) -> hvac.Client:
    return live_vault.client(world.services.vault_address, "", world.fleet.settings.vault.namespace, {})


def as_role(world: World, visit: Visit, arn: str, session: str = "workload") -> Visit:
    """Return the visit of somebody who has another role's credentials."""
    keys = world.accounts.assume(arn, session)
    other = boto3.session.Session(
        aws_access_key_id=keys.access_key_id,
        aws_secret_access_key=keys.secret_access_key,
        aws_session_token=keys.session_token,
        region_name=world.fleet.settings.aws.region,
    )
    return replace(visit, session=other)


def with_vault(visit: Visit, **settings: object) -> Visit:
    """Return the visit of somebody whose settings say otherwise of Vault."""
    of_vault = visit.fleet.settings.vault.model_copy(update=settings)
    return replace(
        visit, fleet=replace(visit.fleet, settings=visit.fleet.settings.model_copy(update={"vault": of_vault}))
    )


@contextmanager
def written(vault: hvac.Client, path: str, data: Mapping[str, object]) -> Iterator[None]:
    """While inside, these fields in Vault are others."""
    before = vault.read(path)["data"]
    vault.write_data(path, data=dict(data))
    try:
        yield
    finally:
        vault.write_data(path, data={key: before[key] or "" for key in data})


def wrong(visit: Visit, code: int) -> Step:
    """Return the one step that is not as it should be."""
    steps = list(log_in(visit))
    assert code_of(steps) == code, steps
    (found,) = [step for step in steps if step.outcome is not Outcome.OK]
    return found


def at(step: Step) -> str:
    return f"{step.span.path}:{step.span.line}" if step.span else ""


def line_of(fleet: FleetFolder, path: str, text: str) -> str:
    lines = (fleet.folder / path).read_text().splitlines()
    return f"{path}:{next(number for number, line in enumerate(lines, 1) if text in line)}"


def test_every_step_of_a_login_is_shown_and_no_secret(example: FleetFolder) -> None:
    shown = example.call("verify", "--login", "reports-us").out
    assert {line.split()[0] for line in shown.splitlines()[:-1]} == {"ok"}
    for part in (
        "AWS identity: arn:aws:sts::111111111111:assumed-role/reports/workload",
        "login: as reports-us, signed for us-east-1",
        "policies: default, reports-us-policy",
        "time to live: 3600 s",
        "own directory: certs/111111111111/reports/tls: read: certificate, private_key",
        "grant: shared/ca/: listed: tls",
        "not its own: ledger: certs/111111111111/ledger-app/: 403 permission denied",
        "not its own: reports-eu: certs/222222222222/reports/tls: 403 permission denied",
        "token: revoked",
        "reports-us: everything is as its manifest says",
    ):
        assert part in shown
    assert "BEGIN" not in shown
    assert "hvs." not in shown


def test_json_has_the_steps_and_the_exit_code(example: FleetFolder) -> None:
    said = json.loads(example.call("verify", "--login", "payments", "--format", "json").out)
    assert (said["client"], said["target"], said["exit_code"]) == ("payments", "sandbox", 0)
    assert {step["outcome"] for step in said["steps"]} == {"ok"}


def test_a_client_that_is_none_is_refused(example: FleetFolder) -> None:
    assert "there is no client nobody" in example.call("verify", "--login", "nobody", code=2).err


def test_the_token_is_revoked(world: World, visit: Visit) -> None:
    mine = anonymous(world)
    steps = list(log_in(replace(visit, vault=mine)))
    assert steps[-1] == Step("token", Outcome.OK, "revoked")
    assert mine.token
    assert not mine.is_authenticated()


def test_missing_role(example: FleetFolder, visit: Visit) -> None:
    step = wrong(replace(visit, client=replace(visit.client, vault_role="nobody")), 1)
    assert step.said.startswith("entry for role nobody not found")
    assert at(step) == line_of(example, MINE, "role_name")


def test_suspended_client_is_refused_as_it_shall_be(visit: Visit) -> None:
    suspended = replace(visit.client, vault_role="nobody", suspend=Suspend(reason="key leaked"))
    *_, last = log_in(replace(visit, client=suspended))
    assert (last.outcome, last.said) == (Outcome.OK, "refused, as it shall be: it is suspended: key leaked")


def test_suspended_client_that_can_log_in_is_no_longer_as_reviewed(visit: Visit) -> None:
    step = wrong(replace(visit, client=replace(visit.client, suspend=Suspend(reason="key leaked"))), 1)
    assert step.said.endswith("it shall not")


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("111111111111:role/ledger-app", ("role_name", "it runs as the IAM role ledger-app")),
        ("111111111111:role/Payments-App", ("role_name", "and Vault heeds the case of letters")),
        ("222222222222:role/payments-app", ("account_id", "it runs in account 222222222222")),
    ],
)
def test_another_principal(
    example: FleetFolder, world: World, visit: Visit, arn: str, expected: tuple[str, str]
) -> None:
    key, why = expected
    steps = log_in(as_role(world, visit, f"arn:aws:iam::{arn}"))
    identity, login = (step for step in steps if step.outcome is Outcome.FAILED)
    assert identity.name == "AWS identity"
    assert "does not belong to the role" in login.said
    assert why in login.said
    assert {at(identity), at(login)} == {line_of(example, MINE, key)}


def test_a_role_that_is_bound_to_somebody_else(root: hvac.Client, visit: Visit) -> None:
    with written(root, ROLE, {"bound_iam_principal_arn": "arn:aws:iam::111111111111:role/other"}):
        step = wrong(visit, 1)
    assert "is bound to another principal than the manifest says" in step.said
    assert "crosskeys verify --client payments" in step.help


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("other.example.com", "Vault expects the server id vault.example.com, and the settings say other.example.com"),
        (None, "Vault expects a server id, and the settings have none"),
    ],
)
def test_another_server_id(example: FleetFolder, visit: Visit, header: str | None, why: str) -> None:
    step = wrong(with_vault(visit, server_id_header=header), 1)
    assert why in step.said
    assert at(step) == line_of(example, "crosskeys.yaml", "server_id_header")


def test_an_address_that_is_not_among_the_bound_ones(root: hvac.Client, visit: Visit) -> None:
    bound = replace(visit, client=replace(visit.client, token_bound_cidrs=("10.20.0.0/16",)))
    with written(root, ROLE, {"token_bound_cidrs": "10.20.0.0/16"}):
        assert "its address, as Vault sees it, is not in 10.20.0.0/16" in wrong(bound, 1).said
        assert "the role has token_bound_cidrs that the manifest does not say" in wrong(visit, 1).said


def test_a_mount_that_is_not_there(example: FleetFolder, visit: Visit) -> None:
    step = wrong(with_vault(visit, auth_mount="aws-other"), 1)
    assert "there is no auth method at aws-other/" in step.said
    assert at(step) == line_of(example, "crosskeys.yaml", "vault:")


def test_a_client_bound_to_instances_that_is_on_none(example: FleetFolder, world: World, visit: Visit) -> None:
    scanner = replace(visit, client=client_of(world, "scanner"))
    arn, path = "arn:aws:iam::222222222222:role/scanner", "clients/scanner.yaml"
    step = wrong(as_role(world, scanner, arn), 1)
    assert "its session is named workload and not after an instance" in step.said
    assert at(step) == line_of(example, path, "ec2:")
    step = wrong(as_role(world, scanner, arn, "i-0123456789abcdef0"), 1)
    assert "Vault finds no running instance i-0123456789abcdef0 in eu-central-1" in step.said


SIGNATURE = "<Code>SignatureDoesNotMatch</Code><Message>{}</Message>"


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (SIGNATURE.format("Credential should be scoped to a valid region"), "it was signed for another region"),
        ("<Code>ExpiredToken</Code>", "the AWS credentials have expired"),
        (SIGNATURE.format("Signature expired: 20261124T000000Z is now earlier than"), "the clock is wrong"),
        ("<Code>AccessDenied</Code>", "STS does not accept what was signed"),
        (None, "what answers there is not STS"),
    ],
)
def test_what_sts_says_to_vault(root: hvac.Client, world: World, visit: Visit, fault: str | None, why: str) -> None:
    with between(world.services.aws_endpoint) as proxy:
        proxy.fault = Fault(403, fault.encode(), kind="text/xml") if fault else Fault(200, b"log in", kind="text/html")
        with written(root, "auth/aws/config/client", {"sts_endpoint": proxy.address}):
            step = wrong(visit, 4)
    assert step.outcome is Outcome.UNKNOWN
    assert why in step.said


def test_a_recreated_iam_role_that_vault_knows_by_its_unique_id(
    example: FleetFolder, root: hvac.Client, world: World, visit: Visit
) -> None:
    arn = "arn:aws:iam::222222222222:role/for-a-moment"
    iam = world.accounts.client("iam", world.accounts.owner_of("222222222222"))
    backup = client_of(world, "vault-backup")
    moment = replace(backup, vault_role="for-a-moment", role_name="for-a-moment")
    iam.create_role(RoleName="for-a-moment", AssumeRolePolicyDocument="{}")
    try:
        root.write_data("auth/aws/role/for-a-moment", data={"auth_type": "iam", "bound_iam_principal_arn": arn})
        iam.delete_role(RoleName="for-a-moment")
        iam.create_role(RoleName="for-a-moment", AssumeRolePolicyDocument="{}")
        step = wrong(as_role(world, replace(visit, client=moment), arn), 1)
    finally:
        iam.delete_role(RoleName="for-a-moment")
        root.delete("auth/aws/role/for-a-moment")
    assert "bound to the unique id that the IAM role had" in step.said
    assert at(step) == line_of(example, "clients/vault-backup.yaml", "resolve_unique_ids")


def test_a_token_with_more_than_its_own_policy_and_another_time_to_live(root: hvac.Client, visit: Visit) -> None:
    with written(root, ROLE, {"token_policies": ["payments-policy", "more"], "token_ttl": 60}):
        found = [step for step in log_in(visit) if step.outcome is Outcome.FAILED]
    assert [(step.name, step.said) for step in found] == [
        ("policies", "beyond its own: more"),
        ("time to live", "60 s, and the manifest says 3600 s"),
    ]


def test_a_policy_that_was_widened_and_one_that_was_narrowed(root: hvac.Client, visit: Visit) -> None:
    text = root.sys.read_policy("payments-policy")["data"]["rules"]
    beside = '\npath "secret/data/certs/111111111111/ledger-app/*" { capabilities = ["read"] }\n'
    narrowed = text.replace("secret/metadata/certs", "secret/metadata/other")
    try:
        root.sys.create_or_update_policy("payments-policy", text + beside)
        wide = wrong(visit, 1)
        root.sys.create_or_update_policy("payments-policy", narrowed)
        narrow = wrong(visit, 1)
    finally:
        root.sys.create_or_update_policy("payments-policy", text)
    assert wide.said == "certs/111111111111/ledger-app/tls: read: certificate, private_key"
    assert (narrow.name, narrow.said) == ("own directory", "certs/111111111111/payments-app/: 403 permission denied")


def test_servers_that_do_not_answer(visit: Visit) -> None:
    away = replace(visit, vault=live_vault.client("http://127.0.0.1:1", "", None, {}))
    assert "Vault does not answer at http://127.0.0.1:1" in wrong(away, 4).said
    assert "AWS does not say who this is" in wrong(replace(visit, endpoint="http://127.0.0.1:1"), 4).said


def test_the_fleet_is_left_as_it_was(example: FleetFolder) -> None:
    example.call("verify", "--side", "vault")
