"""Vault's decisions, case by case: the corners that people fall into, and what is not in reach of a running Vault."""

from __future__ import annotations

from typing import Any

import pytest

from generator.audit.acl import ACL
from generator.audit.acl_faults import UnreadablePolicyError
from generator.audit.acl_identity import Entity, Identity
from generator.audit.acl_policy import parse
from generator.audit.acl_terms import Operation, Semantics
from generator.diagnostics import Span


def acl(*texts: str, semantics: Semantics = Semantics.V1_21, identity: Identity | None = None) -> ACL:
    policies = [parse(text, Span(f"{number}.hcl", 1, 1), str(number)) for number, text in enumerate(texts)]
    return ACL.of(policies, identity or Identity(), semantics)


def policy(given: dict[str, str]) -> str:
    """Return a policy with a rule for each path, its capabilities parted by spaces."""
    return "\n".join(
        f'path "{path}" {{\n  capabilities = [{", ".join(f"{word!r}" for word in words.split())}]\n}}'.replace("'", '"')
        for path, words in given.items()
    )


ORDER: list[tuple[str, dict[str, str], str, tuple[str, ...]]] = [
    ("exact before prefix", {"s/a": "read", "s/*": "update"}, "s/a", ("read",)),
    ("exact deny before prefix", {"s/a": "deny", "s/*": "read"}, "s/a", ("deny",)),
    ("longer prefix before shorter deny", {"s/*": "deny", "s/a*": "read"}, "s/ab", ("read",)),
    ("prefix matches characters, not segments", {"s/app*": "read"}, "s/app2/x", ("read",)),
    ("prefix with slash leaves out the directory", {"s/a/*": "read"}, "s/a", ("deny",)),
    ("+ matches one segment", {"s/+/x": "read"}, "s/a/b/x", ("deny",)),
    ("+ matches an empty segment", {"s/+/x": "read"}, "s//x", ("read",)),
    ("+ is literal within a segment", {"s/a+": "read"}, "s/ab", ("deny",)),
    ("* is literal but at the end", {"s/*/x": "read"}, "s/a/x", ("deny",)),
    ("everything beats a deny with an earlier wildcard", {"*": "read", "+/data/*": "deny"}, "s/data/x", ("read",)),
    ("later wildcard first", {"s/+/b": "read", "s/a/*": "update"}, "s/a/b", ("update",)),
    ("no glob before glob", {"s/+": "read", "s/*": "update"}, "s/a", ("read",)),
    ("fewer + first", {"s/+/+": "read", "s/+/b": "update"}, "s/a/b", ("update",)),
    ("longer first", {"s/+/b*": "read", "s/+/bc*": "update"}, "s/a/bcd", ("update",)),
    ("greater text last of all", {"s/+/+/b": "read", "s/+/a/+": "update"}, "s/x/a/b", ("update",)),
    ("case counts", {"s/A": "read"}, "s/a", ("deny",)),
    ("no capability at all is deny", {"s/a": ""}, "s/a", ("deny",)),
    ("deny takes away what stands beside it", {"s/a": "read deny"}, "s/a", ("deny",)),
    ("slash at the beginning of a rule is stripped", {"/s/a": "read"}, "s/a", ("read",)),
    ("slashes at the beginning of a path are stripped", {"s/a": "read"}, "//s/a", ("read",)),
    ("a rule without slash counts for a path with one", {"s/a": "list"}, "s/a/", ("list",)),
    ("a rule with slash does not for a path without", {"s/a/": "list"}, "s/a", ("deny",)),
    ("the path without slash is looked up first", {"s/*": "list", "s/a/*": "deny"}, "s/a/", ("list",)),
]


@pytest.mark.parametrize(("given", "path", "expected"), [case[1:] for case in ORDER], ids=[case[0] for case in ORDER])
def test_capabilities_are_those_of_the_rule_that_vault_chooses(
    given: dict[str, str], path: str, expected: tuple[str, ...]
) -> None:
    assert acl(policy(given)).capabilities(path) == expected


class TestSeveralPolicies:
    def test_capabilities_on_one_path_add_up(self) -> None:
        assert acl(policy({"a": "read"}), policy({"a": "list"})).capabilities("a") == ("list", "read")

    @pytest.mark.parametrize("order", [1, -1])
    def test_a_deny_on_the_same_path_is_final_whatever_the_order(self, order: int) -> None:
        texts = [policy({"a": "read"}), policy({"a": "deny"}), policy({"a": "list"})][::order]
        assert acl(*texts).capabilities("a") == ("deny",)

    def test_the_same_path_written_with_a_slash_before_it_is_the_same(self) -> None:
        assert acl(policy({"a/*": "read"}), policy({"/a/*": "deny"})).capabilities("a/b") == ("deny",)


class TestRequests:
    def test_a_list_request_has_a_slash_appended(self) -> None:
        here = acl(policy({"s/a/*": "list"}))
        assert here.capabilities("s/a") == ("deny",)
        assert here.allows(Operation.LIST, "s/a").allowed

    def test_a_read_request_is_looked_up_by_exactly_its_path(self) -> None:
        here = acl(policy({"s/a": "read"}))
        assert here.capabilities("s/a/") == ("read",)
        assert not here.allows(Operation.READ, "s/a/").allowed

    def test_the_decision_names_the_rules_that_grant_and_where_they_stand(self) -> None:
        here = acl(policy({"x": "read", "s/*": "read"}), policy({"s/*": "list"}))
        (rule,) = here.allows(Operation.READ, "s/a").rules
        assert (rule.policy, rule.path, str(rule.span)) == ("0", "s/*", "0.hcl:4:1")

    def test_a_denied_request_names_the_rules_that_do_not_grant(self) -> None:
        decision = acl(policy({"s/*": "read"})).allows(Operation.DELETE, "s/a")
        assert not decision.allowed
        assert [rule.path for rule in decision.rules] == ["s/*"]
        assert "no capability `delete`" in decision.reason

    def test_where_no_rule_matches_none_is_named(self) -> None:
        assert acl(policy({"s/*": "read"})).allows(Operation.READ, "t").rules == ()

    def test_nothing_is_written_to_a_path_with_a_slash_at_its_end(self) -> None:
        assert not acl(policy({"*": "create update patch"})).allows(Operation.UPDATE, "s/a/").allowed

    def test_root_paths_need_sudo_as_well(self) -> None:
        assert not acl(policy({"*": "read"})).allows(Operation.READ, "sys/audit").allowed
        assert acl(policy({"*": "read sudo"})).allows(Operation.READ, "sys/audit").allowed
        assert acl(policy({"*": "read"})).allows(Operation.READ, "sys/auditors").allowed


class TestListsSince203:
    """Whoever may be served by either version must ask both: each allows what the other denies."""

    def test_a_deny_below_keeps_its_directory_from_being_listed(self) -> None:
        text = policy({"s/*": "list", "s/a/*": "deny"})
        assert acl(text).allows(Operation.LIST, "s/a").allowed
        assert not acl(text, semantics=Semantics.V2_0_3).allows(Operation.LIST, "s/a").allowed

    def test_a_rule_that_lists_wins_over_a_more_specific_one_that_does_not(self) -> None:
        text = policy({"s/*": "list", "s/+": "read"})
        assert not acl(text).allows(Operation.LIST, "s/a").allowed
        assert acl(text, semantics=Semantics.V2_0_3).allows(Operation.LIST, "s/a").allowed

    def test_a_broader_deny_does_not(self) -> None:
        text = policy({"s/*": "deny", "s/a*": "list"})
        assert acl(text, semantics=Semantics.V2_0_3).allows(Operation.LIST, "s/a").allowed

    def test_exact_rules_decide_as_before(self) -> None:
        text = policy({"s/a": "deny", "s/a/*": "list"})
        assert not acl(text, semantics=Semantics.V2_0_3).allows(Operation.LIST, "s/a").allowed

    def test_nothing_but_lists_differs(self) -> None:
        text = policy({"s/*": "read", "s/+": "update", "s/a/*": "deny"})
        for path in ("s/a", "s/a/b", "t"):
            for operation in set(Operation) - {Operation.LIST}:
                newer = acl(text, semantics=Semantics.V2_0_3).allows(operation, path)
                assert newer == acl(text).allows(operation, path)


PARAMETERS: list[tuple[str, str, dict[str, Any], bool]] = [
    ("no parameters", 'allowed_parameters = { "a" = ["x"] }', {}, True),
    ("another parameter", 'allowed_parameters = { "a" = [] }', {"b": "x"}, False),
    ("any other by *", 'allowed_parameters = { "a" = ["x"], "*" = [] }', {"b": "x"}, True),
    ("but not another value", 'allowed_parameters = { "a" = ["x"], "*" = [] }', {"a": "y"}, False),
    ("any value by an empty list", 'allowed_parameters = { "a" = [] }', {"a": "y"}, True),
    ("names in any case", 'allowed_parameters = { "A" = ["x"] }', {"a": "x"}, True),
    ("globs", 'allowed_parameters = { "a" = ["x*"] }', {"a": "xy"}, True),
    ("a lone * is no glob", 'allowed_parameters = { "a" = ["*"] }', {"a": "xy"}, False),
    ("an empty text is no value", 'allowed_parameters = { "a" = ["x"] }', {"a": ""}, True),
    ("commas part values", 'allowed_parameters = { "a" = ["x", "y"] }', {"a": "x, y"}, True),
    ("numbers never match", 'allowed_parameters = { "a" = [1] }', {"a": 1}, False),
    ("true matches true", 'allowed_parameters = { "a" = [true] }', {"a": True}, True),
    ("true is not 1", 'allowed_parameters = { "a" = [1] }', {"a": True}, False),
    ("a list by its items", 'allowed_parameters = { "a" = ["x", "y"] }', {"a": ["y", "x"]}, True),
    ("a list as a whole", 'allowed_parameters = { "a" = [["x", "y"]] }', {"a": ["x", "y"]}, True),
    ("denied by name", 'denied_parameters = { "a" = [] }', {"a": "x"}, False),
    ("denied by value", 'denied_parameters = { "a" = ["x"] }', {"a": "y"}, True),
    ("denied by one of a list", 'denied_parameters = { "a" = ["x"] }', {"a": ["y", "x"]}, False),
    ("denied altogether", 'denied_parameters = { "*" = [] }', {"b": "x"}, False),
    ("required and there", 'required_parameters = ["A"]', {"a": "x"}, True),
    ("required and not", 'required_parameters = ["a"]', {"b": "x"}, False),
    ("required in lower case", 'required_parameters = ["a"]', {"A": "x"}, False),
]


@pytest.mark.parametrize(
    ("constraint", "sent", "allowed"), [case[1:] for case in PARAMETERS], ids=[case[0] for case in PARAMETERS]
)
def test_parameters_are_allowed_as_vault_allows_them(constraint: str, sent: dict[str, Any], *, allowed: bool) -> None:
    text = f'path "a" {{\n  capabilities = ["update", "delete", "list"]\n  {constraint}\n}}'
    assert acl(text).allows(Operation.UPDATE, "a", sent).allowed is allowed
    assert acl(text).allows(Operation.DELETE, "a", sent).allowed
    assert acl(text).allows(Operation.LIST, "a", sent).allowed


def test_constraints_of_one_path_merge() -> None:
    one = (
        'path "a" {\n  capabilities = ["update"]\n  allowed_parameters = { "p" = ["x"] }\n  max_wrapping_ttl = "2h"\n}'
    )
    other = one.replace('"x"', '"y"').replace("2h", "1h")
    here, bare = acl(one, other), acl(one, policy({"a": "update"}))
    hour = 3600 * 10**9
    for value in ("x", "y"):
        assert here.allows(Operation.UPDATE, "a", {"p": value}, hour).allowed
    assert not here.allows(Operation.UPDATE, "a", {"p": "z"}, hour).allowed
    assert not here.allows(Operation.UPDATE, "a", {"p": "x"}, 2 * hour).allowed
    assert not here.allows(Operation.UPDATE, "a", {"p": "x"}).allowed
    # A rule without constraints lifts none.
    assert not bare.allows(Operation.UPDATE, "a", {"p": "z"}, hour).allowed


class TestTemplates:
    TEXT = policy({"s/{{identity.entity.name}}/*": "read", "t/*": "read"})

    def test_are_filled_in_before_wildcards_are_looked_for(self) -> None:
        here = acl(self.TEXT, identity=Identity(Entity(name="+")))
        assert here.allows(Operation.READ, "s/anybody/x").allowed

    def test_a_rule_without_a_value_is_left_out_and_the_others_stay(self) -> None:
        here = acl(self.TEXT)
        assert here.capabilities("s/a/x") == ("deny",)
        assert here.capabilities("t/x") == ("read",)

    def test_a_value_that_makes_a_forbidden_path_fails_every_request(self) -> None:
        with pytest.raises(UnreadablePolicyError, match="fails every request"):
            acl(policy({"s/{{identity.entity.name}}*": "read"}), identity=Identity(Entity(name="+")))
