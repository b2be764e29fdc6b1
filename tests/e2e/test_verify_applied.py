"""What was applied, and logged in to, is what was reviewed: both sides, every account, as the command line sees it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from generator.live.advisories import FLAWED

if TYPE_CHECKING:
    from tests.e2e.fleets import FleetFolder

pytestmark = pytest.mark.toolchain


def test_example_fleet_is_live_as_it_was_reviewed(example: FleetFolder) -> None:
    example.call("verify", "--report", "verify.json")
    report = json.loads((example.folder / "verify.json").read_text("utf-8"))
    (example.folder / "verify.json").unlink()
    assert report["rules"].keys() <= {FLAWED}
    assert report["checked"]["aws_iam_role"] == 10
    assert report["checked"]["vault_aws_auth_backend_role"] == 9
    assert report["verdict"] == "live is what was reviewed: 42 objects of 9 clients"
