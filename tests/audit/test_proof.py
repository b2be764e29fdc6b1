"""The proof, clause by clause, and against an independent model of Vault's decisions."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator import pipeline
from generator.audit.acl import ACL
from generator.audit.acl_constraints import Constraints
from generator.audit.acl_policy import Policy, Rule
from generator.audit.acl_terms import Operation, Semantics
from generator.audit.declared import Declared, PathRule, RequiredProvider, Terraform, VaultPolicy, VaultRole
from generator.audit.expected import expected
from generator.audit.proof import prove
from generator.audit.proof_default import STOCK, default_rules
from generator.audit.proof_pattern import Pattern, matches
from generator.audit.trie import Directories
from generator.cli import app
from generator.diagnostics import Span
from generator.manifest.client import ClientManifest
from generator.manifest.document import Document
from generator.manifest.fleet import resolve
from generator.manifest.load import Manifests
from generator.manifest.settings import FleetSettings
from generator.manifest.validate import Sourced

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from generator.audit.proof import Proof
    from generator.manifest.fleet import Fleet

ACCOUNT = "111111111111"
AREAS = ("data", "metadata", "delete", "undelete", "destroy", "subkeys")


def fleet(*clients: str | dict[str, Any], **more: Any) -> Fleet:
    """A fleet of clients, each by its name or by what its manifest says beside that."""
    manifests = []
    for client in clients:
        said = {"name": client} if isinstance(client, str) else client
        whole = {"account_id": ACCOUNT, "role_name": said["name"], "owner": "x", **said}
        document = Document(f"clients/{said['name']}.yaml", "", None)
        manifests.append(Sourced(ClientManifest.model_validate(whole), document))
    return resolve(Manifests(FleetSettings.model_validate(more), None, {}, tuple(manifests)))


def tree(of: Fleet, **rules: tuple[PathRule, ...]) -> Declared:
    """What the tree of a fleet declares, with the rules of some clients' policies replaced."""
    objects = {(item.root, item.address): item for items in dict(expected(of)).values() for item in items}
    for key, item in objects.items():
        if isinstance(item, VaultPolicy) and item.label in rules:
            objects[key] = replace(item, rules=rules[item.label])
    return Declared(objects)


def rule(path: str, *capabilities: str) -> PathRule:
    return PathRule(path=path, capabilities=capabilities or ("read",))


def ids(proof: Proof) -> set[str]:
    return {finding.rule for finding in proof.findings}


def test_what_is_rendered_of_two_clients_is_isolated() -> None:
    two = fleet("a", "b")
    proof = prove(tree(two), two)
    assert proof.isolated
    assert (proof.clients, proof.accounts, proof.principals, proof.logins, proof.policies, proof.rules) == (
        2,
        1,
        2,
        2,
        2,
        4,
    )
    assert proof.verdict == "isolated: none of 2 clients reaches what is another's"


def test_a_client_that_brings_its_role_is_counted_for_nobody_here_judges_that() -> None:
    one = fleet({"name": "a", "aws": {"role": "existing"}})
    assert prove(tree(one), one).existing == 1
    assert "1 of the IAM roles exist outside of the tree" in prove(tree(one), one).verdict


@pytest.mark.parametrize(
    ("path", "witness"),
    [
        (f"secret/data/certs/{ACCOUNT}/b/*", f"secret/data/certs/{ACCOUNT}/b/example"),
        (f"secret/data/certs/{ACCOUNT}/b/tls*", f"secret/data/certs/{ACCOUNT}/b/tls"),
        (f"secret/data/certs/{ACCOUNT}/b/tls", f"secret/data/certs/{ACCOUNT}/b/tls"),
        (f"secret/metadata/certs/{ACCOUNT}/b", f"secret/metadata/certs/{ACCOUNT}/b"),
        (f"secret/metadata/certs/{ACCOUNT}/b/", f"secret/metadata/certs/{ACCOUNT}/b/"),
        (f"secret/data/certs/{ACCOUNT}/+", f"secret/data/certs/{ACCOUNT}/b"),
        (f"secret/data/certs/{ACCOUNT}/+/+/x", f"secret/data/certs/{ACCOUNT}/b/example/x"),
        (f"secret/data/certs/{ACCOUNT}*", f"secret/data/certs/{ACCOUNT}/b/example"),
        ("secret/data/certs/+/b/*", f"secret/data/certs/{ACCOUNT}/b/example"),
        ("secret/+/certs/*", f"secret/data/certs/{ACCOUNT}/b/example"),
        ("+/data/*", f"secret/data/certs/{ACCOUNT}/b/example"),
        ("/secret/data/*", f"secret/data/certs/{ACCOUNT}/b/example"),
        ("*", f"secret/data/certs/{ACCOUNT}/b/example"),
        *((f"secret/{area}/certs/{ACCOUNT}/b/*", f"secret/{area}/certs/{ACCOUNT}/b/example") for area in AREAS),
    ],
)
def test_a_way_into_another_clients_directory_is_shown(path: str, witness: str) -> None:
    two = fleet("a", "b")
    proof = prove(tree(two, a=(rule(path),)), two)
    shown = [finding.message for finding in proof.findings if finding.rule == "CK830"]
    assert shown == [
        f"the policy `a-policy` lets `a` read `{path}`, and so `{witness}`, which is in the directory of `b`"
    ]
    assert not proof.isolated


@pytest.mark.parametrize(
    "path",
    [
        f"secret/data/certs/{ACCOUNT}/a*/x",  # a star that is not the last character is one
        f"secret/data/certs/{ACCOUNT}/b+/x",
        f"secret/data/certs/{ACCOUNT}/B/*",
        f"secret/data/certs/{ACCOUNT}/+",
        f"secret/data/certs/{ACCOUNT}/c*",
        f"secret/data//certs/{ACCOUNT}/b/*",
        "secret/data/shared/*",
        "secret/metadata/certs/",
        "kv/*",
    ],
)
def test_what_nobody_was_granted_is_a_finding_whoever_is_there(path: str) -> None:
    two = fleet("a", {"name": "b", "retire": {"approved_until": "2026-01-01", "reason": "x"}})
    proof = prove(tree(two, a=(*tree_rules(two, "a"), rule(path))), two)
    assert ids(proof) == ({"CK830"} if path.endswith("/+") else {"CK831"})


def tree_rules(of: Fleet, name: str) -> tuple[PathRule, ...]:
    return next(policy.rules for policy in tree(of).of(VaultPolicy) if policy.label == name)


@pytest.mark.parametrize("key", ["suspend", "retire"])
def test_directories_of_clients_that_are_cut_off_stay_theirs(key: str) -> None:
    end = {"reason": "x"} if key == "suspend" else {"approved_until": "2026-01-01", "reason": "x"}
    two = fleet("a", {"name": "b", key: end})
    assert prove(tree(two), two).isolated
    own = tree_rules(two, "a")
    assert ids(prove(tree(two, a=(*own, rule(f"secret/data/certs/{ACCOUNT}/b/x"))), two)) == {"CK830"}


def test_a_suspended_client_has_nothing_not_even_its_own() -> None:
    two = fleet("a", {"name": "b", "suspend": {"reason": "x"}})
    assert ids(prove(tree(two, b=(rule(f"secret/data/certs/{ACCOUNT}/b/*"),)), two)) == {"CK831"}


def test_a_deny_protects_nothing() -> None:
    two = fleet("a", "b")
    rules = (
        *tree_rules(two, "a"),
        rule(f"secret/data/certs/{ACCOUNT}/*"),
        rule(f"secret/data/certs/{ACCOUNT}/b/*", "deny"),
    )
    assert "CK830" in ids(prove(tree(two, a=rules), two))


def test_a_shared_path_is_read_by_those_that_are_granted_it_alone() -> None:
    granted = {"name": "a", "grants": [{"path": "shared/ca"}]}
    shared = {"shared_paths": [{"path": "shared", "owner": "x"}]}
    two = fleet(granted, "b", **shared)
    assert prove(tree(two), two).isolated
    reads = rule("secret/data/shared/ca/*")
    assert ids(prove(tree(two, b=(*tree_rules(two, "b"), reads)), two)) == {"CK831"}
    assert ids(prove(tree(two, a=(*tree_rules(two, "a"), rule("secret/data/shared/ca/x", "update"))), two)) == {"CK833"}
    unshared = fleet(granted, "b")
    assert ids(prove(tree(unshared), unshared)) == {"CK831"}


def test_a_login_as_another_client_is_shown_with_what_it_reaches() -> None:
    two = fleet("a", "b")
    declared = tree(two)
    objects = {
        key: replace(item, bound_iam_principal_arns=(f"arn:aws:iam::{ACCOUNT}:role/b",))
        if isinstance(item, VaultRole) and item.label == "a"
        else item
        for key, item in declared.objects.items()
    }
    proof = prove(Declared(objects), two)
    assert ids(proof) == {"CK830", "CK836"}
    login = next(finding for finding in proof.findings if finding.rule == "CK836")
    assert [note.message for note in login.notes] == ["`b`, whom it lets in"]


def test_a_policy_that_the_tree_does_not_declare_may_allow_anything() -> None:
    one = fleet("a")
    objects = {
        key: replace(item, token_policies=("a-policy", "Operators")) if isinstance(item, VaultRole) else item
        for key, item in tree(one).objects.items()
    }
    assert ids(prove(Declared(objects), one)) == {"CK834", "CK836"}


def test_a_principal_that_vault_would_glob_reaches_whatever_its_role_gives() -> None:
    one = fleet("a")
    objects = {
        key: replace(item, bound_iam_principal_arns=(f"arn:aws:iam::{ACCOUNT}:role/a*",))
        if isinstance(item, VaultRole)
        else item
        for key, item in tree(one).objects.items()
    }
    assert ids(prove(Declared(objects), one)) == {"CK830", "CK835", "CK836"}


def test_two_clients_of_one_directory_are_not_isolated() -> None:
    two = fleet("a", "b", vault={"directory": "certs/{account_id}"})
    assert ids(prove(tree(two), two)) == {"CK830"}


def test_a_directory_within_anothers_is_not_isolated() -> None:
    nested = fleet({"name": "a"}, {"name": "b"}, vault={"directory": "certs/{name}"})
    inner = replace(nested.accounts[0].clients[1], directory="certs/a/b")
    nested = replace(nested, accounts=(replace(nested.accounts[0], clients=(nested.accounts[0].clients[0], inner)),))
    assert ids(prove(tree(nested), nested)) == {"CK830"}


def test_a_role_that_is_called_plus_reaches_every_role() -> None:
    odd = fleet({"name": "a", "role_name": "+", "vault": {"role": "a"}}, "b")
    assert "CK830" in ids(prove(tree(odd), odd))


@pytest.mark.parametrize("mount", ["sys", "auth", "auth/aws", "identity", "cubbyhole"])
def test_a_kv_mount_where_vault_has_its_own_gives_power(mount: str) -> None:
    odd = fleet("a", "b", vault={"kv_mount": mount})
    assert ids(prove(tree(odd), odd)) == {"CK832"}


class TestDefault:
    def test_more_in_it_is_everyones(self) -> None:
        two = fleet("a", "b")
        assert prove(tree(two), two, default=(*STOCK, rule("cubbyhole/*", "read"))).isolated
        assert ids(prove(tree(two), two, default=(*STOCK, rule("secret/data/certs/*")))) == {"CK830"}
        assert ids(prove(tree(two), two, default=(*STOCK, rule("sys/policies/acl/*", "update")))) == {"CK832"}
        assert ids(prove(tree(two), two, default=(*STOCK, rule("kv/x")))) == {"CK831"}
        assert ids(prove(tree(two), two, default=(*STOCK, rule("sys/renew", "sudo")))) == {"CK832"}

    def test_a_live_one_is_read_for_the_most_that_it_may_allow(self) -> None:
        text = 'path "a/{{identity.entity.name}}" {\n capabilities = ["read"]\n allowed_parameters = { "x" = [] }\n}\n'
        assert default_rules(text) == (rule("a/{{identity.entity.name}}"),)
        assert default_rules('path "x" { policy = "write" }')[0].path == "*"
        assert default_rules("no policy at all {")[0].path == "*"

    def test_a_template_in_it_may_become_anything(self) -> None:
        two = fleet("a", "b")
        templated = default_rules('path "secret/data/{{identity.entity.name}}/*" { capabilities = ["read"] }')
        assert ids(prove(tree(two), two, default=templated)) == {"CK830"}


def test_a_fleet_in_which_everyone_is_wrong_is_judged_all_the_same() -> None:
    many = fleet(*(f"c-{number}" for number in range(210)))
    everyone = tree(many, **{f"c-{number}": (rule("secret/data/certs/+/x"),) for number in range(210)})
    proof = prove(everyone, many)
    assert len([finding for finding in proof.findings if finding.rule in {"CK830", "CK831"}]) == 210


def test_check_refuses_what_rules_should_have_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate: with every rule about manifests broken, a leak still cannot pass."""
    from typer.testing import CliRunner  # noqa: PLC0415 - for this test alone

    monkeypatch.setenv("CROSSKEYS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(pipeline, "check", lambda *_: ())
    (tmp_path / "clients").mkdir()
    (tmp_path / "crosskeys.yaml").write_text("vault: {directory: 'certs/{account_id}'}\n", "utf-8")
    for name in "ab":
        text = f'name: {name}\naccount_id: "{ACCOUNT}"\nrole_name: {name}\nowner: x\n'
        (tmp_path / "clients" / f"{name}.yaml").write_text(text, "utf-8")
    for verb in ("check", "render", "plan"):
        done = CliRunner().invoke(app, ["-C", str(tmp_path), verb, "--format", "concise"])
        assert done.exit_code == 1
        assert "CK830" in done.output
        assert not (tmp_path / "terraform").exists()


SEGMENTS = ("a", "b", "ab", "a+", "")
NAMES = ("a", "b", "ab", "aa")


def some_paths() -> st.SearchStrategy[str]:
    """Paths of rules, most of them near a directory."""
    parts = st.sampled_from((*SEGMENTS, "+", "+", *NAMES))
    near = st.lists(parts, min_size=0, max_size=3).map("/".join)
    ends = st.sampled_from(("", "*", "/*", "/", "/+", "/+/*"))
    begins = st.sampled_from(
        ("secret/data/c/", "secret/metadata/c/", "secret/+/c/", "secret/", "+/", "", "/secret/data/")
    )
    return st.tuples(begins, near, ends).map("".join).filter(lambda path: "+*" not in path and path != "")


CAPABILITIES = st.sets(
    st.sampled_from(("read", "list", "update", "create", "delete", "deny")), min_size=1, max_size=3
).map(lambda found: ("deny",) if "deny" in found else tuple(sorted(found)))
RULES = st.lists(st.builds(lambda path, caps: rule(path, *caps), some_paths(), CAPABILITIES), min_size=1, max_size=4)
FOUR = fleet(*NAMES, vault={"directory": "c/{role_name}"})


def universe(client: str) -> list[str]:
    ends = ("", "/", "/a", "/b", "/ab", "/a/b", "/a/", "/a+/b", "/+", "/a/b/c")
    return [f"secret/{area}/c/{client}{end}" for area in AREAS for end in ends]


def acl_of(rules: tuple[PathRule, ...], semantics: Semantics = Semantics.V1_21) -> ACL:
    whole = tuple(
        Rule(
            path=one.path.removeprefix("/"),
            capabilities=frozenset(one.capabilities),
            constraints=Constraints(),
            policy="p",
            span=Span("x"),
        )
        for one in rules
    )
    return ACL.of((Policy(name="p", rules=whole),), semantics=semantics)


@settings(max_examples=150, deadline=None)
@given(RULES, st.sampled_from(Semantics))
def test_what_vault_would_allow_of_another_clients_is_always_found(rules: list[PathRule], semantics: Semantics) -> None:
    proof = prove(tree(FOUR, a=tuple(rules)), FOUR)
    acl = acl_of(tuple(rules), semantics)
    for name in NAMES[1:]:
        allowed = [
            (path, operation)
            for path in universe(name)
            for operation in Operation
            if acl.allows(operation, path).allowed
        ]
        if allowed:
            assert "CK830" in ids(proof), allowed


@settings(max_examples=150, deadline=None)
@given(some_paths().filter(lambda path: not path.startswith("//")))  # Vault takes away one slash, the proof all
def test_what_is_shown_is_what_vault_would_allow_when_nothing_stands_between(path: str) -> None:
    proof = prove(tree(FOUR, a=(rule(path, "list", "read"),)), FOUR)
    acl = acl_of((rule(path, "list", "read"),))
    for finding in proof.findings:
        if finding.rule == "CK830":
            witness = re.search("and so `([^`]*)`", finding.message)
            assert witness
            assert acl.allows(Operation.READ, witness[1]).allowed


@settings(max_examples=300, deadline=None)
@given(some_paths(), st.lists(st.sampled_from(("", "a", "b", "ab", "a+", "+", "x")), max_size=4).map("/".join))
def test_two_ways_to_read_a_path_agree(path: str, request: str) -> None:
    segments = tuple(request.split("/"))
    pattern = Pattern.of(path)
    if matches(path, request):
        assert pattern.meets(segments)
    if pattern.within(segments):
        assert not matches(path, "elsewhere")


@settings(max_examples=200, deadline=None)
@given(
    some_paths(),
    st.lists(st.sampled_from(("a", "b", "ab", "a/b", "c/a", "c/b/a")), min_size=1, max_size=5, unique=True),
)
def test_the_trie_finds_what_looking_at_every_directory_finds(path: str, directories: list[str]) -> None:
    pattern = Pattern.of(path)
    found = Directories("secret", ((directory, directory) for directory in directories)).reached(pattern, "nobody")
    met = {
        directory
        for directory in directories
        for area in AREAS
        if pattern.meets(("secret", area, *directory.split("/")))
    }
    assert (found is None) == (not met)
    if found:
        assert found.owner in met
        assert matches(path, found.path)


class Stranger(VaultPolicy):
    """A kind of object that a later reader may know."""


def test_an_object_of_a_kind_that_the_proof_does_not_know_is_not_proven_to_do_no_harm() -> None:
    one = fleet("a")
    policy = tree(one).of(VaultPolicy)[0]
    objects = {
        **tree(one).objects,
        (policy.root, "x"): Stranger(root=policy.root, span=Span("x"), label="x", name="x", rules=()),
    }
    assert "CK841" in ids(prove(Declared(objects), one))


def test_another_provider_is_another_program() -> None:
    one = fleet("a")
    other = (RequiredProvider(name="vault", source="example/vault", version=">= 5.9"),)
    objects = {
        key: replace(item, required_providers=other)
        if isinstance(item, Terraform) and item.root.endswith("/vault")
        else item
        for key, item in tree(one).objects.items()
    }
    assert ids(prove(Declared(objects), one)) == {"CK841"}
