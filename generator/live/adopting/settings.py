"""Fleet settings for what is there: what most registrations have in common, and the rest by default."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generator.live.adopting.clients import duration
from generator.live.adopting.names import candidates, name_by
from generator.live.adopting.policies import Unsuitable, directories, kv_mount
from generator.manifest.proposal import scalar
from generator.manifest.settings import FleetSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from generator.live.adopting.observed import Observed
    from generator.live.adopting.registrations import Registration

_DEFAULTS = FleetSettings()
_MODELINE = "# yaml-language-server: $schema=schemas/fleet.schema.json\n"


@dataclass(frozen=True, slots=True)
class Where:
    """Which Vault it is.

    Args:
        namespace: None for none.
        address: Of the live Vault; None in the sandbox.
        cluster_id: What it calls itself; None when it is not known.
    """

    namespace: str | None
    address: str | None = None
    cluster_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Guess:
    """What most have, and how many."""

    value: Any
    count: int
    total: int

    def __str__(self) -> str:
        return f"# {self.count} of {self.total} registrations"


def draft(observed: Observed, found: Sequence[Registration], where: Where, owner: str) -> str:
    """Return the text of fleet settings by which as many registrations as possible can be said in short manifests.

    Args:
        observed: What is there.
        found: The registrations.
        where: Which Vault it is.
        owner: Who answers for paths that several clients read.
    """
    mount = kv_mount(each.text for each in found) or _DEFAULTS.vault.kv_mount
    policy = _policy_pattern(found)
    names = {each.role.role: next(candidates(each, policy.value), "") for each in found}
    own = {each.role.role: _patterns(each, mount, names[each.role.role]) for each in found}
    directory = _most(
        (
            pattern
            for patterns in own.values()
            for pattern in set(patterns)
            if "{role_name}" in pattern or "{name}" in pattern
        ),
        len(found),
        _DEFAULTS.vault.directory,
    )
    role = _most((_role_pattern(each) for each in found), len(found), _DEFAULTS.vault.role)
    partition = _most((each.partition for each in found), len(found), _DEFAULTS.aws.partition)
    limits = _most(((each.role.token_ttl, each.role.token_max_ttl) for each in found), len(found), (None, None))
    shared = _shared(own.values(), directory.value)
    lines = ["version: 1", 'requires: ">=0.1"', "accounts: registered", "", "vault:"]
    lines.append(f"  namespace: {scalar(where.namespace) if where.namespace else 'null'}")
    lines += [f"  auth_mount: {scalar(observed.mount)}", f"  kv_mount: {scalar(mount)}"]
    for key, guess in (("directory", directory), ("role", role), ("policy", policy)):
        lines.append(f"  {key}: {scalar(guess.value)}  {guess}")
    lines += (f"  {key}: {value}" for key, value in _configuration(observed))
    lines.append("")
    lines += _limits(limits)
    if partition.value != _DEFAULTS.aws.partition:
        lines.append(f"aws: {{partition: {partition.value}}}  {partition}")
    lines += [
        "",
        "# To have Terraform manage these too, take the # away and run `crosskeys import --platform`:",
        "# platform: {auth_mount: true, client_config: true, kv_mount: true}",
    ]
    if shared:
        lines += ["", "# Read by more than one registration: see that their owner is the right one.", "shared_paths:"]
        lines += (f"  - {{path: {scalar(path)}, owner: {scalar(owner)}}}" for path in shared)
    if where.address:
        lines += ["", "live:", f"  vault_address: {scalar(where.address)}"]
        lines += [f"  cluster_id: {scalar(where.cluster_id)}"] if where.cluster_id else []
    head = (
        "# Drafted by `crosskeys import` from what is registered; what was guessed says from how many registrations.\n"
    )
    return _MODELINE + head + "\n".join(lines) + "\n"


def disagreements(observed: Observed, settings: FleetSettings) -> Iterator[str]:
    """Yield a line for each of the settings that is not as the live auth method is configured.

    Args:
        observed: What is there.
        settings: The fleet's; of the auth method's configuration, only what they make Terraform manage counts.
    """
    said = settings.vault.model_dump(mode="json")
    live = {key: _default(key) for key in ("server_id_header", "iam_alias", "iam_metadata")} | dict(_values(observed))
    if (observed.client or {}).get("sts_endpoint"):
        # The client's region would override the endpoint: builtin/credential/aws/path_login.go.
        del live["sts_region_from_client"]
    for key, value in live.items():
        if value != said[key] and (settings.platform.client_config or key == "server_id_header"):
            yield f"vault.{key}: {_shown(value)}"


def _values(observed: Observed) -> Iterator[tuple[str, Any]]:
    """Yield the settings of the auth method's configuration, where Vault has one."""
    client, identity = observed.client or {}, observed.identity or {}
    if header := client.get("iam_server_id_header_value"):
        yield "server_id_header", header
    if observed.client is not None:
        yield "sts_region_from_client", bool(client.get("use_sts_region_from_client"))
    if alias := identity.get("iam_alias"):
        yield "iam_alias", alias
    if metadata := identity.get("iam_metadata"):
        yield "iam_metadata", sorted(metadata)


def _default(key: str) -> Any:
    return _DEFAULTS.vault.model_dump(mode="json")[key]


def _configuration(observed: Observed) -> Iterator[tuple[str, str]]:
    return ((key, _shown(value)) for key, value in _values(observed) if value != _default(key))


def _shown(value: Any) -> str:
    match value:
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[value]
        case list():
            return f"[{', '.join(map(scalar, value))}]"
        case _:
            return scalar(str(value))


def _limits(guess: _Guess) -> list[str]:
    inside = [
        f"{key}: {duration(value)}"
        for key, value in zip(("token_ttl", "token_max_ttl"), guess.value, strict=True)
        if value
    ]
    if inside:
        return [f"defaults: {{{', '.join(inside)}}}  {guess}"]
    return [
        "# Most registrations have no limits, so that a token lives 32 days. With these, an apply will shorten it:",
        "# defaults: {token_ttl: 1h, token_max_ttl: 4h}",
    ]


def _most(values: Iterable[Any], total: int, default: Any) -> _Guess:
    """Return the most frequent value; of those that are equally frequent, the first in order."""
    counts = Counter(values)
    value = min(counts, key=lambda each: (-counts[each], str(each)), default=default)
    return _Guess(value, counts[value], total)


def _policy_pattern(found: Sequence[Registration]) -> _Guess:
    """Return the pattern that names most policies; the registration's own where it does for half of them."""
    usual = _DEFAULTS.vault.policy
    by_name = Counter(_replaced(each.policy, {each.role.role: "{name}"}) for each in found)
    by_role = Counter(_replaced(each.policy, _placeholders(each)) for each in found)
    made = by_name + by_role
    frequent = sorted((pattern for pattern in made if "{" in pattern), key=lambda each: (-made[each], each))
    for pattern in (usual, *frequent):
        count = sum(_names(pattern, each) for each in found)
        if 2 * count >= len(found):
            return _Guess(pattern, count, len(found))
    return _Guess(usual, 0, len(found))


def _names(pattern: str, registration: Registration) -> bool:
    """Tell whether a pattern makes a registration's policy, for some name of a client."""
    known = _known(registration)
    if "{name}" in pattern:
        return name_by(pattern, registration.policy, known) is not None
    return pattern.format_map(known).lower() == registration.policy


def _known(registration: Registration) -> Mapping[str, str]:
    return {"account_id": registration.account_id, "role_name": registration.role_name}


def _role_pattern(registration: Registration) -> str:
    return _replaced(registration.role.role, _placeholders(registration))


def _placeholders(registration: Registration) -> Mapping[str, str]:
    return {registration.role_name.lower(): "{role_name}", registration.account_id: "{account_id}"}


def _replaced(text: str, names: Mapping[str, str]) -> str:
    for name, placeholder in names.items():
        text = text.replace(name, placeholder, 1)
    return text


def _patterns(registration: Registration, mount: str, name: str) -> tuple[str, ...]:
    """Return the directories that a registration reads, with placeholders for what each is named after."""
    read = directories(registration.text, registration.policy, mount)
    known = {registration.account_id: "{account_id}", name: "{name}", registration.role_name: "{role_name}"}
    if isinstance(read, Unsuitable):
        return ()
    return tuple("/".join(known.get(segment, segment) for segment in path.split("/")) for path in sorted(read))


def _shared(read: Iterable[Sequence[str]], directory: str) -> list[str]:
    """Return the paths that several registrations read beside their own directory."""
    counts = Counter(path for paths in read for path in paths if path != directory and "{" not in path)
    return sorted(path for path, count in counts.items() if count > 1)
