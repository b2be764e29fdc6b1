"""Small fleets beside the Terraform that they are rendered to: what a change of rendering changes is seen here.

Each folder holds a fleet's manifests and its ``terraform/``; import files, which no manifest says, stay as they are. To
write the rest again after a change that is meant: ``CROSSKEYS_REGENERATE_GOLDEN=1 pytest tests/golden``
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from generator import pipeline
from generator.render import tree

if TYPE_CHECKING:
    from generator.render.tree import Comparison

GOLDEN = Path(__file__).parent
EXAMPLE = GOLDEN.parents[1]
FLEETS = sorted(path.parent for path in GOLDEN.glob("*/clients"))
REGENERATE = "CROSSKEYS_REGENERATE_GOLDEN"


def compare(folder: Path) -> Comparison:
    validated = pipeline.validate(folder)
    assert validated.findings == ()
    return pipeline.render(folder, validated.fleet, None).comparison


@pytest.mark.parametrize("folder", FLEETS, ids=lambda folder: folder.name)
def test_a_fleet_is_rendered_as_it_was(folder: Path) -> None:
    comparison = compare(folder)
    if os.environ.get(REGENERATE):
        tree.write(folder, comparison)
        comparison = compare(folder)
    if not comparison.is_current:
        pytest.fail(
            f"{folder.name} is rendered otherwise than it was; if that is meant:\n"
            f"    {REGENERATE}=1 pytest tests/golden\n\n"
            f"{comparison.diff()}{''.join(f'foreign: {path}' for path in comparison.foreign)}",
            pytrace=False,
        )


def test_the_committed_tree_of_the_example_fleet_is_current() -> None:
    comparison = compare(EXAMPLE)
    assert comparison.is_current, f"run `crosskeys render` and commit what it writes\n\n{comparison.diff()}"


@pytest.mark.toolchain
@pytest.mark.parametrize("folder", [GOLDEN, EXAMPLE / "terraform"], ids=["golden", "example"])
def test_what_is_rendered_is_as_terraform_formats_it(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "terraform.rc").touch()
    run = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", "-recursive", str(folder)],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TF_CLI_CONFIG_FILE": str(tmp_path / "terraform.rc")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def text(fleet: str) -> str:
    """All that a fleet is rendered to."""
    return "".join(path.read_text(encoding="utf-8") for path in sorted((GOLDEN / fleet).glob("terraform/**/*.tf")))


@pytest.mark.parametrize(
    ("fleet", "partition", "service", "regions"),
    [
        ("govcloud", "aws-us-gov", "ec2.amazonaws.com", {"us-gov-west-1", "us-gov-east-1"}),
        ("china", "aws-cn", "ec2.amazonaws.com.cn", {"cn-north-1", "cn-northwest-1"}),
    ],
)
def test_a_fleet_names_nothing_of_another_partition(
    fleet: str, partition: str, service: str, regions: set[str]
) -> None:
    assert text(fleet).count('"arn:') == text(fleet).count(f'"arn:{partition}:iam::') >= 6
    assert f'identifiers = ["{service}"]' in text(fleet)
    assert not {"us-east-1", "eu-central-1"} & set(text(fleet).split('"'))
    assert regions & set(text(fleet).split('"'))


@pytest.mark.parametrize("fleet", ["registration", "kinds", "own-template"])
def test_a_fleet_that_manages_nothing_of_the_platform_has_no_root_for_it(fleet: str) -> None:
    assert not (GOLDEN / fleet / "terraform" / "platform").exists()


def test_no_two_roots_share_a_state() -> None:
    keys = [line for line in text("s3-backend").splitlines() if line.startswith("    key ")]
    assert len(keys) == len(set(keys)) == 3
    paths = [line for line in text("kinds").splitlines() if line.startswith('    path = "../')]
    assert len(paths) == len(set(paths)) == 3  # the handed-over root has none: its owner keeps its state


def test_a_fleets_own_template_comes_first_and_the_packages_serve_the_rest() -> None:
    assert "by this fleet's own template" in text("own-template")
    assert 'provider "vault"' in text("own-template")
    assert "by this fleet's own template" not in text("registration")


def test_a_tree_of_which_all_was_there_already_imports_every_object_once() -> None:
    blocks = re.findall(r'^import \{\n  to = (\S+)\n  id = "([^"]+)"\n\}$', text("adopted"), re.MULTILINE)
    made = re.findall(r'^resource "(\S+)" "(\S+)" \{$', text("adopted"), re.MULTILINE)
    assert sorted(to for to, _ in blocks) == sorted(".".join(each) for each in made)
    assert len(blocks) == 18
    assert ("vault_aws_auth_backend_role.search", "auth/aws/role/SEARCH-App") in blocks
    assert ("vault_aws_auth_backend_role.ledger", "auth/aws/role/ledger-app") not in blocks  # it is suspended
