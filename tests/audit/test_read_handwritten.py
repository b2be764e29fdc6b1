"""Trees that people wrote, read as Terraform plans them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from generator.audit import documents
from generator.audit.access import logins
from generator.audit.declared import PolicyDocument, Reference, Resource, Statement, VaultPolicy
from generator.audit.folder import texts
from generator.audit.read import read

if TYPE_CHECKING:
    from generator.audit.declared import Declared
    from generator.sandbox.toolchain import Toolchain

TREES = Path(__file__).parents[1] / "handwritten"
RETAIL, PARTNER = "accounts/210987654321", "accounts/345678901234"

# What the providers plan for an argument that is not given.
DEFAULTS = {"path": "/", "max_session_duration": 3600, "token_type": "default"}
NOT_ARGUMENTS = {"root", "span", "label", "rules", "text", "assume_role_policy", "policy"}

OFFLINE = """
provider "aws" {
  access_key                  = "x"
  secret_key                  = "x"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}
"""


def planned(toolchain: Toolchain, tree: Path, root: str) -> dict[str, dict[str, Any]]:
    """The values that Terraform plans for each resource of a root, with nobody to ask."""
    folder = tree / "terraform" / root
    if root.endswith("/aws"):
        main = folder / "main.tf"
        alone = re.sub(r"(?ms)^  allowed_account_ids.*?$|^  assume_role \{.*?^  \}$", "", main.read_text())
        main.write_text(alone)
        (folder / "offline_override.tf").write_text(OFFLINE)
    environment = {
        "TF_CLI_CONFIG_FILE": str(toolchain.terraform_config),
        "CHECKPOINT_DISABLE": "1",
        "VAULT_ADDR": "http://127.0.0.1:1",
        "VAULT_TOKEN": "none",
        "TERRAFORM_VAULT_SKIP_CHILD_TOKEN": "true",
    }

    def run(*arguments: str) -> str:
        command = [str(toolchain.terraform), f"-chdir={folder}", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout

    run("init", "-input=false")
    run("plan", "-input=false", "-refresh=false", "-out=plan")
    shown = json.loads(run("show", "-json", "plan"))
    return {item["address"]: item["values"] for item in shown["planned_values"]["root_module"]["resources"]}


def comparable(value: Any) -> Any:
    """A value, less what sets and empty ones do not tell."""
    if isinstance(value, list | tuple):
        return sorted(value) or None
    if isinstance(value, str):
        return value.strip("/") or value
    return value or None


def statements(found: tuple[Statement, ...]) -> list[Statement]:
    return [
        replace(
            one,
            actions=tuple(sorted(one.actions)),
            principals=tuple(replace(who, identifiers=tuple(sorted(who.identifiers))) for who in one.principals),
        )
        for one in found
    ]


def document(declared: Declared, item: Resource) -> tuple[str, PolicyDocument] | None:
    for argument in ("assume_role_policy", "policy"):
        reference = getattr(item, argument, None)
        if isinstance(reference, Reference):
            found = declared.target(item.root, reference)
            assert isinstance(found, PolicyDocument)
            return argument, found
    return None


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("tree", "root"), [("retail", f"{RETAIL}/vault"), ("retail", f"{RETAIL}/aws"), ("partner", f"{PARTNER}/vault")]
)
def test_a_tree_is_read_as_terraform_plans_it(tree: str, root: str, tmp_path: Path, toolchain: Toolchain) -> None:
    declared = read(texts(TREES / tree))
    copy = shutil.copytree(TREES / tree, tmp_path / tree)
    plan = planned(toolchain, copy, root)
    items = [item for item in declared.of(Resource) if item.root == root and not isinstance(item, PolicyDocument)]
    assert {item.address for item in items} == plan.keys()
    for item in items:
        values = plan[item.address]
        for field in fields(item):
            # What is known only when it is applied is not in the plan.
            if field.name in NOT_ARGUMENTS or field.name not in values:
                continue
            value = getattr(item, field.name)
            if isinstance(value, tuple) and field.name != "tags":
                value = [declared.text(item.root, one) for one in value]
            elif isinstance(value, Reference):
                value = declared.text(item.root, value)
            wanted = sorted((values[field.name] or {}).items()) if field.name == "tags" else values[field.name]
            assert comparable(value or DEFAULTS.get(field.name)) == comparable(wanted), (item.address, field.name)
        if isinstance(item, VaultPolicy):
            assert item.text == values["policy"]
        elif found := document(declared, item):
            argument, policy = found
            assert statements(policy.statements) == statements(documents.statements(values[argument]))


def test_rules_and_logins_of_a_tree_that_somebody_wrote() -> None:
    declared = read(texts(TREES / "retail"))
    rules = {
        policy.name: [(rule.path, rule.capabilities) for rule in policy.rules] for policy in declared.of(VaultPolicy)
    }
    assert rules == {
        "Checkout-Certs": [
            ("secret/data/certs/210987654321/checkout/*", ("read",)),
            ("secret/metadata/certs/210987654321/checkout/*", ("list",)),
        ],
        "checkout-nightly": [("secret/data/certs/210987654321/checkout-nightly/current", ("read",))],
        "rotate": [("secret/data/shared/ca", ("read",)), ("secret/metadata/shared/+", ("list",))],
    }
    found = {login.role.role: login for login in logins(declared)}
    assert [policy.label for policy in found["checkout-nightly"].policies] == ["nightly", "checkout_certs"]
    assert (found["Checkout"].undeclared, found["checkout-nightly"].undeclared) == (("default",), ())
    assert found["Checkout"].mount == found["checkout-nightly"].mount == "aws"


def test_a_rule_is_found_where_it_stands() -> None:
    declared = read(texts(TREES / "retail"))
    for policy in declared.of(VaultPolicy):
        for rule in policy.rules:
            assert rule.span
            line = (TREES / "retail" / rule.span.path).read_text().splitlines()[rule.span.line - 1]
            assert "path" in line if policy.label != "rotate" else line.lstrip().startswith("policy")
