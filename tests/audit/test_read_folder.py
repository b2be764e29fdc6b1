"""Which files of a folder are Terraform's: all of them are read or refused, and no others."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from generator.audit.faults import NOT_LITERAL, SYNTAX, TOO_LARGE, UNKNOWN, UnreadableTreeError
from generator.audit.folder import texts
from generator.audit.hcl import LONGEST
from generator.audit.read import read
from generator.errors import UsageError
from generator.render import tree

if TYPE_CHECKING:
    from pathlib import Path

    from generator.sandbox.toolchain import Toolchain

ROOT = "terraform/accounts/123456789012/vault"

CONFIGURATION = {
    "a.tf": True,
    "a.b.tf": True,
    "A.tf": True,
    "a b.tf": True,
    "a#.tf": True,
    "a_override.tf": True,
    "override.tf": True,
    "a.tf.json": True,
    ".a.tf": False,
    ".tf": False,
    "a.tf~": False,
    "#a.tf#": False,
    "#a.tf": True,
    "~a.tf": True,
    "a.TF": False,
    "a.tf.bak": False,
    "a.tofu": False,
    "a.tftest.hcl": False,
    "a.hcl": False,
    "deeper/a.tf": False,
}
"""Whether Terraform takes a file of a name into a root."""

VALUES = {
    "terraform.tfvars": True,
    "terraform.tfvars.json": True,
    "a.auto.tfvars": True,
    "b.auto.tfvars.json": True,
    ".c.auto.tfvars": True,
    "d.tfvars": False,
    "e.auto.tfvars~": False,
    "f.AUTO.TFVARS": False,
    "deeper/g.auto.tfvars": False,
}
"""Whether Terraform takes variables from a file of a name."""


def put(folder: Path, path: str, text: str = "") -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text)


def refused(folder: Path) -> list[tuple[str, str]]:
    with pytest.raises(UnreadableTreeError) as caught:
        read(texts(folder))
    return [(finding.rule, finding.span.path) for finding in caught.value.findings]


@pytest.mark.toolchain
def test_terraform_takes_the_files_that_the_lists_say(tmp_path: Path, toolchain: Toolchain) -> None:
    base = ""
    outputs = {name: f"output{number}" for number, name in enumerate(CONFIGURATION)}
    for name, output in outputs.items():
        block = f'output "{output}" {{\n  value = 1\n}}\n'
        if name.endswith(".tftest.hcl"):
            block = 'run "x" {\n}\n'  # init reads tests, and nothing of them is applied
        if "override" in name:
            base += block.replace("value = 1", "value = 0")
        put(tmp_path, name, json.dumps({"output": {output: {"value": 1}}}) if name.endswith(".json") else block)
    variables = {name: f"v{number}" for number, name in enumerate(VALUES)}
    for name, variable in variables.items():
        base += f'variable "{variable}" {{\n  default = 0\n}}\noutput "{variable}" {{\n  value = var.{variable}\n}}\n'
        put(tmp_path, name, json.dumps({variable: 1}) if name.endswith(".json") else f"{variable} = 1\n")
    put(tmp_path, "base.tf", base)

    def run(*arguments: str) -> str:
        environment = {"TF_CLI_CONFIG_FILE": str(toolchain.terraform_config), "CHECKPOINT_DISABLE": "1"}
        command = [str(toolchain.terraform), f"-chdir={tmp_path}", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout

    run("init", "-input=false")
    run("apply", "-auto-approve", "-input=false")
    values = {name: output["value"] for name, output in json.loads(run("output", "-json")).items()}
    assert {name: values.get(output) == 1 for name, output in outputs.items()} == CONFIGURATION
    assert {name: values[variable] == 1 for name, variable in variables.items()} == VALUES


@pytest.mark.parametrize("name", CONFIGURATION)
def test_configuration_is_read_or_refused_where_terraform_takes_it(name: str, tmp_path: Path) -> None:
    path = f"{ROOT}/{name}"
    put(tmp_path, path, "{}" if name.endswith(".json") else "x = f(1)\n")
    if CONFIGURATION[name]:
        plain = name in {"a.tf", "a.b.tf", "A.tf"}
        assert refused(tmp_path) == [(NOT_LITERAL if plain else UNKNOWN, path)]
    elif name == "deeper/a.tf":
        # It may be a module, and no root is there.
        assert refused(tmp_path) == [(UNKNOWN, path)]
    else:
        assert not texts(tmp_path)


@pytest.mark.parametrize("name", VALUES)
def test_variables_are_refused_where_terraform_takes_them(name: str, tmp_path: Path) -> None:
    put(tmp_path, f"{ROOT}/{name}", "x = 1\n")
    if VALUES[name] or name.startswith("deeper"):
        assert refused(tmp_path) == [(UNKNOWN, f"{ROOT}/{name}")]
    else:
        assert not texts(tmp_path)


@pytest.mark.parametrize("name", [name for name, taken in (CONFIGURATION | VALUES).items() if taken])
def test_none_of_them_passes_for_a_rendered_file(name: str, tmp_path: Path) -> None:
    put(tmp_path, f"{ROOT}/{name}")
    assert tree.compare(tmp_path, {}).foreign == (f"{ROOT}/{name}",)


def test_what_is_no_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "elsewhere/a.tf")
    put(tmp_path, f"{ROOT}/terraform.d/plugins/x")
    (tmp_path / ROOT / "link.tf").symlink_to(tmp_path / "elsewhere/a.tf")
    (tmp_path / ROOT / "dangling.tf").symlink_to("nowhere")
    (tmp_path / "terraform/accounts/210987654321").symlink_to(tmp_path / "elsewhere")
    (tmp_path / ROOT / "latin.tf").write_bytes(b"# caf\xe9\n")
    os.mkfifo(tmp_path / ROOT / "pipe.tf")
    (tmp_path / ROOT / "long.tf").write_text("#" * (5 * LONGEST))
    with socket.socket(socket.AF_UNIX) as one:
        monkeypatch.chdir(tmp_path / ROOT)  # a socket's path may have a hundred characters
        one.bind("s.tf")
        found = refused(tmp_path)
    assert found == sorted(
        [
            (UNKNOWN, "terraform/accounts/210987654321"),
            (UNKNOWN, f"{ROOT}/dangling.tf"),
            (SYNTAX, f"{ROOT}/latin.tf"),
            (TOO_LARGE, f"{ROOT}/long.tf"),
            (UNKNOWN, f"{ROOT}/link.tf"),
            (UNKNOWN, f"{ROOT}/pipe.tf"),
            (UNKNOWN, f"{ROOT}/s.tf"),
            (UNKNOWN, f"{ROOT}/terraform.d"),
        ],
        key=lambda one: one[1],
    )


def test_a_file_that_is_too_long_is_refused(tmp_path: Path) -> None:
    put(tmp_path, f"{ROOT}/long.tf", "#" * (LONGEST + 1))
    assert refused(tmp_path) == [(TOO_LARGE, f"{ROOT}/long.tf")]


def test_what_terraform_leaves_behind_is_left_alone(tmp_path: Path) -> None:
    put(tmp_path, f"{ROOT}/.terraform/modules/x/a.tf")
    put(tmp_path, f"{ROOT}/.terraform.lock.hcl")
    put(tmp_path, f"{ROOT}/README.md")
    assert not texts(tmp_path)


def test_files_outside_of_roots_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "terraform/main.tf")
    put(tmp_path, "terraform/modules/client/main.tf")
    put(tmp_path, "terraform/accounts/payments/vault/main.tf")
    assert [rule for rule, _ in refused(tmp_path)] == [UNKNOWN] * 3


def test_a_folder_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        texts(tmp_path)
