"""Reading a live Vault through hvac: observes, decides nothing, writes nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import hvac
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from generator.errors import UsageError
from generator.live.answers import Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.live.pace import Pace

WORKERS = 16
"""Questions that are asked at the same time."""
_ENOUGH = WORKERS  # answers that failed to come one after the other, until it is not asked any more

_TIMEOUT = 30  # seconds
# 412: a secondary has not caught up yet; 429: the quota is used up. Vault's own client tries these again too:
# github.com/hashicorp/vault/api, DefaultRetryPolicy and WithReadYourWrites.
_PASSING = (412, 429, 500, 502, 503, 504)
_OF_VAULT = frozenset({"errors", "request_id"})  # one of these is in each of its answers
_TRIES = 8
_FIRST_DELAY = 0.25  # seconds, doubled each time up to the next
_LONGEST_DELAY = 15
_TOKEN_FILE = ".vault-token"  # noqa: S105 - a file's name


class Vault:
    """A live Vault, or one of its namespaces; may be asked by many threads at once.

    One that does not answer for a while is not asked any more: each question waits for its time-outs.

    Args:
        environment: Says where it is and with whose token, by the variables that Vault's own tools read.
        namespace: The namespace, without slashes at the ends; Community Edition takes no notice of it.
        pace: Bounds the requests a second.

    Raises:
        UsageError: When the environment names no Vault or no token.
    """

    def __init__(self, environment: Mapping[str, str], namespace: str | None, pace: Pace) -> None:
        self.address = environment.get("VAULT_ADDR", "").rstrip("/")
        if not self.address:
            raise UsageError("VAULT_ADDR is not set", help="set it and VAULT_TOKEN to the live Vault's")
        self.namespace = namespace
        self.asked = 0
        """How many questions were asked."""
        self._silent = 0
        self._pace = pace
        self._client = client(self.address, _token(environment), namespace, environment)

    def read(self, path: str) -> Mapping[str, Any] | Unknown | None:
        """Return the data at a path, None where there is nothing.

        Args:
            path: Below ``/v1/``, unquoted: ``auth/aws/role/payments``.
        """
        return self._asked(path, listing=False)

    def list(self, path: str) -> tuple[str, ...] | Unknown | None:
        """Return the keys below a path in Vault's order, None where there are none."""
        found = self._asked(path, listing=True)
        if found is None or isinstance(found, Unknown):
            return found
        return tuple(found.get("keys") or ())

    def health(self) -> Mapping[str, Any] | Unknown:
        """Return what ``sys/health`` says: version, cluster id, sealed, server time; asks without a token."""
        self._pace.wait()
        return health(self._client.session, self.address)

    def capabilities(self, paths: tuple[str, ...]) -> Mapping[str, tuple[str, ...]] | Unknown:
        """Return what the token may do at each path, as Vault itself decides it."""
        self._pace.wait()
        try:
            found = self._client.adapter.post("/v1/sys/capabilities-self", json={"paths": list(paths)})["data"]
        except hvac.exceptions.VaultError as error:
            return _refused("sys/capabilities-self", error)
        except (requests.RequestException, ValueError, KeyError, TypeError) as error:
            return _unreachable("sys/capabilities-self", self.address, error)
        return {path: tuple(found.get(path, ())) for path in paths}

    def _asked(self, path: str, *, listing: bool) -> Mapping[str, Any] | Unknown | None:
        if self._silent >= _ENOUGH:
            return _unreachable(path, self.address, f"it did not answer {_ENOUGH} times, so it was not asked again")
        self._pace.wait()
        # Two threads may count one question for two, or two for one: it is a number to show, not to judge by.
        self.asked += 1
        try:
            # hvac's own read and list take every 404 for Vault's, a gateway's too.
            answer = self._client.adapter.get(
                f"/v1/{quote(path, safe='/')}", params={"list": True} if listing else None
            )
        except hvac.exceptions.InvalidPath as error:
            self._silent = 0
            says = error.json if isinstance(error.json, dict) else {}
            return None if says.keys() & _OF_VAULT else _unreachable(path, self.address, "no answer of Vault's")
        except (hvac.exceptions.VaultDown, hvac.exceptions.BadGateway) as error:
            self._silent += 1
            return _refused(path, error)
        except hvac.exceptions.VaultError as error:
            self._silent = 0
            return _refused(path, error, "list" if listing else "read")
        # hvac trips over errors in JSON that is not as Vault's.
        except (requests.RequestException, ValueError, TypeError, AttributeError) as error:
            self._silent += 1
            return _unreachable(path, self.address, error)
        self._silent = 0
        data = answer.get("data") if isinstance(answer, dict) else None
        # A proxy or a login page answers 200 too.
        return data if isinstance(data, dict) else _unreachable(path, self.address, "no answer of Vault's")


def client(address: str, token: str, namespace: str | None, environment: Mapping[str, str]) -> hvac.Client:
    """Return a client of Vault's API.

    Args:
        address: Vault's address.
        token: Its token; empty for none, where otherwise one of the environment's would be taken.
        namespace: The namespace, without slashes at the ends.
        environment: Says whom to trust, by the variables that Vault's own tools read.
    """
    session = http_session(environment)
    made = hvac.Client(url=address, token=token, namespace=namespace, session=session)
    # hvac ignores its arguments beside a session, and requests a session's `verify` beside REQUESTS_CA_BUNDLE.
    made.adapter._kwargs |= {"timeout": _TIMEOUT, "verify": session.verify}  # noqa: SLF001 - as above
    return made


def health(http: requests.Session, address: str) -> Mapping[str, Any] | Unknown:
    """Return what ``sys/health`` says of the Vault at an address, be it standby or sealed; it takes no token."""
    # It answers these while it is sealed, standby or secondary: the body names the cluster all the same.
    asked = "sys/health?standbyok=true&perfstandbyok=true&sealedcode=200&uninitcode=200&drsecondarycode=200"
    try:
        found = http.get(f"{address}/v1/{asked}", timeout=_TIMEOUT, verify=http.verify).json()
    except (requests.RequestException, ValueError) as error:
        return _unreachable("sys/health", address, error)
    is_report = isinstance(found, dict) and found.keys() & {"cluster_id", "version"}
    return found if is_report else _unreachable("sys/health", address, "no health report")


def _token(environment: Mapping[str, str]) -> str:
    # As the Vault provider has it: the variable, then what `vault login` has left.
    if token := environment.get("VAULT_TOKEN"):
        return token
    try:
        return (Path(environment.get("HOME", os.devnull)) / _TOKEN_FILE).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError("VAULT_TOKEN is not set", help="set it, or log in with `vault login`") from error


def http_session(environment: Mapping[str, str]) -> requests.Session:
    """Return a session that trusts and shows what the variables of Vault's own tools say, and tries reads again."""
    session = requests.Session()
    again = Retry(
        total=_TRIES,
        status_forcelist=_PASSING,
        allowed_methods=("GET", "LIST"),
        backoff_factor=_FIRST_DELAY,
        backoff_max=_LONGEST_DELAY,
        backoff_jitter=_FIRST_DELAY,
        raise_on_status=False,
        # A machine that is not there is not waited for as one that is busy.
        connect=2,
        read=3,
        # A certificate that is not trusted will not be a moment later.
        other=0,
    )
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_connections=1, pool_maxsize=WORKERS, max_retries=again))
    session.verify = environment.get("VAULT_CACERT") or environment.get("VAULT_CAPATH") or True
    if environment.get("VAULT_SKIP_VERIFY", "").lower() in {"1", "t", "true"}:
        session.verify = False
    certificate, key = environment.get("VAULT_CLIENT_CERT"), environment.get("VAULT_CLIENT_KEY")
    if certificate and key:
        session.cert = (certificate, key)
    return session


def _refused(path: str, error: hvac.exceptions.VaultError, need: str = "read") -> Unknown:
    said = ", ".join(error.errors) if error.errors else type(error).__name__
    match error:
        case hvac.exceptions.Forbidden() | hvac.exceptions.Unauthorized():
            return Unknown(path, "permission denied", f"let the token {need} {path}, and see that it has not expired")
        case hvac.exceptions.RateLimitExceeded():
            return Unknown(path, "Vault's rate limit quota is used up", "run again with a smaller --rate")
        case hvac.exceptions.VaultDown() | hvac.exceptions.BadGateway():
            return Unknown(path, f"Vault is sealed or down: {said}", "run again when `vault status` is well")
        case _:
            return Unknown(path, f"Vault refused: {said}", "look at Vault's own log")


def _unreachable(path: str, address: str, error: Exception | str) -> Unknown:
    return Unknown(path, f"Vault does not answer at {address}: {error}", "check the address and the network")
