"""What the reader takes, Terraform takes to mean the same; what only Terraform takes is listed in `hostile_hcl.py`."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

from generator.audit.faults import Unreadable
from generator.audit.hcl import Traversal, parse
from generator.diagnostics import Span
from tests.audit.hostile_hcl import BAD, REFUSED, TAKEN

if TYPE_CHECKING:
    from pathlib import Path

    from generator.audit.hcl import Value
    from generator.sandbox.toolchain import Toolchain

START = Span("x.tf", 1, 1, 1, 1)
NESTED = {
    "lists": "x = " + "[" * 300 + "]" * 300 + "\n",
    "objects": "x = " + "{a=" * 300 + "1" + "}" * 300 + "\n",
    "blocks": "a {\n" * 300 + "}\n" * 300,
    "parentheses": "x = " + "(" * 300 + "1" + ")" * 300 + "\n",
    "comments": "/*" * 300_000 + "*/\n}",
    "unclosed": "x = " + "[" * 20_000,
}


def terraform(toolchain: Toolchain, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"TF_CLI_CONFIG_FILE": str(toolchain.terraform_config), "CHECKPOINT_DISABLE": "1"}
    command = [str(toolchain.terraform), f"-chdir={folder}", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


@pytest.mark.parametrize("text", TAKEN)
def test_the_reader_takes(text: str) -> None:
    parse(text, START)


@pytest.mark.parametrize("text", [*REFUSED, *BAD])
def test_the_reader_refuses_with_a_place_and_a_reason(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        parse(text, START)
    finding = caught.value.finding
    assert 1 <= finding.span.line <= text.count("\n") + 1
    assert finding.message
    assert finding.help


@pytest.mark.parametrize("name", NESTED)
def test_deep_nesting_is_refused_and_no_more(name: str) -> None:
    with pytest.raises(Unreadable):
        parse(NESTED[name], START)


@pytest.mark.toolchain
def test_terraform_takes_what_the_list_says(tmp_path: Path, toolchain: Toolchain) -> None:
    texts = (*TAKEN, *REFUSED, *BAD)
    for number, text in enumerate(texts):
        (tmp_path / f"case{number}.tf").write_bytes(text.encode())
    done = terraform(toolchain, tmp_path, "fmt", "-check", "-list=false")
    refused = {texts[int(number)] for number in re.findall(r"case(\d+)\.tf", done.stderr)}
    assert refused == set(BAD)


@pytest.mark.toolchain
def test_terraform_makes_the_same_of_what_is_taken(tmp_path: Path, toolchain: Toolchain) -> None:
    expected: dict[str, dict[str, object]] = {}
    root = ""
    for number, text in enumerate(TAKEN):
        attributes = parse(text, START).attributes
        # A name that is a keyword cannot be asked for, and what another object says is not the text's to tell.
        values = {
            name: plain(attribute.value)
            for name, attribute in attributes.items()
            if name not in {"for", "if", "true", "null", "endfor", "for_each"}
            and not isinstance(attribute.value, Traversal)
        }
        if values and not parse(text, START).blocks:
            case = tmp_path / f"case{number}"
            case.mkdir()
            shown = "".join(f"    {name} = local.{name}\n" for name in values)
            output = f'output "v" {{\n  value = {{\n{shown}  }}\n}}\n'
            (case / "main.tf").write_bytes(f"locals {{\n{text}\n}}\n{output}".encode())
            root += f'module "case{number}" {{\n  source = "./case{number}"\n}}\n'
            root += f'output "case{number}" {{\n  value = module.case{number}.v\n}}\n'
            expected[f"case{number}"] = values
    (tmp_path / "main.tf").write_text(root)
    for arguments in (("init", "-input=false"), ("apply", "-auto-approve", "-input=false")):
        done = terraform(toolchain, tmp_path, *arguments)
        assert not done.returncode, done.stderr
    evaluated = json.loads(terraform(toolchain, tmp_path, "output", "-json").stdout)
    assert len(expected) > 80
    assert {name: output["value"] for name, output in evaluated.items()} == expected


def plain(value: Value) -> object:
    """Return a value as JSON has it."""
    match value:
        case tuple():
            return [plain(one) for one in value]
        case Mapping():
            return {key: plain(one) for key, one in value.items()}
        case _:
            return value
