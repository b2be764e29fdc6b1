"""What the rules of a live policy reach: a client's directory, the rest of the certificates, or Vault's own controls.

Nothing is missed: a rule's path counts for all that it may match, and a policy that cannot be read counts as
everything. Only where a policy denies, too, it is asked what Vault would decide, for both of Vault's ways to do so.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from generator.audit import acl_policy
from generator.audit.acl_faults import UnreadablePolicyError
from generator.audit.acl_terms import Semantics
from generator.audit.deciding import OPERATIONS, Token
from generator.audit.declared import PathRule, VaultPolicy
from generator.audit.proof_default import default_rules
from generator.audit.proof_pattern import Pattern
from generator.audit.trie import AREAS, Directories
from generator.diagnostics import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.manifest.fleet import Client, Fleet

_WRITES = frozenset({"create", "update", "patch", "delete", "sudo"})
_NOBODY = "\0"
_FIRST = ord("\N{CURRENCY SIGN}")  # of the characters that may stand for a name that nobody has
_CONTROLS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("sys", "policies", "acl"), "write any policy"),
    (("sys", "policy"), "write any policy"),
    (("sys", "remount"), "move the mounts of secrets"),
    (("sys", "raw"), "change what Vault stores"),
    (("sys", "storage"), "replace what Vault stores"),
    (("sys", "generate-root"), "make a root token"),
    (("identity", "entity"), "give anybody any policy"),
    (("identity", "group"), "give anybody any policy"),
    (("identity", "entity-alias"), "become anybody"),
    (("identity", "group-alias"), "give anybody any policy"),
    (("auth", "token", "roles"), "make tokens with any policy"),
)
"""What leads to every certificate in one more step, for whoever may write there."""
# Where the auth methods that come with Vault keep who logs in with which policies.
_WHO = ("role", "roles", "users", "user", "groups", "group", "map", "certs", "config")
_SNAPSHOT = ("sys", "storage", "raft", "snapshot")  # to read it is to have all that Vault stores


@dataclass(frozen=True, slots=True)
class Reached:
    """A way from a rule to what is somebody's.

    Args:
        rule: The rule.
        client: Whose directory it is; None for what is no client's.
        what: The same in words.
        path: A request path that the rule matches there.
    """

    rule: PathRule
    client: Client | None
    what: str
    path: str


@dataclass(frozen=True, slots=True)
class Power:
    """A rule with which one can give oneself what one has not."""

    rule: PathRule
    what: str


def live_rules(name: str, text: str) -> tuple[PathRule, ...]:
    """Return what a live policy allows at most; one that cannot be read, and a rule that cannot, count as everything.

    Constraints on parameters and on wrapping, which only take away, are left out.

    Args:
        name: The policy's name.
        text: Its text.
    """
    try:
        parsed = acl_policy.parse(text, Span(f"sys/policies/acl/{name}", 1, 1, 1, 2), name)
    except UnreadablePolicyError:
        return default_rules(text)
    return tuple(
        PathRule(path=rule.path, capabilities=tuple(sorted(rule.capabilities)), span=rule.span) for rule in parsed.rules
    )


class Territory:
    """The directories, shared paths and the certificate tree of a fleet.

    Args:
        fleet: Whose directory is which; those of suspended and retired clients, whose certificates may be there, too.
        auth_mounts: Mounts of auth methods, without slashes at the ends, by whose roles one could log in as well.
    """

    def __init__(self, fleet: Fleet, auth_mounts: Iterable[str] = ()) -> None:
        settings = fleet.settings.vault
        self._mount = settings.kv_mount
        self._clients = {client.name: client for client in fleet.clients}
        own = [(client.name, client.directory) for client in fleet.clients]
        self._owned = (*own, *((f"/{each.path}", each.path) for each in fleet.settings.shared_paths))
        self._others = Directories(self._mount, own)
        self._directories = Directories(self._mount, self._owned)
        tree = settings.directory.partition("{")[0].rpartition("/")[0]
        self._tree = Directories(self._mount, [("/", tree)] if tree else [])
        mounts = dict.fromkeys((settings.auth_mount, *auth_mounts))
        self._controls = (
            *_CONTROLS,
            (("sys", "mounts", *settings.kv_mount.split("/")), "change the mount of the certificates"),
            (("sys", "auth", *settings.auth_mount.split("/")), "change the mount by which clients log in"),
            *(
                (("auth", *mount.split("/"), part), "let others log in with any policy")
                for mount in mounts
                for part in _WHO
            ),
        )

    def reached(self, rules: Iterable[PathRule]) -> Reached | None:
        """Return a way into anything of the fleet's, a client's directory before all else; None for none.

        Args:
            rules: The rules of one policy, which is nobody's.
        """
        every = tuple(rules)
        held = tuple(rule for rule in every if set(rule.capabilities) - {"deny"})
        found = [reached for rule in held if (reached := self._one(rule)) is not None]
        if not found or len(held) == len(every):
            return min(found, key=lambda each: each.client is None, default=None)
        return self._despite_denials(every, found)

    def of_others(self, rules: Iterable[PathRule], owner: str) -> Reached | None:
        """Return a way into the directory of another client; None for none.

        Args:
            rules: The rules of one policy.
            owner: The client whose policy it is.
        """
        for rule in rules:
            held = set(rule.capabilities) - {"deny"}
            if held and (found := self._others.reached(Pattern.of(rule.path), owner)):
                return self._reached(rule, found.owner, found.path)
        return None

    def power(self, rules: Iterable[PathRule]) -> Power | None:
        """Return a rule of one policy by which its holder can get more than it has; None for none."""
        for rule in rules:
            held = set(rule.capabilities) - {"deny"}
            pattern = Pattern.of(rule.path)
            if "sudo" in held:
                return Power(rule, "use what Vault guards with `sudo`")
            if held & _WRITES and (what := next((said for at, said in self._controls if pattern.meets(at)), None)):
                return Power(rule, what)
            if "read" in held and pattern.meets(_SNAPSHOT):
                return Power(rule, "take away all that Vault stores")
        return None

    def _one(self, rule: PathRule) -> Reached | None:
        pattern = Pattern.of(rule.path)
        if found := self._directories.reached(pattern, _NOBODY):
            return self._reached(rule, found.owner, found.path)
        if found := self._tree.reached(pattern, _NOBODY):
            return Reached(rule, None, "the tree of all certificates", found.path)
        return None

    def _reached(self, rule: PathRule, owner: str, path: str) -> Reached:
        client = self._clients.get(owner)
        what = f"the directory of `{owner}`" if client else f"the shared path `{owner[1:]}`"
        return Reached(rule, client, what, path)

    def _despite_denials(self, rules: tuple[PathRule, ...], found: list[Reached]) -> Reached | None:
        """Return a way that Vault would let through, of a policy that also denies."""
        span = Span("policy")
        policy = VaultPolicy(root="", span=span, label="policy", name="policy", rules=tuple(map(literal, rules)))
        tokens = [Token.of([policy], semantics) for semantics in Semantics]
        for reached in found:
            if _allows(tokens, reached.path):
                return reached
        # No rule may name what is asked for: one that denies just that would hide what it allows beside it.
        written = set().union(*(rule.path for rule in rules))
        anything = next(character for code in count(_FIRST) if (character := chr(code)) not in written)
        for owner, directory in self._owned:
            if way := next((each for each in self._requests(directory, anything) if _allows(tokens, each)), None):
                return self._reached(found[0].rule, owner, way)
        return None

    def _requests(self, directory: str, anything: str) -> Iterator[str]:
        for area in AREAS:
            yield f"{self._mount}/{area}/{directory}"
            yield f"{self._mount}/{area}/{directory}/{anything}"
            yield f"{self._mount}/{area}/{directory}/{anything}/{anything}"


def literal(rule: PathRule) -> PathRule:
    """Return a rule whose template, which is filled only at login, stands for all that begins like it."""
    begin, template, _ = rule.path.partition("{{")
    return PathRule(path=f"{begin}*", capabilities=rule.capabilities, span=rule.span) if template else rule


def _allows(tokens: Iterable[Token], path: str) -> bool:
    return any(token.decide(operation, path).allowed for token in tokens for operation in OPERATIONS)
