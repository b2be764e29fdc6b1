"""The live systems of a fleet as something to ask: its Vault, and each AWS account that somebody here may look into."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from generator.live import gate
from generator.live.pace import Pace
from generator.live.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import boto3

    from generator.live.answers import Unknown
    from generator.live.aws import AwsAccount
    from generator.manifest.fleet import Account
    from generator.manifest.settings import FleetSettings

RATE = 50
"""Requests a second that are sent to Vault, and as many to AWS, unless somebody says otherwise: what the smallest tier
of HCP Vault answers, less something for its clients."""

_VAR = "TF_VAR_"
_REMEMBERED = 64  # accounts: each has half a megabyte, and a fleet has thousands


class Systems:
    """Vault and the AWS accounts; may be asked by many threads at once.

    Args:
        vault: Makes the fleet's Vault when it is first asked: a run of the AWS side may have no token.
        session: Makes a session in an account; None for an account that nobody here may look into.
        pace: Bounds the requests a second to AWS.
        endpoint: Base URL of a stand-in for AWS; None for AWS itself.
        variables: Values of the platform's Terraform variables, by name, where they have others than their defaults.
    """

    def __init__(
        self,
        vault: Callable[[], Vault],
        session: Callable[[Account], boto3.session.Session | Unknown | None],
        pace: Pace,
        endpoint: str | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self._vault_of = vault
        self._vault: Vault | None = None
        self._session = session
        self._pace = pace
        self._endpoint = endpoint
        self.variables = variables or {}
        self._accounts: dict[str, AwsAccount | Unknown | None] = {}
        # boto3 makes sessions and clients in one thread at a time; a second Vault would have a pace of its own.
        self._lock = threading.Lock()

    @property
    def vault(self) -> Vault:
        """The fleet's Vault.

        Raises:
            UsageError: When the environment names no Vault or no token.
        """
        with self._lock:
            if self._vault is None:
                self._vault = self._vault_of()
            return self._vault

    def aws(self, account: Account) -> AwsAccount | Unknown | None:
        """Return an account to ask, None where it is handed over and nobody here has credentials."""
        import boto3  # noqa: PLC0415 - 0.2 s, and many runs ask Vault alone

        from generator.live.aws import AwsAccount  # noqa: PLC0415

        with self._lock:
            if account.id not in self._accounts:
                session = self._session(account)
                self._accounts[account.id] = (
                    AwsAccount(account.id, session, self._pace, self._endpoint)
                    if isinstance(session, boto3.session.Session)
                    else session
                )
                # Whoever still asks an account that is forgotten here keeps it.
                if len(self._accounts) > _REMEMBERED:
                    del self._accounts[next(iter(self._accounts))]
            return self._accounts[account.id]


def live(settings: FleetSettings, environment: Mapping[str, str], rate: float = RATE) -> Systems:
    """Return the live systems that the environment names, after checking that they are the fleet's.

    A managed account is looked into by its provisioner role, as Terraform does it, and any other not at all.

    Args:
        settings: The fleet's.
        environment: The process environment: VAULT_* and AWS_*.
        rate: Requests a second at most, to each of the two.

    Raises:
        UsageError: When the environment names no Vault.
        RefusedError: When it names another world than the fleet's.
        RemoteError: When Vault does not answer.
    """
    gate.require_systems(settings, environment)
    return named(settings, environment, rate)


def named(settings: FleetSettings, environment: Mapping[str, str], rate: float = RATE) -> Systems:
    """Return the live systems that the environment names, be they the fleet's or not: as ``live``, but unchecked."""

    def session(account: Account) -> boto3.session.Session | Unknown | None:
        # Read when it is first needed: a run of Vault's side has no AWS credentials.
        import boto3  # noqa: PLC0415 - as above

        from generator.live.aws import assumed  # noqa: PLC0415

        return assumed(boto3.session.Session(), account, account.provisioner_role) if account.provisioner_role else None

    # What Terraform would have of the environment too.
    variables = {name.removeprefix(_VAR): value for name, value in environment.items() if name.startswith(_VAR)}
    namespace = settings.vault.namespace
    return Systems(lambda: Vault(environment, namespace, Pace(rate)), session, Pace(rate), variables=variables)
