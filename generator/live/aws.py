"""Reading AWS accounts through boto3: observes, decides nothing, writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import create_loader

from generator.audit.declared import DEFAULT_SESSION
from generator.live.answers import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from generator.live.pace import Pace
    from generator.manifest.fleet import Account

SESSION = "crosskeys"
"""Name of the sessions of assumed roles, by which CloudTrail shows them."""

# "adaptive" slows down by itself when AWS throttles: botocore, retries.
_TRIES = Config(
    retries={"total_max_attempts": 8, "mode": "adaptive"}, connect_timeout=10, read_timeout=30, max_pool_connections=16
)
# What AWS's services can be asked takes 10 MB and a third of a second to read: all sessions read it once.
_MODELS = create_loader()
_ABSENT = frozenset({"NoSuchEntity", "NoSuchEntityException"})
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "InvalidClientTokenId"})


@dataclass(frozen=True, slots=True)
class LiveIamRole:
    """An IAM role as AWS has it.

    Args:
        unique_id: The id that AWS gave it, ``AROA…``; another one after it was made anew.
        path: With a slash at both ends.
        trust: The trust policy.
        permissions_boundary: ARN of the boundary; None for none.
        max_session_duration: Seconds.
        tags: All of them, the provider's default tags among them.
        inline: Its own policies, by name.
        attached: ARNs of the managed policies, sorted.
    """

    name: str
    arn: str
    unique_id: str
    path: str
    description: str
    trust: Mapping[str, Any]
    permissions_boundary: str | None
    max_session_duration: int
    tags: Mapping[str, str]
    inline: Mapping[str, Mapping[str, Any]]
    attached: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LiveInstanceProfile:
    """An instance profile as AWS has it.

    Args:
        path: With a slash at both ends.
        roles: Names of the roles in it; AWS allows one.
    """

    name: str
    arn: str
    path: str
    roles: tuple[str, ...]
    tags: Mapping[str, str]


class AwsAccount:
    """One live AWS account; may be asked by many threads at once.

    Args:
        account_id: The account that the session must be in.
        session: Credentials in that account.
        pace: Bounds the requests a second.
        endpoint: Base URL of a stand-in; None for AWS itself.
    """

    def __init__(
        self, account_id: str, session: boto3.session.Session, pace: Pace, endpoint: str | None = None
    ) -> None:
        self.account_id = account_id
        self._pace = pace
        self._session = session
        self._endpoint = endpoint
        self._iam: Any = session.client("iam", config=_TRIES, endpoint_url=endpoint)

    def caller(self) -> str | Unknown:
        """Return the ARN that AWS takes the session for."""
        sts = self._session.client("sts", config=_TRIES, endpoint_url=self._endpoint)
        found = self._asked("the caller's identity", sts.get_caller_identity)
        return found if isinstance(found, Unknown) else str((found or {}).get("Arn"))

    def role(self, name: str, *, policies: bool = True) -> LiveIamRole | Unknown | None:
        """Return a role, None where there is none.

        Args:
            name: Its name, without the path.
            policies: Whether its own and attached policies are read too; they are empty otherwise.
        """
        what = f"role/{name}"
        found = self._asked(what, lambda: self._iam.get_role(RoleName=name)["Role"])
        if found is None or isinstance(found, Unknown):
            return found
        inline = self._inline(name) if policies else {}
        attached = self._attached(name) if policies else ()
        if isinstance(inline, Unknown):
            return inline
        if isinstance(attached, Unknown):
            return attached
        return LiveIamRole(
            name=found["RoleName"],
            arn=found["Arn"],
            unique_id=found["RoleId"],
            path=found["Path"],
            description=found.get("Description", ""),
            trust=found["AssumeRolePolicyDocument"],
            permissions_boundary=found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
            max_session_duration=found.get("MaxSessionDuration", DEFAULT_SESSION),
            tags=_tags(found),
            inline=inline,
            attached=attached,
        )

    def instance_profile(self, name: str) -> LiveInstanceProfile | Unknown | None:
        """Return an instance profile, None where there is none."""
        found = self._asked(
            f"instance-profile/{name}",
            lambda: self._iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"],
        )
        if found is None or isinstance(found, Unknown):
            return found
        roles = tuple(role["RoleName"] for role in found["Roles"])
        return LiveInstanceProfile(found["InstanceProfileName"], found["Arn"], found["Path"], roles, _tags(found))

    def instance_profiles_of(self, role: str) -> tuple[LiveInstanceProfile, ...] | Unknown:
        """Return the instance profiles that have a role in them."""
        found = self._pages("list_instance_profiles_for_role", "InstanceProfiles", RoleName=role)
        if isinstance(found, Unknown):
            return found
        return tuple(
            LiveInstanceProfile(
                each["InstanceProfileName"],
                each["Arn"],
                each["Path"],
                tuple(role["RoleName"] for role in each["Roles"]),
                _tags(each),
            )
            for each in found
        )

    def _inline(self, role: str) -> dict[str, Mapping[str, Any]] | Unknown:
        names = self._pages("list_role_policies", "PolicyNames", RoleName=role)
        if isinstance(names, Unknown):
            return names
        documents: dict[str, Mapping[str, Any]] = {}
        for name in names:
            found = self._asked(
                f"role/{role}/{name}",
                lambda name=name: self._iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"],  # type: ignore[misc]  # mypy cannot infer a lambda with a default
            )
            if isinstance(found, Unknown):
                return found
            if found is not None:
                documents[name] = found
        return documents

    def _attached(self, role: str) -> tuple[str, ...] | Unknown:
        found = self._pages("list_attached_role_policies", "AttachedPolicies", RoleName=role)
        return found if isinstance(found, Unknown) else tuple(sorted(each["PolicyArn"] for each in found))

    def _pages(self, operation: str, key: str, **arguments: str) -> list[Any] | Unknown:
        pages = self._iam.get_paginator(operation)
        what = f"{operation} of {', '.join(arguments.values())}"
        found = self._asked(what, lambda: [item for page in pages.paginate(**arguments) for item in page[key]])
        # None: gone between two questions.
        return [] if found is None else found

    def _asked(self, what: str, ask: Callable[[], Any]) -> Any:
        self._pace.wait()
        try:
            return ask()
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in _ABSENT:
                return None
            return _unknown(what, self.account_id, error, code)
        except BotoCoreError as error:
            return _unknown(what, self.account_id, error, "")


def assumed(
    session: boto3.session.Session, account: Account, role_arn: str, endpoint: str | None = None
) -> boto3.session.Session | Unknown:
    """Return a session of a role in an account.

    Args:
        session: Who assumes it.
        account: The role's account, whose region the session has.
        role_arn: The role.
        endpoint: Base URL of a stand-in; None for AWS itself.
    """
    sts = session.client("sts", config=_TRIES, endpoint_url=endpoint, region_name=account.region)
    try:
        keys = sts.assume_role(RoleArn=role_arn, RoleSessionName=SESSION)["Credentials"]
    except ClientError as error:
        return _unknown(role_arn, account.id, error, error.response.get("Error", {}).get("Code", ""))
    except BotoCoreError as error:
        return _unknown(role_arn, account.id, error, "")
    return session_of(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], account.region)


def session_of(access_key_id: str, secret_access_key: str, token: str | None, region: str) -> boto3.session.Session:
    """Return a session with keys that are at hand; one of thousands costs little.

    Args:
        access_key_id: The keys' id.
        secret_access_key: Their secret.
        token: Of the session that they are; None for keys of a user.
        region: Where it is.
    """
    inner = botocore.session.Session()
    inner.register_component("data_loader", _MODELS)
    return boto3.session.Session(access_key_id, secret_access_key, token, region, inner)


def time_of(date: str | None) -> float | None:
    """Return what an answer's ``Date`` says, in seconds since 1970; None where it says none."""
    try:
        return parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return None


def _tags(found: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in found.get("Tags", ())}


def _unknown(what: str, account_id: str, error: Exception, code: str) -> Unknown:
    if code in _DENIED:
        advice = f"let the caller read it: iam:Get* and iam:List* on {what} in account {account_id}"
        return Unknown(f"{what} in account {account_id}", f"access denied: {error}", advice)
    advice = "check the AWS credentials, the region and the network, then run again"
    return Unknown(f"{what} in account {account_id}", f"AWS does not answer: {error}", advice)
