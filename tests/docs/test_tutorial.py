"""The tutorial does what it says, in the time that it says."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

from tests.docs.blocks import CHECKOUT, blocks, run

if TYPE_CHECKING:
    from pathlib import Path

TUTORIAL = CHECKOUT / "docs/tutorial.md"
PARTS = [block for block in blocks("console") if block.words == ("tutorial",)]


def test_a_newcomer_gets_to_a_green_check_in_under_a_minute(tmp_path: Path, environment: dict[str, str]) -> None:
    assert {block.document for block in PARTS} == {TUTORIAL}
    whole = dataclasses.replace(PARTS[0], text="".join(block.text for block in PARTS))
    begin = time.monotonic()
    run(whole, tmp_path, environment)
    assert time.monotonic() - begin < 60
    assert (tmp_path / "fleet/terraform/accounts/123456789012/vault/client-refunds.tf").exists()
