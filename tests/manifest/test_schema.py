"""JSON Schemas: they are current, describe every key, and refuse what the models refuse of one file by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from generator.manifest.account import AccountManifest
from generator.manifest.client import ClientManifest
from generator.manifest.document import Document
from generator.manifest.schema import schemas
from generator.manifest.settings import FleetSettings
from generator.manifest.source import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.manifest.values import Model

ROOT = Path(__file__).parents[2]
SCHEMAS = {name.removesuffix(".schema.json"): json.loads(text) for name, text in schemas().items()}
MODELS: dict[str, type[Model]] = {"client": ClientManifest, "account": AccountManifest, "fleet": FleetSettings}
EXAMPLES = [
    ("fleet", ROOT / "crosskeys.yaml"),
    *(("account", path) for path in sorted((ROOT / "clients" / "accounts").glob("*.yaml"))),
    *(("client", path) for path in sorted((ROOT / "clients").glob("*.yaml"))),
    *(("fleet", path) for path in sorted((ROOT / "tests").glob("golden/*/crosskeys.yaml"))),
    *(("client", path) for path in sorted((ROOT / "tests").glob("golden/*/clients/*.yaml"))),
    *(("account", path) for path in sorted((ROOT / "tests").glob("golden/*/clients/accounts/*.yaml"))),
]
CLIENT = {"name": "pay", "account_id": "123456789012", "role_name": "pay", "owner": "pay@example.com"}
ACCOUNT = {"name": "pay", "owner": "pay@example.com"}


def refusals(kind: str, manifest: object) -> list[str]:
    return [error.message for error in Draft202012Validator(SCHEMAS[kind]).iter_errors(manifest)]


def is_model(kind: str, manifest: object) -> bool:
    try:
        MODELS[kind].model_validate(manifest)
    except ValidationError:
        return False
    return True


def objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if node.get("type") == "object":
            yield node
        for value in node.values():
            yield from objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from objects(value)


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_committed_schemas_are_those_of_the_models(name: str) -> None:
    committed = ROOT / "schemas" / name
    assert committed.read_text(encoding="utf-8") == schemas()[name], (
        f"schemas/{name} is out of date; write it again: crosskeys schema --write schemas"
    )


def test_no_other_schema_is_committed_but_that_of_reviews() -> None:
    assert {path.name for path in (ROOT / "schemas").iterdir()} == {*schemas(), "review.schema.json", "run.schema.json"}


@pytest.mark.parametrize("kind", SCHEMAS)
class TestEachSchema:
    def test_is_json_schema_2020_12(self, kind: str) -> None:
        assert SCHEMAS[kind]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        Draft202012Validator.check_schema(SCHEMAS[kind])

    def test_has_a_title_and_describes_every_key(self, kind: str) -> None:
        assert SCHEMAS[kind]["title"]
        shared = SCHEMAS[kind]["$defs"]
        undescribed = [
            key
            for node in objects(SCHEMAS[kind])
            for key, value in node.get("properties", {}).items()
            if not {**shared.get(value.get("$ref", "").rpartition("/")[2], {}), **value}.get("description")
        ]
        assert not undescribed

    def test_is_closed_but_for_tags_and_the_backends_own_settings(self, kind: str) -> None:
        for node in objects(SCHEMAS[kind]):
            assert node["additionalProperties"] is False or "pattern" in node["propertyNames"]

    def test_refers_to_every_definition_that_it_holds(self, kind: str) -> None:
        text = json.dumps(SCHEMAS[kind])
        for name in SCHEMAS[kind]["$defs"]:
            assert f'"#/$defs/{name}"' in text


@pytest.mark.parametrize(("kind", "path"), EXAMPLES, ids=[str(path.relative_to(ROOT)) for _, path in EXAMPLES])
def test_accepts_every_example(kind: str, path: Path) -> None:
    document = read(path, path.name)
    assert isinstance(document, Document)
    assert refusals(kind, document.content) == []


@pytest.mark.parametrize(("kind", "path"), EXAMPLES, ids=[str(path.relative_to(ROOT)) for _, path in EXAMPLES])
def test_every_example_names_its_schema(kind: str, path: Path) -> None:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert (path.parent / first.partition("=")[2]).resolve() == ROOT / "schemas" / f"{kind}.schema.json"


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("client", {}),
    ("client", {**CLIENT, "unknown": 1}),
    ("client", {**CLIENT, "name": "Pay"}),
    ("client", {**CLIENT, "name": "a" * 65}),
    ("client", {**CLIENT, "account_id": 123456789012}),
    ("client", {**CLIENT, "account_id": "12345678901"}),
    ("client", {**CLIENT, "account_id": "1234567890123"}),
    ("client", {**CLIENT, "role_name": "apps/pay"}),
    ("client", {**CLIENT, "role_name": "a" * 65}),
    ("client", {**CLIENT, "owner": ""}),
    ("client", {**CLIENT, "vault": None}),
    ("client", {**CLIENT, "vault": {"role": "-pay"}}),
    ("client", {**CLIENT, "vault": {"policy": "pay+policy"}}),
    ("client", {**CLIENT, "vault": {"resolve_unique_ids": "true"}}),
    ("client", {**CLIENT, "vault": {"ec2": {}}}),
    ("client", {**CLIENT, "vault": {"ec2": {"region": "us-east"}}}),
    ("client", {**CLIENT, "vault": {"ec2": {"region": "us-east-1", "ami_ids": ["ami-XYZ"]}}}),
    ("client", {**CLIENT, "aws": {"role": "make"}}),
    ("client", {**CLIENT, "aws": {"role_path": "apps/"}}),
    ("client", {**CLIENT, "aws": {"role_path": f"/{'a' * 511}/"}}),
    ("client", {**CLIENT, "aws": {"trusted_services": []}}),
    ("client", {**CLIENT, "aws": {"trusted_services": ["ec2.example.com"]}}),
    ("client", {**CLIENT, "aws": {"max_session_duration": 60}}),
    ("client", {**CLIENT, "aws": {"max_session_duration": "3600"}}),
    ("client", {**CLIENT, "aws": {"permissions_boundary": "arn:aws:iam::123456789012:role/boundary"}}),
    ("client", {**CLIENT, "aws": {"tags": {"a": 1}}}),
    ("client", {**CLIENT, "aws": {"tags": {"AWS:a": "b"}}}),
    ("client", {**CLIENT, "aws": {"tags": {"a": "aws:b"}}}),
    ("client", {**CLIENT, "aws": {"tags": {"": "b"}}}),
    ("client", {**CLIENT, "aws": {"tags": {str(number): "" for number in range(51)}}}),
    ("client", {**CLIENT, "grants": [{"path": "/shared/ca"}]}),
    ("client", {**CLIENT, "grants": [{"path": "shared/../certs"}]}),
    ("client", {**CLIENT, "grants": [{"path": "shared/+"}]}),
    ("client", {**CLIENT, "grants": [{"path": "a"}, {"path": "a"}]}),
    ("client", {**CLIENT, "grants": [{"path": "a", "access": "write"}]}),
    ("account", {"name": "x"}),
    ("account", {**ACCOUNT, "provisioning": "ours"}),
    ("account", {**ACCOUNT, "sts": {"role": "vault"}}),
    ("account", {**ACCOUNT, "sts": {"role": "vault", "external_id": "x"}}),
    ("account", {**ACCOUNT, "provisioner_role": "crosskeys"}),
    ("fleet", {"version": 2}),
    ("fleet", {"vault": {"principals": ["arn:aws:iam::123456789012:root"]}}),
    ("fleet", {"vault": {"principals": ["arn:aws:iam::123456789012:role/*"]}}),
    ("fleet", {"vault": {"directory": "certs/{region}"}}),
    ("fleet", {"vault": {"directory": "/certs"}}),
    ("fleet", {"vault": {"role": "{name"}}),
    ("fleet", {"vault": {"iam_metadata": ["account_id", "account_id"]}}),
    ("fleet", {"aws": {"partition": "aws-eu"}}),
    ("fleet", {"aws": {"permissions_boundary": "arn:aws:iam::{name}:policy/x"}}),
    ("fleet", {"shared_paths": [{"path": "."}]}),
    ("fleet", {"terraform": {"backend": {"type": "s3", "Key": "{root}"}}}),
    ("fleet", {"terraform": {"backend": {"type": "s3", "key": [["{root}"]]}}}),
    ("fleet", {"terraform": {"required_version": "latest"}}),
    ("fleet", {"live": {"vault_address": "vault.example.com"}}),
]


@pytest.mark.parametrize(("kind", "manifest"), WRONG, ids=[f"{kind}-{index}" for index, (kind, _) in enumerate(WRONG)])
def test_refuses_what_the_model_refuses(kind: str, manifest: dict[str, Any]) -> None:
    assert not is_model(kind, manifest)
    assert refusals(kind, manifest)


@given(
    st.from_regex(r"([0-9]{1,2}d)?([0-9]{1,2}h)?([0-9]{1,3}m)?([0-9]{1,3}s)?|[0-9hm]{0,4}", fullmatch=True),
    st.ip_addresses().flatmap(lambda address: st.sampled_from([f"{address}", f"{address}/8", f"{address}/32"])),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
)
def test_accepts_what_the_model_accepts(duration: str, cidr: str, tags: dict[str, str]) -> None:
    for part in (
        {"vault": {"token_ttl": duration}},
        {"vault": {"token_bound_cidrs": [cidr]}},
        {"aws": {"tags": tags}},
    ):
        if is_model("client", {**CLIENT, **part}):
            assert refusals("client", {**CLIENT, **part}) == []


@given(st.text(alphabet="0123456789dhms ", max_size=6))
def test_agrees_with_the_model_on_short_durations(duration: str) -> None:
    manifest = {**CLIENT, "vault": {"token_ttl": duration}}
    assert is_model("client", manifest) == (refusals("client", manifest) == []) or {"d", "h"} & {*duration}
