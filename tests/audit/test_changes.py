"""What a change means: the example fleet's rendered text, changed, against itself."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from generator.audit.change import Change, Effect, Topic
from generator.audit.changes import State, compare
from generator.audit.declared import Declared
from generator.audit.faults import Unreadable, UnreadableTreeError
from generator.audit.fields import effect_of
from generator.audit.read import read, read_file, references, together
from generator.audit.tree import declared
from generator.manifest.settings import SharedPath

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.manifest.fleet import Fleet

VAULT = "terraform/accounts/111111111111/vault"
AWS = "terraform/accounts/111111111111/aws"
PAYMENTS = f"{VAULT}/client-payments.tf"
ARN = "arn:aws:iam::111111111111:role/payments-app"


@pytest.fixture(scope="module")
def before(fleet: Fleet, texts: dict[str, str]) -> State:
    return State(read(texts), fleet)


def after(
    before: State, texts: Mapping[str, str], *edits: tuple[str, str, str], fleet: Fleet | None = None
) -> tuple[Change, ...]:
    """Return what edits of the tree mean, each of them a file, what stands there, and what replaces it."""
    changed = dict(texts)
    for path, old, new in edits:
        assert old in changed[path]
        changed[path] = changed[path].replace(old, new)
    return compare(before, State(read(changed), fleet or before.fleet))


def said(changes: tuple[Change, ...]) -> list[tuple[str, str, str]]:
    return [(change.topic.value, change.effect.value, change.message) for change in changes]


def test_nothing_changes_where_only_comments_do(before: State, texts: dict[str, str]) -> None:
    assert compare(before, before) == ()
    assert after(before, texts, (PAYMENTS, "# Owner:", "# Owned by:")) == ()


def test_what_is_imported_is_said_of_its_client_and_what_is_no_longer_too(before: State, texts: dict[str, str]) -> None:
    block = 'import {\n  to = vault_policy.payments\n  id = "payments-policy"\n}\n'
    imported = {**texts, f"{VAULT}/import-client-payments.tf": block}
    (change,) = compare(before, State(read(imported), before.fleet))
    assert (change.subject, change.effect) == ("payments", Effect.CHANGES)
    assert change.message == "`vault_policy.payments` is not made: what is there as `payments-policy` is taken over"
    (change,) = compare(State(read(imported), before.fleet), before)
    assert change.message == "`vault_policy.payments` is no longer imported"


def test_a_path_beyond_the_own_directory_comes_first_and_names_who_owns_it(
    before: State, texts: dict[str, str]
) -> None:
    line = '    path "secret/data/certs/111111111111/payments-app/*"'
    for path, whose, owners in (
        ("secret/data/shared/ca/*", "shared by `pki@example.com`", ("pki@example.com",)),
        (
            "secret/data/certs/333333333333/+/*",
            "neither its own directory nor shared; it reaches the directory of `legacy-crm`",
            ("crm-team@example.com",),
        ),
        (
            "secret/data/certs/111111111111/ledger-app/*",
            "neither its own directory nor shared; it reaches the directory of `ledger`",
            ("ledger-team@example.com",),
        ),
        ("secret/data/shared/*", "neither its own directory nor shared", ("pki@example.com",)),
        ("sys/policies/acl/*", "neither its own directory nor shared", ()),
    ):
        first, *rest = after(
            before, texts, (PAYMENTS, line, f'    path "{path}" {{ capabilities = ["read"] }}\n{line}')
        )
        assert rest == []
        assert (first.topic, first.effect, first.subject, first.approvals) == (
            Topic.BEYOND, Effect.WIDENS, "payments", owners,
        )  # fmt: skip
        assert first.message == f"`{ARN}` gains read on `{path}`: {whose}"
        assert (first.principals, first.path, first.operations) == ((ARN,), path, ("read",))
        assert first.span is not None
        assert first.span.path == PAYMENTS


def test_who_owns_a_shared_path_is_who_owned_it_before(before: State, texts: dict[str, str]) -> None:
    settings = before.fleet.settings
    mine = tuple(each.model_copy(update={"owner": "me@example.com"}) for each in settings.shared_paths)
    fleet = replace(before.fleet, settings=settings.model_copy(update={"shared_paths": mine}))
    line = '    path "secret/data/certs/111111111111/payments-app/*"'
    grant = '    path "secret/data/shared/ca/*" { capabilities = ["read"] }\n'
    changes = after(before, texts, (PAYMENTS, line, grant + line), fleet=fleet)
    assert [(change.topic, change.approvals) for change in changes] == [
        (Topic.BEYOND, ("pki@example.com",)),
        (Topic.OWNERS, ("pki@example.com",)),
    ]


@pytest.mark.parametrize("path", ["shared/ca/keys", "shared"])
def test_naming_a_shared_path_otherwise_changes_nobody_who_approves(
    before: State, texts: dict[str, str], path: str
) -> None:
    settings = before.fleet.settings
    mine = SharedPath(path=path, owner="me@example.com")
    paths = (*settings.shared_paths, mine)
    fleet = replace(before.fleet, settings=settings.model_copy(update={"shared_paths": paths}))
    line = '    path "secret/data/certs/111111111111/payments-app/*"'
    grant = f'    path "secret/data/{path}/*" {{ capabilities = ["read"] }}\n'
    changes = after(before, texts, (PAYMENTS, line, grant + line), fleet=fleet)
    assert [(change.topic, change.approvals) for change in changes] == [
        (Topic.BEYOND, ("pki@example.com",)),
        (Topic.OWNERS, ("pki@example.com",)),
    ]
    assert "shared by `me@example.com`, since this change" in changes[0].message


def test_sharing_what_was_a_directory_is_no_way_around_its_owner(before: State, texts: dict[str, str]) -> None:
    settings = before.fleet.settings
    mine = SharedPath(path="certs/111111111111/ledger-app", owner="me@example.com")
    left = tuple(client for client in before.fleet.clients if client.name != "ledger")
    accounts = tuple(
        replace(each, clients=tuple(client for client in each.clients if client in left))
        for each in before.fleet.accounts
    )
    settings = settings.model_copy(update={"shared_paths": (*settings.shared_paths, mine)})
    fleet = replace(before.fleet, settings=settings, accounts=accounts)
    line = '    path "secret/data/certs/111111111111/payments-app/*"'
    grant = f'    path "secret/data/{mine.path}/*" {{ capabilities = ["read"] }}\n'
    first = after(before, texts, (PAYMENTS, line, grant + line), fleet=fleet)[0]
    assert first.approvals == ("ledger-team@example.com",)
    assert first.message.endswith("since this change; until now the directory of `ledger`")


def test_what_a_suspended_clients_tokens_from_before_gain_is_told(before: State, texts: dict[str, str]) -> None:
    role = texts[PAYMENTS].index('resource "vault_aws_auth_backend_role"')
    denied = re.sub(r"\[[^\]]*\]", '["deny"]', texts[PAYMENTS][:role])
    suspended = State(read({**texts, PAYMENTS: denied}), before.fleet)
    opened = State(read({**texts, PAYMENTS: denied.replace('["deny"]', '["read"]', 1)}), before.fleet)
    (change,) = compare(suspended, opened)
    assert (change.effect, change.principals) == (Effect.WIDENS, ())
    assert change.message == (
        "whoever has a token from before gains read on `secret/data/certs/111111111111/payments-app/*`: "
        "its own directory"
    )
    assert [change.effect for change in compare(opened, suspended)] == [Effect.NARROWS]


def test_a_client_that_moves_to_another_account_is_told_with_who_may_log_in(
    before: State, texts: dict[str, str]
) -> None:
    moved, there = dict(texts), PAYMENTS.replace("111111111111", "333333333333")
    moved[there] = moved.pop(PAYMENTS).replace("::111111111111:role", "::333333333333:role")
    messages = {(change.effect, change.message) for change in compare(before, State(read(moved), before.fleet))}
    other = ARN.replace("111111111111", "333333333333")
    assert (Effect.WIDENS, f"`{other}` may log in by the Vault role `payments-app`") in messages
    assert (Effect.NARROWS, f"`{ARN}` may no longer log in by the Vault role `payments-app`") in messages


def test_a_client_keeps_its_owner_under_another_name(before: State, texts: dict[str, str]) -> None:
    renamed = {path.replace("client-payments", "client-pay"): text for path, text in texts.items()}
    for path in (PAYMENTS, PAYMENTS.replace("/vault/", "/aws/")):
        there = path.replace("client-payments", "client-pay")
        moved = [
            f"moved {{\n  from = {kind}.payments\n  to   = {kind}.pay\n}}\n"
            for kind in ("vault_policy", "vault_aws_auth_backend_role", "aws_iam_role", "aws_iam_instance_profile")
            if f'resource "{kind}"' in renamed[there]
        ]
        text = renamed[there].replace('" "payments"', '" "pay"').replace(".payments.", ".pay.")
        renamed[there] = "".join((text, *moved))
    accounts = tuple(
        replace(each, clients=tuple(
            replace(client, name="pay", owner="me@example.com") if client.name == "payments" else client
            for client in each.clients
        ))
        for each in before.fleet.accounts
    )  # fmt: skip
    changes = compare(before, State(declared(renamed), replace(before.fleet, accounts=accounts)))
    assert [(change.message, change.approvals) for change in changes] == [
        ("the client `payments` is renamed to `pay`", ()),
        (
            "the owner of the client `pay` was `payments-team@example.com` and is `me@example.com`",
            ("payments-team@example.com",),
        ),
    ]


def test_nobody_is_asked_for_no_approval(before: State) -> None:
    alone = replace(before.fleet, accounts=tuple(replace(each, owner=None) for each in before.fleet.accounts[:1]))
    known = replace(before.fleet, accounts=before.fleet.accounts[:1])
    changes = compare(State(before.declared, alone), State(before.declared, known))
    assert [(change.message, change.approvals) for change in changes] == [
        ("the owner of the account `111111111111` was nobody and is `retail-platform@example.com`", ())
    ]


def test_a_widened_pattern_shows_both(before: State, texts: dict[str, str]) -> None:
    old, new = "secret/data/certs/111111111111/payments-app/*", "secret/data/certs/111111111111/*"
    changes = after(before, texts, (PAYMENTS, old, new))
    whose = "neither its own directory nor shared; it reaches the directory of `ledger`"
    assert [change.message for change in changes] == [
        f"`{ARN}` gains read and list on `{new}`, in place of `{old}`: {whose}"
    ]


def test_a_narrowed_pattern_loses_only_what_is_lost(before: State, texts: dict[str, str]) -> None:
    old, new = "secret/data/certs/111111111111/payments-app/*", "secret/data/certs/111111111111/payments-app/tls/*"
    changes = after(before, texts, (PAYMENTS, old, new))
    assert [(change.effect, change.path) for change in changes] == [(Effect.NARROWS, old)]


def test_depth_is_part_of_what_a_pattern_allows(before: State, texts: dict[str, str]) -> None:
    old, new = "secret/data/certs/111111111111/payments-app/*", "secret/data/certs/111111111111/payments-app/+"
    assert (Effect.NARROWS, old) in {
        (change.effect, change.path) for change in after(before, texts, (PAYMENTS, old, new))
    }


def test_rules_that_are_written_differently_and_allow_the_same_are_said_to(
    before: State, texts: dict[str, str]
) -> None:
    line = '    path "secret/data/certs/111111111111/payments-app/*" { capabilities = ["read", "list"] }\n'
    further = line.replace("/*", "/tls/*")
    for new in (line.replace('"read", "list"', '"list", "read"'), line + further, line + line):
        changes = after(before, texts, (PAYMENTS, line, new))
        assert said(changes) == [
            ("access", "changes", "the rules are written differently and allow the same as before")
        ]


def test_a_rule_that_masks_takes_away(before: State, texts: dict[str, str]) -> None:
    line = '    path "secret/data/certs/111111111111/payments-app/*"'
    deny = '    path "secret/data/certs/111111111111/payments-app/old/*" { capabilities = ["deny"] }\n'
    changes = after(before, texts, (PAYMENTS, line, deny + line))
    assert [(change.topic, change.effect, change.operations) for change in changes] == [
        (Topic.ACCESS, Effect.NARROWS, ("read", "list"))
    ]


STS = "terraform/accounts/222222222222/aws/sts.tf"
ROLE, TRUST = "of the Vault role `payments-app` changes from", "the trust of the IAM role `payments-app` now says:"
LOOKUP = "the trust of the IAM role `hcp-vault-lookup` now says: AWS `arn:aws:iam::999999999999:role/other`"
BOUNDARY = "`arn:aws:iam::111111111111:policy/workload-boundary` to `arn:aws:iam::111111111111:policy/other`"
STS_ROLE = "`vault_aws_auth_backend_sts_role.account-222222222222`"
EXTERNAL_ID = "`crosskeys-222222222222-5f1d` to `crosskeys-222222222222-0000`"
HEADER = "of `vault_aws_auth_backend_client.aws` changes from `vault.example.com` to `other.example.com`"
EDITS = {
    (PAYMENTS, "= 3600", "= 7200"): ("limits", "widens", f"`token_ttl` {ROLE} `1h` to `2h`"),
    (PAYMENTS, "= 14400", "= 5400"): ("limits", "narrows", f"`token_max_ttl` {ROLE} `4h` to `1h30m`"),
    (PAYMENTS, "= false", "= true"): ("trust", "narrows", f"`resolve_aws_unique_ids` {ROLE} `false` to `true`"),
    (PAYMENTS, '= "aws"', '= "aws2"'): ("trust", "changes", f"`backend` {ROLE} `aws` to `aws2`"),
    (f"{AWS}/client-payments.tf", "ec2.amazonaws.com", "lambda.amazonaws.com"): (
        "trust", "widens", f"{TRUST} Service `lambda.amazonaws.com` may `sts:AssumeRole`",
    ),
    (f"{AWS}/client-payments.tf", "= 3600", "= 7200"): (
        "trust", "widens", "`max_session_duration` of the IAM role `payments-app` changes from `1h` to `2h`",
    ),
    (f"{AWS}/client-payments.tf", "workload-boundary", "other"): (
        "trust", "changes", f"`permissions_boundary` of the IAM role `payments-app` changes from {BOUNDARY}",
    ),
    ("terraform/accounts/222222222222/vault/sts.tf", "5f1d", "0000"): (
        "trust", "changes", f"`external_id` of {STS_ROLE} changes from {EXTERNAL_ID}",
    ),
    (STS, 'hcp-vault"', 'other"'): (
        "trust", "widens",
        f"{LOOKUP} may `sts:AssumeRole`, if `StringEquals` `sts:ExternalId` is `crosskeys-222222222222-5f1d`",
    ),
    (STS, '"iam:GetRole"', '"iam:*"'): (
        "trust", "widens",
        "the permissions `hcp-vault-lookup` now says: its bearer may `iam:*` on `arn:aws:iam::222222222222:role/*`",
    ),
    ("terraform/accounts/222222222222/aws/root.tf", "eu-central-1", "us-east-1"): (
        "roots", "changes", "`region` of `provider.aws` changes from `eu-central-1` to `us-east-1`",
    ),
    ("terraform/platform/platform.tf", '"vault.example.com"', '"other.example.com"'): (
        "platform", "changes", f"`iam_server_id_header_value` {HEADER}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit[0]}: {edit[2]}")
def test_what_an_argument_means_is_said(before: State, texts: dict[str, str], edit: tuple[str, str, str]) -> None:
    assert EDITS[edit] in said(after(before, texts, edit))


def test_another_principal_is_said_to_come_and_the_former_to_go(before: State, texts: dict[str, str]) -> None:
    other = "arn:aws:iam::999999999999:role/other"
    assert said(after(before, texts, (PAYMENTS, ARN, other))) == [
        ("trust", "widens", f"`{other}` may log in by the Vault role `payments-app`"),
        ("trust", "narrows", f"`{ARN}` may no longer log in by the Vault role `payments-app`"),
    ]


def test_a_client_that_is_added_is_said_with_its_principal_access_and_trust(
    before: State, texts: dict[str, str]
) -> None:
    without = {path: text for path, text in texts.items() if "client-payments" not in path}
    added = compare(State(read(without), before.fleet), before)
    assert {change.topic for change in added} == {Topic.CLIENTS, Topic.ACCESS, Topic.TRUST}
    assert {change.effect for change in added} == {Effect.WIDENS}
    assert (
        "clients", "widens", f"the client `payments` is added: `{ARN}` may log in by the Vault role `payments-app`",
    ) in said(added)  # fmt: skip
    assert all(change.subject == "payments" for change in added)
    removed = compare(before, State(read(without), before.fleet))
    assert {change.effect for change in removed} == {Effect.NARROWS}
    assert ("clients", "narrows", "the client `payments` is removed: its Vault role and policy go") in said(removed)


def test_a_new_client_that_takes_the_directory_of_a_removed_one_is_flagged(
    before: State, texts: dict[str, str]
) -> None:
    ledger = next(client for client in before.fleet.clients if client.name == "ledger")
    accounts = tuple(
        replace(
            account,
            clients=tuple(replace(ledger, name="thief") if client is ledger else client for client in account.clients),
        )
        for account in before.fleet.accounts
    )
    changed = {path.replace("-ledger.", "-thief."): renamed(text, "ledger", "thief") for path, text in texts.items()}
    changes = compare(before, State(read(changed), replace(before.fleet, accounts=accounts)))
    taken = [change for change in changes if change.topic is Topic.BEYOND]
    assert {change.subject for change in taken if change.effect is Effect.WIDENS} == {"thief"}
    assert all(
        "until now the directory of `ledger`" in change.message for change in taken if change.effect is Effect.WIDENS
    )


def renamed(text: str, old: str, new: str) -> str:
    """Return a rendered text with the labels of one client called otherwise."""
    return re.sub(rf'(?<= )"{old}"|\.{old}\b', lambda match: match[0].replace(old, new), text)


def test_a_rename_is_a_rename_and_nothing_else(before: State, texts: dict[str, str]) -> None:
    changed = dict(texts)
    for folder, kinds in (
        (VAULT, ("vault_policy", "vault_aws_auth_backend_role")),
        (AWS, ("aws_iam_role", "aws_iam_instance_profile")),
    ):
        text = renamed(changed.pop(f"{folder}/client-payments.tf"), "payments", "cards")
        text += "".join(f"\nmoved {{\n  from = {kind}.payments\n  to   = {kind}.cards\n}}\n" for kind in kinds)
        changed[f"{folder}/client-cards.tf"] = text
    changes = compare(before, State(read(changed), before.fleet))
    assert said(changes) == [("clients", "changes", "the client `payments` is renamed to `cards`")]


FILES = (
    "terraform/accounts/222222222222/vault/sts.tf",
    "terraform/accounts/222222222222/vault/client-scanner.tf",
    "terraform/accounts/222222222222/aws/root.tf",
    "terraform/accounts/222222222222/aws/sts.tf",
    "terraform/accounts/222222222222/aws/client-scanner.tf",
    "terraform/platform/root.tf",
)
EDITED = ((r'"(\w)', r'"x\1'), (r" (\d)", r" 1\1"), ("true", "false"), (r".*", ""))


@pytest.mark.parametrize("path", FILES)
def test_whatever_differs_is_said_in_some_way(fleet: Fleet, texts: dict[str, str], path: str) -> None:
    """Each line of a file is changed and taken away: what the reader takes for something else is said."""
    lines = texts[path].splitlines(keepends=True)
    folder = path.rpartition("/")[0]
    root = () if path.endswith("root.tf") else read_file(f"{folder}/root.tf", texts[f"{folder}/root.tf"])
    before, tried = State(together((*root, *read_file(path, texts[path])), ()), fleet), 0
    for number, line in enumerate(lines):
        for new in {re.sub(pattern, by, line) for pattern, by in EDITED} - {line}:
            with suppress(Unreadable, UnreadableTreeError):
                found = read_file(path, "".join([*lines[:number], new, *lines[number + 1 :]]))
                after = State(together((*root, *found), ()), fleet)
                if after.declared != before.declared:
                    tried += 1
                    assert compare(before, after), (line, new)
    assert tried > 2


def test_an_object_of_each_kind_is_said_to_come_and_to_go(before: State, fleet: Fleet) -> None:
    for key, item in before.declared.objects.items():
        objects = {one: each for one, each in before.declared.objects.items() if one != key}
        without = State(Declared(objects), fleet)
        if not any(key[0] == root and key[1] == address for root, address in referred(before.declared)):
            assert compare(before, without), item
            assert compare(without, before), item


def referred(declared: Declared) -> set[tuple[str, str]]:
    """Return what cannot be taken away alone."""
    return {(item.root, reference.address) for item in declared.objects.values() for _, reference in references(item)}


@pytest.mark.parametrize(
    ("name", "was", "now", "effect"),
    [
        ("token_ttl", None, 60, Effect.NARROWS),
        ("token_ttl", 60, None, Effect.WIDENS),
        ("token_ttl", 0, None, Effect.CHANGES),
        ("token_num_uses", 5, 0, Effect.WIDENS),
        ("token_period", None, 60, Effect.WIDENS),
        ("token_bound_cidrs", (), ("10.0.0.0/8",), Effect.NARROWS),
        ("token_bound_cidrs", ("10.0.0.0/8",), (), Effect.WIDENS),
        ("token_bound_cidrs", ("10.0.0.0/8",), ("10.1.0.0/16",), Effect.NARROWS),
        ("token_bound_cidrs", ("10.1.0.0/16", "10.2.0.0/16"), ("10.0.0.0/8",), Effect.WIDENS),
        ("token_bound_cidrs", ("10.0.0.0/8",), ("192.168.0.0/16",), Effect.CHANGES),
        ("token_bound_cidrs", ("10.0.0.0/8",), ("10.0.0.0/8", "fd00::/8"), Effect.WIDENS),
        ("token_bound_cidrs", ("10.0.0.0/8",), ("nonsense",), Effect.CHANGES),
        ("bound_vpc_ids", ("a",), ("a", "b"), Effect.WIDENS),
        ("bound_vpc_ids", ("a",), ("b",), Effect.CHANGES),
        ("bound_vpc_ids", ("a",), (), Effect.WIDENS),
        ("permissions_boundary", "a", None, Effect.WIDENS),
        ("max_session_duration", None, 3600, Effect.CHANGES),
        ("max_session_duration", None, 7200, Effect.WIDENS),
        ("external_id", "a", None, Effect.WIDENS),
        ("prevent_destroy", True, False, Effect.WIDENS),
        ("unheard_of", 1, 2, Effect.CHANGES),
    ],
)
def test_which_way_an_argument_goes(name: str, was: object, now: object, effect: Effect) -> None:
    assert effect_of(name, was, now) is effect
