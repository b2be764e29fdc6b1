"""AWS accounts in the sandbox: sessions in each, and what must stand in them before the first apply."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from generator.errors import RemoteError
from generator.live.aws import session_of
from generator.sandbox.aws_server import ACCESS_KEY_ID, SECRET_ACCESS_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.manifest.fleet import Account, Client

INSTANCE_TAG = "crosskeys:client"
_OWNER_ROLE = "account-owner"
_TRIES = Config(retries={"total_max_attempts": 3}, connect_timeout=5, read_timeout=20)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Keys of one session in one account."""

    access_key_id: str
    secret_access_key: str
    session_token: str


class AwsAccounts:
    """The stand-in's accounts.

    Args:
        endpoint: Its base URL.
        partition: The fleet's partition.
        region: The region that signatures are made for.
    """

    def __init__(self, endpoint: str, partition: str, region: str) -> None:
        self.endpoint = endpoint
        self.partition = partition
        self.region = region

    def client(self, service: Any, credentials: Credentials | None = None, region: str | None = None) -> Any:
        """Return a boto3 client; without credentials it acts in Vault's own account."""
        session = session_of(
            credentials.access_key_id if credentials else ACCESS_KEY_ID,
            credentials.secret_access_key if credentials else SECRET_ACCESS_KEY,
            credentials.session_token if credentials else None,
            region or self.region,
        )
        return session.client(service, endpoint_url=self.endpoint, config=_TRIES)

    def assume(self, role_arn: str, session_name: str) -> Credentials:
        """Return credentials of a session of a role.

        Raises:
            RemoteError: When STS does not answer or refuses.
        """
        try:
            answer = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session_name)["Credentials"]
        except (BotoCoreError, ClientError) as error:
            raise RemoteError(f"{role_arn} could not be assumed: {error}", help=_BRING_UP) from error
        return Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])

    def owner_of(self, account_id: str) -> Credentials:
        """Return credentials of an account's own administrator."""
        return self.assume(f"arn:{self.partition}:iam::{account_id}:role/{_OWNER_ROLE}", "owner")

    def seed(self, accounts: Iterable[Account]) -> None:
        """Make what a fleet takes for granted in some of its accounts; what is there already stays.

        Made are the provisioner role of each managed account, each IAM role that a client says exists, and an EC2
        instance for each client with EC2 inference.

        Raises:
            RemoteError: When AWS does not answer or refuses.
        """
        try:
            for account in accounts:
                self._seed_account(account)
        except (BotoCoreError, ClientError) as error:
            raise RemoteError(f"the sandbox's AWS accounts could not be prepared: {error}", help=_BRING_UP) from error

    def instance_of(self, client: Client) -> str:
        """Return the id of the instance on which a client with EC2 inference runs.

        Raises:
            RemoteError: When there is none.
        """
        region = client.ec2.region if client.ec2 else self.region
        try:
            found = self._instances(self.client("ec2", self.owner_of(client.account_id), region), client.name)
        except (BotoCoreError, ClientError) as error:
            raise RemoteError(
                f"the instance of {client.name} could not be looked up: {error}", help=_BRING_UP
            ) from error
        if not found:
            raise RemoteError(f"there is no instance of {client.name} in {region}", help=_BRING_UP)
        return found[0]

    def _seed_account(self, account: Account) -> None:
        existing = [client for client in account.declared if client.workload is None]
        inferred = [client for client in account.declared if client.ec2]
        owner = self.owner_of(account.id)
        iam = self.client("iam", owner)
        if account.provisioner_role:
            self._make_role(iam, account.provisioner_role.partition(":role/")[2], {"AWS": "*"})
        for client in existing:
            path = client.source.model.aws.role_path.strip("/")
            self._make_role(iam, f"{path}/{client.role_name}".lstrip("/"), {"Service": list(client.trusted_services)})
        for client in inferred:
            ec2 = self.client("ec2", owner, client.ec2.region if client.ec2 else None)
            if not self._instances(ec2, client.name):
                self._run_instance(ec2, client.name)

    def _make_role(self, iam: Any, path_and_name: str, principal: dict[str, Any]) -> None:
        path, _, name = f"/{path_and_name}".rpartition("/")
        trust = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
        }
        try:
            iam.create_role(RoleName=name, Path=f"{path}/", AssumeRolePolicyDocument=json.dumps(trust))
        except iam.exceptions.EntityAlreadyExistsException:
            return

    def _run_instance(self, ec2: Any, client_name: str) -> None:
        image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        tags = [{"Key": INSTANCE_TAG, "Value": client_name}]
        ec2.run_instances(
            ImageId=image,
            MinCount=1,
            MaxCount=1,
            InstanceType="t3.micro",
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )

    def _instances(self, ec2: Any, client_name: str) -> list[str]:
        tagged = [{"Name": f"tag:{INSTANCE_TAG}", "Values": [client_name]}]
        found = ec2.describe_instances(Filters=[*tagged, {"Name": "instance-state-name", "Values": ["running"]}])
        return [each["InstanceId"] for group in found["Reservations"] for each in group["Instances"]]


_BRING_UP = "run `crosskeys sandbox down`, then `crosskeys sandbox up`"
