"""What it means that one tree becomes another: for whom, on which paths, and who has to approve it. Pure.

Access is compared by what Vault would answer and not by the rules' text: for each path of a rule, before or after, what
requests below it may do. Everything else that the two trees declare is compared argument by argument.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from generator.audit.access import logins
from generator.audit.change import Change, Effect, Topic, quote
from generator.audit.declared import (
    Declaration,
    Declared,
    IamRole,
    Import,
    InstanceProfile,
    Moved,
    PolicyDocument,
    Reference,
    Resource,
    StsRole,
    VaultPolicy,
    VaultRole,
)
from generator.audit.fields import changed, name_of, principals, sts_role, subject_of
from generator.audit.owners import owners
from generator.audit.proof_pattern import Pattern
from generator.audit.reaches import gains_and_losses
from generator.audit.sharing import Places, Sharing
from generator.audit.statements import sentences, subject
from generator.audit.trie import Directories
from generator.render.layout import RootKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.audit.access import Login
    from generator.audit.reaches import Shift
    from generator.audit.sharing import Place
    from generator.manifest.fleet import Client, Fleet


@dataclass(frozen=True, slots=True)
class State:
    """A fleet at one time.

    Args:
        declared: Its tree.
        fleet: Its manifests, as far as they can be read.
    """

    declared: Declared
    fleet: Fleet


@dataclass(frozen=True, slots=True)
class _Holder:
    """A client, as a tree has it."""

    policies: tuple[VaultPolicy, ...]
    logins: tuple[Login, ...]

    @property
    def held(self) -> tuple[tuple[VaultPolicy, ...], ...]:
        """The policies of each of its tokens: those that a login gives, and those that earlier ones gave."""
        earlier = (self.policies,) if self.policies else ()
        return tuple(dict.fromkeys((*(login.policies for login in self.logins), *earlier)))


def compare(before: State, after: State) -> tuple[Change, ...]:
    """Return everything that changes in meaning, by topic, subject and text; nothing where nothing does."""
    renamed = _renamed(before.declared, after.declared)
    names = {label: to for (_, label), to in renamed.items()}
    before = State(_relabelled(before.declared, renamed), before.fleet)
    old, new = _holders(before.declared), _holders(after.declared)
    found = chain(
        _names(renamed, before.fleet, after.fleet),
        _lives(old, new, after.fleet),
        _access(old, new, before.fleet, after.fleet, names),
        _objects(before.declared, after.declared, old, new),
        owners(before.fleet, after.fleet, names),
    )
    return tuple(sorted(found, key=lambda change: change.sort_key))


def _renamed(before: Declared, after: Declared) -> dict[tuple[str, str], str]:
    """Return the new label of each label of a root that its `moved` blocks give away."""
    labels = {(item.root, item.label) for item in before.of(Resource)}
    still = {(item.root, item.label) for item in after.of(Resource)}
    moves = {(each.root, each.from_.partition(".")[2]): each.to.partition(".")[2] for each in after.of(Moved)}
    return {
        (root, label): to
        for (root, label), to in moves.items()
        if (root, label) in labels and (root, label) not in still and (root, to) not in labels
    }


def _relabelled(declared: Declared, renamed: Mapping[tuple[str, str], str]) -> Declared:
    if not renamed:
        return declared
    objects = (_with_labels(item, renamed) for item in declared.objects.values())
    return Declared({(item.root, item.address): item for item in objects})


def _with_labels(item: Declaration, renamed: Mapping[tuple[str, str], str]) -> Declaration:
    def new(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(new, value))
        if isinstance(value, Reference):
            kind, _, label = value.address.rpartition(".")
            return replace(value, address=f"{kind}.{renamed.get((item.root, label), label)}")
        return value

    values = {each.name: getattr(item, each.name) for each in fields(item)}
    values = {name: new(value) for name, value in values.items()}
    if isinstance(item, Resource):
        values["label"] = renamed.get((item.root, item.label), item.label)
    return replace(item, **values)


def _holders(declared: Declared) -> dict[str, _Holder]:
    policies: dict[str, list[VaultPolicy]] = defaultdict(list)
    found: dict[str, list[Login]] = defaultdict(list)
    for policy in declared.of(VaultPolicy):
        policies[policy.label].append(policy)
    for login in logins(declared):
        found[login.client].append(login)
    return {name: _Holder(tuple(policies[name]), tuple(found[name])) for name in sorted(policies.keys() | found.keys())}


def _names(renamed: Mapping[tuple[str, str], str], before: Fleet, after: Fleet) -> Iterator[Change]:
    for old, new in sorted({(label, to) for (_, label), to in renamed.items()}):
        yield _client_change(new, Effect.CHANGES, f"the client {quote(old)} is renamed to {quote(new)}")
    was = {client.name: client for client in before.clients}
    for client in after.clients:
        if client.retire and (former := was.get(client.name)) and former.retire != client.retire:
            reason = f"{client.retire.reason}, may be destroyed until {client.retire.approved_until}"
            yield _client_change(
                client.name, Effect.NARROWS, f"the client {quote(client.name)} is retired: {quote(reason)}"
            )


def _lives(old: Mapping[str, _Holder], new: Mapping[str, _Holder], fleet: Fleet) -> Iterator[Change]:
    clients = {client.name: client for client in fleet.clients}
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        if now is None:
            yield _gone(name, clients.get(name))
        elif was is None:
            yield from _come(name, now)
        elif was.logins and not now.logins:
            client = clients.get(name)
            reason = f": {quote(client.suspend.reason)}" if client and client.suspend else ""
            yield _client_change(name, Effect.NARROWS, f"the client {quote(name)} is suspended{reason}", now)
        elif now.logins and not was.logins:
            yield _client_change(name, Effect.WIDENS, f"the client {quote(name)} is no longer suspended", now)


def _gone(name: str, client: Client | None) -> Change:
    how = (
        "its Vault role and policy go, as it is retired" if client and client.retire else "its Vault role and policy go"
    )
    return _client_change(name, Effect.NARROWS, f"the client {quote(name)} is removed: {how}")


def _come(name: str, holder: _Holder) -> Iterator[Change]:
    if not holder.logins:
        yield _client_change(
            name, Effect.CHANGES, f"the client {quote(name)} is added, and nobody can log in as it", holder
        )
    for login in holder.logins:
        said = f"the client {quote(name)} is added: {quote(login.principal_arn)} may log in by {name_of(login.role)}"
        yield _client_change(name, Effect.WIDENS, said, holder)


def _client_change(name: str, effect: Effect, message: str, holder: _Holder | None = None) -> Change:
    span = None
    if holder:
        span = holder.logins[0].role.span if holder.logins else holder.policies[0].span
    return Change(topic=Topic.CLIENTS, subject=name, effect=effect, message=message, span=span)


def _access(
    old: Mapping[str, _Holder], new: Mapping[str, _Holder], before: Fleet, after: Fleet, renamed: Mapping[str, str]
) -> Iterator[Change]:
    nobody = _Holder((), ())
    mount = before.settings.vault.kv_mount
    directories = Directories(mount, ((client.name, client.directory) for client in before.clients))
    described = _Described(Places.of(before), Places.of(after), directories, renamed)
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name, nobody), new.get(name, nobody)
        shifts = [] if was.held == now.held else list(gains_and_losses(was.held, now.held))
        yield from (described.change(name, shift, was if shift.lost else now) for shift in shifts)
        rules = [[policy.rules for policy in holder.policies] for holder in (was, now)]
        if not shifts and was.policies and now.policies and rules[0] != rules[1]:
            said = "the rules are written differently and allow the same as before"
            span = now.policies[0].span
            yield Change(topic=Topic.ACCESS, subject=name, effect=Effect.CHANGES, message=said, span=span)


@dataclass(frozen=True, slots=True)
class _Described:
    """What is gained and lost, with whose it is by the manifests of before and after, and new names by former ones."""

    before: Places
    after: Places
    directories: Directories
    renamed: Mapping[str, str]

    def change(self, name: str, shift: Shift, holder: _Holder) -> Change:
        former_name = next((old for old, new in self.renamed.items() if new == name), name)
        place = self.before.place(shift.path, former_name) if shift.lost else self.after.place(shift.path, name)
        arns = tuple(sorted({login.principal_arn for login in holder.logins}))
        who = _listed(arns) or "whoever has a token from before"
        verb = "loses" if shift.lost else "gains"
        instead = f", in place of {_listed(shift.instead)}" if shift.instead else ""
        said = f"{who} {verb} {_together(shift.operations)} on {quote(shift.path)}{instead}"
        met = None if shift.lost else self.directories.reached(Pattern.of(shift.path), former_name)
        former = self.before.clients[met.owner] if met else None
        topic = Topic.BEYOND
        if place.sharing is Sharing.OWN and former is None:
            topic, whose = Topic.ACCESS, "its own directory"
        elif place.sharing is Sharing.SHARED:
            whose = f"shared by {quote(self.before.shared.get(place.shared_path, place.owner))}"
            if not shift.lost and place.shared_path not in self.before.shared:
                whose += ", since this change"
        else:
            whose = "neither its own directory nor shared"
        if former:
            called = self.renamed.get(former.name, former.name)
            still = called in self.after.clients and self.after.clients[called].directory == former.directory
            its = f"{'it reaches' if still else 'until now'} the directory of {quote(called)}"
            whose = its if place.sharing is Sharing.OWN else f"{whose}; {its}"
        effect = Effect.NARROWS if shift.lost else Effect.WIDENS
        return Change(
            topic=topic, subject=name, effect=effect, message=f"{said}: {whose}", span=shift.span,
            approvals=() if shift.lost else self._approvals(shift.path, place, former),
            principals=arns, path=shift.path, operations=shift.operations,
        )  # fmt: skip

    def _approvals(self, path: str, place: Place, former: Client | None) -> tuple[str, ...]:
        """Return who owned until now what a path reaches: a change does not choose who approves it."""
        owners = {*self.before.owners_met(path), *((former.owner,) if former else ())}
        return tuple(sorted(owners or ({place.owner} - {""})))


def _together(operations: tuple[str, ...]) -> str:
    *most, last = operations
    return f"{', '.join(most)} and {last}" if most else last


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(quote(name) for name in names)


def _objects(
    before: Declared, after: Declared, old: Mapping[str, _Holder], new: Mapping[str, _Holder]
) -> Iterator[Change]:
    clients = frozenset(old.keys() | new.keys())
    roots = [{root for root, _ in declared.objects} for declared in (before, after)]
    for root in sorted(roots[0] ^ roots[1]):
        yield _root_change(root, is_new=root in roots[1])
    for key in sorted(before.objects.keys() | after.objects.keys()):
        was, now = before.objects.get(key), after.objects.get(key)
        if was == now or isinstance(was or now, Moved):
            continue
        item = now or was
        if isinstance(item, Import):
            yield _imported(item, clients, is_new=now is not None)
        elif isinstance(was, PolicyDocument) or isinstance(now, PolicyDocument):
            yield from _documents(before, was, after, now, clients)
        elif was and now:
            about = subject_of(now, clients)
            for topic, effect, said in changed(before, was, after, now):
                yield Change(topic=topic, subject=about, effect=effect, message=said, span=now.span)
        elif now:
            yield from _appears(now, clients, is_new=now.root not in roots[0], come=_is_said(now, old))
        elif was:
            yield from _disappears(was, clients, is_gone=was.root not in roots[1], left=_is_said(was, new))


def _imported(item: Import, clients: frozenset[str], *, is_new: bool) -> Change:
    said = f"{quote(item.to)} is no longer imported"
    if is_new:
        said = f"{quote(item.to)} is not made: what is there as {quote(item.id)} is taken over"
    return Change(
        topic=Topic.ROOTS, subject=subject_of(item, clients), effect=Effect.CHANGES, message=said, span=item.span
    )


def _is_said(item: Declaration, others: Mapping[str, _Holder]) -> bool:
    """Tell whether it is said of the client already: the other tree lacks the client, or has it suspended."""
    if not isinstance(item, VaultPolicy | VaultRole | IamRole | InstanceProfile):
        return False
    holder = others.get(item.label)
    return holder is None or (isinstance(item, VaultRole) and not holder.logins)


def _root_change(root: str, *, is_new: bool) -> Change:
    parts = root.split("/")
    about = parts[1] if len(parts) > 1 else root
    said = f"the root `terraform/{root}` {'is new' if is_new else 'is no more'}"
    return Change(topic=Topic.ROOTS, subject=about, effect=Effect.CHANGES, message=said)


def _documents(
    before: Declared, was: Declaration | None, after: Declared, now: Declaration | None, clients: frozenset[str]
) -> Iterator[Change]:
    item = now or was
    old = sentences(was) if isinstance(was, PolicyDocument) else {}
    new = sentences(now) if isinstance(now, PolicyDocument) else {}
    if not isinstance(item, PolicyDocument):
        return
    about, what = subject_of(item, clients), subject(after if now else before, item)
    for sentence in sorted(new.keys() - old.keys()):
        said = f"{what} now says: {sentence}"
        yield Change(topic=Topic.TRUST, subject=about, effect=new[sentence], message=said, span=item.span)
    for sentence in sorted(old.keys() - new.keys()):
        said = f"{what} no longer says: {sentence}"
        yield Change(topic=Topic.TRUST, subject=about, effect=old[sentence].opposite, message=said, span=item.span)
    if old == new:
        said = f"{what} is written differently and says the same"
        yield Change(topic=Topic.DETAILS, subject=about, effect=Effect.CHANGES, message=said, span=item.span)


def _appears(item: Declaration, clients: frozenset[str], *, is_new: bool, come: bool) -> Iterator[Change]:
    about = subject_of(item, clients)
    if isinstance(item, StsRole):
        yield Change(topic=Topic.TRUST, subject=about, effect=Effect.WIDENS, message=sts_role(item), span=item.span)
    elif come and about in clients:
        return  # said of the client
    elif isinstance(item, VaultRole):
        for topic, effect, said in principals(item, set(), set(item.bound_iam_principal_arns)):
            yield Change(topic=topic, subject=about, effect=effect, message=said, span=item.span)
    elif isinstance(item, Resource) or not is_new:
        effect = Effect.CHANGES if item.root == RootKind.PLATFORM else Effect.WIDENS
        yield Change(
            topic=_topic(item), subject=about, effect=effect, message=f"{name_of(item)} is declared", span=item.span
        )


def _disappears(item: Declaration, clients: frozenset[str], *, is_gone: bool, left: bool) -> Iterator[Change]:
    about = subject_of(item, clients)
    if left and about in clients:
        return  # said of the client
    if isinstance(item, VaultRole):
        for topic, effect, said in principals(item, set(item.bound_iam_principal_arns), set()):
            yield Change(topic=topic, subject=about, effect=effect, message=said, span=item.span)
        return
    if isinstance(item, Resource) or not is_gone:
        said = f"no longer: {sts_role(item)}" if isinstance(item, StsRole) else f"{name_of(item)} is no longer declared"
        effect = Effect.CHANGES if item.root == RootKind.PLATFORM else Effect.NARROWS
        yield Change(topic=_topic(item), subject=about, effect=effect, message=said, span=item.span)


def _topic(item: Declaration) -> Topic:
    if item.root == RootKind.PLATFORM:
        return Topic.PLATFORM
    return Topic.TRUST if isinstance(item, Resource) else Topic.ROOTS
