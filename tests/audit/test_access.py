"""Who reaches what, asked of the text of a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from generator.audit.access import logins
from generator.audit.questions import Question, answers, canonical
from generator.audit.read import read
from generator.audit.sharing import Place, Places, Sharing

if TYPE_CHECKING:
    from generator.audit.questions import Answer
    from generator.manifest.fleet import Fleet

ROLE = """
resource "vault_aws_auth_backend_role" "{name}" {{
  backend                  = "aws"
  role                     = "{name}"
  auth_type                = "iam"
  bound_iam_principal_arns = ["{arn}"]
  resolve_aws_unique_ids   = false
  token_policies           = [{policies}]
}}
"""
POLICY = """
resource "vault_policy" "{name}" {{
  name   = "{name}"
  policy = <<-EOT
{rules}
  EOT
}}
"""
ARN = "arn:aws:iam::111111111111:role/{}"


def tree(clients: dict[str, dict[str, str]], *, arn: str = ARN) -> dict[str, str]:
    """Return a tree of clients, each with its policies' rules by path."""
    texts = {}
    for name, rules in clients.items():
        lines = "\n".join(
            f'    path "{path}" {{ capabilities = ["{each.replace(",", chr(34) + ", " + chr(34))}"] }}'
            for path, each in rules.items()
        )
        role = ROLE.format(name=name, arn=arn.format(name), policies=f"vault_policy.{name}.name")
        texts[f"terraform/accounts/111111111111/vault/{name}.tf"] = POLICY.format(name=name, rules=lines) + role
    return texts


def asked(texts: dict[str, str], **question: str) -> list[tuple[str, str, tuple[str, ...], bool]]:
    found = answers(logins(read(texts)), Question(**question))
    return [(each.grant.login.client, each.grant.rule.path, each.operations, each.decides) for each in found]


def test_a_clients_rules_are_all_of_its_policies() -> None:
    texts = tree({"a": {"secret/data/a/*": "list,read", "secret/x": "deny"}, "b": {"secret/data/b/*": "read"}})
    assert asked(texts, client="a") == [
        ("a", "secret/data/a/*", ("read", "list"), True),
        ("a", "secret/x", ("deny",), True),
    ]
    assert asked(texts, client="a", operation="list") == [("a", "secret/data/a/*", ("read", "list"), True)]
    assert asked(texts, client="c") == []


def test_a_rule_that_a_narrower_one_masks_is_told_apart() -> None:
    texts = tree({"a": {"secret/*": "read,list", "secret/data/a/*": "read", "secret/data/a/key": "deny"}})
    assert asked(texts, path="secret/data/a/key", operation="read") == [
        ("a", "secret/*", (), False),
        ("a", "secret/data/a/*", (), False),
        ("a", "secret/data/a/key", (), True),
    ]
    assert asked(texts, path="secret/data/a/x") == [
        ("a", "secret/*", (), False),
        ("a", "secret/data/a/*", ("read",), True),
    ]
    assert asked(texts, path="/secret/data/b") == [("a", "secret/*", ("read", "list"), True)]


def test_rules_of_one_path_in_two_policies_decide_together() -> None:
    texts = tree({"a": {"secret/a/*": "read"}, "b": {"secret/a/*": "list"}})
    path = "terraform/accounts/111111111111/vault/a.tf"
    texts[path] = texts[path].replace("[vault_policy.a.name]", '["a", "B"]')
    assert asked(texts, client="a", path="secret/a/x") == [
        ("a", "secret/a/*", ("read",), True),
        ("a", "secret/a/*", ("list",), True),
    ]


def test_who_is_asked_about_is_found_by_account_and_principal() -> None:
    texts = tree({"a": {"secret/a": "read"}, "b": {"secret/b": "read"}})
    assert [each[0] for each in asked(texts, account_id="111111111111")] == ["a", "b"]
    assert asked(texts, account_id="222222222222") == []
    assert [each[0] for each in asked(texts, principal_arn=ARN.format("b"))] == ["b"]
    assert [each[0] for each in asked(texts, principal_arn=ARN.format("path/b"))] == ["b"]
    assert [each[0] for each in asked(texts, principal_arn="arn:aws:sts::111111111111:assumed-role/b/i-0")] == ["b"]
    assert asked(texts, principal_arn=ARN.format("b"), account_id="222222222222") == []


@pytest.mark.parametrize("bound", ["*", "arn:aws:iam::*", "arn:aws:iam::1111*", "arn:aws:iam::111111111111:role/*"])
def test_a_principal_that_is_a_wildcard_is_whoever_it_matches(bound: str) -> None:
    texts = tree({"a": {"secret/a": "read"}}, arn=bound)
    assert [each[0] for each in asked(texts, principal_arn=ARN.format("any"))] == ["a"]
    assert [each[0] for each in asked(texts, account_id="111111111111")] == ["a"]
    assert asked(texts, principal_arn="arn:aws-cn:iam::1:role/x") == ([] if bound != "*" else asked(texts, client="a"))


@pytest.mark.parametrize(
    ("shown", "compared"),
    [
        ("arn:aws:iam::1:role/r", "arn:aws:iam::1:role/r"),
        ("arn:aws:iam::1:role/p/q/r", "arn:aws:iam::1:role/r"),
        ("arn:aws:iam::1:user/p/u", "arn:aws:iam::1:user/u"),
        ("arn:aws-cn:sts::1:assumed-role/r/session", "arn:aws-cn:iam::1:role/r"),
        ("arn:aws:iam::1:root", "arn:aws:iam::1:root"),
        ("payments", "payments"),
        ("", ""),
    ],
)
def test_an_arn_is_compared_as_vault_compares_it(shown: str, compared: str) -> None:
    assert canonical(shown) == compared


@pytest.mark.parametrize(
    ("path", "client", "place"),
    [
        ("secret/data/certs/111111111111/payments-app/*", "payments", Place(Sharing.OWN)),
        ("secret/metadata/certs/111111111111/payments-app", "payments", Place(Sharing.OWN)),
        ("secret/data/certs/111111111111/payments-app/*", "ledger", Place(Sharing.OTHER)),
        ("secret/data/certs/111111111111/payments-app*", "payments", Place(Sharing.OTHER)),
        ("secret/data/certs/111111111111/+/*", "payments", Place(Sharing.OTHER)),
        ("secret/data/certs/111111111111/payments-app/*", "no-such", Place(Sharing.OTHER)),
        ("secret/certs/111111111111/payments-app/*", "payments", Place(Sharing.OTHER)),
        ("other/data/certs/111111111111/payments-app/*", "payments", Place(Sharing.OTHER)),
        ("secret/data/shared/ca/*", "payments", Place(Sharing.SHARED, "pki@example.com", "shared/ca")),
        ("secret/data/shared/ca/x/y", "payments", Place(Sharing.SHARED, "pki@example.com", "shared/ca")),
        ("secret/data/shared/cat/*", "payments", Place(Sharing.OTHER)),
        ("secret/data/shared/*", "payments", Place(Sharing.OTHER)),
        ("*", "payments", Place(Sharing.OTHER)),
    ],
)
def test_whose_a_path_is(fleet: Fleet, path: str, client: str, place: Place) -> None:
    assert Places.of(fleet).place(path, client) == place


def test_every_rule_of_the_example_is_the_clients_own_or_shared(fleet: Fleet, texts: dict[str, str]) -> None:
    places = Places.of(fleet)
    found = answers(logins(read(texts)), Question())
    shared = {each.grant.login.client for each in found if place_of(places, each).sharing is Sharing.SHARED}
    assert len(found) > 10
    assert shared == {client.name for client in fleet.declared if client.grants and not client.suspend}
    assert all(place_of(places, each).sharing is not Sharing.OTHER for each in found)


def place_of(places: Places, each: Answer) -> Place:
    return places.place(each.grant.rule.path, each.grant.login.client)
