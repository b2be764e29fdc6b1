"""A client's login, step by step, as its workload makes it: who it is to AWS, whether Vault takes it, what it opens.

Needs no token of Vault's but the one that the login gives, which is revoked at the end.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import hvac
import requests
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from generator.errors import ExitCode, UsageError, worst
from generator.live import doors
from generator.live.answers import Unknown
from generator.live.aws import time_of
from generator.live.login_causes import explain_login, principal
from generator.live.sign_in import endpoint_of, sign_in
from generator.live.vault import health

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    import boto3

    from generator.diagnostics import Span
    from generator.live.doors import Attempt
    from generator.manifest.fleet import Client, Fleet

_SKEW = 300  # seconds that a signature may be off: AWS, Signature Version 4, troubleshooting
_TRIES = Config(retries={"total_max_attempts": 3}, connect_timeout=5, read_timeout=20)
_PROBE = "tls"
"""A secret to ask for where none is known; whether it is there does not matter."""
_SECRETS = 3  # that are read in a directory
_NOT_GRANTED = 3  # shared paths that are tried
_NAMED = 20  # clients, where another was meant
_FAULTS = (hvac.exceptions.VaultError, requests.RequestException)


class Outcome(StrEnum):
    """How a step went: as the manifest says, otherwise, or nobody knows."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a login.

    Args:
        name: What was looked at.
        outcome: How it went.
        said: What was found, without any secret.
        help: What to do about it.
        span: The line of a manifest or of the settings that it comes from.
    """

    name: str
    outcome: Outcome
    said: str
    help: str = ""
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """Who logs in, and where.

    Args:
        client: The client.
        fleet: The client's.
        session: The AWS credentials that it has, or why it has none.
        vault: A client of Vault's without a token, or why there is none.
        endpoint: Base URL of a stand-in for AWS; None for AWS itself.
    """

    client: Client
    fleet: Fleet
    session: boto3.session.Session | Unknown
    vault: hvac.Client | Unknown = field(repr=False)
    endpoint: str | None = None


def client_named(fleet: Fleet, name: str) -> Client:
    """Return a client of the fleet.

    Raises:
        UsageError: When there is none of that name.
    """
    for client in fleet.clients:
        if client.name == name:
            return client
    known = ", ".join(sorted(client.name for client in fleet.clients)[:_NAMED])
    raise UsageError(f"there is no client {name}", help=f"the fleet's clients are: {known}")


def log_in(visit: Visit) -> Iterator[Step]:
    """Yield the steps of a login as they are done, up to the first that leaves nothing to go on with."""
    caller = yield from _identity(visit)
    if caller is None or isinstance(visit.session, Unknown):
        return
    vault = yield from _vault(visit.vault)
    if vault is None:
        return
    client, settings = visit.client, visit.fleet.settings
    try:
        auth = sign_in(vault, visit.session, settings, client.vault_role, settings.vault.server_id_header)
    except (*_FAULTS, BotoCoreError) as error:
        yield _refused(visit, caller, error)
        return
    try:
        yield _let_in(client, endpoint_of(visit.session, settings)[1])
        yield from _token(client, auth)
        yield from _opened(vault, client, visit.fleet)
    except _FAULTS as error:
        yield Step("paths", Outcome.UNKNOWN, f"Vault does not answer: {_words(error)}", "run this again")
    finally:
        revoked = _revoked(vault)
    yield revoked


def code_of(steps: Iterable[Step]) -> ExitCode:
    """Return the exit code that steps make."""
    codes = {Outcome.OK: ExitCode.CLEAN, Outcome.FAILED: ExitCode.FINDINGS, Outcome.UNKNOWN: ExitCode.REMOTE}
    return worst(codes[step.outcome] for step in steps)


def _identity(visit: Visit) -> Generator[Step, None, str | None]:
    """Say who AWS takes the caller for, and how far the clock is off; return the ARN."""
    if isinstance(visit.session, Unknown):
        yield Step("AWS identity", Outcome.UNKNOWN, f"{visit.session.what}: {visit.session.why}", visit.session.help)
        return None
    region = visit.session.region_name or visit.fleet.settings.aws.region
    try:
        sts: Any = visit.session.client("sts", config=_TRIES, endpoint_url=visit.endpoint, region_name=region)
        answer = sts.get_caller_identity()
    except (ClientError, BotoCoreError) as error:
        yield Step("AWS identity", Outcome.UNKNOWN, f"AWS does not say who this is: {error}", _NO_IDENTITY)
        return None
    arn = str(answer["Arn"])
    yield _is_the_clients(visit.client, arn)
    theirs = time_of(answer["ResponseMetadata"]["HTTPHeaders"].get("date"))
    yield clock(None if theirs is None else time.time() - theirs)
    return arn


_NO_IDENTITY = (
    "run this on the client's instance, whose credentials it finds by itself; elsewhere with --assume and credentials "
    "that may assume the client's IAM role"
)


def clock(seconds: float | None) -> Step:
    """Return what it means that this machine's clock is so many seconds ahead of AWS's; None is not known."""
    if seconds is None:
        return Step("clock", Outcome.UNKNOWN, "AWS does not say what time it is", "compare the clocks")
    if abs(seconds) <= _SKEW:
        return Step("clock", Outcome.OK, f"within {abs(seconds):.0f} s of AWS's")
    way = "ahead of" if seconds > 0 else "behind"
    said = f"{abs(seconds):.0f} s {way} AWS's, which takes no signature that is more than {_SKEW} s off"
    return Step("clock", Outcome.FAILED, said, "set the clock, by NTP")


def _is_the_clients(client: Client, arn: str) -> Step:
    account, kind, name = principal(arn)
    source = client.source
    if account != client.account_id:
        said = f"{arn}, and the manifest says account {client.account_id}"
        return Step("AWS identity", Outcome.FAILED, said, "log in from that account", source.key_span("account_id"))
    if (kind, name) != ("assumed-role", client.role_name):
        said = f"{arn} is no session of the role {client.role_name}"
        helping = "use the credentials of the manifest's role, or give --assume"
        return Step("AWS identity", Outcome.FAILED, said, helping, source.key_span("role_name"))
    return Step("AWS identity", Outcome.OK, arn)


def _vault(vault: hvac.Client | Unknown) -> Generator[Step, None, hvac.Client | None]:
    """Say how Vault is; return the client if it can be logged in to."""
    if isinstance(vault, Unknown):
        yield Step("Vault", Outcome.UNKNOWN, vault.why, vault.help)
        return None
    found = health(vault.session, vault.url)
    if isinstance(found, Unknown):
        yield Step("Vault", Outcome.UNKNOWN, found.why, f"{found.help}, VAULT_ADDR and VAULT_CACERT")
        return None
    if found.get("sealed"):
        yield Step("Vault", Outcome.UNKNOWN, f"{vault.url} is sealed", "try again when `vault status` is well")
        return None
    yield Step("Vault", Outcome.OK, f"{vault.url}, version {found.get('version')}")
    return vault


def _refused(visit: Visit, caller: str, error: Exception) -> Step:
    said = _words(error)
    if not isinstance(error, hvac.exceptions.VaultError):
        return Step("login", Outcome.UNKNOWN, f"no answer: {said}", "run this again")
    cause = explain_login(said, visit.client, visit.fleet, caller)
    if cause.wanted:
        return Step("login", Outcome.OK, f"refused, as it shall be: {cause.why}", cause.help, cause.span)
    outcome = Outcome.FAILED if cause.reached else Outcome.UNKNOWN
    return Step("login", outcome, f"{said}\n{cause.why}", cause.help, cause.span)


def _let_in(client: Client, region: str) -> Step:
    said = f"as {client.vault_role}, signed for {region}"
    for key, reason in (("retire", client.retire), ("suspend", client.suspend)):
        if reason is not None:
            helping = f"apply: crosskeys apply --client {client.name}"
            return Step("login", Outcome.FAILED, f"{said}; it shall not", helping, client.source.key_span(key))
    return Step("login", Outcome.OK, said)


def _token(client: Client, auth: dict[str, Any]) -> Iterator[Step]:
    wanted, found = {"default", client.vault_policy.lower()}, set(auth["policies"])
    more, less = sorted(found - wanted), sorted(wanted - found)
    helping = f"crosskeys verify --client {client.name} shows what differs; identity groups give policies too"
    if more or less:
        said = "; ".join(
            f"{word} {', '.join(names)}" for word, names in (("beyond its own:", more), ("missing:", less)) if names
        )
        yield Step("policies", Outcome.FAILED, said, helping, client.source.key_span("vault", "policy"))
    else:
        yield Step("policies", Outcome.OK, ", ".join(sorted(found)))
    lives, ttl = auth["lease_duration"], client.token_ttl
    wanted_ttl = min(ttl, client.token_max_ttl or ttl) if ttl else lives
    if lives != wanted_ttl:
        span = client.source.key_span("vault", "token_ttl")
        yield Step("time to live", Outcome.FAILED, f"{lives} s, and the manifest says {wanted_ttl} s", helping, span)
    else:
        yield Step("time to live", Outcome.OK, f"{lives} s")


def _opened(vault: hvac.Client, client: Client, fleet: Fleet) -> Iterator[Step]:
    """Try the client's own directory, what is granted to it, and some of what is not."""
    mount = fleet.settings.vault.kv_mount
    for whose, directory in (("own directory", client.directory), *(("grant", each.path) for each in client.grants)):
        attempt, secrets = doors.listed(vault, mount, client.name, directory, wanted=True)
        yield _tried(whose, attempt, client)
        for secret in secrets[:_SECRETS] or (_PROBE,):
            yield _tried(whose, doors.read(vault, mount, client.name, f"{directory}/{secret}", wanted=True), client)
    for whose, directory in _closed(client, fleet):
        attempt, _ = doors.listed(vault, mount, whose, directory, wanted=False)
        yield _tried(whose, attempt, client)
        yield _tried(whose, doors.read(vault, mount, whose, f"{directory}/{_PROBE}", wanted=False), client)


def _closed(client: Client, fleet: Fleet) -> Iterator[tuple[str, str]]:
    """Yield some directories that are not the client's: a neighbour's in its account, one in another, shared ones."""
    others = [other for other in fleet.clients if other.name != client.name]
    near = next((other for other in others if other.account_id == client.account_id), None)
    far = next((other for other in others if other.account_id != client.account_id), None)
    yield from ((f"not its own: {other.name}", other.directory) for other in (near, far) if other)
    granted = {grant.path for grant in client.grants}
    shared = [each.path for each in fleet.settings.shared_paths if each.path not in granted]
    yield from (("not granted", path) for path in shared[:_NOT_GRANTED])


def _tried(whose: str, attempt: Attempt, client: Client) -> Step:
    said = f"{attempt.path}: {attempt.answer}"
    if attempt.is_right:
        return Step(whose, Outcome.OK, said)
    helping = f"crosskeys verify --client {client.name} shows which policy differs; crosskeys access what is reviewed"
    return Step(whose, Outcome.FAILED, said, helping)


def _revoked(vault: hvac.Client) -> Step:
    try:
        vault.auth.token.revoke_self()
    except _FAULTS as error:
        return Step("token", Outcome.OK, f"not revoked, it ends by itself: {_words(error)}")
    return Step("token", Outcome.OK, "revoked")


def _words(error: Exception) -> str:
    said = error.errors if isinstance(error, hvac.exceptions.VaultError) else None
    return ", ".join(said) if said else str(error) or type(error).__name__
