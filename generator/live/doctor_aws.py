"""Whether AWS takes the credentials, and whether each managed account lets its provisioner role be assumed and read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from generator.live.answers import Unknown
from generator.live.aws import AwsAccount, time_of
from generator.live.doctor_machine import clock
from generator.live.pace import each
from generator.live.vault import WORKERS
from generator.report.checkup import Check, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.live.systems import Systems
    from generator.manifest.fleet import Account, Fleet

_AREA = "aws"
_SHOWN = 5
_TRIES = Config(retries={"total_max_attempts": 2}, connect_timeout=5, read_timeout=10)
_ROLE = "docs/bootstrap/provisioner-role.yaml of crosskeys makes the role, and says who may assume it"


def caller(region: str, environment: Mapping[str, str]) -> Iterator[Check]:
    """Look at who AWS takes this process for, and at its clock.

    Args:
        region: The fleet's region, where the environment names none.
        environment: The process environment.
    """
    try:
        session = boto3.session.Session()
        sts = session.client("sts", config=_TRIES, region_name=session.region_name or region)
        answer = sts.get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        advice = f"look at {'AWS_PROFILE' if environment.get('AWS_PROFILE') else 'AWS_ACCESS_KEY_ID and the network'}"
        yield Check(_AREA, "credentials", Status.UNKNOWN, f"AWS does not say who is calling: {error}", advice)
        return
    yield identity(answer["Arn"])
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    yield clock(_AREA, time_of(headers.get("date")), time.time())


def identity(arn: str) -> Check:
    """Judge who is calling."""
    if arn.endswith(":root"):
        advice = "use a role: nobody can limit what an account's root user does"
        return Check(_AREA, "credentials", Status.WARNING, f"the caller is {arn}, an account's root user", advice)
    return Check(_AREA, "credentials", Status.OK, f"the caller is {arn}")


def accounts(systems: Systems, fleet: Fleet) -> Iterator[Check]:
    """Assume the provisioner role of each managed account and read one role with it; say what came of it.

    Args:
        systems: The accounts to ask.
        fleet: The fleet.
    """
    managed = [account for account in fleet.accounts if account.provisioner_role]
    if not managed:
        yield Check(_AREA, "accounts", Status.OK, "no account is managed: none is looked into")
        return
    found = list(each(lambda account: _looked_into(systems, account), managed, WORKERS))
    yield from verdict(sorted(found, key=lambda pair: pair[0].id))
    handed_over = sum(not account.managed for account in fleet.accounts)
    if handed_over:
        said = f"{handed_over} handed over: applied by their owners, and not looked into from here"
        yield Check(_AREA, "handed over", Status.OK, said)


def verdict(found: Sequence[tuple[Account, Unknown | None]]) -> Iterator[Check]:
    """Judge what came of looking into accounts.

    Args:
        found: Each account with what could not be read in it, None where all could.
    """
    faults = [(account, unknown) for account, unknown in found if unknown]
    said = f"{len(found) - len(faults)} of {len(found)} managed accounts let their provisioner role be assumed and read"
    if not faults:
        yield Check(_AREA, "accounts", Status.OK, said)
        return
    worst = Status.FAILED if all(_is_denied(unknown) for _, unknown in faults) else Status.UNKNOWN
    yield Check(_AREA, "accounts", worst, said, "the lines below say which not")
    for account, unknown in faults[:_SHOWN]:
        status = Status.FAILED if _is_denied(unknown) else Status.UNKNOWN
        yield Check(_AREA, account.id, status, f"{account.provisioner_role}: {unknown.why}", _ROLE)
    if len(faults) > _SHOWN:
        yield Check(_AREA, "accounts", worst, f"and {len(faults) - _SHOWN} accounts more", _ROLE)


def _looked_into(systems: Systems, account: Account) -> Unknown | None:
    entered = systems.aws(account)
    if not isinstance(entered, AwsAccount):
        return entered
    caller_arn = entered.caller()
    if isinstance(caller_arn, Unknown):
        return caller_arn
    made = next((client for client in account.declared if client.workload), None)
    role = entered.role(made.role_name, policies=False) if made else None
    return role if isinstance(role, Unknown) else None


def _is_denied(found: Unknown) -> bool:
    return found.why.startswith("access denied")
