"""Whether a live run would meet the Vault that the fleet names, and nothing else."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from generator.errors import CrosskeysError, RefusedError, RemoteError, UsageError
from generator.live.answers import Unknown
from generator.live.vault import health, http_session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from generator.manifest.settings import FleetSettings


def require(settings: FleetSettings, environment: Mapping[str, str]) -> None:
    """Check that a live run may begin; the last check asks Vault which cluster it is.

    Args:
        settings: The fleet's.
        environment: The process environment that the run would use.

    Raises:
        UsageError: When the environment names no Vault.
        RefusedError: When it names another world than the fleet's.
        RemoteError: When Vault does not answer.
    """
    require_for_state(environment)
    _state_is_shared(settings)
    require_systems(settings, environment)


def require_systems(settings: FleetSettings, environment: Mapping[str, str]) -> None:
    """Check that the Vault and the AWS which would be asked are the fleet's; state takes no part.

    Args:
        settings: The fleet's.
        environment: The process environment that would be used.

    Raises:
        UsageError: When the environment names no Vault.
        RefusedError: When it names another world than the fleet's.
        RemoteError: When Vault does not answer.
    """
    _no_stand_in(environment)
    _expected_address(settings, environment)
    _expected_namespace(settings, environment)
    _expected_cluster(settings, environment)


def require_for_state(environment: Mapping[str, str]) -> None:
    """Check that the states that a run would reach are the fleet's; nothing is asked of the network.

    Args:
        environment: The process environment that the run would use.

    Raises:
        RefusedError: When they would be others.
    """
    _no_stand_in(environment)
    _one_workspace(environment)


def complaints(settings: FleetSettings, environment: Mapping[str, str]) -> dict[str, CrosskeysError]:
    """Return every reason for which a live run may not begin, but for what only Vault itself can say.

    Args:
        settings: The fleet's.
        environment: The process environment that the run would use.

    Returns:
        The reasons by the variable or setting that each is about.
    """
    checks: dict[str, Callable[[], None]] = {
        "AWS_ENDPOINT_URL": lambda: _no_stand_in(environment),
        "TF_WORKSPACE": lambda: _one_workspace(environment),
        "terraform.backend": lambda: _state_is_shared(settings),
        "VAULT_ADDR": lambda: _expected_address(settings, environment),
        "VAULT_NAMESPACE": lambda: _expected_namespace(settings, environment),
    }
    found: dict[str, CrosskeysError] = {}
    for subject, check in checks.items():
        try:
            check()
        except CrosskeysError as error:
            found[subject] = error
    return found


def _no_stand_in(environment: Mapping[str, str]) -> None:
    redirected = sorted(name for name in environment if name.startswith("AWS_ENDPOINT_URL"))
    if redirected:
        raise RefusedError(
            f"{', '.join(redirected)} sends AWS requests elsewhere than to AWS",
            help=f"unset {' '.join(redirected)}, or run against the sandbox",
        )


def _one_workspace(environment: Mapping[str, str]) -> None:
    if chosen := environment.get("TF_WORKSPACE"):
        raise RefusedError(
            f"TF_WORKSPACE is {chosen}, and would let each root have another state than its own",
            help="unset TF_WORKSPACE: the backend's settings alone say where a root's state is",
        )


def _state_is_shared(settings: FleetSettings) -> None:
    if settings.terraform.backend.type == "local" and not settings.live.local_state:
        raise RefusedError(
            "state is kept in local files, and another machine would not find it",
            help="set terraform.backend in crosskeys.yaml, or say that this is meant with live.local_state: true",
        )


def _expected_address(settings: FleetSettings, environment: Mapping[str, str]) -> None:
    address = environment.get("VAULT_ADDR")
    if not address:
        raise UsageError("VAULT_ADDR is not set", help="set it and VAULT_TOKEN to the live Vault's")
    expected = settings.live.vault_address
    if expected is None:
        raise RefusedError(
            "the fleet does not say which Vault is its own", help="set live.vault_address in crosskeys.yaml"
        )
    if _is_loopback(urlsplit(address).hostname or ""):
        raise RefusedError(f"VAULT_ADDR is on this machine: {address}", help=f"set VAULT_ADDR={expected}")
    if address.rstrip("/") != expected.rstrip("/"):
        raise RefusedError(
            f"VAULT_ADDR is {address}, and the fleet's Vault is {expected}", help=f"set VAULT_ADDR={expected}"
        )


def _expected_namespace(settings: FleetSettings, environment: Mapping[str, str]) -> None:
    namespace = environment.get("VAULT_NAMESPACE", "").strip("/")
    if namespace and namespace != settings.vault.namespace:
        raise RefusedError(
            f"VAULT_NAMESPACE is {namespace}, and the fleet's namespace is {settings.vault.namespace}",
            help="unset VAULT_NAMESPACE: the rendered providers name the namespace",
        )


def _expected_cluster(settings: FleetSettings, environment: Mapping[str, str]) -> None:
    address = environment["VAULT_ADDR"].rstrip("/")
    found = health(http_session(environment), address)
    if isinstance(found, Unknown):
        raise RemoteError(found.why, help=f"{found.help}; VAULT_CACERT names an authority of your own")
    cluster = found.get("cluster_id")
    expected = settings.live.cluster_id
    if expected is not None and cluster != expected:
        raise RefusedError(
            f"the Vault at {address} is the cluster {cluster}, and the fleet's is {expected}",
            help="check live.cluster_id in crosskeys.yaml against `vault status`",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback or ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
